/** Comparison of two scalars in their common type. */
import { SqlFailure, type SqlType } from '../../contract.ts';
import type { ComparisonOperator } from '../ast.ts';
import { comparer } from '../types/compare.ts';
import { isLargeObject } from '../types/families.ts';
import { messageName } from '../types/type-names.ts';
import { coerce, commonTypeOf } from './coerce.ts';
import { comparisonCollation } from './collations.ts';
import type { Compiled, CompiledCondition, Scope } from './scope.ts';

const NAMES: Readonly<Record<ComparisonOperator, string>> = {
  '=': 'equal to',
  '<>': 'not equal to',
  '<': 'less than',
  '<=': 'less than or equal to',
  '>': 'greater than',
  '>=': 'greater than or equal to',
};

const TESTS: Readonly<Record<ComparisonOperator, (order: number) => boolean>> = {
  '=': (order) => order === 0,
  '<>': (order) => order !== 0,
  '<': (order) => order < 0,
  '<=': (order) => order <= 0,
  '>': (order) => order > 0,
  '>=': (order) => order >= 0,
};

/** Throws 402 for types that cannot be compared, 206 for those that do not meet, 468 for a conflict of collations. */
export function compileComparison<Env>(
  operator: ComparisonOperator,
  left: Compiled<Env>,
  right: Compiled<Env>,
  scope: Scope<Env>,
  line: number,
): CompiledCondition<Env> {
  const type = commonTypeOf([left, right]);
  if (type === undefined) return () => null;
  checkComparable(left, right, operator, line);
  const collation = comparisonCollation([left, right], scope.session.collation, NAMES[operator], line);
  const [a, b] = [coerce(left, type, scope, line).evaluate, coerce(right, type, scope, line).evaluate];
  const compare = comparer(type, collation);
  const test = TESTS[operator];
  return (env) => {
    const x = a(env);
    if (x === null) return null;
    const y = b(env);
    return y === null ? null : test(compare(x, y));
  };
}

function checkComparable<Env>(
  left: Compiled<Env>,
  right: Compiled<Env>,
  operator: ComparisonOperator,
  line: number,
): void {
  const large = (type: SqlType): boolean => isLargeObject(type) || type.kind === 'xml';
  if (!large(left.type) && !large(right.type)) return;
  const message = `The data types ${messageName(left.type)} and ${messageName(right.type)} are incompatible in the ${NAMES[operator]} operator.`;
  throw new SqlFailure(402, message, { line });
}
