/**
 * What must be written so that the database has the lists as the realm has them, with what others have done to them
 * there meanwhile: pure, from the lists as the database has them now. Who joins a list gets the owner into its foreign
 * key together with its other columns; who leaves it loses that one, unless somebody has moved it on already.
 */

import type { MergedInstruction } from '../../adapter/merged-instruction.ts';
import type { ReplicaReader } from '../../store/replica/contract.ts';
import { type NetEffect, objectToken } from '../apply/net-effect.ts';
import type { Cell } from '../apply/row-cells.ts';
import type { ApplyStatement, KeyLookup, SqlText } from '../dialect.ts';
import { tableId } from '../dialect.ts';
import { ApplyError, DataError } from '../errors.ts';
import type { ClassMapping, Mapping } from '../mapping/class-mapping.ts';
import { heldItems, objectKey } from './list-ends.ts';
import type { ListBase, ListName } from './list-marks.ts';
import { inOrderOf, mergeLists, sameList, withoutRepetitions } from './list-merge.ts';
import type { SqlItem, SqlList } from './sql-lists.ts';

/** A list that is to be written, as both sides knew it last and as the database has it now. */
export type ListToWrite = {
  readonly name: ListName;
  readonly base: ListBase | undefined;
  readonly sql: SqlList;
};

/** What the realm had when the list was written; `undefined` when its owner is gone. */
export type PlannedList = ListToWrite & { readonly items: readonly string[] | undefined };

export type ListStatements = {
  /** Rows leave lists: after rows were written and before rows are deleted. */
  readonly leaving: readonly ApplyStatement[];
  /** The list tables: last. */
  readonly order: readonly ApplyStatement[];
};

/** Marks items that only the database knows. */
const UNKNOWN = '\0';

export class ListPlan {
  readonly #lists: readonly ListToWrite[];
  readonly #waiting: () => readonly MergedInstruction[];
  readonly #known: ReadonlySet<MergedInstruction>;
  /** What came of it the last time. */
  planned: readonly PlannedList[] = [];
  /** Items that cannot leave their lists, because their foreign key requires a value. */
  refused: readonly { readonly name: ListName; readonly item: string }[] = [];

  /**
   * `waiting` are the changes of the realm that come later: what they insert has no row yet. `known` are those of them
   * whose lists are among `lists`.
   */
  constructor(
    lists: readonly ListToWrite[],
    waiting: () => readonly MergedInstruction[],
    known: ReadonlySet<MergedInstruction>,
  ) {
    this.#lists = lists;
    this.#waiting = waiting;
    this.#known = known;
  }

  /** Adds the foreign keys of who joins a list to what is written of the objects. Throws `DataError`. */
  statements(effect: NetEffect, mapping: Mapping, replica: ReplicaReader): ListStatements {
    const planned: PlannedList[] = [];
    const joining = new Map<string, Joining>();
    const left: Leaving[] = [];
    const gone: ApplyStatement[] = [];
    const order: ApplyStatement[] = [];
    const waiting = this.#waiting();
    const unwritten = insertedBy(waiting, effect);
    for (const given of this.#lists) {
      const { name, sql } = given;
      const owner = mapping.forClass(name.list.ownerClass);
      const target = mapping.forClass(name.list.targetClass);
      if (owner === undefined || target === undefined || unwritten.has(tokenOf(owner, name.owner))) continue;
      const held = heldItems(name.list, replica, owner, target, name.owner)?.filter(
        (item) => !unwritten.has(tokenOf(target, item)),
      );
      planned.push({ ...given, items: held });
      if (held === undefined) {
        gone.push(...withoutOwner(name, owner, target));
        continue;
      }
      const theirs = sql.items.map((item) => textOf(item, target, replica));
      const merged = mergedItems(given, held, theirs);
      const { member } = name.list;
      if (member !== undefined) {
        const present = new Set(theirs);
        for (const item of merged)
          if (!present.has(item))
            joining.set(`${member.column.name}\0${tokenOf(target, item)}`, { name, target, item });
        const kept = new Set(merged);
        sql.items.forEach(({ object }, index) => {
          const item = theirs[index];
          if (item !== undefined && object !== undefined && !kept.has(item))
            left.push({ name, target, item });
        });
      }
      order.push(...orderStatements(given, merged, owner, target));
    }
    this.planned = planned;
    for (const { name, target, item } of joining.values()) join(effect, name, target, item);
    const leaving = this.#leave(left, joining, effect, mapping, waiting);
    return { leaving: [...gone, ...leaving], order };
  }

