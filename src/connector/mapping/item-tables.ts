/** Collections in tables of their own: `oid` is the key of the object, `target` an item (reference, "Lists"). */
import type { ColumnDefinition } from '../../schema/definition.ts';
import { NULL, type ScalarValue } from '../../schema/value.ts';
import type { StateValue } from '../../store/state/object-state.ts';
import { valueToken } from '../../store/state/value-token.ts';
import { type KeyLookup, type SqlText, type TableInfo, tableId, type ValueCodec } from '../dialect.ts';
import { DataError, MappingError } from '../errors.ts';
import { mendingOf } from '../mending.ts';
import type { ItemTableMapping } from './class-mapping.ts';
import { convertedCodec } from './converted-codecs.ts';
import type { StateContext } from './state-mapping.ts';
import { linkCodec } from './value-codecs.ts';

/** The columns after `oid`, the last of which is the item. */
export function itemColumns(collection: ColumnDefinition['collection']): readonly string[] {
  switch (collection) {
    case 'dictionary':
      return ['key', 'target'];
    case 'set':
      return ['target'];
    default:
      return ['idx', 'target'];
  }
}

/** The columns that tell the items of all collections in the table apart. */
export function itemKey(collection: ColumnDefinition['collection']): readonly string[] {
  return ['oid', itemColumns(collection)[0]!];
}

/** Throws `MappingError` when the table is not made for such items. */
export function itemTableMapping(
  className: string,
  property: string,
  definition: ColumnDefinition,
  table: TableInfo,
  context: StateContext,
): ItemTableMapping {
  const columns = itemColumns(definition.collection);
  requireShape(className, property, definition, table, context);
  const { codec, ...lookup } = itemCodec(className, property, definition, table, context);
  const itemOf = (text: SqlText | undefined): ScalarValue => {
    if (text !== null && text !== undefined) return codec.toRealm(text);
    if (definition.nullable || definition.type === 'link') return NULL;
    throw new DataError(
      `${tableId(table.table)} has an item that is NULL, but those of ${className}.${property} are required`,
      { remedy: `declare the items of ${className}.${property} optional in the models` },
    );
  };
  return {
    property,
    definition,
    table,
    columns,
    toRealm: (rows) => collectionOf(definition, rows, itemOf),
    toSql: (value) => rowsOf(value, (item) => codec.toSql(requireScalar(item, className, property))),
    ...lookup,
  };
}

function requireShape(
  className: string,
  property: string,
  { collection }: ColumnDefinition,
  table: TableInfo,
  { dialect }: StateContext,
): void {
  const key = itemKey(collection);
  const columns = ['oid', ...itemColumns(collection)];
  const missing = columns.filter((name) => !table.columns.some((column) => column.name === name));
  const { schema, name } = table.table;
  if (missing.length > 0) {
    throw new MappingError(
      `table ${schema}.${name} holds the ${collection} ${className}.${property}, but has no column ${missing.join(', ')}`,
      { remedy: `give it the columns ${columns.join(', ')}` },
    );
  }
  if (table.primaryKey[0] === 'oid' && key.every((column) => table.primaryKey.includes(column))) return;
  throw new MappingError(
    `table ${schema}.${name} holds the ${collection} ${className}.${property}, but its primary key is not (${key.join(', ')})`,
    { remedy: mendingOf(dialect).addPrimaryKey(table.table, key) },
  );
}

function itemCodec(
  className: string,
  property: string,
  definition: ColumnDefinition,
  table: TableInfo,
  context: StateContext,
): { readonly codec: ValueCodec; readonly targetLookup?: KeyLookup } {
  const column = table.columns.find((candidate) => candidate.name === 'target')!;
  const { linkTarget } = definition;
  if (linkTarget === undefined) {
    const single: ColumnDefinition = { ...definition, collection: 'single' };
    return { codec: convertedCodec(className, property, single, table, column, context) };
  }
  const codec = linkCodec(linkTarget, context.keys.get(linkTarget), className, property, column, table);
  return codec.lookup === undefined ? { codec } : { codec, targetLookup: codec.lookup };
}

function collectionOf(
  { collection }: ColumnDefinition,
  rows: readonly (readonly SqlText[])[],
  itemOf: (text: SqlText | undefined) => ScalarValue,
): StateValue {
  switch (collection) {
    case 'set': {
      const members = rows.map(([target]) => itemOf(target));
      return { type: 'set', items: new Map(members.map((member) => [valueToken(member), member])) };
    }
    case 'dictionary':
      return {
        type: 'dictionary',
        entries: new Map(rows.map(([key, target]) => [key ?? '', itemOf(target)])),
      };
    default:
      return { type: 'list', items: rows.map(([, target]) => itemOf(target)) };
  }
}

function rowsOf(value: StateValue, textOf: (item: StateValue) => SqlText): SqlText[][] {
  switch (value.type) {
    case 'list':
      return value.items.map((item, index) => [String(index), textOf(item)]);
    case 'set':
      return [...value.items.values()].map((item) => [textOf(item)]);
    case 'dictionary':
      return [...value.entries].map(([key, item]) => [key, textOf(item)]);
    default:
      return [];
  }
}

function requireScalar(value: StateValue, className: string, property: string): ScalarValue {
  switch (value.type) {
    case 'object':
    case 'list':
    case 'dictionary':
    case 'set':
      throw new DataError(`an item of ${className}.${property} is a ${value.type}, which has no column`);
    default:
      return value;
  }
}
