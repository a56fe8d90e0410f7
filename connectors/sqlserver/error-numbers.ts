/**
 * Sorts failures by the server's error number (Microsoft's list of engine errors; spec/sql-server.md §2, "Error
 * numbers") or by the code of the driver and the network.
 */
import type { ErrorClass } from '../../src/connector/dialect.ts';
import type { Violation } from '../../src/connector/errors.ts';
import { NETWORK_CODES } from '../../src/connector/network-failures.ts';

/** Passing by themselves: locks, resources, failovers, a server that starts or stops, throttling in Azure. */
const TRANSIENT_NUMBERS: ReadonlySet<number> = new Set([
  // Locks and row versions: deadlock, out of locks, lock time-out, snapshot conflicts, snapshot being switched on, and row
  // versions that a long snapshot still needs and tempdb has lost.
  1204,
  1205, 1222, 3953, 3956, 3957, 3958, 3959, 3960, 3961, 3966, 3967,
  // Memory, log, disk and worker threads that are used up.
  701, 802, 1101, 1105, 8628, 8645, 8651, 9002, 10928, 10929, 10936,
  // The database recovers, is moved to another replica, or is a secondary until the name leads to the new primary.
  615,
  904, 905, 921, 922, 924, 926, 941, 942, 945, 952, 954, 955, 976, 978, 979, 981, 982, 983, 3906, 4221, 5901,
  // The server starts, stops or is paused.
  596, 6002, 6005, 17142, 17188, 17197, 18401,
  // Azure SQL Database.
  40143, 40166, 40197, 40501, 40540, 40613, 42108, 42109, 49918, 49919, 49920,
  // A connection that broke, as the server says it.
  20, 64, 121, 233, 10053, 10054, 10060,
]);

/** The row, the key or a value is what does not fit. */
const DATA_NUMBERS: ReadonlySet<number> = new Set([
  // Constraints: NULL, foreign key or check, unique, view with check option, row-level security.
  515, 547, 550, 2601, 2627, 33504,
  // Too long, too large, not to be converted.
  220, 232, 234, 235, 241, 242, 244, 245, 248, 293, 294, 295, 296, 511, 517, 535, 536, 537, 1701, 1946, 2628,
  3606, 3607, 8114, 8115, 8134, 8152, 8169, 8170, 9803, 9807, 9813, 13608, 13609,
  // The column does not take values from outside, or not of that type.
  206, 257, 271, 272, 273, 402, 529, 8102, 8624,
  // The trigger, the procedure or the index behind the table does not take the row.
  334, 3609, 3616, 6522, 6569, 6573,
]);
/** XML that is none (9400–9499, 6300–6399), and numbers that triggers and procedures raise themselves. */
const XML_NUMBERS: readonly (readonly [number, number])[] = [
  [6300, 6399],
  [9400, 9499],
];
const FIRST_RAISED_NUMBER = 50_000;

const PERMISSION_NUMBERS: ReadonlySet<number> = new Set([
  229, 230, 262, 297, 300, 916, 1088, 5011, 15151, 15247,
]);

/** Of the driver, and of the network beneath it. */
const TRANSIENT_CODES: ReadonlySet<string> = new Set([
  'ESOCKET',
  'ECLOSE',
  'ETIMEOUT',
  'EINVALIDSTATE',
  ...NETWORK_CODES,
]);
/** After these the fate of a transaction is unknown. */
const CONNECTION_CODES: ReadonlySet<string> = new Set(
  [...TRANSIENT_CODES].filter((code) => code !== 'ETIMEOUT'),
);
const CONNECTION_NUMBERS: ReadonlySet<number> = new Set([20, 64, 121, 233, 10053, 10054, 10060, 596, 6005]);
/** Above it the server closes the connection. */
const FATAL_SEVERITY = 20;
/** 547 is one number for foreign keys and checks; sessions ask for messages in English. */
const REFERENCE = /\b(FOREIGN KEY|REFERENCE)\b/;

/** The error that decides, where the driver gathered several: the first one that is not a mere consequence of another. */
export function decisive(error: unknown): unknown {
  if (!(error instanceof AggregateError)) return error;
  const errors: readonly unknown[] = error.errors;
  const consequences: ReadonlySet<number | undefined> = new Set([3621, 3609, 3616, 3998, 266, 628]);
  return errors.find((each) => !consequences.has(ownNumberOf(each))) ?? errors[0] ?? error;
}

/** Number of the server's error; undefined for failures on the way to it. */
export function numberOf(error: unknown): number | undefined {
  return ownNumberOf(decisive(error));
}

function ownNumberOf(error: unknown): number | undefined {
  return error instanceof Error && 'number' in error && typeof error.number === 'number'
    ? error.number
    : undefined;
}

/** Number of the server's error, or the code of the driver or the network. */
export function codeOf(error: unknown): string | undefined {
  const number = numberOf(error);
  return number === undefined ? driverCodeOf(error) : String(number);
}

/** The network's own code before the driver's, which says less. */
export function driverCodeOf(error: unknown): string | undefined {
  const codes: string[] = [];
  for (let cause = decisive(error); cause instanceof Error; cause = decisive(cause.cause)) {
    if ('code' in cause && typeof cause.code === 'string') codes.push(cause.code);
  }
  return codes.at(-1);
}

/** True when the connection itself is what failed, so that its transaction's fate is unknown. */
export function isConnectionFailure(error: unknown): boolean {
  const number = numberOf(error);
  if (number !== undefined) return CONNECTION_NUMBERS.has(number) || severityOf(error) >= FATAL_SEVERITY;
  return CONNECTION_CODES.has(driverCodeOf(error) ?? '');
}

export function isMissingPermission(error: unknown): boolean {
  return PERMISSION_NUMBERS.has(numberOf(error) ?? 0);
}

export function classOfFailure(error: unknown): ErrorClass {
  const number = numberOf(error);
  if (number === undefined) return TRANSIENT_CODES.has(driverCodeOf(error) ?? '') ? 'transient' : 'fatal';
  if (TRANSIENT_NUMBERS.has(number) || severityOf(error) >= FATAL_SEVERITY) return 'transient';
  if (DATA_NUMBERS.has(number) || number >= FIRST_RAISED_NUMBER) return 'data';
  return XML_NUMBERS.some(([first, last]) => number >= first && number <= last) ? 'data' : 'fatal';
}

export function violationOf(error: unknown): Violation | undefined {
  switch (numberOf(error)) {
    case 2601:
    case 2627:
      return 'unique';
    case 547: {
      const decided = decisive(error);
      return decided instanceof Error && REFERENCE.test(decided.message) ? 'reference' : undefined;
    }
    default:
      return undefined;
  }
}

function severityOf(error: unknown): number {
  const decided = decisive(error);
  return decided instanceof Error && 'class' in decided && typeof decided.class === 'number'
    ? decided.class
    : 0;
}
