/** What operators share: operands that may be NULL, and the failures of wrong ones. */
import { type Datum, SqlFailure, type SqlType, type SqlValue } from '../../contract.ts';
import type { BinaryOperator } from '../ast.ts';
import { messageName } from '../types/type-names.ts';
import { expression } from './coerce.ts';
import type { Compiled } from './scope.ts';

/** Operators as messages call them. */
export const OPERATOR_NAMES: Readonly<Record<BinaryOperator, string>> = {
  '+': 'add',
  '-': 'subtract',
  '*': 'multiply',
  '/': 'divide',
  '%': 'modulo',
  '&': "'&'",
  '|': "'|'",
  '^': "'^'",
};

export type Operation = (left: SqlValue, right: SqlValue) => SqlValue;

/** The literal NULL takes the other's type. */
export function withTypes<Env>(
  left: Compiled<Env>,
  right: Compiled<Env>,
): readonly [Compiled<Env>, Compiled<Env>] {
  return [
    left.untypedNull ? { ...left, type: right.type } : left,
    right.untypedNull ? { ...right, type: left.type } : right,
  ];
}

/** Applies `operation` where neither side is NULL. */
export function strict<Env>(
  type: SqlType,
  left: Compiled<Env>,
  right: Compiled<Env>,
  operation: Operation,
): Compiled<Env> {
  const [a, b] = [left.evaluate, right.evaluate];
  const evaluate = (env: Env): Datum => {
    const x = a(env);
    if (x === null) return null;
    const y = b(env);
    return y === null ? null : operation(x, y);
  };
  return expression(type, [left, right], evaluate);
}

export function incompatible(
  operator: BinaryOperator,
  left: SqlType,
  right: SqlType,
  line: number,
): SqlFailure {
  const message = `The data types ${messageName(left)} and ${messageName(right)} are incompatible in the ${OPERATOR_NAMES[operator]} operator.`;
  return new SqlFailure(402, message, { line });
}

export function invalid(type: SqlType, operator: string, line: number): SqlFailure {
  return new SqlFailure(8117, `Operand data type ${messageName(type)} is invalid for ${operator} operator.`, {
    line,
  });
}
