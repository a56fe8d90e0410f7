/**
 * Numbers of a realm in columns that hold numbers otherwise. A number stands on the other side exactly or not at all;
 * binary floating point counts as exact when its shortest text is the number.
 */
import type { ValueCodec } from '../../../src/connector/dialect.ts';
import { DataError } from '../../../src/connector/errors.ts';
import { decimalToText } from '../../../src/schema/decimal128.ts';
import { isKept } from './binary-text.ts';
import { decimalFromText } from './decimal-text.ts';
import { doubleFromText, doubleToText, floatFromText, floatToText } from './float-text.ts';
import { isSameNumber, wholeDigits } from './number-text.ts';

type Limits = { readonly smallest: bigint; readonly largest: bigint };

const INT64: Limits = { smallest: -(1n << 63n), largest: (1n << 63n) - 1n };
const UINT32: Limits = { smallest: 0n, largest: (1n << 32n) - 1n };

/** The server itself would take a negative number for a large one in the unsigned types. */
const LIMITS: Readonly<Record<string, Limits>> = {
  int2: { smallest: -(1n << 15n), largest: (1n << 15n) - 1n },
  int4: { smallest: -(1n << 31n), largest: (1n << 31n) - 1n },
  int8: INT64,
  oid: UINT32,
  xid: UINT32,
  cid: UINT32,
  xid8: { smallest: 0n, largest: (1n << 64n) - 1n },
};

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

export function intCodec(baseType: string): ValueCodec {
  const limits = LIMITS[baseType];
  return {
    toRealm: (text) => {
      const short = shortInteger(text);
      if (short !== undefined) return { type: 'int', value: BigInt(short) };
      const digits = PLAIN_INTEGER.test(text) ? text : wholeDigits(text.trim());
      if (digits === undefined) throw new DataError('no whole number');
      const value = BigInt(digits);
      if (value < INT64.smallest || value > INT64.largest) throw new DataError('beyond 64 bits');
      return { type: 'int', value };
    },
    toSql: (value) => {
      if (value.type !== 'int') throw unexpected(value.type);
      if (limits !== undefined) return withinLimits(value.value, limits, baseType);
      return held(String(value.value), baseType);
    },
  };
}

export function floatCodec(baseType: string): ValueCodec {
  return {
    toRealm: (text) => {
      const value = floatFromText(text);
      // The server writes some doubles with other digits than we do, so doubles are compared as such.
      const isSame =
        baseType === 'float4' ||
        (baseType === 'float8' && (Number(text) === value || Number(text) === Number(floatToText(value))));
      if (!isSame && !isShort(text, FLOAT_DIGITS)) requireSame(text, floatToText(value), 'float');
      return { type: 'float', value };
    },
    toSql: (value) => {
      if (value.type !== 'float') throw unexpected(value.type);
      return held(floatToText(value.value), baseType);
    },
  };
}

export function doubleCodec(baseType: string): ValueCodec {
  const isBinary = baseType === 'float4' || baseType === 'float8';
  return {
    toRealm: (text) => {
      const value = doubleFromText(text);
      if (!isBinary && !isShort(text, DOUBLE_DIGITS)) requireSame(text, doubleToText(value), 'double');
      return { type: 'double', value };
    },
    toSql: (value) => {
      if (value.type !== 'double') throw unexpected(value.type);
      return held(doubleToText(value.value), baseType);
    },
  };
}

export function decimalCodec(baseType: string): ValueCodec {
  return {
    toRealm: (text) => decimalFromText(text.trim()),
    toSql: (value) => {
      if (value.type !== 'decimal128') throw unexpected(value.type);
      return held(decimalToText(value), baseType);
    },
  };
}

/** Too few digits to lose one; an exponent may still lead below the smallest number. */
function isShort(text: string, digits: number): boolean {
  return text.length <= digits && !/e/i.test(text);
}

/** The number as the column takes it. Throws `DataError` when the column would make another one of it. */
function held(text: string, baseType: string): string {
  const limits = LIMITS[baseType];
  if (limits !== undefined) {
    const digits = wholeDigits(text);
    if (digits === undefined) throw new DataError(`${text} is no whole number`);
    return withinLimits(BigInt(digits), limits, baseType);
  }
  if (baseType === 'float4' || baseType === 'float8') {
    const nearest =
      baseType === 'float4' ? floatToText(floatFromText(text)) : doubleToText(doubleFromText(text));
    if (!isSameNumber(text, nearest) && !isKept(text, baseType)) throw inexact(baseType, nearest);
  }
  return text;
}

function withinLimits(value: bigint, limits: Limits, baseType: string): string {
  if (value >= limits.smallest && value <= limits.largest) return String(value);
  throw new DataError(
    `${baseType} holds the whole numbers from ${limits.smallest} to ${limits.largest} only`,
  );
}

function requireSame(text: string, nearest: string, type: string): void {
  if (!isSameNumber(text, nearest)) throw inexact(type, nearest);
}

function inexact(type: string, nearest: string): DataError {
  return new DataError(`a ${type} cannot hold it exactly, the nearest is ${nearest}`, {
    remedy: 'declare the property as decimal128 or string, or round in the conversion functions',
  });
}

function unexpected(type: string): DataError {
  return new DataError(`a ${type} does not belong here`);
}
