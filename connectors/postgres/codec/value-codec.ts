/**
 * Chooses how the texts of a column become the values of a property and back. The type table is the reference's
 * (quick reference of the PostgreSQL adapter), with data, uuid, objectId and decimal128 added. A string property reads
 * any column in the server's own text form.
 */
import type { ColumnInfo, ValueCodec } from '../../../src/connector/dialect.ts';
import { DataError, MappingError } from '../../../src/connector/errors.ts';
import { decimalToText } from '../../../src/schema/decimal128.ts';
import type { ColumnDefinition } from '../../../src/schema/definition.ts';
import type { ScalarValue, ValueType } from '../../../src/schema/value.ts';
import { dateFromText, dateToText } from './date-text.ts';
import { decimalFromText } from './decimal-text.ts';
import { doubleFromText, doubleToText, floatFromText, floatToText } from './float-text.ts';
import { mixedFromText, mixedToText } from './mixed-text.ts';

const INTEGERS = ['int2', 'int4', 'int8', 'oid'] as const;
const NUMBERS = [...INTEGERS, 'numeric', 'float4', 'float8'] as const;
const TEXTS = ['text', 'varchar', 'bpchar', 'name', 'citext'] as const;
const JSONS = ['json', 'jsonb'] as const;

/** Base types that each property type may stand on; a string may stand on any. */
const COLUMN_TYPES: Readonly<Partial<Record<ValueType, readonly string[]>>> = {
  int: [...INTEGERS, 'numeric', ...TEXTS],
  bool: ['bool', 'int2', 'int4'],
  float: NUMBERS,
  double: NUMBERS,
  decimal128: [...NUMBERS, ...TEXTS],
  date: ['timestamp', 'timestamptz', 'date'],
  data: ['bytea'],
  objectId: [...TEXTS, 'bytea'],
  uuid: ['uuid', ...TEXTS],
  mixed: JSONS,
};

/** Throws `MappingError` when the two types have no way to each other. */
export function codecFor(column: ColumnInfo, property: ColumnDefinition): ValueCodec {
  const allowed = COLUMN_TYPES[property.type];
  const single = property.collection === 'single' && property.type !== 'link';
  if (!single || (property.type !== 'string' && !allowed?.includes(column.baseType))) {
    const what =
      property.collection === 'single' ? property.type : `${property.collection} of ${property.type}`;
    throw new MappingError(
      `the column ${column.name} of type ${column.type} cannot hold a property of type ${what}`,
      {
        remedy:
          allowed === undefined
            ? 'name the property in realmIgnoreProperties'
            : `make the column one of ${allowed.join(', ')}, change the model, or convert with convertPostgresValueToRealm and convertRealmValueToPostgres`,
      },
    );
  }
  return namingColumn(column, property.type, plainCodec(column, property.type));
}

function plainCodec(column: ColumnInfo, type: ValueType): ValueCodec {
  switch (type) {
    case 'int':
      return intCodec;
    case 'bool':
      return column.baseType === 'bool' ? boolCodec : numericBoolCodec;
    case 'float':
      return floatCodec;
    case 'double':
      return doubleCodec;
    case 'decimal128':
      return decimalCodec;
    case 'date':
      return column.baseType === 'date' ? dayCodec : instantCodec;
    case 'data':
      return dataCodec;
    case 'uuid':
      return uuidCodec;
    case 'objectId':
      return column.baseType === 'bytea' ? binaryObjectIdCodec : objectIdCodec;
    case 'mixed':
      return { toRealm: mixedFromText, toSql: mixedToText };
    default:
      return stringCodec(column);
  }
}

/** Longest excerpt of a value in an error message. */
const EXCERPT = 120;

/** Puts column and value into every error. */
function namingColumn(column: ColumnInfo, type: ValueType, codec: ValueCodec): ValueCodec {
  return {
    toRealm: (text) => {
      try {
        return codec.toRealm(text);
      } catch (cause) {
        throw named(
          cause,
          `column ${column.name} holds ${JSON.stringify(text.slice(0, EXCERPT))}, no ${type}`,
        );
      }
    },
    toSql: (value) => {
      if (value.type === 'null') return null;
      try {
        if (value.type !== type && type !== 'mixed') throw new DataError(`a ${value.type} is no ${type}`);
        return codec.toSql(value);
      } catch (cause) {
        throw named(cause, `the value ${excerpt(value)} does not fit column ${column.name} (${column.type})`);
      }
    },
  };
}

function named(cause: unknown, what: string): unknown {
  if (!(cause instanceof DataError)) return cause;
  return new DataError(`${what}: ${cause.message}`, { cause });
}

function excerpt(value: ScalarValue): string {
  const text = 'value' in value ? String(value.value) : value.type;
  return JSON.stringify(text.slice(0, EXCERPT));
}

// The type check in `namingColumn` comes before these, so each sees only its own type.
function unexpected(value: ScalarValue): DataError {
  return new DataError(`a ${value.type} does not belong here`);
}

const INTEGER = /^[+-]?\d{1,40}(\.0*)?$/;
const SMALLEST_INT = -(1n << 63n);
const LARGEST_INT = (1n << 63n) - 1n;

/** Characters that hold no more digits than a number holds exactly. */
const SHORT_INTEGER = 15;
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

