/**
 * Classes whose objects are known by a column of their own (`RealmId`) while the database makes the primary keys of
 * their rows (reference, "Relationships"): offline devices create objects, and the database numbers them later.
 */
import type { PrimaryKeyDefinition } from '../../schema/definition.ts';
import type { PrimaryKey } from '../../schema/value.ts';
import { type ColumnInfo, type TableInfo, tableId } from '../dialect.ts';
import { MappingError } from '../errors.ts';
import { keyGenerator } from '../keys/new-keys.ts';
import { mendingOf } from '../mending.ts';
import type { MappingContext } from './build-mapping.ts';
import type { KeyMapping, RowKey } from './class-mapping.ts';
import { columnNameFor } from './names.ts';

/** Keys made for strings are UUIDs in their canonical form. */
const MADE_KEY_LENGTH = 36;
/** The documented name of the column, however it is written. */
const REALM_ID = /^realm_?id$/i;

/** The only column of the primary key, where the database makes its values. */
export function generatedColumn(table: TableInfo): ColumnInfo | undefined {
  const column = table.columns.find(({ name }) => name === table.primaryKey[0]);
  if (table.primaryKey.length !== 1 || column === undefined) return undefined;
  return column.hasDefault || column.readOnly ? column : undefined;
}

/**
 * Undefined when the database makes no key for the rows of the table. Throws `MappingError` with the statement that
 * mends it when the class's key does not tell rows apart.
 */
export function rowKey(
  className: string,
  primaryKey: PrimaryKeyDefinition,
  table: TableInfo,
  keyColumn: ColumnInfo,
  key: KeyMapping,
  context: MappingContext,
): RowKey | undefined {
  const declared = context.generatedKeys?.get(className);
  const column = generatedColumn(table);
  if (column === undefined) {
    if (declared === undefined) return undefined;
    throw notGenerated(className, declared, table, context);
  }
  if (declared !== undefined) requireDeclared(className, declared, column, table, context);
  const unguarded = !isUnique(table, keyColumn);
  // The database tells rows apart by the key that it makes, and is declared to; whoever copies rows must leave this one out.
  if (unguarded && (declared === undefined || context.dialect.matchesWithoutIndex !== true))
    throw notUnique(className, table, keyColumn, context);
  const id = tableId(table.table);
  const isMade = declared !== undefined || primaryKey.type !== 'string' || REALM_ID.test(keyColumn.name);
  const generate = isMade ? keyGenerator(primaryKey.type) : undefined;
  if (generate !== undefined && primaryKey.type === 'string')
    requireRoom(className, table, keyColumn, context);
  const textOf = (value: PrimaryKey): string => key.toSql(value)[0] ?? '';
  return {
    column: column.name,
    ...(unguarded ? { unguarded } : {}),
    lookup: { table, by: keyColumn.name, column: column.name },
    generate: generate === undefined ? undefined : () => textOf(generate()),
    keyOf: (row) => {
      const text = context.directory?.keyOf(id, row);
      return text === undefined ? undefined : key.toRealm([text]);
    },
    rowOf: (value) => context.directory?.rowOf(id, textOf(value)),
  };
}

export function missingKeyColumn(
  className: string,
  field: string,
  name: string,
  type: string,
  table: TableInfo,
  { dialect }: MappingContext,
): MappingError {
  const sqlType =
    dialect.columnTypeFor?.({
      type: type === 'uuid' || type === 'objectId' || type === 'int' ? type : 'string',
      nullable: false,
      collection: 'single',
    }) ?? 'text';
  return new MappingError(
    `class ${className} identifies objects by ${field}, but ${tableId(table.table)} has no column ${name}`,
    { remedy: mendingOf(dialect).addUniqueColumn(table.table, name, sqlType) },
  );
}

function notGenerated(
  className: string,
  declared: string,
  table: TableInfo,
  { dialect }: MappingContext,
): MappingError {
  const [column] = table.primaryKey;
  const statement =
    table.primaryKey.length === 1 && column !== undefined
      ? mendingOf(dialect).makeGenerated(table.table, column)
      : undefined;
  const keyed = `${tableId(table.table)} is keyed by (${table.primaryKey.join(', ')})`;
  return new MappingError(
    `class ${className} says that the database makes the key ${declared}, but ${keyed}, which it does not make`,
    {
      remedy:
        statement !== undefined
          ? `${statement}, or choose the table’s primary key as primaryKey of the class`
          : 'give the table a primary key of one identity column, or choose the table’s primary key as primaryKey of the class',
    },
  );
}

function requireDeclared(
  className: string,
  declared: string,
  column: ColumnInfo,
  table: TableInfo,
  { options }: MappingContext,
): void {
  const existing = table.columns.map(({ name }) => name);
  const name = columnNameFor(className, declared, table.table.name, existing, options);
  if (name === column.name) return;
  throw new MappingError(
    `class ${className} says that the database makes the key ${declared}, but ${tableId(table.table)} is keyed by ${column.name}`,
    { remedy: `name the property of column ${column.name} as sqlserverPrimaryKey or postgresPrimaryKey` },
  );
}

function isUnique({ uniqueKeys }: TableInfo, { name }: ColumnInfo): boolean {
  return uniqueKeys?.some((key) => key.length === 1 && key[0] === name) ?? true;
}

function notUnique(
  className: string,
  table: TableInfo,
  { name }: ColumnInfo,
  { dialect }: MappingContext,
): MappingError {
  return new MappingError(
    `class ${className} identifies objects by ${name}, but nothing keeps two rows of ${tableId(table.table)} from having the same: the table is keyed by ${table.primaryKey.join(', ')}`,
    {
      remedy: `${mendingOf(dialect).addUniqueIndex(table.table, name)}, or choose the table’s primary key as primaryKey of the class`,
    },
  );
}

function requireRoom(
  className: string,
  table: TableInfo,
  column: ColumnInfo,
  { dialect }: MappingContext,
): void {
  const length = /^(?:character|n?(?:var)?char)[a-z ]*\((\d+)\)/.exec(column.type)?.[1];
  if (length === undefined || Number(length) >= MADE_KEY_LENGTH) return;
  throw new MappingError(
    `class ${className}: column ${tableId(table.table)}.${column.name} is ${column.type}, too short for keys of ${MADE_KEY_LENGTH} characters`,
    { remedy: mendingOf(dialect).widen(table.table, column.name, MADE_KEY_LENGTH) },
  );
}
