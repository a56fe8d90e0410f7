/** Lists as the database has them now: the rows of their list table, and those whose foreign key says that they are in it. */
import type { SourceDialect, SqlText } from '../dialect.ts';
import type { ClassMapping, Mapping } from '../mapping/class-mapping.ts';
import type { FollowedList } from '../mapping/followed-lists.ts';
import { objectOfOwn, objectText, ownColumns, ownText, ownTexts } from './list-ends.ts';

/** Owners that are asked for at a time. */
const MAX_OWNERS = 2_000;

export type SqlItem = {
  /** The row. */
  readonly row: string;
  /** Its object; undefined for a row that has no key of its class yet. */
  readonly object: string | undefined;
};

export type SqlList = {
  /** The row of the owner; undefined when there is none. */
  readonly owner: string | undefined;
  /** The rows of the list table as they are, by index. */
  readonly rows: readonly { readonly index: string; readonly target: SqlText }[];
  /** What is in the list, in order. Without a list table, rows follow one another by their keys. */
  readonly items: readonly SqlItem[];
};

export const NO_LIST: SqlList = { owner: undefined, rows: [], items: [] };

type Reads = Pick<SourceDialect, 'fetchRows'>;

/** The lists of these owners (by their rows); all of them are in the answer. */
export async function fetchLists(
  list: FollowedList,
  owners: readonly string[],
  mapping: Mapping,
  reads: Reads,
): Promise<ReadonlyMap<string, SqlList>> {
  const target = mapping.forClass(list.targetClass);
  const lists = new Map<string, SqlList>();
  if (target === undefined) return lists;
  for (let from = 0; from < owners.length; from += MAX_OWNERS) {
    const some = owners.slice(from, from + MAX_OWNERS);
    const rows = await orderRows(list, some, reads);
    const items =
      list.member === undefined
        ? await itemsOfRows(target, rows, reads)
        : await itemsOfMembers(target, list.member.column.name, some, rows, reads);
    for (const owner of some)
      lists.set(owner, { owner, rows: rows.get(owner) ?? [], items: items.get(owner) ?? [] });
  }
  return lists;
}

/** The rows of objects that the directory does not know yet. */
export async function fetchOwns(
  mapped: ClassMapping,
  objects: readonly string[],
  reads: Reads,
): Promise<ReadonlyMap<string, string>> {
  const { row, columns } = mapped.key;
  const found = new Map<string, string>();
  if (row === undefined || objects.length === 0) return found;
  const keys = objects.map((object) => [object]);
  for (const [object, own] of await reads.fetchRows(mapped.table, [...columns, row.column], keys, columns))
    if (typeof object === 'string' && typeof own === 'string') found.set(object, own);
  return found;
}

type Rows = Map<string, { index: string; target: SqlText }[]>;

async function orderRows({ order }: FollowedList, owners: readonly string[], reads: Reads): Promise<Rows> {
  const found: Rows = new Map();
  if (order === undefined) return found;
  const keys = owners.map((owner) => [owner]);
  for (const [oid, index, target] of await reads.fetchRows(order, ['oid', 'idx', 'target'], keys, ['oid'])) {
    if (typeof oid !== 'string' || typeof index !== 'string') continue;
    const rows = found.get(oid);
    const row = { index, target: target ?? null };
    if (rows === undefined) found.set(oid, [row]);
    else rows.push(row);
  }
  for (const rows of found.values()) rows.sort((a, b) => Number(a.index) - Number(b.index));
  return found;
}

/** Members without a row in the list table come last, in the order of their keys. */
async function itemsOfMembers(
  target: ClassMapping,
  column: string,
  owners: readonly string[],
  rows: Rows,
  reads: Reads,
): Promise<Map<string, SqlItem[]>> {
  const own = ownColumns(target);
  const names = [column, ...own, ...target.key.columns];
  const keys = owners.map((owner) => [owner]);
  const members = new Map<string, Map<string, SqlItem>>();
  for (const [owner, ...texts] of await reads.fetchRows(target.table, names, keys, [column])) {
    const item = itemOf(target, texts);
    if (item === undefined || typeof owner !== 'string') continue;
    const ofOwner = members.get(owner) ?? new Map<string, SqlItem>();
    members.set(owner, ofOwner.set(item.row, item));
  }
  const items = new Map<string, SqlItem[]>();
  for (const [owner, ofOwner] of members) {
    const ordered: SqlItem[] = [];
    for (const { target: row } of rows.get(owner) ?? []) {
      const item = ofOwner.get(row ?? '');
      if (item === undefined) continue;
      ofOwner.delete(item.row);
      ordered.push(item);
    }
    items.set(owner, [...ordered, ...[...ofOwner.values()].sort((a, b) => compareKeys(a.row, b.row))]);
  }
  return items;
}

/** Rows that lead to no row are none of the list. */
async function itemsOfRows(target: ClassMapping, rows: Rows, reads: Reads): Promise<Map<string, SqlItem[]>> {
  const wanted = new Set([...rows.values()].flatMap((list) => list.flatMap((row) => row.target ?? [])));
  const own = ownColumns(target);
  const keys = [...wanted].map((row) => ownTexts(target, row));
  const present = new Map<string, SqlItem>();
  for (const texts of await reads.fetchRows(target.table, [...own, ...target.key.columns], keys, own)) {
    const item = itemOf(target, texts);
    if (item !== undefined) present.set(item.row, item);
  }
  return new Map(
    [...rows].map(([owner, list]) => [owner, list.flatMap((row) => present.get(row.target ?? '') ?? [])]),
  );
}

/** From the texts of the row's own key and those of the key of its class. */
function itemOf(target: ClassMapping, texts: readonly SqlText[]): SqlItem | undefined {
  const own = ownColumns(target).length;
  const row = ownText(target, texts.slice(0, own));
  if (row === undefined) return undefined;
  if (target.key.row === undefined) return { row, object: row };
  const key = texts[own];
  const object = typeof key === 'string' ? objectText(target, target.key.toRealm([key])) : undefined;
  // One that was made for the row a moment ago may not be in it yet.
  return { row, object: object ?? objectOfOwn(target, row) };
}

/** As a primary key orders its rows: numbers by value, everything else by its characters. */
export function compareKeys(a: string, b: string): number {
  if (INTEGER.test(a) && INTEGER.test(b)) {
    const [left, right] = [BigInt(a), BigInt(b)];
    return left < right ? -1 : left > right ? 1 : 0;
  }
  return a < b ? -1 : a > b ? 1 : 0;
}

const INTEGER = /^-?\d+$/;
