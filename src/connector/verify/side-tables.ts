/**
 * Collections that do not stand in the row of their object, as one kind of thing to compare: those in tables of their
 * own, `oid` and further columns, and lists whose members a foreign key tells.
 */
import type { ColumnDefinition } from '../../schema/definition.ts';
import type { PrimaryKey } from '../../schema/value.ts';
import type { StateValue } from '../../store/state/object-state.ts';
import { oidOf } from '../apply/collection-plan.ts';
import type { SourceDialect, SqlText, TableInfo } from '../dialect.ts';
import type { ClassMapping, ListMapping, Mapping } from '../mapping/class-mapping.ts';
import { memberListsOf } from './member-lists.ts';

const OID = 'oid';

/** One item: the row of a side table without its `oid`. */
export type SideRow = readonly SqlText[];

export type Side = {
  readonly property: string;
  readonly definition: ColumnDefinition;
  /** Undefined where the items are no rows of a table of their own. */
  readonly table: SideTable | undefined;
  /** The items of these objects ({@link sideKeyOf}), in their order; nothing for those that have none. */
  readonly fetch: (oids: readonly string[]) => Promise<Map<string, SideRow[]>>;
  /** `held` is what the object has, which decides about what the database cannot say. Throws `DataError`. */
  readonly toRealm: (rows: readonly SideRow[], held: StateValue) => StateValue;
};

export type SideTable = {
  readonly table: TableInfo;
  /** The columns after `oid`. */
  readonly columns: readonly string[];
  /** The column that orders the rows, by its place among `columns`; undefined where there is no order. */
  readonly indexColumn: number | undefined;
};

type Rows = Pick<SourceDialect, 'fetchRows'>;

export function sidesOf(mapped: ClassMapping, mapping: Mapping, dialect: Rows): Side[] {
  const members = memberListsOf(mapped, mapping, dialect);
  const toldByMembers = new Set(members.map(({ property }) => property));
  const lists = [...mapped.lists.values()]
    .filter(({ property }) => !toldByMembers.has(property))
    .map((list) => listSide(list, mapped, dialect));
  const others = [...mapped.itemTables.values()].map(({ property, definition, columns, ...items }): Side => {
    const index = columns.indexOf('idx');
    const table = { table: items.table, columns, indexColumn: index < 0 ? undefined : index };
    return {
      property,
      definition,
      table,
      fetch: (oids) => fetchSideRows(dialect, table, oids),
      toRealm: items.toRealm,
    };
  });
  return [...lists, ...members, ...others];
}

function listSide(list: ListMapping, { definition }: ClassMapping, dialect: Rows): Side {
  const column = definition.columns.get(list.property);
  const table = { table: list.table, columns: ['idx', 'target'], indexColumn: 0 };
  return {
    property: list.property,
    definition: column ?? { type: 'link', nullable: false, collection: 'list' },
    table,
    fetch: (oids) => fetchSideRows(dialect, table, oids),
    toRealm: (rows) => ({
      type: 'list',
      items: rows.flatMap(([, target]) =>
        target === null || target === undefined ? [] : [list.toRealm(target)],
      ),
    }),
  };
}

/** The text by which side tables know an object; undefined where the database's own key is not known. */
export function sideKeyOf(mapped: ClassMapping, key: PrimaryKey): string | undefined {
  return mapped.key.row === undefined ? oidOf(mapped, key) : mapped.key.row.rowOf(key);
}

/** The object that the rows of a side table belong to; undefined where no object can be told. Throws `DataError`. */
export function keyOfSide({ key }: ClassMapping, oid: string): PrimaryKey | undefined {
  if (key.row !== undefined) return key.row.keyOf(oid);
  return key.columns.length === 1 ? key.toRealm([oid]) : { type: 'string', value: oid };
}

async function fetchSideRows(
  dialect: Rows,
  side: SideTable,
  oids: readonly string[],
): Promise<Map<string, SideRow[]>> {
  const found = new Map<string, SideRow[]>();
  if (oids.length === 0) return found;
  const keys = oids.map((oid) => [oid]);
  for (const [oid, ...row] of await dialect.fetchRows(side.table, [OID, ...side.columns], keys, [OID])) {
    const rows = found.get(oid ?? '');
    if (rows === undefined) found.set(oid ?? '', [row]);
    else rows.push(row);
  }
  for (const rows of found.values()) inOrder(side, rows);
  return found;
}

/** Of these objects, those that have rows. */
export async function filledSides(
  dialect: Rows,
  { table, columns, indexColumn }: SideTable,
  oids: readonly string[],
): Promise<Set<string>> {
  if (oids.length === 0) return new Set();
  // The first item is enough where items are numbered.
  const index = indexColumn === undefined ? undefined : columns[indexColumn];
  const key = index === undefined ? [OID] : [OID, index];
  const keys = oids.map((oid) => (index === undefined ? [oid] : [oid, '0']));
  return new Set((await dialect.fetchRows(table, key, keys, key)).map(([oid]) => oid ?? ''));
}

/** Puts rows into the order in which {@link Side.toRealm} takes them. */
export function inOrder({ indexColumn }: SideTable, rows: SideRow[]): SideRow[] {
  if (indexColumn === undefined) return rows;
  return rows.sort((a, b) => Number(a[indexColumn]) - Number(b[indexColumn]));
}