  covers(table: string, property: string): boolean {
    return this.#lists.some(({ name }) => name.list.ownerClass === table && name.list.property === property);
  }

  #leave(
    left: readonly Leaving[],
    joining: ReadonlyMap<string, Joining>,
    effect: NetEffect,
    mapping: Mapping,
    waiting: readonly MergedInstruction[],
  ): ApplyStatement[] {
    const wanted = left.filter(({ name, target, item }) => {
      const token = tokenOf(target, item);
      const joins = joining.has(`${name.list.member?.column.name}\0${token}`);
      return !joins && effect.objects.get(token)?.operation !== 'delete';
    });
    this.refused = wanted.filter(({ name }) => name.list.member?.column.nullable === false);
    const [refused] = this.refused;
    if (refused !== undefined) {
      const error = cannotLeave(refused, mapping);
      // What has come meanwhile may put it into another list.
      if (waiting.every((instruction) => this.#known.has(instruction))) throw error;
      this.refused = [];
      throw new ApplyError(error.message, { errorClass: 'transient', cause: error });
    }
    const byColumn = Map.groupBy(
      wanted,
      ({ name, target }) => `${tableId(target.table.table)}\0${name.list.member?.column.name}`,
    );
    return [...byColumn.values()].flatMap((some): ApplyStatement[] => {
      const [first] = some;
      const member = first?.name.list.member;
      if (first === undefined || member === undefined) return [];
      const { key, table } = first.target;
      const column = member.column.name;
      return [
        {
          kind: 'update',
          table,
          keyColumns: [...key.columns, column],
          columns: [column],
          rows: some.map(({ name, target, item }) => [...keyTexts(target, item), name.owner, null]),
          ...lookupsOf([column, member.lookup]),
        },
      ];
    });
  }
}

/** Objects that later changes insert. */
function insertedBy(waiting: readonly MergedInstruction[], effect: NetEffect): ReadonlySet<string> {
  const inserted = new Set<string>();
  for (const instruction of waiting) {
    if (instruction.type !== 'INSERT') continue;
    const token = objectToken(instruction.table, instruction.key);
    const now = effect.objects.get(token)?.operation;
    if (now !== 'insert' && now !== 'replace') inserted.add(token);
  }
  return inserted;
}

type Joining = { readonly name: ListName; readonly target: ClassMapping; readonly item: string };
type Leaving = Joining;

/** What the list is to be: the realm's changes made in what the database has. */
function mergedItems(
  { name, base }: ListToWrite,
  held: readonly string[],
  present: readonly string[],
): readonly string[] {
  const theirs = name.list.order === undefined ? inOrderOf(base?.items ?? [], present) : present;
  const merged =
    base === undefined
      ? [...held, ...theirs.filter((item) => !held.includes(item))]
      : mergeLists(base.items, held, theirs);
  return name.list.member === undefined ? merged : withoutRepetitions(merged);
}

/** By its object where the realm has that. */
function textOf({ row, object }: SqlItem, target: ClassMapping, replica: ReplicaReader): string {
  const isHeld =
    object !== undefined && replica.object(target.className, objectKey(target, object)) !== undefined;
  return isHeld ? object : UNKNOWN + row;
}

/** Nobody may refer to the row of an owner that is to be deleted. */
function withoutOwner(
  { list, owner: text }: ListName,
  owner: ClassMapping,
  target: ClassMapping,
): ApplyStatement[] {
  const { member } = list;
  if (member === undefined || !member.column.nullable) return [];
  const column = member.column.name;
  const row = objectKey(owner, text);
  return [
    {
      kind: 'update',
      table: target.table,
      keyColumns: [column],
      columns: [column],
      rows: [[owner.key.toSql(row)[0] ?? null, null]],
      ...lookupsOf([column, member.lookup]),
    },
  ];
}

/** With the other columns of the object, so that a foreign key that requires a value has it from the beginning. */
function join(effect: NetEffect, { list, owner }: ListName, target: ClassMapping, item: string): void {
  if (list.member === undefined) return;
  const key = objectKey(target, item);
  const token = objectToken(target.className, key);
  let object = effect.objects.get(token);
  if (object === undefined) {
    object = { table: target.className, key, operation: 'update', values: new Map() };
    effect.objects.set(token, object);
  }
  const cell: Cell = { text: owner, lookup: list.member.lookup };
  object.cells = new Map(object.cells).set(list.member.column.name, cell);
}

function orderStatements(
  { name, sql }: ListToWrite,
  merged: readonly string[],
  owner: ClassMapping,
  target: ClassMapping,
): ApplyStatement[] {
  const { order, watched } = name.list;
  if (order === undefined) return [];
  const rows = new Map(sql.items.flatMap(({ row, object }) => (object === undefined ? [] : [[object, row]])));
  const wanted = merged.map((item) =>
    item.startsWith(UNKNOWN) ? item.slice(UNKNOWN.length) : rows.get(item),
  );
  const isSame =
    sql.rows.length === wanted.length &&
    sql.rows.every(({ index, target: row }, place) => index === String(place) && row === wanted[place]);
  if (isSame) return [];
  const oid: [string, KeyLookup | undefined] = ['oid', owner.key.row?.lookup];
  const items: [string, KeyLookup | undefined] = ['target', target.key.row?.lookup];
  if (!watched) {
    const known = merged.filter((item) => !item.startsWith(UNKNOWN));
    return [
      {
        kind: 'replaceItems',
        table: order,
        columns: ['idx', 'target'],
        oids: [name.owner],
        rows: known.map((item, index) => [name.owner, String(index), item]),
        ...lookupsOf(oid, items),
      },
    ];
  }
  const before = new Map(sql.rows.map(({ index, target: row }) => [index, row]));
  const known: SqlText[][] = [];
  const unknown: SqlText[][] = [];
  wanted.forEach((row, index) => {
    const at = String(index);
    if (row === undefined) unknown.push([name.owner, at, merged[index] ?? null]);
    else if (before.get(at) !== row) known.push([name.owner, at, row]);
  });
  const surplus = sql.rows.filter(({ index }) => Number(index) >= wanted.length || Number(index) < 0);
  const upsert = { kind: 'upsert', table: order, keyColumns: ['oid', 'idx'], columns: ['target'] } as const;
  return [
    ...(surplus.length === 0
      ? []
      : [
          {
            kind: 'delete',
            table: order,
            keyColumns: ['oid', 'idx'],
            rows: surplus.map(({ index }) => [sql.owner ?? '', index]),
          } as const,
        ]),
    ...(known.length === 0 ? [] : [{ ...upsert, rows: known, ...lookupsOf(oid) }]),
    ...(unknown.length === 0 ? [] : [{ ...upsert, rows: unknown, ...lookupsOf(oid, items) }]),
  ];
}

function lookupsOf(...columns: readonly (readonly [string, KeyLookup | undefined])[]) {
  const lookups = new Map(
    columns.flatMap(([name, lookup]) => (lookup === undefined ? [] : [[name, lookup] as const])),
  );
  return lookups.size === 0 ? {} : { lookups };
}

function tokenOf(target: ClassMapping, item: string): string {
  return objectToken(target.className, objectKey(target, item));
}

function keyTexts(target: ClassMapping, item: string): readonly string[] {
  return target.key.toSql(objectKey(target, item));
}

function cannotLeave(
  { name, item }: { readonly name: ListName; readonly item: string },
  mapping: Mapping,
): DataError {
  const { ownerClass, property, targetClass, member } = name.list;
  const table = mapping.forClass(targetClass)?.table.table;
  const column = table === undefined ? property : `${tableId(table)}.${member?.column.name}`;
  return new DataError(
    `${targetClass} ${item} cannot leave ${ownerClass}.${property} of ${name.owner}: its column ${column} requires a value`,
    {
      remedy: `put it into another list or delete it in the same transaction, or let the column be NULL`,
      object: { class: targetClass, key: item },
    },
  );
}

/** Whether the list table says exactly what the list is. */
export function isTidy({ name, sql }: Pick<ListToWrite, 'name' | 'sql'>): boolean {
  if (name.list.order === undefined) return true;
  return (
    sql.rows.every(({ index }, place) => index === String(place)) &&
    sameList(
      sql.rows.map(({ target }) => target ?? ''),
      sql.items.map(({ row }) => row),
    )
  );
}
