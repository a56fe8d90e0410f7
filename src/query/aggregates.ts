/** `@min`, `@max`, `@sum` and `@avg` of values; null and NaN do not count. */
import { NULL, type ScalarValue } from '../schema/value.ts';
import type { StateValue } from '../store/state/object-state.ts';
import { arithmetic } from './arithmetic.ts';
import { DECIMAL_ZERO, decimalArithmetic, toDecimal } from './decimal-arithmetic.ts';
import type { AggregateOperator } from './syntax.ts';
import { isNaNValue, isNumeric, isScalar, sortOrder } from './values.ts';

/** What a sum is made in: int in int, float and double in double, decimals and mixed values in decimal128. */
export type SumType = 'int' | 'double' | 'decimal128';

export function aggregate(
  operator: AggregateOperator,
  sumType: SumType,
  values: Iterable<StateValue>,
): ScalarValue {
  switch (operator) {
    case 'min':
      return extreme(values, -1);
    case 'max':
      return extreme(values, 1);
    case 'sum':
      return total(sumType, values).sum;
    case 'avg':
      return average(sumType, values);
  }
}

function extreme(values: Iterable<StateValue>, direction: 1 | -1): ScalarValue {
  let best: ScalarValue | undefined;
  for (const value of values) {
    if (value.type === 'null' || !isScalar(value) || isNaNValue(value)) continue;
    if (best === undefined || Math.sign(sortOrder(value, best)) === direction) best = value;
  }
  return best ?? NULL;
}

const ZERO: Readonly<Record<SumType, ScalarValue>> = {
  int: { type: 'int', value: 0n },
  double: { type: 'double', value: 0 },
  decimal128: DECIMAL_ZERO,
};

function total(sumType: SumType, values: Iterable<StateValue>): { sum: ScalarValue; count: number } {
  let sum = ZERO[sumType];
  let count = 0;
  for (const value of values) {
    if (!isNumeric(value) || isNaNValue(value)) continue;
    const addend: ScalarValue =
      value.type === 'float' && sumType === 'double' ? { type: 'double', value: value.value } : value;
    sum = arithmetic('+', sum, addend);
    count += 1;
  }
  return { sum, count };
}

function average(sumType: SumType, values: Iterable<StateValue>): ScalarValue {
  const { sum, count } = total(sumType, values);
  if (count === 0 || !isNumeric(sum)) return NULL;
  if (sumType === 'decimal128')
    return decimalArithmetic('/', toDecimal(sum), toDecimal({ type: 'int', value: BigInt(count) }));
  if (sum.type === 'decimal128') return NULL;
  return { type: 'double', value: Number(sum.value) / count };
}
