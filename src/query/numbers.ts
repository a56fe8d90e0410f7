/** Exact comparison of numbers across int64, float, double and decimal128. */
import { isSpecialDecimal } from '../schema/decimal128.ts';
import type { DecimalValue, DoubleValue, FloatValue, IntValue } from '../schema/value.ts';

export type NumericValue = IntValue | FloatValue | DoubleValue | DecimalValue;

const NAN_EXPONENT = 9696;

/** −1, 0 or 1; NaN when one of them is NaN, which then neither equals nor precedes anything. */
export function compareNumbers(a: NumericValue, b: NumericValue): number {
  if (a.type === 'decimal128') {
    return b.type === 'decimal128' ? compareDecimals(a, b) : compareDecimalWith(a, b.value);
  }
  if (b.type === 'decimal128') return -compareDecimalWith(b, a.value);
  // JavaScript compares bigint and number by their mathematical values.
  return a.value < b.value
    ? -1
    : a.value > b.value
      ? 1
      : Number.isNaN(a.value) || Number.isNaN(b.value)
        ? Number.NaN
        : 0;
}

/** The nearest double; equal numbers of any types have the same. */
export function approximate(value: NumericValue): number {
  if (value.type !== 'decimal128') return Number(value.value);
  if (isSpecialDecimal(value)) return special(value);
  // Adding 0 makes one of the two zeros.
  return Number(`${value.negative ? '-' : ''}${value.coefficient}e${value.exponent}`) + 0;
}

function special({ exponent, negative }: DecimalValue): number {
  if (exponent >= NAN_EXPONENT) return Number.NaN;
  return negative ? Number.NEGATIVE_INFINITY : Number.POSITIVE_INFINITY;
}

function compareDecimals(a: DecimalValue, b: DecimalValue): number {
  if (isSpecialDecimal(a)) return compareSpecial(a, isSpecialDecimal(b) ? approximate(b) : 0);
  if (isSpecialDecimal(b)) return -compareSpecial(b, 0);
  const signs = sign(a) - sign(b);
  if (signs !== 0) return Math.sign(signs);
  if (a.coefficient === 0n) return 0;
  const direction = a.negative ? -1 : 1;
  const magnitudes = adjusted(a) - adjusted(b);
  if (magnitudes !== 0) return Math.sign(magnitudes) * direction;
  // The same magnitude: the exponents differ by less than the 34 digits of a coefficient.
  const least = Math.min(a.exponent, b.exponent);
  return order(scaled(a, least), scaled(b, least)) * direction;
}

function compareDecimalWith(a: DecimalValue, b: bigint | number): number {
  if (isSpecialDecimal(a) || (typeof b === 'number' && !Number.isFinite(b)))
    return order(approximate(a), Number(b));
  const nearest = approximate(a);
  const other = Number(b);
  // Rounding to doubles keeps the order, so that different doubles tell the order of the numbers themselves.
  if (nearest !== other) return nearest < other ? -1 : 1;
  return typeof b === 'bigint' ? compareWithInteger(a, b) : compareWithDouble(a, b);
}

/** Infinity and NaN relate to all finite numbers alike. */
function compareSpecial(a: DecimalValue, b: number): number {
  return order(approximate(a), b);
}

function compareWithInteger(a: DecimalValue, b: bigint): number {
  const signed = a.negative ? -a.coefficient : a.coefficient;
  return a.exponent >= 0
    ? order(signed * 10n ** BigInt(a.exponent), b)
    : order(signed, b * 10n ** BigInt(-a.exponent));
}

function compareWithDouble(a: DecimalValue, b: number): number {
  const { mantissa, exponent } = split(b);
  let left = a.negative ? -a.coefficient : a.coefficient;
  let right = mantissa;
  if (a.exponent >= 0) left *= 10n ** BigInt(a.exponent);
  else right *= 10n ** BigInt(-a.exponent);
  if (exponent >= 0) right <<= BigInt(exponent);
  else left <<= BigInt(-exponent);
  return order(left, right);
}

const BITS = new DataView(new ArrayBuffer(8));

/** A finite double as mantissa × 2^exponent, exactly. */
function split(value: number): { mantissa: bigint; exponent: number } {
  BITS.setFloat64(0, value);
  const bits = BITS.getBigUint64(0);
  const fraction = bits & 0xfffffffffffffn;
  const biased = Number((bits >> 52n) & 0x7ffn);
  const magnitude = biased === 0 ? fraction : fraction | 0x10000000000000n;
  return { mantissa: bits >> 63n === 1n ? -magnitude : magnitude, exponent: Math.max(biased, 1) - 1075 };
}

function sign(value: DecimalValue): number {
  return value.coefficient === 0n ? 0 : value.negative ? -1 : 1;
}

/** The power of ten of the first digit. */
function adjusted(value: DecimalValue): number {
  return value.coefficient.toString().length + value.exponent;
}

function scaled(value: DecimalValue, exponent: number): bigint {
  return value.coefficient * 10n ** BigInt(value.exponent - exponent);
}

function order(a: number | bigint, b: number | bigint): number {
  return a < b ? -1 : a > b ? 1 : Number.isNaN(a) || Number.isNaN(b) ? Number.NaN : 0;
}
