/** The tables and columns that the models need, for databases that are made (or extended) from the models. */
import type { ClassDefinition, ColumnDefinition } from '../../schema/definition.ts';
import {
  type SourceDialect,
  type TableInfo,
  tableId,
  type WantedColumn,
  type WantedTable,
} from '../dialect.ts';
import { type MappingContext, tableNames } from './build-mapping.ts';
import { compoundLinkColumns } from './compound-link.ts';
import { itemColumns, itemKey } from './item-tables.ts';
import { columnNameFor, requireOwnTable, tableNameFor } from './names.ts';
import { embeddedClass, fieldColumnName, isScalarProperty, placeOf } from './property-places.ts';
import { wantedKey } from './wanted-keys.ts';

type Context = Omit<MappingContext, 'dialect'> & { readonly dialect: Pick<SourceDialect, 'columnTypeFor'> };

/** Of tables that are there already, those of watched lists that are not: they are the connector's own. */
export function wantedListTables(context: Context): WantedTable[] {
  return [...context.definitions.values()].flatMap((definition) => {
    if (definition.kind === 'embedded' || definition.primaryKey === undefined) return [];
    if (tableOf(definition.name, context) === undefined) return [];
    return itemTables(definition, context).filter(
      ({ table, watched }) => watched && !context.catalog.has(tableId(table)),
    );
  });
}

/** Every table of the models with every column; the dialect creates what is missing of them. */
export function wantedTables(context: Context): WantedTable[] {
  const wanted: WantedTable[] = [];
  const owners = new Map<string, string>();
  for (const definition of context.definitions.values()) {
    if (definition.kind === 'embedded' || definition.primaryKey === undefined) continue;
    requireOwnTable(nameFor(definition.name, context), definition.name, owners);
    wanted.push(objectTable(definition, context), ...itemTables(definition, context));
  }
  return wanted;
}

function nameFor(className: string, context: Context): string {
  return tableNameFor(className, tableNames(context), context.options);
}

function tableOf(className: string, context: Context): TableInfo | undefined {
  return context.catalog.get(tableId({ schema: context.schema, name: nameFor(className, context) }));
}

function columnsOf(className: string, context: Context): string[] {
  return tableOf(className, context)?.columns.map((column) => column.name) ?? [];
}

/** Columns and foreign keys of a table while they are gathered. */
type Gathered = {
  readonly columns: Map<string, WantedColumn>;
  readonly foreignKeys: WantedTable['foreignKeys'][number][];
};

function objectTable(definition: ClassDefinition, context: Context): WantedTable {
  const name = nameFor(definition.name, context);
  const info = tableOf(definition.name, context);
  const { primaryKey, others } = wantedKey(definition, name, info, context);
  const gathered: Gathered = {
    columns: new Map([...primaryKey, ...others].map((column) => [column.name, column])),
    foreignKeys: [],
  };
  for (const [property, column] of definition.columns) {
    if (context.options.ignores(definition.name, property)) continue;
    const place = placeOf(definition, property, { name, info }, context);
    const embedded = embeddedClass(column, context);
    const compound = place.kind === 'column' ? compoundTarget(column, context) : undefined;
    if (compound !== undefined) addCompoundLink(gathered, place.name, compound, info, context);
    else if (place.kind === 'column') addColumn(gathered, place.name, column, column.nullable, context);
    else if (place.kind === 'flattened' && embedded !== undefined)
      addFields(gathered, place.name, embedded, columnsOf(definition.name, context), context);
  }
  return {
    kind: 'object',
    table: { schema: context.schema, name },
    columns: [...gathered.columns.values()],
    primaryKey: primaryKey.map((column) => column.name),
    foreignKeys: gathered.foreignKeys,
  };
}

/** What holds an embedded object holds any document. */
const DOCUMENT: ColumnDefinition = { type: 'mixed', nullable: true, collection: 'single' };

function addColumn(
  { columns, foreignKeys }: Gathered,
  name: string,
  definition: ColumnDefinition,
  nullable: boolean,
  context: Context,
): void {
  const isScalar = isScalarProperty(definition, context);
  const target =
    isScalar && definition.type === 'link' ? context.definitions.get(definition.linkTarget ?? '') : undefined;
  const targetKey = target === undefined ? undefined : keyOf(target, context);
  if (!columns.has(name)) {
    const isDocument = definition.collection === 'single' && embeddedClass(definition, context) !== undefined;
    const type = targetKey?.type ?? context.dialect.columnTypeFor(isDocument ? DOCUMENT : definition);
    // Of a collection, `nullable` speaks of the items; the column itself may stay empty.
    columns.set(name, { name, type, nullable: nullable || !isScalar });
  }
  if (target !== undefined && targetKey !== undefined) {
    foreignKeys.push({
      columns: [name],
      referenced: { schema: context.schema, name: nameFor(target.name, context) },
      referencedColumns: [targetKey.name],
    });
  }
}

type CompoundTarget = { readonly table: string; readonly key: readonly WantedColumn[] };

