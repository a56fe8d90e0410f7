/** Collections that stand in tables of their own, `oid` and further columns, as one kind of thing to compare. */
import type { ColumnDefinition } from '../../schema/definition.ts';
import type { PrimaryKey } from '../../schema/value.ts';
import type { StateValue } from '../../store/state/object-state.ts';
import { oidOf } from '../apply/collection-plan.ts';
import type { SourceDialect, SqlText, TableInfo } from '../dialect.ts';
import type { ClassMapping, ListMapping } from '../mapping/class-mapping.ts';

const OID = 'oid';

/** One row of a side table without its `oid`. */
export type SideRow = readonly SqlText[];

export type SideTable = {
  readonly property: string;
  readonly definition: ColumnDefinition;
  readonly table: TableInfo;
  /** The columns after `oid`. */
  readonly columns: readonly string[];
  /** The column that orders the rows, by its place among `columns`; undefined where there is no order. */
  readonly indexColumn: number | undefined;
  /** Throws `DataError`. */
  readonly toRealm: (rows: readonly SideRow[]) => StateValue;
};

export function sideTablesOf(mapped: ClassMapping): SideTable[] {
  const lists = [...mapped.lists.values()].map((list) => listTable(list, mapped));
  const others = [...mapped.itemTables.values()].map((items): SideTable => {
    const index = items.columns.indexOf('idx');
    return {
      property: items.property,
      definition: items.definition,
      table: items.table,
      columns: items.columns,
      indexColumn: index < 0 ? undefined : index,
      toRealm: items.toRealm,
    };
  });
  return [...lists, ...others];
}

function listTable(list: ListMapping, { definition }: ClassMapping): SideTable {
  const column = definition.columns.get(list.property);
  return {
    property: list.property,
    definition: column ?? { type: 'link', nullable: false, collection: 'list' },
    table: list.table,
    columns: ['idx', 'target'],
    indexColumn: 0,
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

/** The rows of these objects, in their order, by oid; nothing for those that have none. */
export async function fetchSideRows(
  dialect: Pick<SourceDialect, 'fetchRows'>,
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
  dialect: Pick<SourceDialect, 'fetchRows'>,
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

/** Puts rows into the order in which {@link SideTable.toRealm} takes them. */
export function inOrder({ indexColumn }: SideTable, rows: SideRow[]): SideRow[] {
  if (indexColumn === undefined) return rows;
  return rows.sort((a, b) => Number(a[indexColumn]) - Number(b[indexColumn]));
}
