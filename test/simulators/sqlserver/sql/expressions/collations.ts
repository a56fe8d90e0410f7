/** Which collation an operation on strings has: one that was written wins, then a column's, then the default. */
import { SqlFailure } from '../../contract.ts';
import { isText } from '../types/families.ts';
import type { CollationLabel, Compiled, ExpressionCollation, Typed } from './scope.ts';

const STRENGTH: Readonly<Record<CollationLabel, number>> = {
  coercible: 0,
  implicit: 1,
  conflict: 2,
  explicit: 3,
};

/** The collation of `left` and `right` together; `conflict` where two columns disagree. Throws 468 for two written ones. */
function combine(left: ExpressionCollation, right: ExpressionCollation, line: number): ExpressionCollation {
  const [strong, weak] = STRENGTH[left.label] >= STRENGTH[right.label] ? [left, right] : [right, left];
  if (strong.label !== weak.label || strong.name.toLowerCase() === weak.name.toLowerCase()) return strong;
  if (strong.label === 'explicit') throw conflict(left, right, 'add', line);
  return strong.label === 'implicit'
    ? { name: `${left.name}" and "${right.name}`, label: 'conflict' }
    : strong;
}

function conflict(
  left: ExpressionCollation,
  right: ExpressionCollation,
  operation: string,
  line: number,
): SqlFailure {
  const message = `Cannot resolve the collation conflict between "${left.name}" and "${right.name}" in the ${operation} operation.`;
  return new SqlFailure(468, message, { line, state: 9 });
}

/** The collation of all operands that are strings; the database's for none. */
export function collationOf(operands: readonly Typed[], fallback: string, line: number): ExpressionCollation {
  let result: ExpressionCollation | undefined;
  for (const operand of operands) {
    if (!isText(operand.type)) continue;
    const own = operand.collation ?? { name: fallback, label: 'coercible' };
    result = result === undefined ? own : combine(result, own, line);
  }
  return result ?? { name: fallback, label: 'coercible' };
}

/** The name of the collation that compares the operands. Throws 468 when they disagree. */
export function comparisonCollation<Env>(
  operands: readonly Compiled<Env>[],
  fallback: string,
  operation: string,
  line: number,
): string {
  const found = collationOf(operands, fallback, line);
  if (found.label !== 'conflict') return found.name;
  const message = `Cannot resolve the collation conflict between "${found.name}" in the ${operation} operation.`;
  throw new SqlFailure(468, message, { line, state: 9 });
}
