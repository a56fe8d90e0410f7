/** Resolves models, naming functions and catalog into a {@link Mapping}; every mistake is found here, before anything starts. */
import type { ClassDefinition, ColumnDefinition } from '../../schema/definition.ts';
import type { Catalog, ColumnInfo, SourceDialect, TableInfo } from '../dialect.ts';
import { tableId } from '../dialect.ts';
import { MappingError } from '../errors.ts';
import type { MappingOptions } from '../options.ts';
import { type ClassMapping, type ListMapping, type MappedColumn, Mapping } from './class-mapping.ts';
import { keyMapping } from './key-mapping.ts';
import { columnNameFor, tableNameFor } from './names.ts';
import { convertedCodec, linkCodec } from './value-codecs.ts';

export type MappingContext = {
  readonly definitions: ReadonlyMap<string, ClassDefinition>;
  readonly catalog: Catalog;
  /** Schema of the tables. */
  readonly schema: string;
  readonly options: MappingOptions;
  readonly dialect: Pick<SourceDialect, 'codec' | 'naturalDefinition'>;
};

/** Collections and embedded objects have no column of their own here; lists of links have a table. */
export function isColumnProperty(
  definition: ColumnDefinition,
  context: Pick<MappingContext, 'definitions'>,
): boolean {
  if (definition.collection !== 'single' || definition.type === 'mixed') return false;
  return (
    definition.type !== 'link' || context.definitions.get(definition.linkTarget ?? '')?.kind === 'topLevel'
  );
}

export function isListTableProperty(
  definition: ColumnDefinition,
  context: Pick<MappingContext, 'definitions'>,
): boolean {
  if (definition.collection !== 'list' || definition.type !== 'link') return false;
  return context.definitions.get(definition.linkTarget ?? '')?.kind === 'topLevel';
}

/** Throws `MappingError` for the first class or property that has no place in the database. */
export function buildMapping(context: MappingContext): Mapping {
  const classes = [...context.definitions.values()].filter((definition) => definition.kind !== 'embedded');
  const tables = new Map<string, TableInfo>();
  for (const definition of classes) tables.set(definition.name, tableFor(definition, context));
  const keys = new Map(
    classes.map((definition) => [
      definition.name,
      keyMapping(definition, tables.get(definition.name)!, context),
    ]),
  );
  const mapped = classes.map((definition): ClassMapping => {
    const table = tables.get(definition.name)!;
    const properties = new Map<string, MappedColumn>();
    const lists = new Map<string, ListMapping>();
    for (const [property, column] of definition.columns) {
      if (context.options.ignores(definition.name, property)) continue;
      if (isColumnProperty(column, context)) {
        const info = columnFor(definition.name, property, table, context);
        const codec =
          column.type === 'link'
            ? linkCodec(
                column.linkTarget ?? '',
                keys.get(column.linkTarget ?? ''),
                definition.name,
                property,
                info,
              )
            : convertedCodec(definition.name, property, column, table, info, context);
        properties.set(property, { property, definition: column, column: info, codec });
      } else if (isListTableProperty(column, context)) {
        lists.set(property, listFor(definition.name, property, column, table, keys, context));
      }
    }
    return {
      className: definition.name,
      definition,
      table,
      key: keys.get(definition.name)!,
      properties,
      states: new Map(),
      lists,
    };
  });
  return new Mapping(mapped);
}

function tableFor(definition: ClassDefinition, context: MappingContext): TableInfo {
  const name = tableNameFor(definition.name, tableNames(context), context.options);
  const table = context.catalog.get(tableId({ schema: context.schema, name }));
  if (table !== undefined) return table;
  throw new MappingError(`class ${definition.name} has no table: ${context.schema}.${name} does not exist`, {
    remedy: 'correct the class name or the naming functions, or let createPostgresSchema make the table',
  });
}

export function tableNames(context: Pick<MappingContext, 'catalog' | 'schema'>): string[] {
  return [...context.catalog.values()]
    .filter(({ table }) => table.schema === context.schema)
    .map(({ table }) => table.name);
}

export function columnFor(
  className: string,
  property: string,
  table: TableInfo,
  context: Pick<MappingContext, 'options'>,
): ColumnInfo {
  const existing = table.columns.map((column) => column.name);
  const name = columnNameFor(className, property, table.table.name, existing, context.options);
  const column = table.columns.find((candidate) => candidate.name === name);
  if (column !== undefined) return column;
  throw new MappingError(
    `property ${className}.${property} has no column: ${tableId(table.table)} has no column ${name}`,
    {
      remedy:
        'correct the property name or the naming functions, name it in realmIgnoreProperties, or let createPostgresSchema add the column',
    },
  );
}

/** The table of a list: `<table>_<column>`, with columns oid, idx, target. */
export function listTableName(
  className: string,
  property: string,
  table: string,
  options: MappingOptions,
): string {
  return `${table}_${columnNameFor(className, property, table, [], options)}`;
}

function listFor(
  className: string,
  property: string,
  column: ColumnDefinition,
  parent: TableInfo,
  keys: ReadonlyMap<string, ClassMapping['key']>,
  context: MappingContext,
): ListMapping {
  const name = listTableName(className, property, parent.table.name, context.options);
  const table = context.catalog.get(tableId({ schema: context.schema, name }));
  const target = keys.get(column.linkTarget ?? '');
  if (table === undefined || target === undefined) {
    throw new MappingError(
      `list ${className}.${property} has no table: ${context.schema}.${name} does not exist`,
      {
        remedy: 'create it with columns oid, idx and target, or let createPostgresSchema make it',
      },
    );
  }
  const codec = linkCodec(column.linkTarget ?? '', target, className, property, undefined);
  return {
    property,
    table,
    toRealm: (text) => {
      const value = codec.toRealm(text);
      if (value.type !== 'link') throw new MappingError(`list table ${name} does not hold links`);
      return value;
    },
    toSql: codec.toSql,
  };
}
