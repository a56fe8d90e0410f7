/** Brings what the tables of collections hold into collections that are still empty in the realm. */
import type { PrimaryKey } from '../../schema/value.ts';
import { defaultValue } from '../../store/state/default-value.ts';
import type { StateValue } from '../../store/state/object-state.ts';
import { stateDifference } from '../../store/state/state-difference.ts';
import type { SnapshotReader, SqlText, TableInfo } from '../dialect.ts';
import { DataError } from '../errors.ts';
import type { ClassMapping, ListMapping } from '../mapping/class-mapping.ts';
import { itemGroups } from './item-groups.ts';
import type { LoadContext } from './load-table.ts';

/** What one property of a class has in a table of its own. */
type Collection = {
  readonly property: string;
  readonly table: TableInfo;
  /** The columns after `oid`. */
  readonly columns: readonly string[];
  readonly toRealm: (rows: readonly (readonly SqlText[])[]) => StateValue;
};

/**
 * Collections with tables of their own are the realm's: their tables are written from it and read only here, for
 * objects whose collection is empty (reference, "Lists"). Lists that both sides change are none of these. Returns the
 * number of collections filled.
 */
export async function loadCollections(
  mapped: ClassMapping,
  snapshot: SnapshotReader,
  context: LoadContext,
): Promise<number> {
  let filled = 0;
  for (const list of mapped.lists.values())
    if (!mapped.followed?.has(list.property))
      filled += await loadCollection(mapped, listOf(list), snapshot, context);
  for (const items of mapped.itemTables.values())
    filled += await loadCollection(mapped, items, snapshot, context);
  return filled;
}

/** Rows whose target is none of the realm's objects are left out. */
function listOf({ property, table, toRealm }: ListMapping): Collection {
  return {
    property,
    table,
    columns: ['idx', 'target'],
    toRealm: (rows) => ({
      type: 'list',
      items: rows
        .flatMap(([, target]) => (target === null || target === undefined ? [] : [toRealm(target)]))
        .filter((item) => item.type === 'link'),
    }),
  };
}

async function loadCollection(
  mapped: ClassMapping,
  collection: Collection,
  snapshot: SnapshotReader,
  context: LoadContext,
): Promise<number> {
  let filled = 0;
  const { table, columns } = collection;
  for await (const { oid, rows } of itemGroups(snapshot, table, columns, context.signal)) {
    const key = keyOf(mapped, oid);
    if (key !== undefined) filled += fill(mapped, collection, key, rows, context);
  }
  return filled;
}

/** Undefined for a row that the directory does not know, so that no object is its own. */
function keyOf(mapped: ClassMapping, oid: string): PrimaryKey | undefined {
  if (mapped.key.row !== undefined) return mapped.key.row.keyOf(oid);
  return mapped.key.columns.length === 1 ? mapped.key.toRealm([oid]) : { type: 'string', value: oid };
}

function fill(
  { className, definition }: ClassMapping,
  { property, toRealm }: Collection,
  key: PrimaryKey,
  rows: readonly (readonly SqlText[])[],
  context: LoadContext,
): number {
  const column = definition.columns.get(property);
  if (column === undefined) return 0;
  let filled = 0;
  for (const realm of context.realms.all()) {
    const object = realm.replica.object(className, key);
    if (object === undefined || !isEmpty(object.fields.get(property))) continue;
    let value: StateValue;
    try {
      value = toRealm(rows);
    } catch (error) {
      if (!(error instanceof DataError)) throw error;
      context.onDataError(error);
      continue;
    }
    const address = { table: className, key, field: property, path: [] };
    const { schema } = realm.replica;
    const instructions = stateDifference(schema, address, column, defaultValue(column), value);
    if (instructions.length === 0) continue;
    realm.replica.write(instructions);
    filled += 1;
  }
  return filled;
}

function isEmpty(value: StateValue | undefined): boolean {
  switch (value?.type) {
    case 'list':
      return value.items.length === 0;
    case 'set':
      return value.items.size === 0;
    case 'dictionary':
      return value.entries.size === 0;
    default:
      return true;
  }
}
