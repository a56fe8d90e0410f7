/** Resolves models, naming functions and catalog into a {@link Mapping}; every mistake is found here, before anything starts. */
import type { ClassDefinition, ColumnDefinition } from '../../schema/definition.ts';
import type { ListTraits } from '../../schema/definitions.ts';
import type { Catalog, ColumnInfo, SourceDialect, TableInfo } from '../dialect.ts';
import { tableId } from '../dialect.ts';
import { forClass, MappingError } from '../errors.ts';
import type { KeyDirectory } from '../keys/key-directory.ts';
import { mendingOf } from '../mending.ts';
import type { MappingOptions } from '../options.ts';
import {
  type ClassMapping,
  type ItemTableMapping,
  type ListMapping,
  type MappedColumn,
  type MappedState,
  Mapping,
} from './class-mapping.ts';
import { compoundLink } from './compound-link.ts';
import { convertedCodec } from './converted-codecs.ts';
import { type FollowedList, followedList } from './followed-lists.ts';
import { itemColumns, itemTableMapping } from './item-tables.ts';
import { keyMapping } from './key-mapping.ts';
import { columnNameFor, tableNameFor } from './names.ts';
import { isScalarProperty, placeOf } from './property-places.ts';
import { type StateContext, stateMapping } from './state-mapping.ts';
import { type LinkCodec, linkCodec } from './value-codecs.ts';

export type MappingContext = {
  readonly definitions: ReadonlyMap<string, ClassDefinition>;
  readonly catalog: Catalog;
  /** Schema of the tables. */
  readonly schema: string;
  readonly options: MappingOptions;
  readonly dialect: Pick<SourceDialect, 'codec' | 'stateCodec' | 'naturalDefinition'> &
    Partial<Pick<SourceDialect, 'columnTypeFor' | 'shownDefinition' | 'mending' | 'matchesWithoutIndex'>>;
  /** By class, the property whose column the database makes the keys of rows in, where the models name it. */
  readonly generatedKeys?: ReadonlyMap<string, string>;
  /** What the models say of lists beyond their types, by `Class.property`. */
  readonly listTraits?: ReadonlyMap<string, ListTraits>;
  /** Knows the objects of rows; without it rows with keys of their own cannot be told apart. */
  readonly directory?: Pick<KeyDirectory, 'keyOf' | 'rowOf'>;
};

/** Throws `MappingError` for the first class or property that has no place in the database. */
export function buildMapping(given: MappingContext): Mapping {
  const context = { ...given, definitions: withoutIgnored(given) };
  const classes = [...context.definitions.values()].filter((definition) => definition.kind !== 'embedded');
  const tables = new Map<string, TableInfo>();
  for (const definition of classes)
    tables.set(
      definition.name,
      forClass(definition.name, () => tableFor(definition, context)),
    );
  const keys = new Map(
    classes.map((definition) => [
      definition.name,
      forClass(definition.name, () => keyMapping(definition, tables.get(definition.name)!, context)),
    ]),
  );
  return new Mapping(
    classes.map((definition) =>
      forClass(definition.name, () =>
        classMapping(definition, tables.get(definition.name)!, tables, { ...context, keys }),
      ),
    ),
  );
}

/** Embedded classes as the database knows them: fields that stay in the realm are no part of any column. */
function withoutIgnored({ definitions, options }: MappingContext): Map<string, ClassDefinition> {
  const known = new Map<string, ClassDefinition>();
  for (const [name, definition] of definitions) {
    const columns =
      definition.kind === 'embedded'
        ? new Map([...definition.columns].filter(([field]) => !options.ignores(name, field)))
        : definition.columns;
    known.set(name, { ...definition, columns });
  }
  return known;
}

function classMapping(
  definition: ClassDefinition,
  table: TableInfo,
  tables: ReadonlyMap<string, TableInfo>,
  context: StateContext,
): ClassMapping {
  const properties = new Map<string, MappedColumn>();
  const states = new Map<string, MappedState>();
  const lists = new Map<string, ListMapping>();
  const itemTables = new Map<string, ItemTableMapping>();
  const followed = new Map<string, FollowedList>();
  const { name: className } = definition;
  for (const [property, column] of definition.columns) {
    if (context.options.ignores(className, property)) continue;
    const place = placeOf(definition, property, { name: table.table.name, info: table }, context);
    switch (place.kind) {
      case 'listTable': {
        const order = context.catalog.get(tableId({ schema: context.schema, name: place.name }));
        const list = followedList(className, property, column, order, tables, context);
        if (list !== undefined) followed.set(property, list);
        // Without a table the order of a list that a foreign key keeps stays in the realm.
        if (order !== undefined || list === undefined || list.watched)
          lists.set(property, listFor(className, property, column, place.name, context));
        break;
      }
      case 'itemTable':
        itemTables.set(property, itemsFor(className, property, column, place.name, context));
        break;
      case 'flattened':
        states.set(property, stateMapping(definition, property, table, place, context));
        break;
      case 'column':
        if (isCompoundLink(column, context))
          states.set(property, compoundLinkFor(definition, property, table, place.name, tables, context));
        else if (isScalarProperty(column, context))
          properties.set(property, scalarFor(className, property, column, table, context));
        else if (place.exists)
          states.set(property, stateMapping(definition, property, table, place, context));
        break;
    }
  }
  return {
    className,
    definition,
    table,
    key: context.keys.get(className)!,
    properties,
    states,
    lists,
    itemTables,
    followed,
  };
}

