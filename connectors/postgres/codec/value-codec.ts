/**
 * Chooses how the texts of a column become the values of a property and back. The type table is the reference's
 * (quick reference of the PostgreSQL adapter), with data, uuid, objectId and decimal128 added; docs/postgres-types.md
 * shows all of it. A string property reads any column in the server's own text form.
 */
import { numericBoolCodec } from '../../../src/connector/codec/bool-codecs.ts';
import { objectIdCodec, uuidCodec } from '../../../src/connector/codec/id-codecs.ts';
import { misplaced } from '../../../src/connector/codec/misplaced.ts';
import { namedCodec } from '../../../src/connector/codec/named-codecs.ts';
import { mixedScalarCodec } from '../../../src/connector/codec/state-codecs.ts';
import { unfitColumn } from '../../../src/connector/codec/unfit-column.ts';
import type { ColumnInfo, ValueCodec } from '../../../src/connector/dialect.ts';
import { DataError, type MappingError } from '../../../src/connector/errors.ts';
import type { ColumnDefinition } from '../../../src/schema/definition.ts';
import type { ValueType } from '../../../src/schema/value.ts';
import { OPTION_NAMES } from '../option-names.ts';
import { binaryObjectIdCodec, dataCodec } from './binary-codecs.ts';
import { instantFromText, instantToText } from './date-text.ts';
import { moneyCodec } from './money-codec.ts';
import { decimalCodec, doubleCodec, floatCodec, intCodec } from './number-codecs.ts';
import { storableJson } from './storable-text.ts';
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
  if (codec !== undefined) return namedCodec(column, property.type, codec);
  throw noWay(column, property);
}

export function noWay(column: ColumnInfo, property: ColumnDefinition): MappingError {
  const otherwise = 'make the column jsonb (or an array, for a list of scalars)';
  return unfitColumn(column, property, COLUMN_TYPES[property.type], otherwise, OPTION_NAMES);
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
      return mixedScalarCodec(storableJson);
    case 'string':
      return structure?.kind === 'array' ? arrayStringCodec(structure.element) : stringCodec(baseType);
    case 'link':
      return undefined;
  }
}

/** Decimals of an amount of money in most locales. */
const USUAL_PLACES = 2;

const boolCodec: ValueCodec = {
  toRealm: (text) => {
    if (text !== 't' && text !== 'f') throw new DataError('neither t nor f');
    return { type: 'bool', value: text === 't' };
  },
  toSql: (value) => {
    if (value.type !== 'bool') throw misplaced(value.type);
    return value.value ? 't' : 'f';
  },
};

const instantCodec: ValueCodec = {
  toRealm: instantFromText,
  toSql: (value) => {
    if (value.type !== 'date') throw misplaced(value.type);
    return instantToText(value);
  },
};

const dayCodec: ValueCodec = {
  toRealm: instantFromText,
  toSql: (value) => {
    if (value.type !== 'date') throw misplaced(value.type);
    return instantToText(value, 'day');
  },
};
