/** INSERT BULK and the rows that follow it. */
import { type Datum, SqlFailure, type SqlType } from '../../contract.ts';
import type { InsertBulk } from '../../sql/ast.ts';
import { assigner, namedColumns } from '../executor/assigning.ts';
import { type Data, newEnv, type Run } from '../executor/environment.ts';
import { nextIdentity, noteIdentity } from '../executor/identity.ts';
import { RowWriter } from '../executor/row-writer.ts';
import { tableExpressions } from '../executor/table-expressions.ts';
import type { Session } from './session.ts';

type Announced = {
  readonly statement: InsertBulk;
  readonly columns: readonly { readonly name: string; readonly type: SqlType }[];
};

const announced = new WeakMap<Session, Announced>();

export function announceBulk(session: Session, statement: InsertBulk, columns: Announced['columns']): void {
  const table = session.requireTable(statement.target);
  session.checkPermission('INSERT', table, undefined, statement.line);
  namedColumns(
    table,
    columns.map(({ name }) => name),
    statement.line,
  );
  announced.set(session, { statement, columns });
}

/** Inserts the rows of a bulk load as one statement. Returns their number. */
export function loadBulk(
  session: Session,
  run: Run,
  given: readonly { readonly type: SqlType }[],
  rows: readonly Data[],
): number {
  const announcement = announced.get(session);
  if (!announcement)
    throw new SqlFailure(4022, 'Bulk load data was expected but not sent. The batch will be terminated.');
  const { statement, columns } = announcement;
  const table = session.requireTable(statement.target);
  session.beforeWrite(run, table);
  const named = namedColumns(
    table,
    columns.map(({ name }) => name),
    statement.line,
  );
  const assign = named.map((column, at) =>
    assigner(run, table, column, given[at]?.type ?? columns[at]!.type),
  );
  const { defaults } = tableExpressions(run, table);
  const keepNulls = statement.options.includes('KEEP_NULLS');
  const identity = table.identityColumn;
  const keepIdentity = identity !== undefined && named.includes(identity) && session.identityInsert === table;
  const writer = new RowWriter(run, table, 'INSERT', null);
  const env = newEnv(run);
  for (const row of rows) {
    const data: Datum[] = new Array(table.nextSlot).fill(null);
    for (const [at, column] of named.entries()) data[column.slot] = assign[at]!(row[at] ?? null);
    for (const column of table.columns) {
      const value = defaults.get(column);
      if (!value || (named.includes(column) && (keepNulls || data[column.slot] !== null))) continue;
      env.rows = [data];
      data[column.slot] = assigner(run, table, column, value.type)(value.evaluate(env));
    }
    if (identity && keepIdentity) noteIdentity(run, identity, data[identity.slot] ?? null);
    else if (identity) data[identity.slot] = nextIdentity(run, identity);
    writer.insert(data);
  }
  writer.finish();
  return rows.length;
}

export function forgetBulk(session: Session): void {
  announced.delete(session);
}
