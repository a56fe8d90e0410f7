/** Foreign keys: children must have parents, and what happens to them when those change or go. */
import { type Datum, SqlFailure } from '../../contract.ts';
import { datumKey, tupleKey } from '../storage/datum-key.ts';
import type { Column, ForeignKey } from '../storage/definition.ts';
import { LockWait } from '../storage/locks.ts';
import type { Row, Table } from '../storage/table.ts';
import type { Data, Run } from './environment.ts';
import { newEnv } from './environment.ts';
import { RowWriter, type Verb, type Written } from './row-writer.ts';
import { tableExpressions } from './table-expressions.ts';

/** The key of some columns' values by the collations of others; undefined when one is NULL, which refers to nothing. */
function keyOf(data: Data, columns: readonly Column[], as: readonly Column[]): string | undefined {
  const parts: string[] = [];
  for (const [at, column] of columns.entries()) {
    const value = data[column.slot] ?? null;
    if (value === null) return undefined;
    parts.push(datumKey(value, as[at]!.collation));
  }
  return tupleKey(parts);
}

function databaseOf(run: Run, table: Table) {
  return run.session.instance.databaseOf(table) ?? run.database;
}

/** That every written child has its parent, or 547. */
export function checkForeignKeys(run: Run, table: Table, verb: Verb, written: readonly Written[]): void {
  for (const key of table.foreignKeys) {
    if (key.disabled) continue;
    const parent = databaseOf(run, table).tableById(key.referencedTable);
    if (!parent) continue;
    for (const { row, before } of written) {
      const data = row.head.data;
      if (!data) continue;
      const wanted = keyOf(data, key.columns, key.referencedColumns);
      if (wanted === undefined) continue;
      if (before && keyOf(before, key.columns, key.referencedColumns) === wanted) continue;
      if (!parentExists(run, parent, key.referencedColumns, wanted)) {
        throw conflict(
          run,
          verb,
          parent === table ? 'FOREIGN KEY SAME TABLE' : 'FOREIGN KEY',
          key,
          parent,
          key.referencedColumns,
        );
      }
    }
  }
}

/** Whether a committed row, or one of our own, has the key. Waits for those who are writing such a row. */
function parentExists(run: Run, parent: Table, columns: readonly Column[], key: string): boolean {
  for (const row of candidates(parent, columns, new Set([key]))) {
    const { head } = row;
    if (head.writer !== undefined && head.writer !== run.transaction) throw new LockWait([head.writer.owner]);
    if (head.data && keyOf(head.data, columns, columns) === key) return true;
  }
  return false;
}

/** Rows some version of which may have one of the keys: through an index, or all. */
function candidates(table: Table, columns: readonly Column[], keys: ReadonlySet<string>): Iterable<Row> {
  const index = table.indexes.find(
    (one) =>
      one.filter === undefined &&
      one.columns.length === columns.length &&
      one.columns.every(({ column }, at) => column === columns[at]),
  );
  if (!index) return [...table.rows.values()];
  const hash = table.hash(index);
  return [...keys].flatMap((key) => hash.find(key));
}

/** After deletes and updates: children of what is gone are refused, deleted or changed. */
export function referenceActions(writer: RowWriter, verb: Verb): void {
  const { run, table } = writer;
  if (table.temporary) return;
  for (const child of databaseOf(run, table).tables.values()) {
    for (const key of child.foreignKeys) {
      if (key.referencedTable !== table.id || key.disabled) continue;
      const gone = goneKeys(writer, key);
      if (gone.size > 0) act(writer, verb, child, key, gone);
    }
  }
}

/** Keys that no row has any more, with the row that had them. */
function goneKeys(writer: RowWriter, key: ForeignKey): Map<string, Written> {
  const gone = new Map<string, Written>();
  for (const one of writer.written) {
    if (!one.before) continue;
    const old = keyOf(one.before, key.referencedColumns, key.referencedColumns);
    if (old === undefined) continue;
    const now = one.row.head.data && keyOf(one.row.head.data, key.referencedColumns, key.referencedColumns);
    if (now !== old) gone.set(old, one);
  }
  for (const old of [...gone.keys()]) {
    if (parentExists(writer.run, writer.table, key.referencedColumns, old)) gone.delete(old);
  }
  return gone;
}

