/**
 * Chooses how the texts of a column become the values of a property and back; docs/sqlserver-types.md shows all of it. A
 * string property reads any column in the form of column-text.ts.
 */

import { numericBoolCodec } from '../../../src/connector/codec/bool-codecs.ts';
import { dateFromText } from '../../../src/connector/codec/date-text.ts';
import { decimalFromText } from '../../../src/connector/codec/decimal-text.ts';
import { exactDouble, exactFloat, integerFromText } from '../../../src/connector/codec/exact-number.ts';
import {
  doubleFromText,
  doubleToText,
  floatFromText,
  floatToText,
} from '../../../src/connector/codec/float-text.ts';
import { objectIdCodec, objectIdFromText, uuidCodec } from '../../../src/connector/codec/id-codecs.ts';
import { jsonText } from '../../../src/connector/codec/json-text.ts';
import { misplaced } from '../../../src/connector/codec/misplaced.ts';
import { mixedScalar } from '../../../src/connector/codec/mixed-scalars.ts';
import { namedCodec } from '../../../src/connector/codec/named-codecs.ts';
import { mixedScalarCodec } from '../../../src/connector/codec/state-codecs.ts';
import { unfitColumn } from '../../../src/connector/codec/unfit-column.ts';
import type { ColumnInfo, ValueCodec } from '../../../src/connector/dialect.ts';
import type { MappingError } from '../../../src/connector/errors.ts';
import { decimalToText } from '../../../src/schema/decimal128.ts';
import type { ColumnDefinition } from '../../../src/schema/definition.ts';
import type { ScalarValue, ValueType } from '../../../src/schema/value.ts';
import { isKnown, unsupported } from '../column-text.ts';
import { naturalScalar } from '../natural-types.ts';
import { OPTION_NAMES } from '../option-names.ts';
import { type SqlType, sqlTypeOf } from '../sql-type.ts';
import { BINARIES, bytesFromText, storedBytes } from './binary-texts.ts';
import { INTEGERS, NUMBERS, storedNumber } from './number-texts.ts';
import { storedDocument, storedText } from './stored-text.ts';
import { stringCodec } from './string-codec.ts';
import { INSTANTS, instantText } from './time-texts.ts';
import { variantCodec } from './variant-codec.ts';

export const TEXTS: readonly string[] = ['char', 'varchar', 'nchar', 'nvarchar', 'text', 'ntext'];
const WITHOUT_BIT = NUMBERS.filter((name) => name !== 'bit');

/** Types that each property type may stand on; a string may stand on any. */
const COLUMN_TYPES: Readonly<Partial<Record<ValueType, readonly string[]>>> = {
  int: [...NUMBERS, ...TEXTS, 'rowversion'],
  bool: ['bit', ...INTEGERS],
  float: [...WITHOUT_BIT, ...TEXTS],
  double: [...WITHOUT_BIT, ...TEXTS],
  decimal128: [...WITHOUT_BIT, ...TEXTS],
  date: INSTANTS,
  data: BINARIES,
  objectId: [...TEXTS, 'binary', 'varbinary'],
  uuid: ['uniqueidentifier', ...TEXTS],
};

/** Throws `MappingError` when the two types have no way to each other. */
export function codecFor(column: ColumnInfo, property: ColumnDefinition): ValueCodec {
  const type = sqlTypeOf(column);
  const codec = property.collection === 'single' ? scalarCodec(type, property.type) : undefined;
  if (codec !== undefined) return namedCodec(column, property.type, codec);
  throw noWay(column, property);
}

export function noWay(column: ColumnInfo, property: ColumnDefinition): MappingError {
  if (!isKnown(sqlTypeOf(column))) return unsupported(column);
  const otherwise = 'make the column nvarchar(max)';
  return unfitColumn(column, property, COLUMN_TYPES[property.type], otherwise, OPTION_NAMES);
}

/** A column that holds documents where a model says so: without a length that would end them. */
export function holdsDocuments({ name, length }: SqlType): boolean {
  return name === 'json' || (TEXTS.includes(name) && (length === 'max' || length === undefined));
}

