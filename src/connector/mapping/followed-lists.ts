/**
 * Lists of links that are kept from both sides (reference, "1 to Many Relationships with Order"). Where the target's
 * table has a foreign key to the owner's, in the column of the `linkingObjects` property that shows the list, that
 * column says who is in which list; the list table, where there is one, says in which order. With `watch_table` the
 * change feed shows the list table, too.
 */
import type { ColumnDefinition } from '../../schema/definition.ts';
import { type ColumnInfo, type KeyLookup, type TableInfo, tableId } from '../dialect.ts';
import { MappingError } from '../errors.ts';
import { mendingOf } from '../mending.ts';
import { columnNameFor } from './names.ts';
import type { StateContext } from './state-mapping.ts';
import { linkCodec } from './value-codecs.ts';

const LIST_COLUMNS = ['oid', 'idx', 'target'];
const LIST_KEY = ['oid', 'idx'];

export type FollowedList = {
  readonly ownerClass: string;
  readonly property: string;
  readonly targetClass: string;
  readonly definition: ColumnDefinition;
  /** `oid, idx, target`; absent where the order stays in the realm. */
  readonly order: TableInfo | undefined;
  /** The change feed shows the list table. */
  readonly watched: boolean;
  /** The column of the target's table that says in which list a row is; absent where the list table alone says so. */
  readonly member: Membership | undefined;
};

export type Membership = {
  readonly column: ColumnInfo;
  /** Set where the column holds the key that the database made for the owner. */
  readonly lookup: KeyLookup | undefined;
};

/**
 * Undefined for a list that is the realm's alone. `order` is its table, if it has one. Throws `MappingError` when the
 * table cannot be followed.
 */
export function followedList(
  ownerClass: string,
  property: string,
  definition: ColumnDefinition,
  order: TableInfo | undefined,
  tables: ReadonlyMap<string, TableInfo>,
  context: StateContext,
): FollowedList | undefined {
  const traits = context.listTraits?.get(`${ownerClass}.${property}`);
  const targetClass = definition.linkTarget ?? '';
  if (traits === undefined) return undefined;
  const { watched, inverse } = traits;
  const member =
    inverse === undefined
      ? undefined
      : membership(ownerClass, targetClass, inverse, tables.get(targetClass), tables, context);
  if (!watched && member === undefined) return undefined;
  if (watched && order !== undefined) requireFollowable(`${ownerClass}.${property}`, order, context);
  return { ownerClass, property, targetClass, definition, order, watched, member };
}

/** A column of the inverse's name that refers to nothing else than the owner's table. */
function membership(
  ownerClass: string,
  targetClass: string,
  inverse: string,
  table: TableInfo | undefined,
  tables: ReadonlyMap<string, TableInfo>,
  context: StateContext,
): Membership | undefined {
  const owner = tables.get(ownerClass);
  if (table === undefined || owner === undefined) return undefined;
  const existing = table.columns.map((column) => column.name);
  const name = columnNameFor(targetClass, inverse, table.table.name, existing, context.options);
  const column = table.columns.find((candidate) => candidate.name === name);
  if (column === undefined || column.readOnly || table.primaryKey.includes(name)) return undefined;
  const references = table.foreignKeys.filter(({ columns }) => columns.includes(name));
  const refersElsewhere = references.some(({ referenced }) => tableId(referenced) !== tableId(owner.table));
  const key = context.keys.get(ownerClass);
  if (refersElsewhere || key === undefined || key.columns.length > 1) return undefined;
  const { lookup } = linkCodec(ownerClass, key, targetClass, inverse, column, table);
  if (key.row !== undefined && lookup === undefined) return undefined; // holds the key of the class instead
  return { column, lookup };
}

function requireFollowable(
  list: string,
  { table, columns, primaryKey, uniqueKeys }: TableInfo,
  context: StateContext,
) {
  const { dialect } = context;
  const name = `${table.schema}.${table.name}`;
  const missing = LIST_COLUMNS.filter((wanted) => !columns.some((column) => column.name === wanted));
  if (missing.length > 0)
    throw new MappingError(`table ${name} holds the list ${list}, but has no column ${missing.join(', ')}`, {
      remedy: `give it the columns ${LIST_COLUMNS.join(', ')}`,
    });
  const isKey = (key: readonly string[]): boolean =>
    key.length === LIST_KEY.length && LIST_KEY.every((column) => key.includes(column));
  if (!isKey(primaryKey))
    throw new MappingError(
      `table ${name} holds the list ${list}, which is watched, but its primary key is not (${LIST_KEY.join(', ')})`,
      {
        remedy:
          primaryKey.length === 0
            ? mendingOf(dialect).addPrimaryKey(table, LIST_KEY)
            : mendingOf(dialect).replacePrimaryKey({ table, columns, primaryKey, foreignKeys: [] }, LIST_KEY),
      },
    );
  if (uniqueKeys?.some(isKey) ?? true) return;
  throw new MappingError(
    `table ${name} holds the list ${list}, which is watched, but its primary key is deferrable: the change feed cannot follow it`,
    {
      remedy: mendingOf(dialect).replacePrimaryKey({ table, columns, primaryKey, foreignKeys: [] }, LIST_KEY),
    },
  );
}

/** The list tables that the change feed shows. */
export function watchedTables(lists: readonly FollowedList[]): TableInfo[] {
  return lists.flatMap(({ order, watched }) => (watched && order !== undefined ? [order] : []));
}
