/** Decimal128 arithmetic: results of up to 34 digits, rounded half to even. */
import { DECIMAL_NAN, isSpecialDecimal } from '../schema/decimal128.ts';
import type { DecimalValue } from '../schema/value.ts';
import { approximate, type NumericValue } from './numbers.ts';
import type { ArithmeticOperator } from './syntax.ts';

const MAX_DIGITS = 34;
const TOO_LARGE = 10n ** 34n;
const MIN_EXPONENT = -6176;
const MAX_EXPONENT = 6111;
const INFINITY_EXPONENT = 9184;
const NAN_EXPONENT = 9696;

export const DECIMAL_ZERO: DecimalValue = Object.freeze({
  type: 'decimal128',
  coefficient: 0n,
  exponent: 0,
  negative: false,
});

export function decimalArithmetic(
  operator: ArithmeticOperator,
  a: DecimalValue,
  b: DecimalValue,
): DecimalValue {
  if (isSpecialDecimal(a) || isSpecialDecimal(b)) return specialArithmetic(operator, a, b);
  switch (operator) {
    case '+':
      return sum(signed(a), a.exponent, signed(b), b.exponent);
    case '-':
      return sum(signed(a), a.exponent, -signed(b), b.exponent);
    case '*':
      return finite(signed(a) * signed(b), a.exponent + b.exponent);
    case '/':
      return quotient(a, b);
  }
}

/** An int or a floating point number as decimal; a double by its shortest spelling, as people write it. */
export function toDecimal(value: NumericValue): DecimalValue {
  if (value.type === 'decimal128') return value;
  if (value.type === 'int') return finite(value.value, 0);
  if (Number.isNaN(value.value)) return DECIMAL_NAN;
  if (!Number.isFinite(value.value)) return infinity(value.value < 0);
  const spelling = value.type === 'float' ? shortestFloat(value.value) : String(value.value);
  const [digits, power] = spelling.split('e');
  const [whole, fraction = ''] = digits!.split('.');
  return finite(BigInt(`${whole}${fraction}`), Number(power ?? 0) - fraction.length);
}

function shortestFloat(value: number): string {
  for (let precision = 1; precision <= 9; precision++) {
    const spelling = value.toPrecision(precision);
    if (Math.fround(Number(spelling)) === value) return String(Number(spelling));
  }
  return String(value);
}

function signed({ coefficient, negative }: DecimalValue): bigint {
  return negative ? -coefficient : coefficient;
}

function sum(a: bigint, aExponent: number, b: bigint, bExponent: number): DecimalValue {
  if (a === 0n) return finite(b, bExponent);
  if (b === 0n) return finite(a, aExponent);
  // What lies more than twice the digits below the other only decides the rounding.
  const gap = 2 * MAX_DIGITS + 2;
  if (aExponent - bExponent > gap) return sum(a, aExponent, b < 0n ? -1n : 1n, aExponent - gap);
  if (bExponent - aExponent > gap) return sum(a < 0n ? -1n : 1n, bExponent - gap, b, bExponent);
  const exponent = Math.min(aExponent, bExponent);
  return finite(a * 10n ** BigInt(aExponent - exponent) + b * 10n ** BigInt(bExponent - exponent), exponent);
}

function quotient(a: DecimalValue, b: DecimalValue): DecimalValue {
  if (b.coefficient === 0n) return a.coefficient === 0n ? DECIMAL_NAN : infinity(a.negative !== b.negative);
  const scale = 2 * MAX_DIGITS + 2;
  const dividend = a.coefficient * 10n ** BigInt(scale);
  const exact = dividend / b.coefficient;
  // A remainder makes the last digit odd, so that no tie is seen where there is none.
  const digits = dividend % b.coefficient === 0n || exact % 2n === 1n ? exact : exact + 1n;
  return shortened(finite(a.negative !== b.negative ? -digits : digits, a.exponent - b.exponent - scale));
}

/** Without the zeros at the end that a division brings. */
function shortened(value: DecimalValue): DecimalValue {
  let { coefficient, exponent } = value;
  while (coefficient !== 0n && coefficient % 10n === 0n && exponent < 0) {
    coefficient /= 10n;
    exponent += 1;
  }
  return { ...value, coefficient, exponent };
}

/** Rounds to what decimal128 can hold. */
function finite(value: bigint, exponent: number): DecimalValue {
  const negative = value < 0n;
  let coefficient = negative ? -value : value;
  let power = exponent;
  const surplus = Math.max(coefficient.toString().length - MAX_DIGITS, MIN_EXPONENT - power, 0);
  if (surplus > 0) {
    coefficient = rounded(coefficient, surplus);
    power += surplus;
    // Rounding up can bring one digit more, which is a zero then.
    if (coefficient === TOO_LARGE) {
      coefficient /= 10n;
      power += 1;
    }
  }
  while (power > MAX_EXPONENT && coefficient !== 0n && coefficient.toString().length < MAX_DIGITS) {
    coefficient *= 10n;
    power -= 1;
  }
  if (coefficient === 0n) power = Math.min(Math.max(power, MIN_EXPONENT), MAX_EXPONENT);
  if (power > MAX_EXPONENT) return infinity(negative);
  return { type: 'decimal128', coefficient, exponent: power, negative };
}

function rounded(coefficient: bigint, digits: number): bigint {
  const unit = 10n ** BigInt(digits);
  const quotient = coefficient / unit;
  const twice = (coefficient % unit) * 2n;
  const up = twice > unit || (twice === unit && quotient % 2n === 1n);
  return up ? quotient + 1n : quotient;
}

function infinity(negative: boolean): DecimalValue {
  return { type: 'decimal128', coefficient: 0n, exponent: INFINITY_EXPONENT, negative };
}

function specialArithmetic(operator: ArithmeticOperator, a: DecimalValue, b: DecimalValue): DecimalValue {
  if (a.exponent >= NAN_EXPONENT || b.exponent >= NAN_EXPONENT) return DECIMAL_NAN;
  const [x, y] = [approximate(a), approximate(b)].map(
    (value) => Math.sign(value) * (Number.isFinite(value) ? 1 : Infinity),
  );
  const result = binary(operator, x!, y!);
  if (Number.isNaN(result)) return DECIMAL_NAN;
  return Number.isFinite(result) ? finite(0n, 0) : infinity(result < 0);
}

function binary(operator: ArithmeticOperator, a: number, b: number): number {
  switch (operator) {
    case '+':
      return a + b;
    case '-':
      return a - b;
    case '*':
      return a * b;
    case '/':
      return a / b;
  }
}
