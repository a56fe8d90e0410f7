/**
 * One poll: what was committed after a version, read in one snapshot transaction (spec/sql-server.md §2, fact 26).
 *
 * The order of its steps is what makes it safe. The current version is read before the transaction, so that its snapshot
 * shows at least everything up to it; what it shows beyond comes again.
 * Checkpoints are read before rows: the rows are those of the snapshot, and contain what its checkpoints stand for,
 * whichever version the poll ends at. That nothing was cleaned up before the snapshot began is asked at the end once more.
 */
import type { Checkpoint, SqlText } from '../../../src/connector/dialect.ts';
import { tableId } from '../../../src/connector/dialect.ts';
import { CHECKPOINT_TABLE } from '../own-tables.ts';
import { bigint, int, longText, type SqlParameter, shortText } from '../parameters.ts';
import type { StatementOptions } from '../session.ts';
import { quoteTable } from '../sql-text.ts';
import { type OutdatedTable, outdated, setBack, trackingOff } from './feed-errors.ts';
import { TableAway } from './feed-failure.ts';
import { MOVING_REALM } from './feed-record.ts';
import type { FeedSession } from './feed-session.ts';
import type { FollowedTable } from './followed-table.ts';
import { type Backlog, type Cut, cutOf } from './poll-cut.ts';
import type { NetChange } from './regroup.ts';
import {
  judge,
  TRACKING_STATE,
  type TrackingState,
  trackingFrom,
  trackingParameter,
} from './tracking-state.ts';

/** Changes of one table that a poll holds in memory. More of them come with the next poll, which follows at once. */
export const MOST_CHANGES = 10_000;
/** Tables asked together how much they have to deliver. */
const TABLES_AT_A_TIME = 50;
/** Sorting a large backlog takes a while until the first row comes; a server that is gone was noticed before that. */
const ROWS_TIMEOUT_MILLISECONDS = 300_000;

const CHECKPOINTS = quoteTable(CHECKPOINT_TABLE);

export const POLL_STATEMENTS = {
  allCheckpoints: `SELECT t.[realm], CONVERT(varchar(20), t.[sequence]) FROM ${CHECKPOINTS} AS t WHERE t.[adapter] = @adapter;`,
  changedCheckpoints:
    `SELECT t.[realm], CONVERT(varchar(20), t.[sequence]) FROM CHANGETABLE(CHANGES ${CHECKPOINTS}, @since) AS c ` +
    `INNER JOIN ${CHECKPOINTS} AS t ON t.[adapter] = c.[adapter] AND t.[realm] = c.[realm] WHERE c.[adapter] = @adapter;`,
} as const;

export type PollRequest = {
  readonly adapter: string;
  readonly database: string;
  readonly tables: readonly FollowedTable[];
  /** Everything up to it was delivered. */
  readonly cursor: bigint;
  /** Nothing was delivered on this connection yet: checkpoints are told whatever their version. */
  readonly isFirst: boolean;
  /** How long the server may say nothing. */
  readonly answerMilliseconds: number;
  readonly mostChanges: number;
  readonly signal: AbortSignal;
};

export type Blocked = { readonly kind: 'blocked'; readonly table: string; readonly why: string };

export type LookRequest = Pick<
  PollRequest,
  'tables' | 'cursor' | 'database' | 'answerMilliseconds' | 'signal'
>;

/** What is to be read, from which versions on. */
export type Look = {
  readonly kind: 'ready';
  /** What is committed by now lies at or before it. */
  readonly current: bigint;
  readonly tables: readonly LookedAt[];
  readonly checkpointsSince: bigint | 'all';
};
export type LookedAt = {
  readonly table: FollowedTable;
  readonly since: bigint;
  /** When its tracking began; another version after it was switched off and on, and after TRUNCATE. */
  readonly begin: bigint;
  /** That was after the cursor: what was changed before is not to be had. */
  readonly isNew: boolean;
};

export type Changes = Cut & {
  readonly own: readonly Checkpoint[];
  readonly changes: readonly NetChange[];
  /** The tables of a huge version, whose changes are still to be read in the same transaction. */
  readonly toRead: readonly LookedAt[];
};

/**
 * What there is to read. Call outside of transactions, so that the snapshot which begins later shows all of it. Throws
 * what the driver throws, and `SqlServerFeedLostError`.
 */
export async function look(session: FeedSession, request: LookRequest): Promise<Look | Blocked> {
  return readyTables(await trackingState(session, request), request);
}

/** Call inside a snapshot transaction that has read nothing. Throws what the driver throws, and `SqlServerFeedLostError`. */
export async function readChanges(
  session: FeedSession,
  request: PollRequest,
  { current, tables, checkpointsSince }: Look,
): Promise<Changes> {
  const own = await checkpoints(session, request, request.isFirst ? 'all' : checkpointsSince);
  const backlogs = await backlogsOf(session, request, tables);
  const cut = cutOf([...backlogs.values()], request.mostChanges, current);
  const toRead = tables.filter((_, place) => (backlogs.get(place)?.first ?? cut.upTo + 1n) <= cut.upTo);
  if (cut.isHuge) return { ...cut, own, changes: [], toRead };
  const changes: NetChange[] = [];
  for (const table of toRead)
    for await (const rows of changesOf(session, table, cut.upTo, request))
      for (const row of rows) changes.push(row);
  await requireStillValid(session, request);
  return { ...cut, own, changes, toRead: [] };
}

