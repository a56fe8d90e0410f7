/**
 * The row of `isthmus.feed` about one adapter: how far its feed was read, who reads it, and the name of the line of
 * history that is being read. That name is new with each opening; the one before it stays beside it until the replicas
 * are known to have the new one, so that a crash between the two is no loss.
 */
import { CHECKPOINT_TABLE, FEED_TABLE } from '../own-tables.ts';
import { bigint, shortText } from '../parameters.ts';
import { quoteLiteral, quoteTable } from '../sql-text.ts';
import type { FeedSession } from './feed-session.ts';
import { versionFrom } from './version.ts';

const TABLE = quoteTable(FEED_TABLE);
const CHECKPOINTS = quoteTable(CHECKPOINT_TABLE);
/** Of the checkpoint that {@link moveVersionOn} moves; the paths of realms begin with a slash. */
export const MOVING_REALM = 'feed';
const MOVING = quoteLiteral(MOVING_REALM);
const LONGEST_HOLDER = 400;
/** The driver's count stays away where the server's `user options` begin each session with NOCOUNT. */
const COUNTED = 'SELECT CONVERT(varchar(10), @@ROWCOUNT);';

export const RECORD_STATEMENTS = {
  read: `SELECT [line], [previous_line], CONVERT(varchar(20), [position]), [holder], CONVERT(varchar(30), [held_since], 126), CONVERT(varchar(30), [confirmed_at], 126) FROM ${TABLE} WHERE [adapter] = @adapter;`,
  begin:
    `UPDATE ${TABLE} SET [line] = @line, [previous_line] = NULL, [position] = @position, [confirmed_at] = SYSUTCDATETIME(), ` +
    '[holder] = NULL, [held_since] = NULL WHERE [adapter] = @adapter; ' +
    `IF @@ROWCOUNT = 0 INSERT INTO ${TABLE} ([adapter], [line], [position]) VALUES (@adapter, @line, @position);`,
  hold:
    `UPDATE ${TABLE} SET [line] = @line, [previous_line] = @previous, [holder] = @holder, [held_since] = SYSUTCDATETIME() ` +
    `WHERE [adapter] = @adapter; ${COUNTED}`,
  confirm: `UPDATE ${TABLE} SET [position] = @position, [confirmed_at] = SYSUTCDATETIME() WHERE [adapter] = @adapter AND [line] = @line; ${COUNTED}`,
  release: `UPDATE ${TABLE} SET [holder] = NULL, [held_since] = NULL WHERE [adapter] = @adapter AND [line] = @line;`,
  moveOn:
    `UPDATE ${CHECKPOINTS} SET [sequence] = [sequence] + 1 WHERE [adapter] = @adapter AND [realm] = ${MOVING}; ` +
    `IF @@ROWCOUNT = 0 INSERT INTO ${CHECKPOINTS} ([adapter], [realm], [sequence]) VALUES (@adapter, ${MOVING}, 1);`,
  drop: `DELETE FROM ${TABLE} WHERE [adapter] = @adapter;`,
} as const;

export type FeedRecord = {
  readonly line: string;
  readonly previousLine: string | undefined;
  readonly position: bigint;
  /** Machine and process that read the feed last. */
  readonly holder: string | undefined;
  readonly heldSince: string | undefined;
  readonly confirmedAt: string | undefined;
};

export async function readRecord(session: FeedSession, adapter: string): Promise<FeedRecord | undefined> {
  const [row] = await session.query(RECORD_STATEMENTS.read, [shortText('adapter', adapter)]);
  if (row === undefined) return undefined;
  const [line, previous, position, holder, since, confirmedAt] = row;
  return {
    line: line ?? '',
    previousLine: previous ?? undefined,
    position: versionFrom(position) ?? 0n,
    holder: holder ?? undefined,
    heldSince: since ?? undefined,
    confirmedAt: confirmedAt ?? undefined,
  };
}

/** A feed that begins (anew) at a version. */
export async function beginRecord(
  session: FeedSession,
  adapter: string,
  line: string,
  position: bigint,
): Promise<void> {
  await session.execute(RECORD_STATEMENTS.begin, [
    shortText('adapter', adapter),
    shortText('line', line),
    bigint('position', position),
  ]);
}

/** False when there is no such row. */
export async function holdRecord(
  session: FeedSession,
  adapter: string,
  { line, previous, holder }: { line: string; previous: string | undefined; holder: string },
): Promise<boolean> {
  const [row] = await session.query(RECORD_STATEMENTS.hold, [
    shortText('adapter', adapter),
    shortText('line', line),
    shortText('previous', previous ?? null),
    shortText('holder', holder.slice(0, LONGEST_HOLDER)),
  ]);
  return Number(row?.[0] ?? 0) > 0;
}

/** False when the row is gone, or about a feed that somebody began since. */
export async function confirmRecord(
  session: FeedSession,
  adapter: string,
  line: string,
  position: bigint,
): Promise<boolean> {
  const [row] = await session.query(RECORD_STATEMENTS.confirm, [
    shortText('adapter', adapter),
    shortText('line', line),
    bigint('position', position),
  ]);
  return Number(row?.[0] ?? 0) > 0;
}

export async function releaseRecord(session: FeedSession, adapter: string, line: string): Promise<void> {
  await session.execute(RECORD_STATEMENTS.release, [shortText('adapter', adapter), shortText('line', line)]);
}

export async function dropRecord(session: FeedSession, adapter: string): Promise<void> {
  await session.execute(RECORD_STATEMENTS.drop, [shortText('adapter', adapter)]);
}

/**
 * Gives the database another version, by a change that means nothing. A table whose tracking
 * began at the present version would look the same if it began anew at once, after a TRUNCATE or a while without it.
 */
export async function moveVersionOn(session: FeedSession, adapter: string): Promise<void> {
  await session.execute(RECORD_STATEMENTS.moveOn, [shortText('adapter', adapter)]);
}
