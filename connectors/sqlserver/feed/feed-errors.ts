/** What can have become of a feed of change tracking, each with the way out. docs/sqlserver.md explains them one by one. */
import {
  SqlServerFeedError,
  SqlServerFeedHeldError,
  SqlServerFeedLostError,
  SqlServerFeedOutdatedError,
  SqlServerServerError,
} from '../errors.ts';
import { allowSnapshots, enableDatabaseTracking } from '../tracking-statements.ts';

export const LOAD_REMEDY =
  'run isthmus load --resume, which begins the feed anew and compares the tables with the realms; nothing is wiped';

/** The words of the reference, which people look for. */
const OUTDATED = 'Last sync version is outdated!';

export type OutdatedTable = { readonly table: string; readonly minValid: bigint };

/** Cleanup has removed what was changed after the version that we had come to. */
export function outdated(tables: readonly OutdatedTable[], cursor: bigint): SqlServerFeedOutdatedError {
  const named = tables.map(({ table, minValid }) => `${table} (from version ${minValid} on)`).join(', ');
  return new SqlServerFeedOutdatedError(
    `${OUTDATED} Changes were read up to version ${cursor}, but change tracking has cleaned up what came after it in ${named}: changes may have been missed`,
    {
      remedy: `${LOAD_REMEDY}; then raise the retention to the longest time that the adapter may be away (ALTER DATABASE CURRENT SET CHANGE_TRACKING (CHANGE_RETENTION = 7 DAYS))`,
    },
  );
}

export function trackingOff(database: string): SqlServerFeedLostError {
  return new SqlServerFeedLostError(
    `change tracking is off for the database ${database}: changes may have been missed`,
    {
      remedy: `run ${enableDatabaseTracking(database)}, then ${LOAD_REMEDY}`,
    },
  );
}

/** The counter of versions has gone back, as it does when an earlier state of the database is restored. */
export function setBack(database: string, current: bigint, known: bigint): SqlServerFeedLostError {
  return moved(
    `${OUTDATED} The database ${database} stands at version ${current}, but changes up to ${known} were read: it was set back, as by restoring a backup`,
  );
}

/** The database, or its row about this feed, is another one than the replicas were filled from. */
export function moved(how: string): SqlServerFeedLostError {
  return new SqlServerFeedLostError(how, {
    remedy: `when what its tables hold is right, ${LOAD_REMEDY}; when what the realms hold is right, run isthmus verify --repair sql before that`,
  });
}

export function recordMissing(adapter: string): SqlServerFeedLostError {
  return new SqlServerFeedLostError(
    `isthmus.feed has no row any more of the feed that the adapter ${adapter} reads: it was removed, or begun anew by somebody else`,
    { remedy: LOAD_REMEDY },
  );
}

/** A connection of somebody else kept the feed for as long as we waited. */
export function feedHeld(adapter: string, holder: string, seconds: number): SqlServerFeedHeldError {
  return new SqlServerFeedHeldError(
    `the change feed of the adapter ${adapter} is held by ${holder}, also after waiting for ${seconds} s`,
    {
      remedy:
        'stop the other connector of this adapterName, since two must not share one feed; if it has died, the server lets go of its connection after a while, or at once by KILL and its session id',
    },
  );
}

export function snapshotOff(database: string, cause: unknown): SqlServerFeedError {
  return new SqlServerFeedError(
    `snapshot isolation was switched off in the database ${database}, so that nothing can be read consistently; nothing is lost while change tracking keeps it`,
    {
      remedy: `run ${allowSnapshots(database)}; the connector goes on by itself then`,
      errorClass: 'transient',
      cause,
    },
  );
}

export function trackingOffForSnapshot(database: string): SqlServerServerError {
  return new SqlServerServerError(`change tracking is off for the database ${database}`, {
    remedy: `run ${enableDatabaseTracking(database)}, or isthmus prepare-database`,
  });
}