/** The codec without names in its errors; undefined when the two types have no way to each other. */
export function scalarCodec(type: SqlType, property: ValueType): ValueCodec | undefined {
  if (!isKnown(type)) return undefined;
  if (property === 'mixed') return mixedCodec(type);
  if (property === 'string') return stringCodec(type);
  if (!COLUMN_TYPES[property]?.includes(type.name)) return undefined;
  switch (property) {
    case 'int':
      return type.name === 'rowversion' ? rowversionCodec : numberCodec(INT, type);
    case 'float':
      return numberCodec(FLOAT, type);
    case 'double':
      return numberCodec(DOUBLE, type);
    case 'decimal128':
      return numberCodec(DECIMAL, type);
    case 'bool':
      return numericBoolCodec;
    case 'date':
      return instantCodec(type);
    case 'data':
      return dataCodec(type);
    case 'uuid':
      return type.name === 'uniqueidentifier' ? uuidCodec : onText(uuidCodec, type);
    case 'objectId':
      return TEXTS.includes(type.name) ? onText(objectIdCodec, type) : binaryObjectIdCodec(type);
    case 'link':
      return undefined;
  }
}

/** A mixed value that is no collection; those are for the codecs of whole states. */
function mixedCodec(type: SqlType): ValueCodec | undefined {
  if (type.name === 'sql_variant') return variantCodec;
  if (holdsDocuments(type)) return mixedScalarCodec((json) => storedDocument(jsonText(json), type));
  const natural = naturalScalar(type.name);
  const codec = scalarCodec(type, natural);
  return codec && mixedScalar(codec, natural);
}

/** A number of a realm as digits, and back: exactly or not at all. */
type NumberForm = {
  readonly fromText: (text: string, type: SqlType) => ScalarValue;
  /** Undefined for values of other types. */
  readonly toText: (value: ScalarValue) => string | undefined;
};

const INT: NumberForm = {
  fromText: (text) => ({ type: 'int', value: integerFromText(text) }),
  toText: (value) => (value.type === 'int' ? String(value.value) : undefined),
};
const FLOAT: NumberForm = {
  fromText: (text, { name }) => ({
    type: 'float',
    value: name === 'real' ? floatFromText(text) : exactFloat(text),
  }),
  toText: (value) => (value.type === 'float' ? floatToText(value.value) : undefined),
};
const DOUBLE: NumberForm = {
  fromText: (text, { name }) => ({
    type: 'double',
    value: name === 'real' || name === 'float' ? doubleFromText(text) : exactDouble(text),
  }),
  toText: (value) => (value.type === 'double' ? doubleToText(value.value) : undefined),
};
const DECIMAL: NumberForm = {
  fromText: (text) => decimalFromText(text.trim()),
  toText: (value) => (value.type === 'decimal128' ? decimalToText(value) : undefined),
};

function numberCodec({ fromText, toText }: NumberForm, type: SqlType): ValueCodec {
  const stored = TEXTS.includes(type.name) ? storedText : storedNumber;
  return {
    toRealm: (text) => fromText(text, type),
    toSql: (value) => {
      const text = toText(value);
      if (text === undefined) throw misplaced(value.type);
      return stored(text, type);
    },
  };
}

function instantCodec(type: SqlType): ValueCodec {
  return {
    toRealm: dateFromText,
    toSql: (value) => {
      if (value.type !== 'date') throw misplaced(value.type);
      return instantText(value, type);
    },
  };
}

function dataCodec(type: SqlType): ValueCodec {
  return {
    toRealm: (text) => ({ type: 'data', value: bytesFromText(text) }),
    toSql: (value) => {
      if (value.type !== 'data') throw misplaced(value.type);
      return storedBytes(value.value, type);
    },
  };
}

function binaryObjectIdCodec(type: SqlType): ValueCodec {
  return {
    toRealm: (text) => objectIdFromText(bytesFromText(text).toString('hex')),
    toSql: (value) => {
      if (value.type !== 'objectId') throw misplaced(value.type);
      return storedBytes(Buffer.from(value.value, 'hex'), type);
    },
  };
}

const ROWVERSION = sqlTypeOf({ type: 'rowversion', baseType: 'rowversion' });

/** A counter of the database in eight bytes, which is never written; only compared, as a key is. */
const rowversionCodec: ValueCodec = {
  toRealm: (text) => ({ type: 'int', value: bytesFromText(text).readBigInt64BE() }),
  toSql: (value) => {
    if (value.type !== 'int') throw misplaced(value.type);
    const bytes = Buffer.alloc(8);
    bytes.writeBigInt64BE(value.value);
    return storedBytes(bytes, ROWVERSION);
  },
};

/** In a column of characters, which may be too short for it. */
function onText(codec: ValueCodec, type: SqlType): ValueCodec {
  return {
    toRealm: codec.toRealm,
    toSql: (value) => {
      const text = codec.toSql(value);
      return text === null ? null : storedText(text, type);
    },
  };
}