const intCodec: ValueCodec = {
  toRealm: (text) => {
    const short = shortInteger(text);
    if (short !== undefined) return { type: 'int', value: BigInt(short) };
    if (!INTEGER.test(text)) throw new DataError('no whole number');
    const value = BigInt(text.replace(/\.0*$/, '').replace(/^\+/, ''));
    if (value < SMALLEST_INT || value > LARGEST_INT) throw new DataError('beyond 64 bits');
    return { type: 'int', value };
  },
  toSql: (value) => {
    if (value.type !== 'int') throw unexpected(value);
    return String(value.value);
  },
};

const boolCodec: ValueCodec = {
  toRealm: (text) => {
    if (text !== 't' && text !== 'f') throw new DataError('neither t nor f');
    return { type: 'bool', value: text === 't' };
  },
  toSql: (value) => {
    if (value.type !== 'bool') throw unexpected(value);
    return value.value ? 't' : 'f';
  },
};

const numericBoolCodec: ValueCodec = {
  toRealm: (text) => {
    if (text !== '1' && text !== '0') throw new DataError('neither 0 nor 1');
    return { type: 'bool', value: text === '1' };
  },
  toSql: (value) => {
    if (value.type !== 'bool') throw unexpected(value);
    return value.value ? '1' : '0';
  },
};

const floatCodec: ValueCodec = {
  toRealm: (text) => ({ type: 'float', value: floatFromText(text) }),
  toSql: (value) => {
    if (value.type !== 'float') throw unexpected(value);
    return floatToText(value.value);
  },
};

const doubleCodec: ValueCodec = {
  toRealm: (text) => ({ type: 'double', value: doubleFromText(text) }),
  toSql: (value) => {
    if (value.type !== 'double') throw unexpected(value);
    return doubleToText(value.value);
  },
};

const decimalCodec: ValueCodec = {
  toRealm: (text) => decimalFromText(text.trim()),
  toSql: (value) => {
    if (value.type !== 'decimal128') throw unexpected(value);
    return decimalToText(value);
  },
};

const instantCodec: ValueCodec = {
  toRealm: dateFromText,
  toSql: (value) => {
    if (value.type !== 'date') throw unexpected(value);
    return dateToText(value);
  },
};

const dayCodec: ValueCodec = {
  toRealm: dateFromText,
  toSql: (value) => {
    if (value.type !== 'date') throw unexpected(value);
    return dateToText(value, 'day');
  },
};

const BYTEA = /^\\x(?:[0-9a-f]{2})*$/i;

const dataCodec: ValueCodec = {
  toRealm: (text) => {
    if (!BYTEA.test(text)) throw new DataError('not in the hexadecimal form of bytea');
    return { type: 'data', value: Buffer.from(text.slice(2), 'hex') };
  },
  toSql: (value) => {
    if (value.type !== 'data') throw unexpected(value);
    const { buffer, byteOffset, byteLength } = value.value;
    return `\\x${Buffer.from(buffer, byteOffset, byteLength).toString('hex')}`;
  },
};

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;

const uuidCodec: ValueCodec = {
  toRealm: (text) => {
    const value = text.trimEnd().toLowerCase();
    if (!UUID.test(value)) throw new DataError('not of the form 8-4-4-4-12');
    return { type: 'uuid', value };
  },
  toSql: (value) => {
    if (value.type !== 'uuid') throw unexpected(value);
    return value.value;
  },
};

const OBJECT_ID = /^[0-9a-f]{24}$/;

const objectIdCodec: ValueCodec = {
  toRealm: (text) => objectId(text.trimEnd()),
  toSql: (value) => {
    if (value.type !== 'objectId') throw unexpected(value);
    return value.value;
  },
};

const binaryObjectIdCodec: ValueCodec = {
  toRealm: (text) => objectId(text.startsWith('\\x') ? text.slice(2) : text),
  toSql: (value) => {
    if (value.type !== 'objectId') throw unexpected(value);
    return `\\x${value.value}`;
  },
};

function objectId(text: string): ScalarValue {
  const value = text.toLowerCase();
  if (!OBJECT_ID.test(value)) throw new DataError('not 24 hexadecimal digits');
  return { type: 'objectId', value };
}

/** A string property on `char(n)` does not see the padding; on `bytea` it sees the `\x` form, and writes UTF-8 bytes. */
function stringCodec(column: ColumnInfo): ValueCodec {
  const padded = column.baseType === 'bpchar';
  const binary = column.baseType === 'bytea';
  return {
    toRealm: (text) => ({ type: 'string', value: padded ? withoutPadding(text) : text }),
    toSql: (value) => {
      if (value.type !== 'string') throw unexpected(value);
      if (binary && !BYTEA.test(value.value)) return `\\x${Buffer.from(value.value).toString('hex')}`;
      if (value.value.includes('\0'))
        throw new DataError('PostgreSQL cannot hold the character NUL in a text');
      if (!value.value.isWellFormed()) throw new DataError('the text has half a surrogate pair');
      return value.value;
    },
  };
}

/** Only blanks: the server pads with them alone. */
function withoutPadding(text: string): string {
  let end = text.length;
  while (end > 0 && text.charCodeAt(end - 1) === 0x20) end -= 1;
  return end === text.length ? text : text.slice(0, end);
}
