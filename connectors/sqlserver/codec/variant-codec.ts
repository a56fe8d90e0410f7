/** Mixed values in `sql_variant` columns: single values only, the kinds of which `../variant-text.ts` lists. */

import { dateFromText } from '../../../src/connector/codec/date-text.ts';
import { decimalFromText } from '../../../src/connector/codec/decimal-text.ts';
import { integerFromText } from '../../../src/connector/codec/exact-number.ts';
import {
  doubleFromText,
  doubleToText,
  floatFromText,
  floatToText,
} from '../../../src/connector/codec/float-text.ts';
import { uuidFromText } from '../../../src/connector/codec/id-codecs.ts';
import type { ValueCodec } from '../../../src/connector/dialect.ts';
import { DataError } from '../../../src/connector/errors.ts';
import { decimalToText } from '../../../src/schema/decimal128.ts';
import type { ScalarValue } from '../../../src/schema/value.ts';
import { MAX_PRECISION, type SqlType, sqlTypeOf } from '../sql-type.ts';
import { splitVariant } from '../variant-text.ts';
import { bytesFromText, storedBytes } from './binary-texts.ts';
import { decimalsOf, storedNumber } from './number-texts.ts';
import { storedText } from './stored-text.ts';
import { instantText, storedTime } from './time-texts.ts';

/** The types that values get which are written. */
const TYPES = {
  bit: typeOf('bit'),
  int: typeOf('bigint'),
  real: typeOf('real'),
  float: typeOf('float'),
  date: typeOf('datetime2(7)'),
  datetimeoffset: typeOf('datetimeoffset(7)'),
  time: typeOf('time(7)'),
  uuid: typeOf('uniqueidentifier'),
  data: typeOf('varbinary(8000)'),
  string: typeOf('nvarchar(4000)'),
} as const;

function typeOf(type: string): SqlType {
  return sqlTypeOf({ type, baseType: type.replace(/\(.*/, '') });
}

export const variantCodec: ValueCodec = {
  toRealm: (text) => {
    const { kind, value } = requireVariant(text);
    switch (kind) {
      case 'bit':
        return { type: 'bool', value: value === '1' };
      case 'int':
        return { type: 'int', value: integerFromText(value) };
      case 'real':
        return { type: 'float', value: floatFromText(value) };
      case 'float':
        return { type: 'double', value: doubleFromText(value) };
      case 'decimal':
        return decimalFromText(value);
      case 'date':
      case 'datetimeoffset':
        return dateFromText(value);
      case 'uuid':
        return { type: 'uuid', value: uuidFromText(value) };
      case 'data':
        return { type: 'data', value: bytesFromText(value) };
      case 'time':
      case 'string':
        if (!value.isWellFormed()) throw new DataError('the text has half a surrogate pair');
        return { type: 'string', value };
      default:
        throw new DataError(`it holds a ${kind}, which no mixed value can hold`);
    }
  },
  toSql: (value) => (value.type === 'null' ? null : variantText(value)),
};

function variantText(value: ScalarValue): string {
  switch (value.type) {
    case 'bool':
      return `bit:${value.value ? '1' : '0'}`;
    case 'int':
      return `int:${value.value}`;
    case 'float':
      return `real:${storedNumber(floatToText(value.value), TYPES.real)}`;
    case 'double':
      return `float:${storedNumber(doubleToText(value.value), TYPES.float)}`;
    case 'decimal128':
      return `decimal:${decimalDigits(decimalToText(value))}`;
    case 'date':
      return `date:${instantText(value, TYPES.date)}`;
    case 'uuid':
      return `uuid:${value.value}`;
    case 'data':
      return `data:${storedBytes(value.value, TYPES.data)}`;
    case 'string':
      return `string:${storedText(value.value, TYPES.string)}`;
    default:
      throw new DataError(`a sql_variant holds no ${value.type}`, {
        remedy: 'make the column nvarchar(max): it holds any mixed value as JSON',
      });
  }
}

/** In as many decimals as it needs: whichever it is, its type can have it. */
function decimalDigits(text: string): string {
  const scale = decimalsOf(text);
  return storedNumber(text, { ...TYPES.int, name: 'decimal', precision: MAX_PRECISION, scale });
}

/** The canonical form of a text that somebody wrote by hand. Throws `DataError`. */
export function storedVariant(text: string): string {
  const { kind, value } = requireVariant(text);
  switch (kind) {
    case 'bit':
    case 'int':
    case 'real':
    case 'float':
      return `${kind}:${storedNumber(value, TYPES[kind])}`;
    case 'decimal':
      return `decimal:${decimalDigits(value)}`;
    case 'date':
    case 'datetimeoffset':
    case 'time':
      return `${kind}:${storedTime(value, TYPES[kind])}`;
    case 'uuid':
      return `uuid:${uuidFromText(value)}`;
    case 'data':
      return `data:${storedBytes(bytesFromText(value), TYPES.data)}`;
    case 'string':
      return `string:${storedText(value, TYPES.string)}`;
    default:
      throw new DataError(`${JSON.stringify(kind)} is no kind of value of a sql_variant`);
  }
}

function requireVariant(text: string): { readonly kind: string; readonly value: string } {
  const parts = splitVariant(text);
  if (parts !== undefined) return parts;
  throw new DataError('it does not begin with the kind of the value', {
    remedy: "write the kind before it, as in 'int:5' or 'string:five', or declare the property as mixed",
  });
}
