/** Which column type a property gets in DDL, and which property type suits a column. */
import type { ColumnInfo } from '../../src/connector/dialect.ts';
import type { ColumnDefinition } from '../../src/schema/definition.ts';
import type { ValueType } from '../../src/schema/value.ts';
import { naturalScalar } from './natural-types.ts';

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

/**
 * Lists and sets of scalars are arrays, so that SQL can look inside; dictionaries, embedded objects and lists of them
 * are documents.
 */
export function columnTypeFor(column: ColumnDefinition): string {
  const { type, collection } = column;
  if (collection === 'single') return COLUMN_TYPES[type];
  return collection === 'dictionary' || type === 'mixed' || type === 'link'
    ? 'jsonb'
    : `${COLUMN_TYPES[type]}[]`;
}

/**
 * The property type that holds every value of the column; `string` for types that Realm does not know. Arrays are
 * lists of what their elements are, hstore is a dictionary; documents and composites are strings until a model says
 * what is in them.
 */
export function naturalDefinition(column: ColumnInfo): ColumnDefinition {
  const { baseType, nullable, storage } = column;
  const structure = storage?.baseType === baseType ? storage.structure : undefined;
  if (structure?.kind === 'array') {
    if (structure.dimensions > 1) return { type: 'mixed', nullable: true, collection: 'single' };
    // Whatever stands in an array may be NULL.
    return { type: naturalScalar(structure.element.baseType), nullable: true, collection: 'list' };
  }
  if (baseType === 'hstore') return { type: 'string', nullable: true, collection: 'dictionary' };
  return { type: naturalScalar(baseType), nullable, collection: 'single' };
}

/** Columns whose values have contents of their own. */
export function isDocument({ baseType }: ColumnInfo): boolean {
  return baseType === 'json' || baseType === 'jsonb';
}

/** A literal for rows that exist already when a required column is added: the value that Realm itself would give. */
export function zeroLiteral(type: string): string | undefined {
  const bare = type.toLowerCase();
  if (bare.endsWith('[]')) return "'{}'";
  if (/^(bigint|integer|smallint|numeric|decimal|real|double precision)/.test(bare)) return '0';
  if (bare === 'boolean') return 'false';
  if (bare === 'character(24)') return `'${'0'.repeat(24)}'`;
  if (/^(text|character|varchar|bytea)/.test(bare)) return "''";
  if (/^(timestamp|date)/.test(bare)) return "'1970-01-01 00:00:00+00'";
  if (bare === 'uuid') return `'00000000-0000-0000-0000-000000000000'`;
  return undefined;
}
