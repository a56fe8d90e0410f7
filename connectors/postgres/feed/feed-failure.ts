/**
 * One classifier for the faults of a feed, at its start and in its midst: a slot that is gone or invalidated shows as
 * three different errors, depending on when it is noticed.
 */
import { PostgresConnectionError, PostgresError, PostgresFeedError } from '../errors.ts';
import { message } from '../preparation.ts';
import { classOfFailure, sqlStateOf } from '../sql-state.ts';
import { LOAD_REMEDY, publicationMissing, slotLost, slotMissing } from './slot-errors.ts';

const UNDEFINED_OBJECT = '42704';
const NOT_IN_PREREQUISITE_STATE = '55000';
const OBJECT_IN_USE = '55006';
const INVALIDATED =
  /can no longer (get changes|access) |invalidated|has been removed|exceeded the maximum reserved size/;

/** The typed error for whatever went wrong with the feed of a slot. */
export function streamFailure(cause: unknown, slot: string): Error {
  if (cause instanceof PostgresError) return cause;
  const reason = message(cause);
  const detail = cause instanceof Error && 'detail' in cause ? ` ${String(cause.detail ?? '')}` : '';
  switch (sqlStateOf(cause)) {
    case UNDEFINED_OBJECT:
      if (!reason.startsWith('publication')) return slotMissing(slot, cause);
      return publicationMissing(slot, reason, cause);
    case NOT_IN_PREREQUISITE_STATE:
    case '58P01':
      if (INVALIDATED.test(`${reason}${detail}`)) return slotLost(slot, reason, cause);
      break;
    case OBJECT_IN_USE:
      return new PostgresFeedError(`another connection holds the replication slot ${slot}: ${reason}`, {
        remedy: 'stop the other connector of this adapterName; two must not share one slot',
        errorClass: 'transient',
        cause,
      });
  }
  if (classOfFailure(cause) === 'transient') {
    return new PostgresConnectionError(`the change feed broke off: ${reason}`, {
      errorClass: 'transient',
      cause,
    });
  }
  return new PostgresFeedError(`the change feed of slot ${slot} failed: ${reason}${detail}`, {
    remedy: `if it fails again at the same place, ${LOAD_REMEDY}`,
    cause,
  });
}
