/** `+ − × ÷` on numbers: integers wrap at 64 bits, mixed types meet in the wider of int, float, double, decimal128. */
import { NULL, type ScalarValue } from '../schema/value.ts';
import type { StateValue } from '../store/state/object-state.ts';
import { decimalArithmetic, toDecimal } from './decimal-arithmetic.ts';
import type { NumericValue } from './numbers.ts';
import type { ArithmeticOperator } from './syntax.ts';
import { isNumeric } from './values.ts';

const MAX_INT = 2n ** 63n - 1n;
const MIN_INT = -(2n ** 63n);
const WIDTH: Readonly<Record<NumericValue['type'], number>> = { int: 0, float: 1, double: 2, decimal128: 3 };

/** Null when one of them is no number. */
export function arithmetic(operator: ArithmeticOperator, a: StateValue, b: StateValue): ScalarValue {
  if (!isNumeric(a) || !isNumeric(b)) return NULL;
  switch (WIDTH[a.type] > WIDTH[b.type] ? a.type : b.type) {
    case 'int':
      return { type: 'int', value: integerArithmetic(operator, a, b) };
    case 'float':
      return { type: 'float', value: Math.fround(doubleArithmetic(operator, a, b)) };
    case 'double':
      return { type: 'double', value: doubleArithmetic(operator, a, b) };
    case 'decimal128':
      return decimalArithmetic(operator, toDecimal(a), toDecimal(b));
  }
}

function integerArithmetic(operator: ArithmeticOperator, a: NumericValue, b: NumericValue): bigint {
  if (a.type !== 'int' || b.type !== 'int') return 0n;
  switch (operator) {
    case '+':
      return BigInt.asIntN(64, a.value + b.value);
    case '-':
      return BigInt.asIntN(64, a.value - b.value);
    case '*':
      return BigInt.asIntN(64, a.value * b.value);
    case '/':
      // A query cannot fail at one object: dividing by zero gives the largest number instead.
      if (b.value === 0n) return a.value < 0n ? MIN_INT : MAX_INT;
      return BigInt.asIntN(64, a.value / b.value);
  }
}

function doubleArithmetic(operator: ArithmeticOperator, a: NumericValue, b: NumericValue): number {
  if (a.type === 'decimal128' || b.type === 'decimal128') return Number.NaN;
  const [x, y] = [Number(a.value), Number(b.value)];
  switch (operator) {
    case '+':
      return x + y;
    case '-':
      return x - y;
    case '*':
      return x * y;
    case '/':
      return x / y;
  }
}
