/** The identity of a row and of its object: one shared key column, or several joined into a string key. */
import type { ClassDefinition, ColumnDefinition, PrimaryKeyDefinition } from '../../schema/definition.ts';
import { keyToken, type PrimaryKey, type ScalarValue } from '../../schema/value.ts';
import type { ColumnInfo, TableInfo } from '../dialect.ts';
import { DataError, MappingError } from '../errors.ts';
import { mendingOf } from '../mending.ts';
import type { CompoundKeyPart } from '../options.ts';
import { columnFor, type MappingContext } from './build-mapping.ts';
import type { KeyMapping } from './class-mapping.ts';
import { CompoundKeyText } from './compound-key-text.ts';
import { columnNameFor } from './names.ts';
import { generatedColumn, missingKeyColumn, rowKey } from './row-key.ts';

/** Throws `MappingError` when class and table do not agree on what identifies a row. */
export function keyMapping(
  definition: ClassDefinition,
  table: TableInfo,
  context: MappingContext,
): KeyMapping {
  const primaryKey = definition.primaryKey;
  if (primaryKey === undefined || primaryKey.type === 'globalKey') {
    throw new MappingError(`class ${definition.name} has no primary key`, {
      remedy: 'give the class a primaryKey in the models: rows and objects are told apart by it',
    });
  }
  const parts = context.options.compoundPrimaryKeys.get(definition.name);
  if (parts !== undefined) return compoundKey(definition, table, parts, context);
  const info = keyColumn(definition.name, primaryKey, table, context);
  const column: ColumnDefinition = {
    type: keyType(primaryKey.type),
    nullable: primaryKey.nullable,
    collection: 'single',
  };
  const codec = context.dialect.codec(info, column);
  const key: KeyMapping = {
    columns: [info.name],
    toRealm: (texts) => asKey(codec.toRealm(texts[0] ?? ''), definition.name),
    toSql: (value) => {
      if (value.type === 'globalKey')
        throw new DataError(`${definition.name}: objects without primary key have no row`);
      const text = codec.toSql(value);
      if (text !== null) return [text];
      throw new DataError(`an object of ${definition.name} has the key null, which no row can have`);
    },
  };
  const row = hasKey(table, key.columns)
    ? undefined
    : rowKey(definition.name, primaryKey, table, info, key, context);
  if (row !== undefined) return { ...key, row };
  requireKey(definition.name, table, key.columns, context);
  return key;
}

/** Throws `MappingError` with the statement that adds a column in which the rows could have the key of the class. */
function keyColumn(
  className: string,
  { field, type }: PrimaryKeyDefinition,
  table: TableInfo,
  context: MappingContext,
): ColumnInfo {
  const existing = table.columns.map((column) => column.name);
  const name = columnNameFor(className, field, table.table.name, existing, context.options);
  if (existing.includes(name) || generatedColumn(table) === undefined)
    return columnFor(className, field, table, context);
  throw missingKeyColumn(className, field, name, keyType(type), table, context);
}

function keyType(type: string): ColumnDefinition['type'] {
  return type === 'int' || type === 'objectId' || type === 'uuid' ? type : 'string';
}

function asKey(value: ScalarValue, className: string): PrimaryKey {
  switch (value.type) {
    case 'int':
    case 'string':
    case 'objectId':
    case 'uuid':
      return value;
    default:
      throw new DataError(`a ${value.type} cannot identify an object of ${className}`);
  }
}

function compoundKey(
  definition: ClassDefinition,
  table: TableInfo,
  parts: readonly CompoundKeyPart[],
  context: MappingContext,
): KeyMapping {
  if (definition.primaryKey?.type !== 'string') {
    throw new MappingError(
      `class ${definition.name} has a compound key, so its primary key must be a string`,
      {
        remedy: `declare ${definition.primaryKey?.field ?? 'the primary key'} as 'string'`,
      },
    );
  }
  const columns = parts.map((part) => part.dbColumn);
  const text = new CompoundKeyText(parts.map((part) => part.type));
  for (const column of columns) {
    if (!table.columns.some((candidate) => candidate.name === column)) {
      throw new MappingError(
        `compoundPrimaryKeys.${definition.name}: ${table.table.name} has no column ${column}`,
        {
          remedy: 'name the columns of the table’s primary key as dbColumn',
        },
      );
    }
  }
  requireKey(definition.name, table, columns, context);
  return {
    columns,
    toRealm: (texts) => ({ type: 'string', value: text.join(texts) }),
    toSql: (key) => partsOf(key, definition.name, parts, text),
  };
}

function partsOf(
  key: PrimaryKey,
  className: string,
  parts: readonly CompoundKeyPart[],
  text: CompoundKeyText,
): string[] {
  const texts = key.type === 'string' ? text.split(key.value) : undefined;
  if (texts !== undefined) return texts;
  const form = parts.map((part) => `<${part.dbColumn}>`).join('-');
  throw new DataError(
    `${className} object ${keyToken(key).slice(1)} has a key that is not of the form ${form}`,
    {
      remedy: 'create such objects with the keys of the rows they join, joined by a hyphen',
    },
  );
}

function hasKey(table: TableInfo, columns: readonly string[]): boolean {
  const actual = table.primaryKey;
  return actual.length === columns.length && actual.every((column) => columns.includes(column));
}

function requireKey(
  className: string,
  table: TableInfo,
  columns: readonly string[],
  { dialect }: MappingContext,
): void {
  const name = `${table.table.schema}.${table.table.name}`;
  const mending = mendingOf(dialect);
  if (hasKey(table, columns)) {
    const { uniqueKeys } = table;
    const usable = uniqueKeys?.some(
      (key) => key.length === columns.length && key.every((part) => columns.includes(part)),
    );
    if (usable ?? true) return;
    throw new MappingError(
      `the primary key of table ${name} is deferrable: an insertion cannot turn into an update by it`,
      {
        remedy: `${mending.replacePrimaryKey(table, columns)} (foreign keys that refer to it have to be made anew)`,
      },
    );
  }
  const actual = table.primaryKey;
  if (actual.length === 0) {
    throw new MappingError(`table ${name} of class ${className} has no primary key`, {
      remedy: mending.addPrimaryKey(table.table, columns),
    });
  }
  throw new MappingError(
    `table ${name} is keyed by (${actual.join(', ')}), but class ${className} identifies objects by (${columns.join(', ')})`,
    {
      remedy: 'choose that column as primaryKey of the class, or list the columns under compoundPrimaryKeys',
    },
  );
}
