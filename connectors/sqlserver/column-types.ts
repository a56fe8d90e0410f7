/** Which column type a property gets in DDL, and which property type suits a column. */
import type { ColumnInfo } from '../../src/connector/dialect.ts';
import type { ColumnDefinition } from '../../src/schema/definition.ts';
import type { ValueType } from '../../src/schema/value.ts';
import { isKnown } from './column-text.ts';
import { naturalScalar } from './natural-types.ts';
import { sqlTypeOf } from './sql-type.ts';

/** Whatever has contents of its own, and texts of any length. */
const LONG_TEXT = 'nvarchar(max)';
const LONG_DATA = 'varbinary(max)';
/** The rows of an index are at most 900 bytes long: two such keys fit into one, as those of collections need it. */
const KEY_TEXT = 'nvarchar(200)';
const KEY_DATA = 'varbinary(400)';

const COLUMN_TYPES: Readonly<Record<ValueType, string>> = {
  string: LONG_TEXT,
  int: 'bigint',
  bool: 'bit',
  float: 'real',
  double: 'float',
  // A decimal of SQL Server has a fixed number of decimals: with ten, 28 digits are left before the point.
  decimal128: 'decimal(38,10)',
  date: 'datetime2(7)',
  data: LONG_DATA,
  objectId: 'char(24)',
  uuid: 'uniqueidentifier',
  mixed: LONG_TEXT,
  // Only for targets without a key column of their own; the engine takes the type of the target's key otherwise.
  link: KEY_TEXT,
};

/** Collections and embedded objects are documents. */
export function columnTypeFor({ type, collection }: ColumnDefinition): string {
  return collection === 'single' ? COLUMN_TYPES[type] : LONG_TEXT;
}

/** The type of a column that is part of a key, an index or a foreign key: none takes a column whose length has no end. */
export function keyColumnType(type: string): string {
  if (type === LONG_TEXT) return KEY_TEXT;
  return type === LONG_DATA ? KEY_DATA : type;
}

/** The property type that holds every value of the column; `string` for types that Realm does not know. */
export function naturalDefinition(column: ColumnInfo): ColumnDefinition {
  const type = naturalScalar(sqlTypeOf(column).name);
  return { type, nullable: column.nullable || type === 'mixed', collection: 'single' };
}

/** False for geometry, geography and types made in .NET. */
export function hasProperty(column: ColumnInfo): boolean {
  return isKnown(sqlTypeOf(column));
}

/** Columns whose values have contents of their own, whatever a model makes of them. */
export function isDocument(column: ColumnInfo): boolean {
  return sqlTypeOf(column).name === 'json';
}

/** A literal for rows that exist already when a required column is added: the value that Realm itself would give. */
export function zeroLiteral(type: string): string | undefined {
  const { name } = sqlTypeOf({ type, baseType: type.replace(/\s*\(.*/, '') });
  if (/int$|^(bit|decimal|money|smallmoney|float|real)$/.test(name)) return '0';
  if (type === COLUMN_TYPES.objectId) return `'${'0'.repeat(24)}'`;
  if (/char$|text$/.test(name)) return "N''";
  if (name === 'varbinary') return '0x';
  if (/date/.test(name)) return "'1970-01-01T00:00:00'";
  if (name === 'uniqueidentifier') return "'00000000-0000-0000-0000-000000000000'";
  return undefined;
}
