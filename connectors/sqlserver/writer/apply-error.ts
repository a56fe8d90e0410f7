/** Turns what a statement failed with into what the engine sorts. */
import type { BoundRows, Concealment } from '../../../src/connector/concealment.ts';
import { tableId } from '../../../src/connector/dialect.ts';
import { ApplyError } from '../../../src/connector/errors.ts';
import { codeOf, decisive } from '../error-numbers.ts';
import { SqlServerApplyError, SqlServerError } from '../errors.ts';
import { placeOf } from '../fault-place.ts';

/** What went wrong while `doing`. `column` is the one at fault, where that was found out. */
export function applyError(
  doing: string,
  bound: BoundRows | undefined,
  cause: unknown,
  concealment?: Concealment,
  column?: string,
): ApplyError {
  if (cause instanceof ApplyError) return cause;
  if (cause instanceof SqlServerError) {
    return new ApplyError(cause.message, { errorClass: cause.errorClass, cause });
  }
  const table = bound?.table.table;
  const named = column ?? referringColumn(bound, placeOf(cause).constraint);
  const place = table === undefined ? '' : ` of ${tableId(table)}`;
  const where = column === undefined ? place : `${place}, column ${column},`;
  const decided = decisive(cause);
  const message = decided instanceof Error ? decided.message : String(decided);
  const options = { ...(table === undefined ? {} : { table }), column: named };
  if (bound === undefined || concealment === undefined || !concealment.concerns(bound)) {
    return new SqlServerApplyError(`${doing}${where} failed: ${message}`, cause, options);
  }
  const reason = concealment.withoutSecrets(message, codeOf(cause), bound);
  return new SqlServerApplyError(`${doing}${where} failed: ${reason}`, cause, { ...options, isSecret: true });
}

/** Of a foreign key the server names the constraint, and the column on the other side. */
function referringColumn(bound: BoundRows | undefined, constraint: string | undefined): string | undefined {
  return bound?.table.foreignKeys.find(({ name }) => name === constraint)?.columns[0];
}
