/** One classifier for whatever a poll fails with. */
import { classOfFailure, isConnectionFailure, isMissingPermission, numberOf } from '../error-numbers.ts';
import { SqlServerConnectionError, SqlServerError, SqlServerFeedError } from '../errors.ts';
import { LOAD_REMEDY, snapshotOff } from './feed-errors.ts';

const SNAPSHOT_NOT_ALLOWED = 3952;
/**
 * A column or table is not there (207, 4104, 208), not tracked (22105), not a table (22107), or changed since our snapshot
 * began (3961) or the statement was compiled (4891).
 */
const TABLE_CHANGED: ReadonlySet<number> = new Set([207, 208, 3961, 4104, 4891, 22105, 22107]);

/** True when what a poll says of the tables no longer holds, so that they have to be looked at before the next one. */
export function isCausedByTables(error: unknown): boolean {
  return error instanceof TableAway || TABLE_CHANGED.has(numberOf(error) ?? 0) || isMissingPermission(error);
}

/** A table is no longer as it was when the poll began. */
export class TableAway extends Error {
  constructor(table: string, why: string) {
    super(`${table} cannot be read: ${why}`);
  }
}

/** The typed error for whatever went wrong with the feed of an adapter. */
export function feedFailure(cause: unknown, adapter: string, database: string): Error {
  if (cause instanceof SqlServerError) return cause;
  const reason = cause instanceof Error ? cause.message : String(cause);
  if (numberOf(cause) === SNAPSHOT_NOT_ALLOWED) return snapshotOff(database, cause);
  if (isCausedByTables(cause))
    return new SqlServerFeedError(`a table was changed while its changes were read: ${reason}`, {
      errorClass: 'transient',
      cause,
    });
  if (isConnectionFailure(cause))
    return new SqlServerConnectionError(`the change feed broke off: ${reason}`, {
      errorClass: 'transient',
      cause,
    });
  if (classOfFailure(cause) === 'transient')
    return new SqlServerFeedError(`a poll of the change feed failed: ${reason}`, {
      errorClass: 'transient',
      cause,
    });
  return new SqlServerFeedError(`the change feed of the adapter ${adapter} failed: ${reason}`, {
    remedy: `if it fails again at the same place, ${LOAD_REMEDY}`,
    cause,
  });
}
