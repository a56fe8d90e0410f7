/** Classes made from tables, for a realm that is to mirror a database for which no models were written. */
import type {
  ClassDefinition,
  CollectionKind,
  ColumnDefinition,
  PrimaryKeyDefinition,
} from '../../schema/definition.ts';
import { type Catalog, type ColumnInfo, type SourceDialect, type TableInfo, tableId } from '../dialect.ts';
import type { MappingOptions } from '../options.ts';
import { itemColumns, itemKey } from './item-tables.ts';
import { itemTablePrefix } from './property-places.ts';

type Context = {
  readonly catalog: Catalog;
  readonly schema: string;
  readonly options: MappingOptions;
  readonly dialect: Pick<SourceDialect, 'naturalDefinition' | 'hasProperty'>;
};

/** One class per table that has a key of one column (or a configured compound key); names pass through the naming functions. */
export function definitionsFromCatalog(context: Context): Map<string, ClassDefinition> {
  const tables = [...context.catalog.values()].filter(({ table }) => table.schema === context.schema);
  const classes = new Map<string, ClassDefinition>();
  for (const table of tables) {
    const name = classNameOf(table, context);
    const primaryKey = keyOf(table, name, context);
    if (primaryKey === undefined) continue;
    classes.set(name, { name, kind: 'topLevel', primaryKey, columns: new Map() });
  }
  for (const table of tables) {
    const name = classNameOf(table, context);
    const definition = classes.get(name);
    if (definition !== undefined)
      classes.set(name, { ...definition, columns: columnsOf(table, definition, classes, context) });
  }
  addItemTables(tables, classes, context);
  return classes;
}

/** A table named after that of a class, of `oid` and items is a collection of that class. */
function addItemTables(
  tables: readonly TableInfo[],
  classes: Map<string, ClassDefinition>,
  context: Context,
): void {
  const prefixOf = (table: string): string => itemTablePrefix(table, context.options);
  for (const items of tables) {
    const collection = collectionOf(items);
    if (collection === undefined) continue;
    const owner = tables
      .filter(({ table }) => items.table.name.startsWith(prefixOf(table.name)))
      .toSorted((a, b) => b.table.name.length - a.table.name.length)
      .find((table) => classes.has(classNameOf(table, context)));
    const definition = owner === undefined ? undefined : classes.get(classNameOf(owner, context));
    if (owner === undefined || definition === undefined) continue;
    const property = propertyOf(owner, items.table.name.slice(prefixOf(owner.table.name).length), context);
    if (definition.columns.has(property) || property === definition.primaryKey?.field) continue;
    const target = items.columns.find(({ name }) => name === 'target')!;
    const item = linkOf(items, target, classes, context) ?? context.dialect.naturalDefinition(target);
    if (item.collection !== 'single') continue;
    // Lists and sets of links hold no null.
    const nullable = item.type === 'link' ? collection === 'dictionary' : target.nullable;
    const columns = new Map(definition.columns).set(property, { ...item, collection, nullable });
    classes.set(definition.name, { ...definition, columns });
  }
}

function collectionOf({ columns, primaryKey }: TableInfo): CollectionKind | undefined {
  const names = columns.map(({ name }) => name);
  const kinds = ['list', 'dictionary', 'set'] as const;
  return kinds.find((kind) => {
    const wanted = ['oid', ...itemColumns(kind)];
    const key = itemKey(kind);
    return (
      names.length === wanted.length &&
      wanted.every((name) => names.includes(name)) &&
      primaryKey.length === key.length &&
      key.every((name, place) => primaryKey[place] === name)
    );
  });
}

function classNameOf(table: TableInfo, context: Context): string {
  return context.options.classOfTable?.(table.table.name) ?? table.table.name;
}

function propertyOf(table: TableInfo, column: string, context: Context): string {
  return context.options.propertyOfColumn?.(table.table.name, column) ?? column;
}

function keyOf(table: TableInfo, className: string, context: Context): PrimaryKeyDefinition | undefined {
  if (context.options.compoundPrimaryKeys.has(className))
    return { field: 'id', type: 'string', nullable: false };
  const column = table.columns.find((candidate) => candidate.name === table.primaryKey[0]);
  if (table.primaryKey.length !== 1 || column === undefined) return undefined;
  const { type, collection } = context.dialect.naturalDefinition(column);
  if (collection !== 'single')
    return { field: propertyOf(table, column.name, context), type: 'string', nullable: false };
  const keyType = type === 'int' || type === 'uuid' || type === 'objectId' ? type : 'string';
  return { field: propertyOf(table, column.name, context), type: keyType, nullable: false };
}

function columnsOf(
  table: TableInfo,
  definition: ClassDefinition,
  classes: ReadonlyMap<string, ClassDefinition>,
  context: Context,
): Map<string, ColumnDefinition> {
  const columns = new Map<string, ColumnDefinition>();
  for (const column of table.columns) {
    const property = propertyOf(table, column.name, context);
    if (property === definition.primaryKey?.field) continue;
    if (context.dialect.hasProperty?.(column) === false) continue;
    columns.set(
      property,
      linkOf(table, column, classes, context) ?? context.dialect.naturalDefinition(column),
    );
  }
  return columns;
}

function linkOf(
  table: TableInfo,
  column: ColumnInfo,
  classes: ReadonlyMap<string, ClassDefinition>,
  context: Context,
): ColumnDefinition | undefined {
  const foreignKey = table.foreignKeys.find(
    ({ columns }) => columns.length === 1 && columns[0] === column.name,
  );
  if (foreignKey === undefined) return undefined;
  const referenced = context.catalog.get(tableId(foreignKey.referenced));
  if (referenced?.primaryKey[0] !== foreignKey.referencedColumns[0]) return undefined; // by another unique column
  const target = context.options.classOfTable?.(foreignKey.referenced.name) ?? foreignKey.referenced.name;
  if (!classes.has(target)) return undefined;
  return { type: 'link', nullable: true, collection: 'single', linkTarget: target };
}