/** The class that a link leads to, when its key spans several columns. */
function compoundTarget(
  { type, collection, linkTarget }: ColumnDefinition,
  context: Context,
): CompoundTarget | undefined {
  const target =
    type === 'link' && collection === 'single' ? context.definitions.get(linkTarget ?? '') : undefined;
  if (target === undefined || target.kind === 'embedded') return undefined;
  const table = nameFor(target.name, context);
  const { primaryKey } = wantedKey(target, table, tableOf(target.name, context), context);
  return primaryKey.length > 1 ? { table, key: primaryKey } : undefined;
}

/** None are wanted of a table that refers there already: its foreign key says which columns hold the link. */
function addCompoundLink(
  { columns, foreignKeys }: Gathered,
  name: string,
  { table, key }: CompoundTarget,
  info: TableInfo | undefined,
  { schema }: Context,
): void {
  const refers = info?.foreignKeys.some(
    ({ referenced, columns: own }) => referenced.name === table && own.length === key.length,
  );
  if (refers) return;
  const names = compoundLinkColumns(
    name,
    key.map((column) => column.name),
  );
  names.forEach((column, part) => {
    if (!columns.has(column))
      columns.set(column, { name: column, type: key[part]?.type ?? '', nullable: true });
  });
  foreignKeys.push({
    columns: names,
    referenced: { schema, name: table },
    referencedColumns: key.map((column) => column.name),
  });
}

/** Some of the fields have their columns already, or the object would not be flattened. */
function addFields(
  gathered: Gathered,
  prefix: string,
  embedded: ClassDefinition,
  existing: readonly string[],
  context: Context,
): void {
  for (const [field, definition] of embedded.columns) {
    if (context.options.ignores(embedded.name, field)) continue;
    const name = fieldColumnName(prefix, embedded.name, field, existing, context);
    const inner = definition.collection === 'single' ? embeddedClass(definition, context) : undefined;
    if (inner === undefined || inner === embedded || existing.includes(name))
      addColumn(gathered, name, definition, true, context);
    else addFields(gathered, name, inner, existing, context);
  }
}

function keyOf(definition: ClassDefinition, context: Context): WantedColumn | undefined {
  const name = nameFor(definition.name, context);
  const { primaryKey } = wantedKey(definition, name, tableOf(definition.name, context), context);
  return primaryKey.length === 1 ? primaryKey[0] : undefined;
}

type WantedItems = WantedTable & { readonly watched: boolean };

function itemTables(definition: ClassDefinition, context: Context): WantedItems[] {
  const parent = nameFor(definition.name, context);
  const info = tableOf(definition.name, context);
  const { primaryKey: parentKey } = wantedKey(definition, parent, info, context);
  const text = context.dialect.columnTypeFor({ type: 'string', nullable: false, collection: 'single' });
  const oidType = parentKey.length === 1 ? (parentKey[0]?.type ?? text) : text;
  const tables: WantedItems[] = [];
  for (const [property, column] of definition.columns) {
    if (context.options.ignores(definition.name, property)) continue;
    const place = placeOf(definition, property, { name: parent, info }, context);
    if (place.kind !== 'listTable' && place.kind !== 'itemTable') continue;
    const types: Record<string, string> = {
      idx: 'integer',
      key: text,
      target: itemType(column, text, context),
    };
    const key = itemKey(column.collection);
    const traits = context.listTraits?.get(`${definition.name}.${property}`);
    const watched = place.kind === 'listTable' && (traits?.watched ?? false);
    if (!watched && isMirrored(definition.name, column, traits?.inverse, context)) continue;
    tables.push({
      watched,
      // The feed tells rows apart by a key that is checked at once, which that of a list table is not.
      kind: column.collection === 'list' && !watched ? 'list' : 'object',
      table: { schema: context.schema, name: place.name },
      columns: [
        { name: 'oid', type: oidType, nullable: false },
        ...itemColumns(column.collection).map((name) => ({
          name,
          type: types[name] ?? text,
          nullable: !key.includes(name),
        })),
      ],
      primaryKey: key,
      foreignKeys: [],
    });
  }
  return tables;
}

/** A foreign key column of the target says what is in the list, so that no table is wanted for it. */
function isMirrored(
  owner: string,
  { linkTarget }: ColumnDefinition,
  inverse: string | undefined,
  context: Context,
): boolean {
  const target = linkTarget === undefined ? undefined : tableOf(linkTarget, context);
  if (inverse === undefined || linkTarget === undefined || target === undefined) return false;
  const existing = target.columns.map((column) => column.name);
  const name = columnNameFor(linkTarget, inverse, target.table.name, existing, context.options);
  const parent = tableOf(owner, context);
  return target.foreignKeys.some(
    ({ columns, referenced }) =>
      columns.length === 1 &&
      columns[0] === name &&
      parent !== undefined &&
      tableId(referenced) === tableId(parent.table),
  );
}

function itemType(column: ColumnDefinition, text: string, context: Context): string {
  if (column.linkTarget === undefined)
    return context.dialect.columnTypeFor({ ...column, collection: 'single' });
  const target = context.definitions.get(column.linkTarget);
  return (target === undefined ? undefined : keyOf(target, context)?.type) ?? text;
}
