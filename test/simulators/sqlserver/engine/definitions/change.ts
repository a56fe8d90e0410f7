/** Changing a definition so that it can be taken back. */
import { SqlFailure } from '../../contract.ts';
import type { ObjectName } from '../../sql/ast.ts';
import type { Run } from '../executor/environment.ts';
import type { Session } from '../session/session.ts';
import type { Database } from '../storage/database.ts';
import type { Table } from '../storage/table.ts';
import { refuseInSnapshot } from './snapshot.ts';

export type Changed = { readonly database: Database; readonly table: Table };

/** The table to be changed, with nobody else looking at it: 4902 when it is not there, 1088 without permission. */
export function tableToChange(run: Run, name: ObjectName, line: number): Changed {
  const { session } = run;
  const table = session.findTable(name);
  if (!table) {
    throw new SqlFailure(
      4902,
      `Cannot find the object "${shown(name)}" because it does not exist or you do not have permissions.`,
      { line },
    );
  }
  return lockForChange(run, table, name, line);
}

export function lockForChange(run: Run, table: Table, name: ObjectName, line: number): Changed {
  const { session, transaction } = run;
  const database = session.instance.databaseOf(table) ?? run.database;
  if (table.temporary) return { database, table };
  refuseInSnapshot(run, database);
  requireAlter(session, database, table, name, line);
  session.instance.locks.acquire(session.owner, table, 'M');
  // Rows that others are writing hold an intent on the table, which the lock has just waited for.
  const before = {
    columns: table.columns,
    indexes: table.indexes,
    foreignKeys: table.foreignKeys,
    checks: table.checks,
    definition: table.definition,
    modifyDate: table.modifyDate,
  };
  table.columns = [...table.columns];
  table.indexes = [...table.indexes];
  table.foreignKeys = [...table.foreignKeys];
  table.checks = [...table.checks];
  table.definition++;
  table.modifyDate = new Date(session.statementTime);
  const undo = () => {
    Object.assign(table, before);
    table.rebuildIndexes();
  };
  transaction.changes.push({ kind: 'definition', undo, database, table });
  return { database, table };
}

function requireAlter(
  session: Session,
  database: Database,
  table: Table,
  name: ObjectName,
  line: number,
): void {
  if (session.access.has('ALTER', database, table)) return;
  throw new SqlFailure(
    session.access.sees(database, table) ? 1088 : 4902,
    `Cannot find the object "${shown(name)}" because it does not exist or you do not have permissions.`,
    { line, state: 13 },
  );
}

/** Notes a change of one thing with how it is taken back. */
export function changing(run: Run, database: Database, undo: () => void, table?: Table): void {
  run.transaction.changes.push({ kind: 'definition', undo, database, ...(table ? { table } : {}) });
}

export function shown(name: ObjectName): string {
  return [name.database, name.schema, name.name].filter((part) => part !== undefined).join('.');
}
