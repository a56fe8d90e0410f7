/** Turns the changes of a committed transaction into what change tracking remembers of it (sql-server.md §2). */
import type { Datum } from '../../contract.ts';
import { datumKey, tupleKey } from '../storage/datum-key.ts';
import type { Index } from '../storage/definition.ts';
import type { Table } from '../storage/table.ts';
import type { RowChange } from '../storage/transaction.ts';

/** The primary key's values of a row, and the text under which its changes are kept. */
export function trackedKey(
  index: Index,
  data: readonly Datum[],
): { readonly mapKey: string; readonly key: readonly Datum[] } {
  const key = index.columns.map(({ column }) => data[column.slot] ?? null);
  return { key, mapKey: keyText(index, key) };
}

export function keyText(index: Index, key: readonly Datum[]): string {
  return tupleKey(index.columns.map(({ column }, at) => datumKey(key[at] ?? null, column.collation)));
}

/** Records one change of a row under the version of its transaction. */
export function recordChange(change: RowChange, version: number): void {
  const { table, before, after, context } = change;
  const { tracking, primaryKey } = table;
  if (!tracking || !primaryKey) return;
  const old = before ? trackedKey(primaryKey, before) : undefined;
  const now = after ? trackedKey(primaryKey, after) : undefined;
  if (old && now && old.mapKey === now.mapKey) {
    const columns = tracking.columnsTracked ? partialColumns(table, change.updated) : undefined;
    tracking.record(now.mapKey, now.key, { version, operation: 'U', columns, context });
    return;
  }
  // A changed key is a deleted row and an inserted one (fact 12).
  if (old) tracking.record(old.mapKey, old.key, { version, operation: 'D', columns: undefined, context });
  if (now) tracking.record(now.mapKey, now.key, { version, operation: 'I', columns: undefined, context });
}

/** The columns that an update set, or undefined when it was all that are not in the key (fact 16). */
function partialColumns(
  table: Table,
  updated: ReadonlySet<number> | undefined,
): ReadonlySet<number> | undefined {
  if (!updated) return undefined;
  const key = new Set(table.primaryKey!.columns.map(({ column }) => column.id));
  const others = table.columns.filter((column) => !column.computed && !key.has(column.id));
  const plain = new Set([...updated].filter((id) => others.some((column) => column.id === id)));
  return others.every((column) => plain.has(column.id)) ? undefined : plain;
}
