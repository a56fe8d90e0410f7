/**
 * Where the properties of a class live in the database. A single scalar has the column of its name. Everything else has
 * the column of its name too, when the table has one; else an embedded object has one column a field, a collection a
 * table of its own, when these are there.
 */
import type { ClassDefinition, ColumnDefinition } from '../../schema/definition.ts';
import { type TableInfo, tableId } from '../dialect.ts';
import type { MappingOptions } from '../options.ts';
import type { MappingContext } from './build-mapping.ts';
import { composedName, limitedName } from './name-limit.ts';
import { closest, columnNameFor } from './names.ts';

export type Place =
  /** One column; scalars have no other place. */
  | { readonly kind: 'column'; readonly name: string; readonly exists: boolean }
  /** Columns `<name>_<field>`, one for each field of an embedded object. */
  | { readonly kind: 'flattened'; readonly name: string }
  /** A table `oid, idx, target` of links, written by list changes and named after table and property. */
  | { readonly kind: 'listTable'; readonly name: string }
  /** A table of the items of a collection, named the same way. */
  | { readonly kind: 'itemTable'; readonly name: string };

export type PlaceContext = Pick<MappingContext, 'definitions' | 'catalog' | 'schema' | 'options'>;

/** A single value of a type with a column type of its own. Mixed values may hold collections, so they are none. */
export function isScalarProperty(
  definition: ColumnDefinition,
  { definitions }: Pick<PlaceContext, 'definitions'>,
): boolean {
  if (definition.collection !== 'single' || definition.type === 'mixed') return false;
  return definition.type !== 'link' || definitions.get(definition.linkTarget ?? '')?.kind === 'topLevel';
}

/** `table` is absent when it is yet to be made. */
export function placeOf(
  owner: ClassDefinition,
  property: string,
  table: { readonly name: string; readonly info: TableInfo | undefined },
  context: PlaceContext,
): Place {
  const definition = owner.columns.get(property)!;
  const existing = table.info?.columns.map((column) => column.name) ?? [];
  const name = columnNameFor(owner.name, property, table.name, existing, context.options);
  const column: Place = { kind: 'column', name, exists: existing.includes(name) };
  if (column.exists || isScalarProperty(definition, context)) return column;
  const embedded = embeddedClass(definition, context);
  if (definition.collection === 'single') {
    const isFlat =
      embedded !== undefined &&
      hasFieldColumn(name, embedded, withoutOthers(existing, owner, property, table.name, context), context);
    return isFlat ? { kind: 'flattened', name } : column;
  }
  if (embedded !== undefined || definition.type === 'mixed') return column; // documents only
  const ofLinks = definition.type === 'link' && definition.collection === 'list';
  const items = itemTableName(owner.name, property, table.name, context);
  const exists = context.catalog.has(tableId({ schema: context.schema, name: items }));
  if (ofLinks) return { kind: 'listTable', name: items };
  return exists || context.options.hasItemTable(owner.name, property)
    ? { kind: 'itemTable', name: items }
    : column;
}

export function embeddedClass(
  { type, linkTarget }: ColumnDefinition,
  { definitions }: Pick<PlaceContext, 'definitions'>,
): ClassDefinition | undefined {
  const target = type === 'link' ? definitions.get(linkTarget ?? '') : undefined;
  return target?.kind === 'embedded' ? target : undefined;
}

/** The table of a collection: `<table>_<column>` unless the options say otherwise. */
function itemTableName(
  className: string,
  property: string,
  table: string,
  { options }: PlaceContext,
): string {
  const column = columnNameFor(className, property, table, [], options);
  return limitedName(unlimitedItemTableName(table, column, options), options.nameLimit);
}

/** The beginning that the tables of all collections of a class share. */
export function itemTablePrefix(table: string, options: Pick<MappingOptions, 'itemTableName'>): string {
  return unlimitedItemTableName(table, '', options);
}

function unlimitedItemTableName(
  table: string,
  column: string,
  { itemTableName: name }: Pick<MappingOptions, 'itemTableName'>,
): string {
  return name?.(table, column) ?? `${table}_${column}`;
}

/** The column of a field of an embedded object that is flattened under `prefix`. */
export function fieldColumnName(
  prefix: string,
  className: string,
  field: string,
  existing: readonly string[],
  { options }: Pick<PlaceContext, 'options'>,
): string {
  const name = options.columnOfProperty?.(className, field) ?? field;
  return closest(composedName(prefix, name, options.nameLimit), existing);
}

function hasFieldColumn(
  prefix: string,
  embedded: ClassDefinition,
  existing: readonly string[],
  context: PlaceContext,
): boolean {
  return [...embedded.columns].some(([field, definition]) => {
    if (context.options.ignores(embedded.name, field)) return false;
    const name = fieldColumnName(prefix, embedded.name, field, existing, context);
    if (existing.includes(name)) return true;
    const inner = definition.collection === 'single' ? embeddedClass(definition, context) : undefined;
    // A class inside itself would go on for ever; its columns would have shown one level up.
    return inner !== undefined && inner !== embedded && hasFieldColumn(name, inner, existing, context);
  });
}

/** The columns that no other property of the class has for its own. */
function withoutOthers(
  existing: readonly string[],
  owner: ClassDefinition,
  property: string,
  table: string,
  { options }: PlaceContext,
): string[] {
  const key = owner.primaryKey?.field;
  const others = [...owner.columns.keys(), ...(key === undefined || key === '' ? [] : [key])].filter(
    (name) => name !== property,
  );
  const taken = new Set(others.map((name) => columnNameFor(owner.name, name, table, existing, options)));
  return existing.filter((name) => !taken.has(name));
}
