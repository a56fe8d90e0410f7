/** Writing versions of rows, with the locks, conflicts and unique keys that go with it. */
import { type Datum, SqlFailure } from '../../contract.ts';
import type { Index } from './definition.ts';
import { type Locks, LockWait } from './locks.ts';
import { keyResource } from './reading.ts';
import { Row, type Table } from './table.ts';
import type { Transaction } from './transaction.ts';

export type Writer = {
  readonly transaction: Transaction;
  readonly locks: Locks;
  /** Of `WITH CHANGE_TRACKING_CONTEXT`. */
  readonly context: Uint8Array | null;
};

export function insertRow(writer: Writer, table: Table, data: readonly Datum[]): Row {
  const { transaction } = writer;
  intend(writer, table);
  checkKeys(writer, table, data);
  const id = table.nextRowId++;
  const row = new Row(id, { data, writer: transaction, commit: 0, previous: undefined });
  table.rows.set(id, row);
  for (const index of table.indexes) table.hash(index).add(row, data);
  transaction.changes.push({
    kind: 'row',
    table,
    row,
    before: null,
    after: data,
    context: writer.context,
    updated: undefined,
  });
  return row;
}

/** Writes new values of a row, or deletes it (`data` null). */
export function writeRow(
  writer: Writer,
  table: Table,
  row: Row,
  data: readonly Datum[] | null,
  updated: ReadonlySet<number> | undefined,
): void {
  const { transaction, locks } = writer;
  const { head } = row;
  intend(writer, table);
  if (head.writer !== undefined && head.writer !== transaction) throw new LockWait([head.writer.owner]);
  if (locks.any) locks.check(transaction.owner, row, 'X');
  if (
    transaction.snapshot !== undefined &&
    head.writer === undefined &&
    head.commit > transaction.snapshot &&
    !table.temporary
  ) {
    throw updateConflict(table);
  }
  if (head.data === null) throw new Error(`A row of ${table.name} that does not exist is written.`);
  if (data) checkKeys(writer, table, data, head.data);
  table.addVersion(row, { data, writer: transaction, commit: 0, previous: head });
  transaction.changes.push({
    kind: 'row',
    table,
    row,
    before: head.data,
    after: data,
    context: writer.context,
    updated,
  });
}

function intend(writer: Writer, table: Table): void {
  if (!table.temporary) writer.locks.acquire(writer.transaction.owner, table, 'IX');
}

/** Somebody else may have locked the keys that the row gets (HOLDLOCK): then it has to wait. */
function checkKeys(writer: Writer, table: Table, data: readonly Datum[], before?: readonly Datum[]): void {
  if (!writer.locks.any || table.temporary) return;
  for (const index of table.indexes) {
    const key = table.keyOf(index, data);
    if (before && table.keyOf(index, before) === key) continue;
    writer.locks.check(writer.transaction.owner, keyResource(table.id, index.id, key), 'X');
  }
}

/**
 * That no two rows share a key of a unique index, after a statement wrote `rows`. A key that somebody else is just
 * inserting or deleting has to be waited for.
 */
export function checkUnique(
  transaction: Transaction,
  table: Pick<Table, 'indexes' | 'hash'>,
  rows: Iterable<Row>,
  duplicate: (index: Index, data: readonly Datum[]) => SqlFailure,
): void {
  const unique = table.indexes.filter((index) => index.unique);
  if (unique.length === 0) return;
  for (const row of rows) {
    const { data } = row.head;
    if (!data) continue;
    for (const index of unique) {
      const hash = table.hash(index);
      const key = hash.keyOf(data);
      if (key === undefined) continue;
      for (const other of hash.find(key)) {
        if (other === row) continue;
        const { head } = other;
        if (head.writer !== undefined && head.writer !== transaction) {
          const before = head.previous?.data;
          const concerned =
            (head.data && hash.keyOf(head.data) === key) || (before && hash.keyOf(before) === key);
          if (concerned) throw new LockWait([head.writer.owner]);
        } else if (head.data && hash.keyOf(head.data) === key) {
          throw duplicate(index, data);
        }
      }
    }
  }
}

function updateConflict(table: Table): SqlFailure {
  return new SqlFailure(
    3960,
    `Snapshot isolation transaction aborted due to update conflict. You cannot use snapshot isolation to access table '${table.schema}.${table.name}' directly or indirectly to update, delete, or insert the row that has been modified or deleted by another transaction. Retry the transaction or change the isolation level for the update/delete statement.`,
    { state: 2, rolledBack: true },
  );
}