/** The changes of one table, as they are read. */
export async function* changesOf(
  session: FeedSession,
  { table, since }: LookedAt,
  upTo: bigint,
  { signal }: Pick<PollRequest, 'signal'>,
): AsyncGenerator<readonly NetChange[]> {
  const parameters = [bigint('since', since), bigint('upTo', upTo)];
  const options = { signal, timeoutMilliseconds: ROWS_TIMEOUT_MILLISECONDS };
  for await (const rows of session.rows(table.changesText, parameters, options))
    yield rows.map((row) => table.read(row));
}

/** Throws `SqlServerFeedLostError` when something was cleaned up that was still to be read. */
export async function requireStillValid(session: FeedSession, request: PollRequest): Promise<void> {
  const again = await look(session, request);
  if (again.kind === 'blocked') throw new TableAway(again.table, again.why);
}

export async function trackingState(
  session: FeedSession,
  { tables, answerMilliseconds, signal }: Pick<PollRequest, 'tables' | 'answerMilliseconds' | 'signal'>,
): Promise<TrackingState> {
  const names = [CHECKPOINTS, ...tables.map(({ quotedName }) => quotedName)];
  const rows = await session.query(TRACKING_STATE, [longText('tables', trackingParameter(names))], {
    signal,
    timeoutMilliseconds: answerMilliseconds,
  });
  return trackingFrom(rows, names.length);
}

const WHY = {
  missing: 'it is not there, or may not be seen',
  untracked: 'its changes are not tracked',
  forbidden: 'the login lacks VIEW CHANGE TRACKING on it',
} as const;

/** Throws `SqlServerFeedLostError`. */
export function readyTables(
  { current, tables: [ofCheckpoints, ...states] }: TrackingState,
  { tables, cursor, database }: Pick<PollRequest, 'tables' | 'cursor' | 'database'>,
): Look | Blocked {
  if (current === undefined) throw trackingOff(database);
  if (current < cursor) throw setBack(database, current, cursor);
  const ready: LookedAt[] = [];
  const gone: OutdatedTable[] = [];
  let blocked: Blocked | undefined;
  for (const [place, table] of tables.entries()) {
    const name = tableId(table.info.table);
    const verdict = judge(states[place] ?? UNKNOWN, cursor);
    if (verdict.kind === 'ready') ready.push({ table, ...verdict });
    else if (verdict.kind === 'outdated') gone.push({ table: name, minValid: verdict.minValid });
    else blocked ??= { kind: 'blocked', table: name, why: WHY[verdict.why] };
  }
  const checkpoint = judge(ofCheckpoints ?? UNKNOWN, cursor);
  const name = tableId(CHECKPOINT_TABLE);
  if (checkpoint.kind === 'outdated') gone.push({ table: name, minValid: checkpoint.minValid });
  if (gone.length > 0) throw outdated(gone, cursor);
  if (blocked !== undefined) return blocked;
  if (checkpoint.kind !== 'ready')
    return {
      kind: 'blocked',
      table: name,
      why: WHY[checkpoint.kind === 'away' ? checkpoint.why : 'missing'],
    };
  return { kind: 'ready', current, tables: ready, checkpointsSince: checkpoint.isNew ? 'all' : cursor };
}

const UNKNOWN = { objectId: undefined, begin: undefined, minValid: undefined };

async function checkpoints(
  session: FeedSession,
  { adapter, answerMilliseconds, signal }: PollRequest,
  since: bigint | 'all',
): Promise<readonly Checkpoint[]> {
  const named = shortText('adapter', adapter);
  const options: StatementOptions = { signal, timeoutMilliseconds: answerMilliseconds };
  const rows =
    since === 'all'
      ? await session.query(POLL_STATEMENTS.allCheckpoints, [named], options)
      : await session.query(POLL_STATEMENTS.changedCheckpoints, [named, bigint('since', since)], options);
  return rows
    .filter(([realmPath]) => realmPath !== MOVING_REALM)
    .map(([realmPath, sequence]) => ({ realmPath: realmPath ?? '', sequence: Number(sequence) }));
}

/** By place in the list of tables, of those that have something to deliver. */
async function backlogsOf(
  session: FeedSession,
  { mostChanges, signal }: PollRequest,
  tables: readonly LookedAt[],
): Promise<ReadonlyMap<number, Backlog>> {
  const backlogs = new Map<number, Backlog>();
  for (let start = 0; start < tables.length; start += TABLES_AT_A_TIME) {
    const asked = tables.slice(start, start + TABLES_AT_A_TIME);
    const text = asked.map(({ table }, place) => table.backlogText(place)).join(' UNION ALL ');
    const parameters: SqlParameter[] = [
      int('limit', mostChanges + 1),
      ...asked.map(({ since }, place) => bigint(`since${place}`, since)),
    ];
    const options = { signal, timeoutMilliseconds: ROWS_TIMEOUT_MILLISECONDS };
    for (const [place, counted, first, last] of await session.query(`${text};`, parameters, options))
      addBacklog(backlogs, start + Number(place), [counted, first, last]);
  }
  return backlogs;
}

function addBacklog(
  backlogs: Map<number, Backlog>,
  place: number,
  [counted, first, last]: readonly (SqlText | undefined)[],
): void {
  if (first === null || first === undefined || last === null || last === undefined) return;
  backlogs.set(place, { counted: Number(counted), first: BigInt(first), last: BigInt(last) });
}
