/** Writes rows of one table with everything that the table demands of them. */
import { type Datum, SqlFailure, type SqlType } from '../../contract.ts';
import { convertDatum } from '../../sql/types/convert.ts';
import type { Column, Index } from '../storage/definition.ts';
import type { Row, Table } from '../storage/table.ts';
import { checkUnique, insertRow, type Writer, writeRow } from '../storage/writing.ts';
import { type Data, newEnv, type Run } from './environment.ts';
import { checkForeignKeys, referenceActions } from './referential.ts';
import { tableExpressions } from './table-expressions.ts';

export type Verb = 'INSERT' | 'UPDATE' | 'DELETE' | 'MERGE';

export type Written = { readonly row: Row; readonly before: Data | null; readonly after: Data | null };

export class RowWriter {
  readonly run: Run;
  readonly table: Table;
  readonly verb: Verb;
  readonly writer: Writer;
  readonly written: Written[] = [];

  constructor(run: Run, table: Table, verb: Verb, context: Uint8Array | null) {
    this.run = run;
    this.table = table;
    this.verb = verb;
    this.writer = { transaction: run.transaction, locks: run.session.instance.locks, context };
  }

  insert(data: Datum[]): void {
    this.#complete(data);
    const row = insertRow(this.writer, this.table, data);
    this.written.push({ row, before: null, after: data });
  }

  update(row: Row, data: Datum[], updated: ReadonlySet<number>): void {
    const before = row.head.data;
    this.#complete(data);
    writeRow(this.writer, this.table, row, data, updated);
    this.written.push({ row, before, after: data });
  }

  delete(row: Row): void {
    const before = row.head.data;
    writeRow(this.writer, this.table, row, null, undefined);
    this.written.push({ row, before, after: null });
  }

  /** What can only be judged when all rows of the statement are written. */
  finish(): void {
    if (this.written.length === 0) return;
    const { run, table, verb } = this;
    if (verb !== 'DELETE') {
      checkUnique(
        run.transaction,
        table,
        this.written.map(({ row }) => row),
        (index, data) => duplicateKey(run, table, index, data),
      );
      checkForeignKeys(run, table, verb, this.written);
    }
    if (verb !== 'INSERT') referenceActions(this, verb);
  }

  /** Computed columns, rowversion, NOT NULL and checks. */
  #complete(data: Datum[]): void {
    const { table, run } = this;
    const { computed, checks } = tableExpressions(run, table);
    const env = newEnv(run, undefined, [data]);
    for (const { column, value } of computed) {
      const made = value.evaluate(env);
      data[column.slot] =
        made === null ? null : convertDatum(made, value.type, column.type, run.session.conversion);
    }
    for (const column of table.columns) {
      if (column.type.kind === 'rowversion') data[column.slot] = this.#nextRowVersion();
      if (!column.nullable && (data[column.slot] ?? null) === null) throw this.#nullFailure(column);
    }
    for (const { check, holds } of checks) {
      if (holds(env) !== false) continue;
      const column = check.column ? `, column '${check.column.name}'` : '';
      throw new SqlFailure(
        547,
        `The ${this.verb} statement conflicted with the CHECK constraint "${check.name}". The conflict occurred in database "${run.database.name}", table "${table.schema}.${table.name}"${column}.`,
        { state: 0 },
      );
    }
  }

  #nextRowVersion(): Uint8Array {
    const { database } = this.run;
    database.rowVersion += 1n;
    const bytes = Buffer.alloc(8);
    bytes.writeBigUInt64BE(database.rowVersion);
    return bytes;
  }

  #nullFailure(column: Column): SqlFailure {
    const { table, run } = this;
    const place = table.temporary
      ? `tempdb.${table.schema}.${table.name}`
      : `${run.database.name}.${table.schema}.${table.name}`;
    return new SqlFailure(
      515,
      `Cannot insert the value NULL into column '${column.name}', table '${place}'; column does not allow nulls. ${this.verb} fails.`,
      { state: 2 },
    );
  }
}

const TEXT: SqlType = { kind: 'nvarchar', length: 4000 };

export function duplicateKey(run: Run, table: Table, index: Index, data: Data): SqlFailure {
  const { conversion } = run.session;
  const values = index.columns
    .map(({ column }) => {
      const value = data[column.slot] ?? null;
      return value === null ? '<NULL>' : convertDatum(value, column.type, TEXT, conversion);
    })
    .join(', ');
  const place = `'${table.schema}.${table.name}'`;
  if (index.kind === 'index') {
    return new SqlFailure(
      2601,
      `Cannot insert duplicate key row in object ${place} with unique index '${index.name}'. The duplicate key value is (${values}).`,
      { severity: 14 },
    );
  }
  const what = index.kind === 'primary key' ? 'PRIMARY KEY' : 'UNIQUE KEY';
  return new SqlFailure(
    2627,
    `Violation of ${what} constraint '${index.name}'. Cannot insert duplicate key in object ${place}. The duplicate key value is (${values}).`,
    { severity: 14 },
  );
}
