/** Statements on the tables of collections: changes of lists of links one by one, every other collection whole. */
import { NULL, type PrimaryKey } from '../../schema/value.ts';
import type { ReplicaReader } from '../../store/replica/contract.ts';
import { defaultValue } from '../../store/state/default-value.ts';
import type { StateValue } from '../../store/state/object-state.ts';
import type { ApplyStatement, SqlText } from '../dialect.ts';
import type { ClassMapping, ItemTableMapping, ListMapping, Mapping } from '../mapping/class-mapping.ts';
import type { ListChange, NetEffect, ObjectEffect } from './net-effect.ts';

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

export function planLists(effect: NetEffect, mapping: Mapping, replica: ReplicaReader): ApplyStatement[] {
  const statements: ApplyStatement[] = [];
  for (const changes of effect.lists.values()) {
    const first = changes[0];
    const mapped = first === undefined ? undefined : mapping.forClass(first.table);
    if (first === undefined || mapped === undefined) continue;
    const alive = replica.object(first.table, first.key) !== undefined;
    const oid = oidOf(mapped, first.key);
    const gone = new Set<string>();
    for (const change of changes) {
      const list = mapped.lists.get(change.property);
      if (list === undefined) continue;
      if (alive) statements.push(listStatement(change, list, mapped, oid));
      else if (!gone.has(change.property)) {
        gone.add(change.property);
        statements.push({ kind: 'listClear', ...listOf(list, mapped), oid });
      }
    }
  }
  return statements;
}

/** The items of what was written of collections, in place of those that the tables have. */
export function planItems(effect: NetEffect, mapping: Mapping): ApplyStatement[] {
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
      for (const row of items.toSql(value)) replacement.rows.push([oid, ...row]);
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

function writtenItems(
  object: ObjectEffect,
  { property, definition }: ItemTableMapping,
): StateValue | undefined {
  const value = object.values.get(property);
  if (value === undefined && object.operation !== 'replace') return undefined;
  return value ?? defaultValue(definition);
}

/** Empties the collections of objects that are gone; what refers to a row goes before it. */
export function clearedCollections(mapped: ClassMapping, keys: readonly PrimaryKey[]): ApplyStatement[] {
  const oids = keys.map((key) => oidOf(mapped, key));
  return [
    ...[...mapped.lists.values()].flatMap((list) =>
      oids.map((oid): ApplyStatement => ({ kind: 'listClear', ...listOf(list, mapped), oid })),
    ),
    ...[...mapped.itemTables.values()].map(
      (items): ApplyStatement => ({
        kind: 'replaceItems',
        table: items.table,
        columns: items.columns,
        oids,
        rows: [],
        lookups: itemLookups(items, mapped),
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
): ApplyStatement {
  const common = { ...listOf(list, mapped), oid };
  switch (change.type) {
    case 'LIST_INSERT':
    case 'LIST_SET': {
      const kind = change.type === 'LIST_INSERT' ? 'listInsert' : 'listSet';
      return { kind, ...common, index: change.index, target: list.toSql(linkOrNull(change.target)) };
    }
    case 'LIST_ERASE':
      return { kind: 'listErase', ...common, index: change.index };
    case 'LIST_CLEAR':
      return { kind: 'listClear', ...common };
  }
}

function linkOrNull(value: StateValue): StateValue & { type: 'link' | 'null' } {
  return value.type === 'link' ? value : NULL;
}

/** The text by which the tables of collections know an object: its key, parts of a compound key joined as in the realm. */
export function oidOf(mapped: ClassMapping, key: PrimaryKey): string {
  return mapped.key.toSql(key).join('-');
}
