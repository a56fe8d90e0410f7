/** Conversions that expressions make by themselves. */
import type { Datum, SqlFailure, SqlType } from '../../contract.ts';
import { type ConversionContext, checkImplicit, convertDatum } from '../types/convert.ts';
import { isCharacter } from '../types/families.ts';
import { commonType } from '../types/precedence.ts';
import { collationOf } from './collations.ts';
import type { Compiled, ExpressionCollation, Scope } from './scope.ts';

export function conversionContext<Env>(
  scope: Scope<Env>,
  collation: ExpressionCollation | undefined,
  style?: number,
): ConversionContext {
  return {
    collation: collation?.name ?? scope.session.collation,
    dateFormat: scope.session.dateFormat,
    style,
  };
}

/** `operand` as an expression of `type`. Throws 206 or 257 where the conversion is not made by itself. */
export function coerce<Env>(
  operand: Compiled<Env>,
  type: SqlType,
  scope: Scope<Env>,
  line: number,
): Compiled<Env> {
  if (operand.untypedNull) return { ...operand, type, evaluate: () => null };
  if (operand.type === type || sameShape(operand.type, type)) return operand;
  checkImplicit(operand.type, type, line);
  const { evaluate, type: from } = operand;
  const context = conversionContext(scope, operand.collation);
  return { ...operand, type, evaluate: (env) => convertDatum(evaluate(env), from, type, context) };
}

function sameShape(left: SqlType, right: SqlType): boolean {
  if (left.kind !== right.kind || isCharacter(left)) return false;
  if ('precision' in left && 'precision' in right)
    return left.scale === right.scale && left.precision <= right.precision;
  if ('scale' in left && 'scale' in right) return left.scale === right.scale;
  return !('length' in left);
}

/** The common type of all operands that have one; `undefined` when all are the literal NULL. */
export function commonTypeOf<Env>(operands: readonly Compiled<Env>[]): SqlType | undefined {
  const typed = operands.filter((operand) => !operand.untypedNull).map((operand) => operand.type);
  return typed.length === 0 ? undefined : typed.reduce(commonType);
}

/** The operands in their common type, as CASE and COALESCE have them. Throws `allNull` when none has a type. */
export function unify<Env>(
  operands: readonly Compiled<Env>[],
  scope: Scope<Env>,
  line: number,
  allNull: SqlFailure,
): {
  readonly type: SqlType;
  readonly operands: readonly Compiled<Env>[];
  readonly collation: ExpressionCollation;
} {
  const type = commonTypeOf(operands);
  if (type === undefined) throw allNull;
  const collation = collationOf(operands, scope.session.collation, line);
  return { type, operands: operands.map((operand) => coerce(operand, type, scope, line)), collation };
}

/** A compiled expression made from parts. */
export function expression<Env>(
  type: SqlType,
  parts: readonly Compiled<Env>[],
  evaluate: (env: Env) => Datum,
  more: { readonly nullable?: boolean; readonly collation?: ExpressionCollation } = {},
): Compiled<Env> {
  const nullable = more.nullable ?? parts.some((part) => part.nullable);
  const constant = parts.every((part) => part.constant);
  return {
    type,
    nullable,
    evaluate,
    constant,
    ...(more.collation === undefined ? {} : { collation: more.collation }),
  };
}
