/** Statements on the tables of collections: changes of lists of links one by one, every other collection whole. */
import { NULL, type PrimaryKey } from '../../schema/value.ts';
import type { ReplicaReader } from '../../store/replica/contract.ts';
import { defaultValue } from '../../store/state/default-value.ts';
import type { StateValue } from '../../store/state/object-state.ts';
import { type ApplyStatement, type SqlText, type TableInfo, tableId } from '../dialect.ts';
import type { ListPlan } from '../lists/list-plan.ts';
import type { ClassMapping, ItemTableMapping, ListMapping, Mapping } from '../mapping/class-mapping.ts';
import type { ListChange, NetEffect, ObjectEffect } from './net-effect.ts';
import { isDeadLink } from './row-cells.ts';

/**
 * Lists of links come as changes of single elements. One that a column holds is written whole, as the realm has it now:
 * adds that value to what is written of its object.
 */
export function addWholeLists(effect: NetEffect, mapping: Mapping, replica: ReplicaReader): void {
  for (const [token, changes] of effect.lists) {
    for (const { table, key, property } of changes) {
      const state = mapping.forClass(table)?.states.get(property);
      if (state === undefined) continue;
      const object = replica.object(table, key);
      if (object === undefined) break; // its deletion follows
      let written = effect.objects.get(token);
      if (written === undefined) {
        written = { table, key, operation: 'update', values: new Map() };
        effect.objects.set(token, written);
      }
      if (written.operation === 'delete') break;
      written.values.set(property, object.fields.get(property) ?? defaultValue(state.definition));
    }
  }
}

/** Without the lists that `others` plans. */
export function planLists(
  effect: NetEffect,
  mapping: Mapping,
  replica: ReplicaReader,
  others?: Pick<ListPlan, 'covers'>,
): ApplyStatement[] {
  const statements: ApplyStatement[] = [...clearedOfReplaced(effect, mapping, others)];
  for (const changes of effect.lists.values()) {
    const first = changes[0];
    const mapped = first === undefined ? undefined : mapping.forClass(first.table);
    if (first === undefined || mapped === undefined) continue;
    const alive = replica.object(first.table, first.key) !== undefined;
    const oid = oidOf(mapped, first.key);
    const gone = new Set<string>();
    for (const change of changes) {
      const list = mapped.lists.get(change.property);
      if (list === undefined || others?.covers(change.table, change.property)) continue;
      if (alive) statements.push(listStatement(change, list, mapped, oid, mapping, replica));
      else if (!gone.has(change.property)) {
        gone.add(change.property);
        statements.push({ kind: 'listClear', ...listOf(list, mapped), oid });
      }
    }
  }
  return statements;
}

/** The row of an object that was deleted and made again may be the same one, with the lists that it had. */
function* clearedOfReplaced(
  effect: NetEffect,
  mapping: Mapping,
  others: Pick<ListPlan, 'covers'> | undefined,
): Generator<ApplyStatement> {
  for (const { table, key, operation } of effect.objects.values()) {
    const mapped = operation === 'replace' ? mapping.forClass(table) : undefined;
    if (mapped === undefined) continue;
    for (const list of mapped.lists.values()) {
      if (others?.covers(table, list.property)) continue;
      yield { kind: 'listClear', ...listOf(list, mapped), oid: oidOf(mapped, key) };
    }
  }
}

/** The items of what was written of collections, in place of those that the tables have. */
export function planItems(effect: NetEffect, mapping: Mapping, replica: ReplicaReader): ApplyStatement[] {
  const replaced = new Map<ItemTableMapping, Replacement>();
  for (const object of effect.objects.values()) {
    const mapped = mapping.forClass(object.table);
    if (mapped === undefined || object.operation === 'delete') continue;
    for (const items of mapped.itemTables.values()) {
      const value = writtenItems(object, items);
      if (value === undefined) continue;
      let replacement = replaced.get(items);
      if (replacement === undefined) {
        replacement = { mapped, oids: [], rows: [] };
        replaced.set(items, replacement);
      }
      const oid = oidOf(mapped, object.key);
      replacement.oids.push(oid);
      const kept = refersToRows(items.table) ? withoutDeadItems(value, replica) : value;
      for (const row of items.toSql(kept)) replacement.rows.push([oid, ...row]);
    }
  }
  return [...replaced].map(([items, { mapped, oids, rows }]) => ({
    kind: 'replaceItems',
    table: items.table,
    columns: items.columns,
    oids,
    rows,
    lookups: itemLookups(items, mapped),
  }));
}

type Replacement = { readonly mapped: ClassMapping; readonly oids: string[]; readonly rows: SqlText[][] };

/** A foreign key lets no item stay that leads nowhere. */
function refersToRows(table: TableInfo): boolean {
  return table.foreignKeys.some(({ columns }) => columns.includes('target'));
}

/** As the realm shows it: a set without links to nothing, elsewhere null in their place. */
function withoutDeadItems(value: StateValue, replica: ReplicaReader): StateValue {
  const shown = (item: StateValue): StateValue => (isDeadLink(item, replica) ? NULL : item);
  switch (value.type) {
    case 'list':
      return { type: 'list', items: value.items.map(shown) };
    case 'dictionary':
      return {
        type: 'dictionary',
        entries: new Map([...value.entries].map(([key, item]) => [key, shown(item)])),
      };
    case 'set':
      return {
        type: 'set',
        items: new Map([...value.items].filter(([, item]) => !isDeadLink(item, replica))),
      };
    default:
      return value;
  }
}

