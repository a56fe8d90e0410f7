/**
 * Numbers of one kind as those of another: exactly or not at all. Binary floating point counts as exact when its shortest
 * text is the number.
 */
import { DataError } from '../errors.ts';
import { doubleFromText, doubleToText, floatFromText, floatToText } from './float-text.ts';
import { isSameNumber, wholeDigits } from './number-text.ts';

export type IntegerLimits = { readonly smallest: bigint; readonly largest: bigint };

export const INT16: IntegerLimits = { smallest: -(1n << 15n), largest: (1n << 15n) - 1n };
export const INT32: IntegerLimits = { smallest: -(1n << 31n), largest: (1n << 31n) - 1n };
export const INT64: IntegerLimits = { smallest: -(1n << 63n), largest: (1n << 63n) - 1n };

const PLAIN_INTEGER = /^-?\d{1,20}$/;
/** Characters that hold no more digits than a number holds exactly. */
const SHORT_INTEGER = 15;
/** Digits that every float, and every double, holds exactly. */
const FLOAT_DIGITS = 6;
const DOUBLE_DIGITS = 15;
const MINUS = 0x2d;
const ZERO = 0x30;

/** The value of plain digits, as nearly all integers are; anything else is for the pattern. */
function shortInteger(text: string): number | undefined {
  const { length } = text;
  const isNegative = text.charCodeAt(0) === MINUS;
  const start = isNegative ? 1 : 0;
  if (length === start || length > SHORT_INTEGER) return undefined;
  let value = 0;
  for (let at = start; at < length; at += 1) {
    const digit = text.charCodeAt(at) - ZERO;
    if (!(digit >= 0 && digit <= 9)) return undefined;
    value = value * 10 + digit;
  }
  return isNegative ? -value : value;
}

/** Throws `DataError` on fractions and beyond 64 bits. */
export function integerFromText(text: string): bigint {
  const short = shortInteger(text);
  if (short !== undefined) return BigInt(short);
  const digits = PLAIN_INTEGER.test(text) ? text : wholeDigits(text.trim());
  if (digits === undefined) throw new DataError('no whole number');
  const value = BigInt(digits);
  if (value < INT64.smallest || value > INT64.largest) throw new DataError('beyond 64 bits');
  return value;
}

/** Throws `DataError` when a column of `type` cannot hold the number. */
export function integerToText(value: bigint, limits: IntegerLimits, type: string): string {
  if (value >= limits.smallest && value <= limits.largest) return String(value);
  throw new DataError(`${type} holds the whole numbers from ${limits.smallest} to ${limits.largest} only`);
}

/** The number of a column that is none of binary floating point. Throws `DataError` when a double would lose digits. */
export function exactDouble(text: string): number {
  const value = doubleFromText(text);
  if (!isShort(text, DOUBLE_DIGITS)) requireSame(text, doubleToText(value), 'double');
  return value;
}

/** As {@link exactDouble}. */
export function exactFloat(text: string): number {
  const value = floatFromText(text);
  if (!isShort(text, FLOAT_DIGITS)) requireSame(text, floatToText(value), 'float');
  return value;
}

/** Too few digits to lose one; an exponent may still lead below the smallest number. */
function isShort(text: string, digits: number): boolean {
  return text.length <= digits && !/e/i.test(text);
}

function requireSame(text: string, nearest: string, type: string): void {
  if (!isSameNumber(text, nearest)) throw inexact(type, nearest);
}

export function inexact(type: string, nearest: string): DataError {
  return new DataError(`a ${type} cannot hold it exactly, the nearest is ${nearest}`, {
    remedy: 'declare the property as decimal128 or string, or round in the conversion functions',
  });
}
