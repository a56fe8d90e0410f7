/** Which column type a property gets in DDL, and which property type suits a column. */
import type { ColumnInfo } from '../../src/connector/dialect.ts';
import type { ColumnDefinition } from '../../src/schema/definition.ts';
import type { ValueType } from '../../src/schema/value.ts';

const COLUMN_TYPES: Readonly<Record<ValueType, string>> = {
  string: 'text',
  int: 'bigint',
  bool: 'boolean',
  float: 'real',
  double: 'double precision',
  decimal128: 'numeric',
  date: 'timestamp with time zone',
  data: 'bytea',
  objectId: 'character(24)',
  uuid: 'uuid',
  mixed: 'jsonb',
  // Only for targets without a key column of their own; the engine takes the type of the target's key otherwise.
  link: 'text',
};

/** Collections and embedded objects have one column as a document. */
export function columnTypeFor(column: ColumnDefinition): string {
  return column.collection === 'single' ? COLUMN_TYPES[column.type] : 'jsonb';
}

const PROPERTY_TYPES: Readonly<Record<string, ValueType>> = {
  int2: 'int',
  int4: 'int',
  int8: 'int',
  oid: 'int',
  bool: 'bool',
  float4: 'float',
  float8: 'double',
  numeric: 'decimal128',
  timestamp: 'date',
  timestamptz: 'date',
  date: 'date',
  bytea: 'data',
  uuid: 'uuid',
};

/** The property type that holds every value of the column; `string` for types that Realm does not know. */
export function naturalDefinition(column: ColumnInfo): ColumnDefinition {
  return {
    type: PROPERTY_TYPES[column.baseType] ?? 'string',
    nullable: column.nullable,
    collection: 'single',
  };
}

/** A literal for rows that exist already when a required column is added: the value that Realm itself would give. */
export function zeroLiteral(type: string): string | undefined {
  const bare = type.toLowerCase();
  if (/^(bigint|integer|smallint|numeric|decimal|real|double precision)/.test(bare)) return '0';
  if (bare === 'boolean') return 'false';
  if (bare === 'character(24)') return `'${'0'.repeat(24)}'`;
  if (/^(text|character|varchar|bytea)/.test(bare)) return "''";
  if (/^(timestamp|date)/.test(bare)) return "'1970-01-01 00:00:00+00'";
  if (bare === 'uuid') return `'00000000-0000-0000-0000-000000000000'`;
  return undefined;
}
