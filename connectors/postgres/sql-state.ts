/** Sorts failures by SQLSTATE (PostgreSQL documentation, appendix "Error Codes") or by the code of the network fault. */
import type { ErrorClass } from '../../src/connector/dialect.ts';
import { NETWORK_CODES } from '../../src/connector/network-failures.ts';

/**
 * 25006 read_only_sql_transaction: a standby, until the name leads to the new primary. 25P03, 25P04 timeouts of idle and
 * long transactions. 55006 object_in_use, 55P03 lock_not_available, 55P04 an enum value that is not committed yet.
 * 57014 query_canceled, by an operator or statement_timeout. 58000, 58030 the server's disk does not answer. 72000
 * snapshot_too_old. HV00N: a foreign server that a trigger writes to is away.
 */
const TRANSIENT_STATES: ReadonlySet<string> = new Set([
  '25006',
  '25P03',
  '25P04',
  '55006',
  '55P03',
  '55P04',
  '57014',
  '57P01',
  '57P02',
  '57P03',
  '57P05',
  '58000',
  '58030',
  '72000',
  'HV00N',
]);
/** 08 connection, 40 rollback (deadlock, serialization), 53 out of memory, disk or connections. */
const TRANSIENT_CLASSES: ReadonlySet<string> = new Set(['08', '40', '53']);
/** 42804: the value's type does not fit; 42846: it cannot be converted; 428C9: a generated column. */
const DATA_STATES: ReadonlySet<string> = new Set(['42804', '42846', '428C9']);
/**
 * 21 one statement met a row twice, 22 data, 23 constraint, 44 view check, 54 too large for an index. 09, 20, 24, 27, 2B,
 * 2D, 2F, 34, 38, 39, P0 come out of triggers and functions: the row is what they do not take.
 */
const DATA_CLASSES: ReadonlySet<string> = new Set([
  '09',
  '20',
  '21',
  '22',
  '23',
  '24',
  '27',
  '2B',
  '2D',
  '2F',
  '34',
  '38',
  '39',
  '44',
  '54',
  'P0',
]);
/**
 * Where in the server an error was raised tells what its code alone does not: a row that a policy or view check refuses
 * (42501 is also a missing privilege), and what a trigger raises under whatever code.
 */
const DATA_ROUTINES: ReadonlySet<string> = new Set(['ExecWithCheckOptions', 'exec_stmt_raise']);
const PRIVILEGE = '42501';
/** A statement prepared before its table was changed; prepared anew it runs. */
const FEATURE_NOT_SUPPORTED = '0A000';
const STALE_PLAN_ROUTINE = 'RevalidateCachedQuery';
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

/** True when a prepared statement no longer fits its table. */
export function isStalePlan(error: unknown): boolean {
  return sqlStateOf(error) === FEATURE_NOT_SUPPORTED && routineOf(error) === STALE_PLAN_ROUTINE;
}

/** True when the user may not do what the statement does, as opposed to rows that a policy keeps from everybody. */
export function isMissingPrivilege(error: unknown): boolean {
  return sqlStateOf(error) === PRIVILEGE && !DATA_ROUTINES.has(routineOf(error) ?? '');
}

export function classOfFailure(error: unknown): ErrorClass {
  if (isConnectionFailure(error) || isStalePlan(error)) return 'transient';
  const state = sqlStateOf(error) ?? '';
  const group = state.slice(0, 2);
  if (TRANSIENT_STATES.has(state) || TRANSIENT_CLASSES.has(group)) return 'transient';
  if (DATA_STATES.has(state) || DATA_CLASSES.has(group)) return 'data';
  return DATA_ROUTINES.has(routineOf(error) ?? '') ? 'data' : 'fatal';
}

/** The server's function that raised the error; the same in every language. */
function routineOf(error: unknown): string | undefined {
  return error instanceof Error && 'routine' in error && typeof error.routine === 'string'
    ? error.routine
    : undefined;
}
