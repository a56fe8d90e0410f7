/** What an error does to the batch and to the transaction around it, by its number. */
import { SqlFailure } from '../../contract.ts';

/** Raised while a statement is compiled: the batch ends, and a TRY of the same batch does not catch it. */
const compileErrors = new Set([
  102, 105, 156, 137, 1087, 207, 208, 209, 213, 4104, 8120, 147, 110, 109, 120, 121, 2705,
]);

/** These end the batch and roll the transaction back, also without XACT_ABORT; in TRY they doom it. */
const abortingErrors = new Set([
  241, 242, 244, 245, 248, 295, 296, 8114, 8169, 9420, 13609, 13608, 13607, 3930,
]);

/** Errors that take the transaction with them. */
const deadly = new Set([1205, 3960, 3961]);

export function isCompileError(failure: SqlFailure): boolean {
  return compileErrors.has(failure.number);
}

export function isDeadly(failure: SqlFailure): boolean {
  return failure.rolledBack || deadly.has(failure.number);
}

/** Whether the batch ends with the error (outside TRY and without XACT_ABORT). */
export function endsBatch(failure: SqlFailure): boolean {
  return (
    isDeadly(failure) ||
    isCompileError(failure) ||
    abortingErrors.has(failure.number) ||
    failure.number === 229 ||
    failure.severity >= 17
  );
}

/** Whether the transaction does not survive the error (without XACT_ABORT). */
export function endsTransaction(failure: SqlFailure): boolean {
  return isDeadly(failure) || (abortingErrors.has(failure.number) && failure.number !== 3930);
}

/** The failure with the line of its statement when its raiser knew none. */
export function withLine(failure: SqlFailure, line: number): SqlFailure {
  if (failure.line > 1 || failure.line === line) return failure;
  return new SqlFailure(failure.number, failure.message, {
    severity: failure.severity,
    state: failure.state,
    line,
    rolledBack: failure.rolledBack,
  });
}