function act(
  writer: RowWriter,
  verb: Verb,
  child: Table,
  key: ForeignKey,
  gone: ReadonlyMap<string, Written>,
): void {
  const { run } = writer;
  const affected: { readonly row: Row; readonly data: Data; readonly parent: Written }[] = [];
  for (const row of candidates(child, key.columns, new Set(gone.keys()))) {
    const { head } = row;
    if (head.writer !== undefined && head.writer !== run.transaction) {
      const versions = [head.data, head.previous?.data ?? null];
      const concerned = versions.some(
        (data) => data && gone.has(keyOf(data, key.columns, key.referencedColumns) ?? '∅'),
      );
      if (concerned) throw new LockWait([head.writer.owner]);
      continue;
    }
    if (!head.data) continue;
    const wanted = keyOf(head.data, key.columns, key.referencedColumns);
    const parent = wanted === undefined ? undefined : gone.get(wanted);
    if (parent) affected.push({ row, data: head.data, parent });
  }
  if (affected.length === 0) return;
  const deleted = (one: Written) => one.row.head.data === null;
  const actionOf = (one: Written) => (deleted(one) ? key.onDelete : key.onUpdate);
  if (affected.some(({ parent }) => actionOf(parent) === 'no action')) {
    const kind = child === writer.table ? 'SAME TABLE REFERENCE' : 'REFERENCE';
    throw conflict(run, verb, kind, key, child, key.columns);
  }
  const deletes = new RowWriter(run, child, 'DELETE', writer.writer.context);
  const updates = new RowWriter(run, child, 'UPDATE', writer.writer.context);
  const ids = new Set(key.columns.map((column) => column.id));
  for (const { row, data, parent } of affected) {
    if (row.head.data === null) continue;
    if (actionOf(parent) === 'cascade' && deleted(parent)) deletes.delete(row);
    else updates.update(row, changedChild(run, child, key, data, parent, actionOf(parent)), ids);
  }
  deletes.finish();
  updates.finish();
}

function changedChild(
  run: Run,
  child: Table,
  key: ForeignKey,
  data: Data,
  parent: Written,
  action: ForeignKey['onDelete'],
): Datum[] {
  const changed = data.slice();
  const { defaults } = tableExpressions(run, child);
  for (const [at, column] of key.columns.entries()) {
    if (action === 'cascade')
      changed[column.slot] = parent.row.head.data![key.referencedColumns[at]!.slot] ?? null;
    else if (action === 'set default') {
      changed[column.slot] = defaults.get(column)?.evaluate(newEnv(run, undefined, [changed])) ?? null;
    } else changed[column.slot] = null;
  }
  return changed;
}

function conflict(
  run: Run,
  verb: Verb,
  kind: string,
  key: ForeignKey,
  table: Table,
  columns: readonly Column[],
): SqlFailure {
  const column = columns.length === 1 ? `, column '${columns[0]!.name}'` : '';
  return new SqlFailure(
    547,
    `The ${verb} statement conflicted with the ${kind} constraint "${key.name}". The conflict occurred in database "${databaseOf(run, table).name}", table "${table.schema}.${table.name}"${column}.`,
    { state: 0 },
  );
}

/** That all rows that are there have their parents: for a constraint that is added or checked again. */
export function verifyForeignKey(run: Run, table: Table, key: ForeignKey): void {
  const parent = databaseOf(run, table).tableById(key.referencedTable);
  if (!parent) return;
  const known = new Set<string>();
  for (const row of table.rows.values()) {
    const { data } = row.head;
    const wanted = data && keyOf(data, key.columns, key.referencedColumns);
    if (wanted === null || wanted === undefined || known.has(wanted)) continue;
    if (!parentExists(run, parent, key.referencedColumns, wanted)) {
      throw conflict(run, 'ALTER TABLE' as Verb, 'FOREIGN KEY', key, parent, key.referencedColumns);
    }
    known.add(wanted);
  }
}