function isCompoundLink({ type, collection, linkTarget }: ColumnDefinition, { keys }: StateContext): boolean {
  return type === 'link' && collection === 'single' && (keys.get(linkTarget ?? '')?.columns.length ?? 1) > 1;
}

function compoundLinkFor(
  owner: ClassDefinition,
  property: string,
  table: TableInfo,
  name: string,
  tables: ReadonlyMap<string, TableInfo>,
  context: StateContext,
): MappedState {
  const definition = owner.columns.get(property)!;
  const target = definition.linkTarget ?? '';
  const siblings: string[] = [];
  const taken = new Set(context.keys.get(owner.name)?.columns ?? []);
  const existing = table.columns.map((column) => column.name);
  for (const [other, column] of owner.columns) {
    if (other === property || context.options.ignores(owner.name, other)) continue;
    if (!isCompoundLink(column, context))
      taken.add(columnNameFor(owner.name, other, table.table.name, existing, context.options));
    else if (column.linkTarget === target) siblings.push(other);
  }
  const link = compoundLink({
    mending: mendingOf(context.dialect),
    className: owner.name,
    property,
    definition,
    table,
    name,
    target: { table: tables.get(target)!, key: context.keys.get(target)! },
    siblings,
    taken,
  });
  return { ...link, schema: context.definitions };
}

function scalarFor(
  className: string,
  property: string,
  definition: ColumnDefinition,
  table: TableInfo,
  context: StateContext,
): MappedColumn {
  const found = columnFor(className, property, table, context);
  // The database makes its values, so nobody else writes them.
  const column =
    found.name === context.keys.get(className)?.row?.column ? { ...found, readOnly: true } : found;
  const target = definition.linkTarget;
  if (target === undefined) {
    const codec = convertedCodec(className, property, definition, table, column, context);
    return { property, definition, column, codec };
  }
  const codec = linkCodec(target, context.keys.get(target), className, property, column, table);
  return { property, definition, column, codec, ...lookupOf(codec) };
}

function lookupOf({ lookup }: LinkCodec): Pick<MappedColumn, 'lookup'> {
  return lookup === undefined ? {} : { lookup };
}

function tableFor(definition: ClassDefinition, context: MappingContext): TableInfo {
  const name = tableNameFor(definition.name, tableNames(context), context.options);
  const table = context.catalog.get(tableId({ schema: context.schema, name }));
  if (table !== undefined) return table;
  throw new MappingError(`class ${definition.name} has no table: ${context.schema}.${name} does not exist`, {
    remedy: `correct the class name or the naming functions, or let ${context.options.optionNames.createTables} make the table`,
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
      remedy: `correct the property name or the naming functions, name it in realmIgnoreProperties, or let ${context.options.optionNames.createTables} add the column`,
    },
  );
}

function listFor(
  className: string,
  property: string,
  column: ColumnDefinition,
  name: string,
  context: StateContext,
): ListMapping {
  const table = context.catalog.get(tableId({ schema: context.schema, name }));
  const target = context.keys.get(column.linkTarget ?? '');
  if (table === undefined || target === undefined) throw noTable('list', className, property, name, context);
  const items = target.columns.length > 1 ? undefined : table.columns.find((info) => info.name === 'target');
  const codec = linkCodec(column.linkTarget ?? '', target, className, property, items, table);
  return {
    property,
    table,
    toRealm: (text) => {
      const value = codec.toRealm(text);
      if (value.type === 'link' || value.type === 'null') return value;
      throw new MappingError(`list table ${name} does not hold links`);
    },
    toSql: codec.toSql,
    ...(codec.lookup === undefined ? {} : { targetLookup: codec.lookup }),
  };
}

function itemsFor(
  className: string,
  property: string,
  column: ColumnDefinition,
  name: string,
  context: StateContext,
): ItemTableMapping {
  const table = context.catalog.get(tableId({ schema: context.schema, name }));
  if (table === undefined) throw noTable(column.collection, className, property, name, context);
  return itemTableMapping(className, property, column, table, context);
}

function noTable(
  kind: ColumnDefinition['collection'],
  className: string,
  property: string,
  name: string,
  { schema, options }: MappingContext,
): MappingError {
  const columns = ['oid', ...itemColumns(kind)].join(', ');
  return new MappingError(`${kind} ${className}.${property} has no table: ${schema}.${name} does not exist`, {
    remedy: `create it with the columns ${columns}, or let ${options.optionNames.createTables} make it`,
  });
}
