/** Evaluates expressions that name no column, for tests of the simulator's SQL half. */
import { type Datum, SqlFailure, type SqlType } from './contract.ts';
import { compileCondition, compileExpression } from './sql/expressions/compile.ts';
import type { Compiled, Scope } from './sql/expressions/scope.ts';
import { parseBatch } from './sql/parse.ts';
import { convertDatum } from './sql/types/convert.ts';

/** What tests take for the current time. */
export const NOW = Date.UTC(2020, 0, 2, 3, 4, 5, 678);

function unknown(): never {
  throw new SqlFailure(207, 'Only constants here.');
}

function scope(collation: string): Scope<undefined> {
  return {
    session: { collation, dateFormat: 'mdy', dateFirst: 7, now: () => NOW },
    column: unknown,
    variable: unknown,
    globalVariable: unknown,
    call: () => undefined,
    subquery: unknown,
    nextValueFor: unknown,
  };
}

export const COLLATION = 'SQL_Latin1_General_CP1_CI_AS';

export function compiled(text: string, collation = COLLATION): Compiled<undefined> {
  const [statement] = parseBatch(`SELECT ${text}`);
  if (statement?.kind !== 'select' || statement.query.body.kind !== 'specification') throw new Error(text);
  const [item] = statement.query.body.items;
  if (item?.kind !== 'expression') throw new Error(text);
  return compileExpression(item.expression, scope(collation));
}

/** The value of an expression. */
export function value(text: string, collation?: string): Datum {
  return compiled(text, collation).evaluate(undefined);
}

/** The value as `CONVERT(nvarchar(max), …)` prints it, dates and money with all their digits. */
export function printed(text: string, collation?: string): string | null {
  const { type, evaluate } = compiled(text, collation);
  const style =
    type.kind.startsWith('date') || type.kind.endsWith('datetime') || type.kind === 'time'
      ? 121
      : /money|binary/.test(type.kind)
        ? 2
        : undefined;
  const target: SqlType = { kind: 'nvarchar', length: 'max' };
  const context = { collation: collation ?? COLLATION, dateFormat: 'mdy', style } as const;
  return convertDatum(evaluate(undefined), type, target, context) as string | null;
}

/** Whether a condition is true; `null` for UNKNOWN. */
export function holds(text: string, collation = COLLATION): boolean | null {
  const [statement] = parseBatch(`SELECT 1 WHERE ${text}`);
  if (statement?.kind !== 'select' || statement.query.body.kind !== 'specification') throw new Error(text);
  return compileCondition(statement.query.body.where!, scope(collation))(undefined);
}

/** The failure of an expression, as `number message`. */
export function failure(text: string): string {
  try {
    value(text);
  } catch (error) {
    if (error instanceof SqlFailure) return `${error.number} ${error.message}`;
    throw error;
  }
  throw new Error(`no failure: ${text}`);
}
