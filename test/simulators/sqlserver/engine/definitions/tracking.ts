/** ALTER TABLE … ENABLE and DISABLE CHANGE_TRACKING (sql-server.md facts 20, 25, 31). */
import { SqlFailure } from '../../contract.ts';
import { TableTracking } from '../change-tracking/table-tracking.ts';
import type { Run } from '../executor/environment.ts';
import type { Database } from '../storage/database.ts';
import type { Table } from '../storage/table.ts';
import { changing } from './change.ts';

export function enableTracking(
  run: Run,
  database: Database,
  table: Table,
  trackColumns: boolean,
  line: number,
): void {
  if (!database.tracking) {
    throw new SqlFailure(
      5089,
      `Change tracking must be enabled on database '${database.name}' before it can be enabled on table '${table.name}'.`,
      { line },
    );
  }
  if (table.tracking) {
    throw new SqlFailure(4996, `Change tracking is already enabled for table '${table.name}'.`, { line });
  }
  const key = table.primaryKey;
  if (!key) {
    throw new SqlFailure(
      4997,
      `Cannot enable change tracking on table '${table.name}'. Change tracking requires a primary key on the table. Create a primary key on the table before enabling change tracking.`,
      { line },
    );
  }
  if (key.columns.some(({ column }) => column.type.kind === 'rowversion')) {
    throw new SqlFailure(
      4999,
      `Cannot enable change tracking on table '${table.name}'. Change tracking does not support a primary key of type timestamp on a table.`,
      { line },
    );
  }
  const { commits } = run.session.instance;
  table.tracking = new TableTracking(trackColumns, database.tracking.current, commits + 1);
  changing(
    run,
    database,
    () => {
      table.tracking = undefined;
    },
    table,
  );
}

export function disableTracking(run: Run, database: Database, table: Table, line: number): void {
  const before = table.tracking;
  if (!before) {
    throw new SqlFailure(4998, `Change tracking is not enabled on table '${table.name}'.`, { line });
  }
  table.tracking = undefined;
  changing(
    run,
    database,
    () => {
      table.tracking = before;
    },
    table,
  );
}
