/** Mixed values in columns of one type: devices write whichever kind of number their language has. */

import { decimalToText } from '../../schema/decimal128.ts';
import type { ScalarValue, ValueType } from '../../schema/value.ts';
import type { ValueCodec } from '../dialect.ts';
import { DataError } from '../errors.ts';
import { decimalFromText } from './decimal-text.ts';
import { doubleFromText, doubleToText, floatFromText, floatToText } from './float-text.ts';
import { wholeDigits } from './number-text.ts';

/** Reads values of `type`, and writes all numbers that `type` holds exactly. */
export function mixedScalar(codec: ValueCodec, type: ValueType): ValueCodec {
  return {
    toRealm: codec.toRealm,
    toSql: (value) => codec.toSql(value.type === type ? value : asNumber(value, type)),
  };
}

function asNumber(value: ScalarValue, type: ValueType): ScalarValue {
  const text = numberText(value);
  if (text === undefined) throw new DataError(`a ${value.type} is no ${type}`);
  switch (type) {
    case 'int': {
      const digits = wholeDigits(text);
      if (digits === undefined) throw new DataError(`${text} is no whole number`);
      return { type, value: BigInt(digits) };
    }
    case 'decimal128':
      return decimalFromText(text);
    case 'double':
      return { type, value: doubleFromText(text) };
    case 'float':
      return { type, value: floatFromText(text) };
    default:
      throw new DataError(`a ${value.type} is no ${type}`);
  }
}

function numberText(value: ScalarValue): string | undefined {
  switch (value.type) {
    case 'int':
      return String(value.value);
    case 'double':
      return doubleToText(value.value);
    case 'float':
      return floatToText(value.value);
    case 'decimal128':
      return decimalToText(value);
    default:
      return undefined;
  }
}
