/**
 * Numbers of a realm in columns that hold numbers otherwise. A number stands on the other side exactly or not at all;
 * binary floating point counts as exact when its shortest text is the number.
 */
import { decimalFromText } from '../../../src/connector/codec/decimal-text.ts';
import {
  exactDouble,
  exactFloat,
  INT16,
  INT32,
  INT64,
  type IntegerLimits,
  inexact,
  integerFromText,
  integerToText,
} from '../../../src/connector/codec/exact-number.ts';
import {
  doubleFromText,
  doubleToText,
  floatFromText,
  floatToText,
} from '../../../src/connector/codec/float-text.ts';
import { misplaced } from '../../../src/connector/codec/misplaced.ts';
import { isSameNumber, wholeDigits } from '../../../src/connector/codec/number-text.ts';
import type { ValueCodec } from '../../../src/connector/dialect.ts';
import { DataError } from '../../../src/connector/errors.ts';
import { decimalToText } from '../../../src/schema/decimal128.ts';
import { isKept } from './binary-text.ts';

const UINT32: IntegerLimits = { smallest: 0n, largest: (1n << 32n) - 1n };

/** The server itself would take a negative number for a large one in the unsigned types. */
const LIMITS: Readonly<Record<string, IntegerLimits>> = {
  int2: INT16,
  int4: INT32,
  int8: INT64,
  oid: UINT32,
  xid: UINT32,
  cid: UINT32,
  xid8: { smallest: 0n, largest: (1n << 64n) - 1n },
};

export function intCodec(baseType: string): ValueCodec {
  const limits = LIMITS[baseType];
  return {
    toRealm: (text) => ({ type: 'int', value: integerFromText(text) }),
    toSql: (value) => {
      if (value.type !== 'int') throw misplaced(value.type);
      if (limits !== undefined) return integerToText(value.value, limits, baseType);
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
      return { type: 'float', value: isSame ? value : exactFloat(text) };
    },
    toSql: (value) => {
      if (value.type !== 'float') throw misplaced(value.type);
      return held(floatToText(value.value), baseType);
    },
  };
}

export function doubleCodec(baseType: string): ValueCodec {
  const read = baseType === 'float4' || baseType === 'float8' ? doubleFromText : exactDouble;
  return {
    toRealm: (text) => ({ type: 'double', value: read(text) }),
    toSql: (value) => {
      if (value.type !== 'double') throw misplaced(value.type);
      return held(doubleToText(value.value), baseType);
    },
  };
}

export function decimalCodec(baseType: string): ValueCodec {
  return {
    toRealm: (text) => decimalFromText(text.trim()),
    toSql: (value) => {
      if (value.type !== 'decimal128') throw misplaced(value.type);
      return held(decimalToText(value), baseType);
    },
  };
}

/** The number as the column takes it. Throws `DataError` when the column would make another one of it. */
function held(text: string, baseType: string): string {
  const limits = LIMITS[baseType];
  if (limits !== undefined) {
    const digits = wholeDigits(text);
    if (digits === undefined) throw new DataError(`${text} is no whole number`);
    return integerToText(BigInt(digits), limits, baseType);
  }
  if (baseType === 'float4' || baseType === 'float8') {
    const nearest =
      baseType === 'float4' ? floatToText(floatFromText(text)) : doubleToText(doubleFromText(text));
    if (!isSameNumber(text, nearest) && !isKept(text, baseType)) throw inexact(baseType, nearest);
  }
  return text;
}
