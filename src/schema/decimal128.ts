/** Decimal128 between its text, its 16 bytes and the split form of the wire (changeset-format.md §5.1), exactly. */
import { Decimal128 } from 'bson';
import type { DecimalValue } from './value.ts';
import { ValueError } from './value-error.ts';

const MAX_DIGITS = 34;
const BIAS = 6176;
const MIN_EXPONENT = -BIAS;
const MAX_EXPONENT = 6111;
/** The exponent fields that stand for infinity and NaN, less the bias. */
const INFINITY_EXPONENT = 9184;
const NAN_EXPONENT = 9696;
const COEFFICIENT_MASK = (1n << 113n) - 1n;
const EXPONENT_MASK = (1n << 14n) - 1n;

const NUMBER = /^([+-]?)(?:(\d+)(?:\.(\d*))?|\.(\d+))(?:[eE]([+-]?\d{1,9}))?$/;
const INFINITY = /^([+-]?)inf(?:inity)?$/i;
const NOT_A_NUMBER = /^[+-]?nan$/i;

export const DECIMAL_NAN: DecimalValue = Object.freeze({
  type: 'decimal128',
  coefficient: 0n,
  exponent: NAN_EXPONENT,
  negative: false,
});

/**
 * Reads a decimal number, `Infinity` or `NaN`. The digits keep their scale: `1.00` stays 100 × 10⁻². Throws
 * `ValueError` for what decimal128 cannot hold without rounding.
 */
export function decimalFromText(text: string): DecimalValue {
  const match = NUMBER.exec(text);
  if (match === null) return specialFromText(text);
  const fraction = match[3] ?? match[4] ?? '';
  const negative = match[1] === '-';
  let digits = `${match[2] ?? ''}${fraction}`.replace(/^0+/, '');
  let exponent = Number(match[5] ?? 0) - fraction.length;
  while (digits.length > MAX_DIGITS && digits.endsWith('0')) {
    digits = digits.slice(0, -1);
    exponent += 1;
  }
  if (digits.length > MAX_DIGITS) throw unholdable(text, `more than ${MAX_DIGITS} digits`);
  if (digits === '') exponent = Math.min(Math.max(exponent, MIN_EXPONENT), MAX_EXPONENT);
  // Zeros may move between digits and exponent as long as the number stays the same.
  while (exponent > MAX_EXPONENT && digits.length < MAX_DIGITS) {
    digits += '0';
    exponent -= 1;
  }
  while (exponent < MIN_EXPONENT && digits.endsWith('0')) {
    digits = digits.slice(0, -1);
    exponent += 1;
  }
  if (exponent > MAX_EXPONENT || exponent < MIN_EXPONENT)
    throw unholdable(text, 'its exponent is out of range');
  return { type: 'decimal128', coefficient: BigInt(digits === '' ? '0' : digits), exponent, negative };
}

/** The number in plain notation, in scientific notation when that is shorter than its zeros; reads back the same. */
export function decimalToText(value: DecimalValue): string {
  const sign = value.negative ? '-' : '';
  if (isNotANumber(value)) return 'NaN';
  if (value.exponent >= INFINITY_EXPONENT) return `${sign}Infinity`;
  const digits = value.coefficient.toString();
  const { exponent } = value;
  const adjusted = digits.length - 1 + exponent;
  if (exponent > 0 || adjusted < -6) {
    const mantissa = digits.length === 1 ? digits : `${digits[0]}.${digits.slice(1)}`;
    return `${sign}${mantissa}E${adjusted < 0 ? '' : '+'}${adjusted}`;
  }
  if (exponent === 0) return `${sign}${digits}`;
  const padded = digits.padStart(1 - exponent, '0');
  return `${sign}${padded.slice(0, exponent)}.${padded.slice(exponent)}`;
}

export function decimalFromBson(value: Decimal128): DecimalValue {
  const { bytes } = value;
  const view = new DataView(bytes.buffer, bytes.byteOffset, 16);
  const high = view.getBigUint64(8, true);
  const bits = (high << 64n) | view.getBigUint64(0, true);
  return {
    type: 'decimal128',
    coefficient: bits & COEFFICIENT_MASK,
    exponent: Number((high >> 49n) & EXPONENT_MASK) - BIAS,
    negative: high >> 63n === 1n,
  };
}

export function decimalToBson({ coefficient, exponent, negative }: DecimalValue): Decimal128 {
  const bytes = new Uint8Array(16);
  const view = new DataView(bytes.buffer);
  const high = (coefficient >> 64n) | (BigInt(exponent + BIAS) << 49n) | (negative ? 1n << 63n : 0n);
  view.setBigUint64(0, BigInt.asUintN(64, coefficient), true);
  view.setBigUint64(8, high, true);
  return new Decimal128(bytes);
}

/** Whether two decimals are the same number; 1.0 equals 1.00, and NaN equals a NaN of the same bits. */
export function sameDecimal(a: DecimalValue, b: DecimalValue): boolean {
  const identical = a.coefficient === b.coefficient && a.exponent === b.exponent && a.negative === b.negative;
  if (identical || a.exponent >= INFINITY_EXPONENT || b.exponent >= INFINITY_EXPONENT) return identical;
  if (a.coefficient === 0n || b.coefficient === 0n) return a.coefficient === b.coefficient;
  if (a.negative !== b.negative) return false;
  const [coarse, fine] = a.exponent > b.exponent ? [a, b] : [b, a];
  const shift = coarse.exponent - fine.exponent;
  return shift <= MAX_DIGITS && coarse.coefficient * 10n ** BigInt(shift) === fine.coefficient;
}

/** Whether the value is no finite number. */
export function isSpecialDecimal(value: DecimalValue): boolean {
  return value.exponent >= INFINITY_EXPONENT;
}

function isNotANumber(value: DecimalValue): boolean {
  return value.exponent >= NAN_EXPONENT;
}

function specialFromText(text: string): DecimalValue {
  const infinity = INFINITY.exec(text);
  if (infinity !== null) {
    return {
      type: 'decimal128',
      coefficient: 0n,
      exponent: INFINITY_EXPONENT,
      negative: infinity[1] === '-',
    };
  }
  if (NOT_A_NUMBER.test(text)) return DECIMAL_NAN;
  throw unholdable(text, 'it is not a decimal number');
}

function unholdable(text: string, reason: string): ValueError {
  const shown = text.length > 60 ? `${text.slice(0, 60)}…` : text;
  return new ValueError(`'${shown}' cannot be a decimal128: ${reason}`);
}