/** What must happen to items of whatever object before these rows can go: nobody may refer to them any more. */
export function forgottenItems(
  gone: TableInfo,
  keys: readonly (readonly SqlText[])[],
  mapping: Mapping,
): ApplyStatement[] {
  const tables = mapping.order.flatMap(({ lists, itemTables }) =>
    [...lists.values(), ...itemTables.values()].map(({ table }) => table),
  );
  const statements: ApplyStatement[] = [];
  for (const table of tables) {
    const refers = table.foreignKeys.some(
      ({ columns, referenced }) =>
        columns.length === 1 && columns[0] === 'target' && tableId(referenced) === tableId(gone.table),
    );
    const target = table.columns.find(({ name }) => name === 'target');
    if (!refers || target === undefined) continue;
    const keyColumns = ['target'];
    const rows = keys.map(([key]) => [key ?? null]);
    statements.push(
      target.nullable
        ? {
            kind: 'update',
            table,
            keyColumns,
            columns: keyColumns,
            rows: rows.map(([key]) => [key ?? null, null]),
          }
        : { kind: 'delete', table, keyColumns, rows },
    );
  }
  return statements;
}

function writtenItems(
  object: ObjectEffect,
  { property, definition }: ItemTableMapping,
): StateValue | undefined {
  const value = object.values.get(property);
  if (value === undefined && object.operation !== 'replace') return undefined;
  return value ?? defaultValue(definition);
}

/**
 * Empties the collections of objects that are gone; what refers to a row goes before it. `rows` are the keys that the
 * database had for rows that are gone already, by which the tables know them.
 */
export function clearedCollections(
  mapped: ClassMapping,
  keys: readonly PrimaryKey[],
  rows?: readonly string[],
): ApplyStatement[] {
  if (mapped.lists.size === 0 && mapped.itemTables.size === 0) return [];
  const oids = rows ?? keys.map((key) => oidOf(mapped, key));
  const known = new Map(keys.map((key) => [oidOf(mapped, key), mapped.key.row?.rowOf(key)]));
  return [
    ...[...mapped.lists.values()].flatMap((list) =>
      oids.map((oid): ApplyStatement => {
        const place = rows === undefined ? listOf(list, mapped) : { table: list.table };
        const knownOid = rows === undefined ? known.get(oid) : undefined;
        return { kind: 'listClear', ...place, oid, ...(knownOid === undefined ? {} : { knownOid }) };
      }),
    ),
    ...[...mapped.itemTables.values()].map(
      (items): ApplyStatement => ({
        kind: 'replaceItems',
        table: items.table,
        columns: items.columns,
        oids,
        rows: [],
        ...(rows === undefined ? { lookups: itemLookups(items, mapped) } : {}),
      }),
    ),
  ];
}

/** Empties all collections of a class. */
export function emptiedCollections(mapped: ClassMapping): ApplyStatement[] {
  const tables = [...mapped.lists.values(), ...mapped.itemTables.values()];
  return tables.map(({ table }) => ({ kind: 'deleteAll', table }));
}

function listOf({ table, targetLookup }: ListMapping, { key }: ClassMapping) {
  return {
    table,
    ...(key.row === undefined ? {} : { oidLookup: key.row.lookup }),
    ...(targetLookup === undefined ? {} : { targetLookup }),
  };
}

function itemLookups({ targetLookup }: ItemTableMapping, { key }: ClassMapping) {
  return new Map([
    ...(key.row === undefined ? [] : [['oid', key.row.lookup] as const]),
    ...(targetLookup === undefined ? [] : [['target', targetLookup] as const]),
  ]);
}

function listStatement(
  change: ListChange,
  list: ListMapping,
  mapped: ClassMapping,
  oid: string,
  mapping: Mapping,
  replica: ReplicaReader,
): ApplyStatement {
  const common = { ...listOf(list, mapped), oid };
  switch (change.type) {
    case 'LIST_INSERT':
    case 'LIST_SET': {
      const kind = change.type === 'LIST_INSERT' ? 'listInsert' : 'listSet';
      const isFree = list.targetLookup !== undefined && !refersToRows(list.table);
      const gone = isFree ? rowOfGone(change.target, mapping, replica) : undefined;
      if (gone !== undefined) {
        const { targetLookup: _, ...place } = common;
        return { kind, ...place, index: change.index, target: gone.row };
      }
      const isDead = refersToRows(list.table) && isDeadLink(change.target, replica);
      const target = list.toSql(isDead ? NULL : linkOrNull(change.target));
      return { kind, ...common, index: change.index, target };
    }
    case 'LIST_ERASE':
      return { kind: 'listErase', ...common, index: change.index };
    case 'LIST_CLEAR':
      return { kind: 'listClear', ...common };
  }
}

/** Of a link to an object that is gone, the row that it had: the item keeps its place, as in the realm. */
function rowOfGone(
  target: StateValue,
  mapping: Mapping,
  replica: ReplicaReader,
): { readonly row: SqlText } | undefined {
  if (target.type !== 'link' || replica.object(target.table, target.key) !== undefined) return undefined;
  return { row: mapping.forClass(target.table)?.key.row?.rowOf(target.key) ?? null };
}

function linkOrNull(value: StateValue): StateValue & { type: 'link' | 'null' } {
  return value.type === 'link' ? value : NULL;
}

/** The text by which the tables of collections know an object: its key, parts of a compound key joined as in the realm. */
export function oidOf(mapped: ClassMapping, key: PrimaryKey): string {
  const texts = mapped.key.toSql(key); // refuses keys that no row can have
  return texts.length > 1 && key.type === 'string' ? key.value : (texts[0] ?? '');
}
