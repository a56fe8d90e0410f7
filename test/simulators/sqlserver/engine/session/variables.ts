/** Variables of a batch. */
import { type Datum, SqlFailure, type SqlType } from '../../contract.ts';
import type { AssignmentOperator, Expression } from '../../sql/ast.ts';
import { compileExpression } from '../../sql/expressions/compile.ts';
import type { Compiled, Scope } from '../../sql/expressions/scope.ts';
import { convertDatum } from '../../sql/types/convert.ts';
import type { Session } from './session.ts';

export type Variable = { readonly name: string; readonly type: SqlType; value: Datum };

/** `@v = x`, `@v += x`: the value becomes one of the variable's type. */
export function assignVariable(
  session: Session,
  name: string,
  operator: AssignmentOperator,
  value: Datum,
  type: SqlType,
  line: number,
): void {
  const variable = session.variables.get(name.toLowerCase());
  if (!variable) {
    throw new SqlFailure(137, `Must declare the scalar variable "${name}".`, { line, state: 2 });
  }
  if (operator === '=') {
    variable.value = value === null ? null : convertDatum(value, type, variable.type, session.conversion);
    return;
  }
  const combined = combine(session, operator, variable, { value, type }, line);
  const result = combined.evaluate(undefined);
  variable.value =
    result === null ? null : convertDatum(result, combined.type, variable.type, session.conversion);
}

/** The value of `left operator right`, through the compiler, which knows the rules of operators. */
export function combine(
  session: Session,
  operator: AssignmentOperator,
  left: { readonly value: Datum; readonly type: SqlType },
  right: { readonly value: Datum; readonly type: SqlType },
  line: number,
): Compiled<undefined> {
  const literal = (side: { readonly value: Datum; readonly type: SqlType }): Expression => ({
    kind: 'literal',
    line,
    type: side.type,
    value: side.value,
  });
  const sign = operator.slice(0, -1);
  if (sign === '') throw new Error('An assignment without an operator combines nothing.');
  const expression: Expression = {
    kind: 'binary',
    line,
    operator: sign as '+',
    left: literal(left),
    right: literal(right),
  };
  return compileExpression(expression, constantScope(session));
}

/** A scope in which no name means anything. */
export function constantScope(session: Session): Scope<undefined> {
  const none = (): never => {
    throw new SqlFailure(128, 'The name is not permitted in this context.', { severity: 15 });
  };
  return {
    session: session.compilerSession,
    column: none,
    variable: none,
    globalVariable: none,
    call: () => undefined,
    subquery: none,
    nextValueFor: none,
  };
}
