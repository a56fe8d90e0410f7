/** Judges how the feed of an adapter fares on the database's side: what is still there of what is to be read. */
import type { FeedHealth, TableInfo } from '../../../src/connector/dialect.ts';
import { tableId } from '../../../src/connector/dialect.ts';
import { type Finding, failed, fine, problem, warning } from '../../../src/connector/finding.ts';
import { longText, shortText } from '../parameters.ts';
import type { Session } from '../session.ts';
import { quoteTable } from '../sql-text.ts';
import { outdated, recordMissing, setBack, trackingOff } from './feed-errors.ts';
import { holderText, isHeld } from './feed-lock.ts';
import { type FeedRecord, readRecord } from './feed-record.ts';
import { type DatabaseTracking, databaseTracking } from './tracking.ts';
import {
  judge,
  TRACKING_STATE,
  type TrackingState,
  trackingFrom,
  trackingParameter,
} from './tracking-state.ts';

export const FEED_STATE = 'sqlserver/feed';
export const FEED_LAG = 'sqlserver/feed-lag';
export const RETENTION = 'sqlserver/retention';
export const TABLES = 'sqlserver/tracked-tables';

/** An adapter that is away for a day must not lose its place. */
const SHORTEST_RETENTION_MINUTES = 24 * 60;

/** Seconds since the record said last how far the feed was read. */
export const SILENCE =
  'SELECT CONVERT(varchar(20), DATEDIFF(second, f.[confirmed_at], SYSUTCDATETIME())) FROM [isthmus].[feed] AS f WHERE f.[adapter] = @adapter;';

/** What is judged; {@link readHealth} asks for it. */
export type FeedFacts = {
  readonly adapter: string;
  readonly database: string;
  readonly tracking: DatabaseTracking | undefined;
  readonly record: FeedRecord | undefined;
  readonly state: TrackingState;
  readonly tables: readonly TableInfo[];
  readonly isHeld: boolean;
  readonly silentSeconds: number;
};

export async function readHealth(
  session: Session,
  adapter: string,
  database: string,
  tables: readonly TableInfo[],
): Promise<FeedHealth> {
  const names = tables.map(({ table }) => quoteTable(table));
  // Something must be asked about for the state of the database to come with it.
  const asked = names.length > 0 ? names : ['[isthmus].[checkpoint]'];
  const rows = await session.query(TRACKING_STATE, [longText('tables', trackingParameter(asked))]);
  const [silence] = await session.query(SILENCE, [shortText('adapter', adapter)]);
  return healthOf({
    adapter,
    database,
    tracking: await databaseTracking(session),
    record: await readRecord(session, adapter),
    state: trackingFrom(rows, asked.length),
    tables,
    isHeld: await isHeld(session, adapter),
    silentSeconds: Number(silence?.[0] ?? 0),
  });
}

/** Pure, so that every threshold can be told apart without waiting for days. */
export function healthOf(facts: FeedFacts): FeedHealth {
  const { adapter, database, tracking, record, state, isHeld: held } = facts;
  if (tracking === undefined || state.current === undefined)
    return told([failed(FEED_STATE, trackingOff(database))], {});
  const retention = retentionFinding(tracking);
  if (record === undefined) return told([failed(FEED_STATE, recordMissing(adapter)), retention], {});
  const holder = held ? `read by ${holderText(record)}` : 'nobody reads it now';
  const shown = {
    position: record.position.toString(),
    version: state.current.toString(),
    ...(tracking.retentionMinutes === undefined ? {} : { retentionMinutes: tracking.retentionMinutes }),
    ...(held ? { holder: holderText(record) } : {}),
  };
  if (state.current < record.position)
    return told([failed(FEED_STATE, setBack(database, state.current, record.position)), retention], shown);
  return told(
    [
      fine(FEED_STATE, `the change feed of ${adapter} stands at version ${record.position}; ${holder}`),
      lagFinding(facts, record.position, state.current, tracking.retentionMinutes),
      retention,
      tablesFinding(facts, record.position),
    ],
    shown,
  );
}

function told(findings: readonly Finding[], facts: FeedHealth['facts']): FeedHealth {
  return { findings, retainedBytes: undefined, facts };
}

const CATCH_UP = 'let the adapter run and see in its log why it does not keep up';

function lagFinding(
  { silentSeconds }: FeedFacts,
  position: bigint,
  current: bigint,
  retentionMinutes: number | undefined,
): Finding {
  const behind = current - position;
  if (behind === 0n) return fine(FEED_LAG, 'everything that was committed has been read');
  const minutes = Math.floor(silentSeconds / 60);
  const text = `${behind} versions are still to be read; it was told ${minutes} min ago how far the feed had come`;
  if (retentionMinutes === undefined) return fine(FEED_LAG, text);
  const kept = `change tracking keeps them for ${retentionMinutes} min`;
  if (minutes >= retentionMinutes)
    return problem(FEED_LAG, `${text}: ${kept}, so that they may be gone`, CATCH_UP);
  if (minutes * 2 >= retentionMinutes) return warning(FEED_LAG, `${text}, and ${kept}`, CATCH_UP);
  return fine(FEED_LAG, text);
}

function retentionFinding({ cleansUp, retentionMinutes }: DatabaseTracking): Finding {
  const text = `change tracking keeps changes for ${retentionMinutes} min`;
  if (!cleansUp)
    return warning(
      RETENTION,
      'change tracking is never cleaned up: it grows without end',
      'run ALTER DATABASE CURRENT SET CHANGE_TRACKING (AUTO_CLEANUP = ON)',
    );
  if (retentionMinutes === undefined)
    return fine(RETENTION, 'how long changes are kept is not shown to a login without VIEW ANY DATABASE');
  if (retentionMinutes >= SHORTEST_RETENTION_MINUTES) return fine(RETENTION, text);
  return warning(
    RETENTION,
    text,
    'raise it to the longest time that the adapter may be away: ALTER DATABASE CURRENT SET CHANGE_TRACKING (CHANGE_RETENTION = 7 DAYS)',
  );
}

/** The record is a little behind what was read, so that a table may look outdated that is not: the feed itself decides. */
function tablesFinding({ tables, state, isHeld: held }: FeedFacts, position: bigint): Finding {
  const away: string[] = [];
  const gone: { table: string; minValid: bigint }[] = [];
  for (const [place, { table }] of tables.entries()) {
    const found = state.tables[place];
    if (found === undefined) continue;
    const verdict = judge(found, position);
    if (verdict.kind === 'away') away.push(tableId(table));
    if (verdict.kind === 'outdated') gone.push({ table: tableId(table), minValid: verdict.minValid });
  }
  if (gone.length > 0 && !held) return failed(TABLES, outdated(gone, position));
  if (away.length === 0) return fine(TABLES, `changes of ${tables.length} tables are tracked`);
  return warning(
    TABLES,
    `changes of ${away.join(', ')} are not tracked, or not to be seen`,
    'the adapter switches tracking on and compares the table, where the login has ALTER and VIEW CHANGE TRACKING on it',
  );
}
