/** Sorts failures by SQLSTATE (PostgreSQL documentation, appendix "Error Codes") or by the code of the network fault. */
import type { ErrorClass } from '../../src/connector/dialect.ts';

/** 55P03 lock_not_available, 55006 object_in_use, 57014 query_canceled (statement timeouts). */
const TRANSIENT_STATES: ReadonlySet<string> = new Set([
  '55P03',
  '55006',
  '57014',
  '57P01',
  '57P02',
  '57P03',
  '57P05',
]);
/** 08 connection, 40 rollback (deadlock, serialization), 53 out of memory, disk or connections. */
const TRANSIENT_CLASSES: ReadonlySet<string> = new Set(['08', '40', '53']);
/** 21000: one statement met a row twice; 42804: the value's type does not fit; 428C9: a generated column. */
const DATA_STATES: ReadonlySet<string> = new Set(['21000', '42804', '428C9']);
/** 22 data, 23 constraint, 27/38/39/P0 raised by triggers and functions, 44 view check, 54 too large for an index. */
const DATA_CLASSES: ReadonlySet<string> = new Set(['22', '23', '27', '38', '39', '44', '54', 'P0']);
const NETWORK_CODES: ReadonlySet<string> = new Set([
  'ECONNREFUSED',
  'ECONNRESET',
  'ECONNABORTED',
  'EPIPE',
  'ETIMEDOUT',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'ENETDOWN',
  'EAI_AGAIN',
  'ENOTFOUND',
]);
const LOST_CONNECTION =
  /^(Connection terminated|Client has encountered a connection error|timeout expired|Client was closed|Client network socket disconnected)/;

/** SQLSTATE or network code of an error; undefined without one. */
export function sqlStateOf(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : undefined;
}

/** True when the connection itself is what failed, so that its transaction's fate is unknown. */
export function isConnectionFailure(error: unknown): boolean {
  const code = sqlStateOf(error) ?? '';
  if (NETWORK_CODES.has(code) || code.startsWith('08') || code.startsWith('57P')) return true;
  return error instanceof Error && LOST_CONNECTION.test(error.message);
}

export function classOfFailure(error: unknown): ErrorClass {
  if (isConnectionFailure(error)) return 'transient';
  const state = sqlStateOf(error) ?? '';
  const group = state.slice(0, 2);
  if (TRANSIENT_STATES.has(state) || TRANSIENT_CLASSES.has(group)) return 'transient';
  if (DATA_STATES.has(state) || DATA_CLASSES.has(group)) return 'data';
  return 'fatal';
}
