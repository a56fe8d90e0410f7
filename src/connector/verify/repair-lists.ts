/**
 * The lists whose members a foreign key tells, in a repair of the tables: planned as the adapter plans them, so that
 * foreign keys and list tables are written together, with the realm's list in the place of what both sides had last.
 */
import type { MergedInstruction } from '../../adapter/merged-instruction.ts';
import type { Replica, ReplicaReader } from '../../store/replica/contract.ts';
import type { SourceDialect } from '../dialect.ts';
import { heldItems, objectKey, objectText, ownOfObject } from '../lists/list-ends.ts';
import type { ListBase } from '../lists/list-marks.ts';
import { ListPlan, type ListToWrite } from '../lists/list-plan.ts';
import { fetchLists, NO_LIST, type SqlList } from '../lists/sql-lists.ts';
import type { ClassMapping, Mapping } from '../mapping/class-mapping.ts';
import type { FollowedList } from '../mapping/followed-lists.ts';
import type { VerifiedRealm } from './verified-realms.ts';

type Reads = Pick<SourceDialect, 'fetchRows'>;

/** The two classes of a list. */
type Ends = { readonly list: FollowedList; readonly owner: ClassMapping; readonly target: ClassMapping };

/** `undefined` when the instructions touch no such list. */
export async function planMemberLists(
  { path, replica }: VerifiedRealm,
  instructions: readonly MergedInstruction[],
  mapping: Mapping,
  reads: Reads,
): Promise<ListPlan | undefined> {
  const lists: ListToWrite[] = [];
  const unwritten: MergedInstruction[] = [];
  for (const list of mapping.followedLists) {
    const owner = mapping.forClass(list.ownerClass);
    const target = mapping.forClass(list.targetClass);
    if (list.member === undefined || owner === undefined || target === undefined) continue;
    const ends = { list, owner, target };
    const { named, receiving, inserted } = ownersIn(ends, instructions, replica);
    const owners = [...named, ...receiving.keys()];
    if (owners.length === 0) continue;
    const found = await fetchOwned(ends, owners, mapping, reads);
    const held = named.flatMap((text) => heldItems(list, replica, owner, target, text) ?? []);
    unwritten.push(...(await withoutRow(owner, owners, reads)), ...(await withoutRow(target, held, reads)));
    for (const [text, items] of receiving) {
      // What else differs in the list is no part of this.
      const known = new Set([...inserted, ...(found.get(text)?.items ?? []).map(({ object }) => object)]);
      unwritten.push(...items.filter((item) => !known.has(item)).map((item) => insertOf(target, item)));
    }
    for (const text of owners) {
      const sql = found.get(text) ?? NO_LIST;
      const base = receiving.has(text) ? undefined : baseOf(sql, target, replica);
      lists.push({ name: { list, path, owner: text }, base, sql });
    }
  }
  if (lists.length === 0) return undefined;
  return new ListPlan(lists, () => unwritten, new Set(unwritten));
}

type Owners = {
  /** Of lists that are to be as the realm has them. */
  readonly named: readonly string[];
  /** Of lists in which objects are whose rows come in, with what is in them: the rows may need their foreign key. */
  readonly receiving: ReadonlyMap<string, readonly string[]>;
  readonly inserted: ReadonlySet<string>;
};

function ownersIn(
  { list, owner, target }: Ends,
  instructions: readonly MergedInstruction[],
  replica: Replica,
): Owners {
  const named = new Set<string>();
  const inserted = new Set<string>();
  for (const instruction of instructions) {
    if (!('key' in instruction)) continue;
    const { table, key, type } = instruction;
    const isOfList = 'property' in instruction ? instruction.property === list.property : type === 'DELETE';
    if (table === list.ownerClass && isOfList) named.add(objectText(owner, key));
    if (table === list.targetClass && type === 'INSERT') inserted.add(objectText(target, key));
  }
  const receiving = new Map<string, readonly string[]>();
  if (inserted.size > 0) {
    for (const { key } of replica.objects(list.ownerClass)) {
      const text = objectText(owner, key);
      const items = heldItems(list, replica, owner, target, text) ?? [];
      if (!named.has(text) && items.some((item) => inserted.has(item))) receiving.set(text, items);
    }
  }
  return { named: [...named], receiving, inserted };
}

/** By the objects of the owners. */
async function fetchOwned(
  { list, owner }: Ends,
  owners: readonly string[],
  mapping: Mapping,
  reads: Reads,
): Promise<ReadonlyMap<string, SqlList>> {
  const rows = new Map(owners.map((text) => [text, ownOfObject(owner, text)]));
  const known = [...rows.values()].filter((row) => row !== undefined);
  const found = await fetchLists(list, known, mapping, reads);
  return new Map(owners.map((text) => [text, found.get(rows.get(text) ?? '') ?? NO_LIST]));
}

/** Objects without a row. */
async function withoutRow(
  mapped: ClassMapping,
  texts: readonly string[],
  reads: Reads,
): Promise<MergedInstruction[]> {
  const { columns, toSql } = mapped.key;
  const missing = new Map(texts.map((text) => [toSql(objectKey(mapped, text)).join('\0'), text]));
  const keys = [...missing.values()].map((text) => toSql(objectKey(mapped, text)));
  for (const row of await reads.fetchRows(mapped.table, columns, keys, columns))
    missing.delete(row.join('\0'));
  return [...missing.values()].map((text) => insertOf(mapped, text));
}

/** As what inserts an object later: nothing can refer to its row yet. */
function insertOf(mapped: ClassMapping, text: string): MergedInstruction {
  return { type: 'INSERT', table: mapped.className, key: objectKey(mapped, text), values: new Map() };
}

/** With what the table has as the base, the realm's list is the change. Of rows that have no object nothing is said. */
function baseOf(sql: SqlList, target: ClassMapping, replica: ReplicaReader): ListBase {
  const items = sql.items.flatMap(({ object }) =>
    object !== undefined && replica.object(target.className, objectKey(target, object)) !== undefined
      ? [object]
      : [],
  );
  return { owner: sql.owner ?? '', items, rows: [], awaited: [] };
}
