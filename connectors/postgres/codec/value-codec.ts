/**
 * Chooses how the texts of a column become the values of a property and back. The type table is the reference's
 * (quick reference of the PostgreSQL adapter), with data, uuid, objectId and decimal128 added; docs/postgres-types.md
 * shows all of it. A string property reads any column in the server's own text form.
 */
import type { ColumnInfo, ValueCodec } from '../../../src/connector/dialect.ts';
import { DataError, MappingError } from '../../../src/connector/errors.ts';
import type { ColumnDefinition } from '../../../src/schema/definition.ts';
import type { ScalarValue, ValueType } from '../../../src/schema/value.ts';
import { binaryObjectIdCodec, dataCodec, objectIdCodec, uuidCodec } from './binary-codecs.ts';
import { dateFromText, dateToText } from './date-text.ts';
import { jsonText, parseJson } from './json-text.ts';
import { mixedFromJson, mixedToJson } from './mixed-json.ts';
import { moneyCodec } from './money-codec.ts';
import { decimalCodec, doubleCodec, floatCodec, intCodec } from './number-codecs.ts';
import { arrayStringCodec, stringCodec } from './string-codecs.ts';

const INTEGERS = ['int2', 'int4', 'int8', 'oid', 'xid', 'cid', 'xid8'];
const NUMBERS = [...INTEGERS, 'numeric', 'float4', 'float8'];
export const TEXTS: readonly string[] = ['text', 'varchar', 'bpchar', 'name', 'citext'];
export const JSONS: readonly string[] = ['json', 'jsonb'];

/** Base types that each property type may stand on; a string may stand on any. */
const COLUMN_TYPES: Readonly<Partial<Record<ValueType, readonly string[]>>> = {
  int: [...NUMBERS, ...TEXTS],
  bool: ['bool', 'int2', 'int4', 'int8', 'bit'],
  float: [...NUMBERS, ...TEXTS],
  double: [...NUMBERS, 'money', ...TEXTS],
  decimal128: [...NUMBERS, 'money', ...TEXTS],
  date: ['timestamp', 'timestamptz', 'date'],
  data: ['bytea'],
  objectId: [...TEXTS, 'bytea'],
  uuid: ['uuid', ...TEXTS],
  mixed: JSONS,
};

export type TypedColumn = Pick<ColumnInfo, 'baseType' | 'storage'>;

/** Throws `MappingError` when the two types have no way to each other. */
export function codecFor(column: ColumnInfo, property: ColumnDefinition): ValueCodec {
  const codec = property.collection === 'single' ? scalarCodec(column, property.type) : undefined;
  if (codec !== undefined) return namingColumn(column, property.type, codec);
  throw noWay(column, property);
}

export function noWay(column: ColumnInfo, property: ColumnDefinition): MappingError {
  const kind = property.type === 'link' ? (property.linkTarget ?? 'link') : property.type;
  const what = property.collection === 'single' ? kind : `${property.collection} of ${kind}`;
  const allowed = property.collection === 'single' ? COLUMN_TYPES[property.type] : undefined;
  return new MappingError(
    `the column ${column.name} of type ${column.type} cannot hold a property of type ${what}`,
    {
      remedy:
        allowed === undefined
          ? 'make the column jsonb (or an array, for a list of scalars), change the model, or name the property in realmIgnoreProperties'
          : `make the column one of ${allowed.join(', ')}, change the model, or convert with convertPostgresValueToRealm and convertRealmValueToPostgres`,
    },
  );
}

/** The codec without names in its errors; undefined when the two types have no way to each other. */
export function scalarCodec(column: TypedColumn, type: ValueType): ValueCodec | undefined {
  const { baseType, storage } = column;
  if (type !== 'string' && !COLUMN_TYPES[type]?.includes(baseType)) return undefined;
  // What the configuration has treated as another type has that one's form.
  const structure = storage?.baseType === baseType ? storage.structure : undefined;
  if (baseType === 'money')
    return moneyCodec(type, structure?.kind === 'money' ? structure.places : USUAL_PLACES);
  switch (type) {
    case 'int':
      return intCodec(baseType);
    case 'bool':
      return baseType === 'bool' ? boolCodec : numericBoolCodec;
    case 'float':
      return floatCodec(baseType);
    case 'double':
      return doubleCodec(baseType);
    case 'decimal128':
      return decimalCodec(baseType);
    case 'date':
      return baseType === 'date' ? dayCodec : instantCodec;
    case 'data':
      return dataCodec;
    case 'uuid':
      return uuidCodec;
    case 'objectId':
      return baseType === 'bytea' ? binaryObjectIdCodec : objectIdCodec;
    case 'mixed':
      return mixedScalarCodec;
    case 'string':
      return structure?.kind === 'array' ? arrayStringCodec(structure.element) : stringCodec(baseType);
    case 'link':
      return undefined;
  }
}

/** Decimals of an amount of money in most locales. */
const USUAL_PLACES = 2;
/** Longest excerpt of a value in an error message. */
const EXCERPT = 120;

/** Puts column and value into every error. */
function namingColumn(column: ColumnInfo, type: ValueType, codec: ValueCodec): ValueCodec {
  return {
    toRealm: (text) => {
      try {
        return codec.toRealm(text);
      } catch (cause) {
        throw namedReading(column, text, `no ${type}`, cause);
      }
    },
    toSql: (value) => {
      if (value.type === 'null') return null;
      try {
        if (value.type !== type && type !== 'mixed') throw new DataError(`a ${value.type} is no ${type}`);
        return codec.toSql(value);
      } catch (cause) {
        throw namedWriting(column, excerpt(value), cause);
      }
    },
  };
}

export function namedReading(column: ColumnInfo, text: string, what: string, cause: unknown): unknown {
  const shown = JSON.stringify(text.length > EXCERPT ? `${text.slice(0, EXCERPT)}…` : text);
  return named(cause, `column ${column.name} holds ${shown}, ${what}`);
}

export function namedWriting(column: ColumnInfo, shown: string, cause: unknown): unknown {
  return named(cause, `the value ${shown} does not fit column ${column.name} (${column.type})`);
}

function named(cause: unknown, what: string): unknown {
  if (!(cause instanceof DataError)) return cause;
  return new DataError(`${what}: ${cause.message}`, { cause });
}

function excerpt(value: ScalarValue): string {
  const text = 'value' in value ? String(value.value) : value.type;
  return JSON.stringify(text.slice(0, EXCERPT));
}

// The types are compared before a codec is asked, so each sees only its own.
function unexpected(value: ScalarValue): DataError {
  return new DataError(`a ${value.type} does not belong here`);
}

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

/** A mixed value that is no collection; those are for the codecs of whole states. */
const mixedScalarCodec: ValueCodec = {
  toRealm: (text) => {
    const value = mixedFromJson(parseJson(text));
    switch (value.type) {
      case 'list':
      case 'dictionary':
      case 'object':
      case 'set':
        throw new DataError('the document is no single value');
      default:
        return value;
    }
  },
  toSql: (value) => jsonText(mixedToJson(value)),
};
