/** TRUNCATE TABLE: allowed on tracked tables, whose tracking begins anew (sql-server.md fact 23). */
import { SqlFailure } from '../../contract.ts';
import type { DataDefinition } from '../../sql/ast.ts';
import { TableTracking } from '../change-tracking/table-tracking.ts';
import type { Run } from '../executor/environment.ts';
import { changing, lockForChange, shown, tableToChange } from './change.ts';
import { rewriteRows } from './rewriting.ts';

export function truncateTable(
  statement: Extract<DataDefinition, { readonly kind: 'truncateTable' }>,
  run: Run,
): void {
  const { name, line } = statement;
  const { session } = run;
  const found = session.findTable(name);
  if (!found) {
    throw new SqlFailure(
      4701,
      `Cannot find the object "${shown(name)}" because it does not exist or you do not have permissions.`,
      { line },
    );
  }
  const { database, table } = found.temporary
    ? lockForChange(run, found, name, line)
    : tableToChange(run, name, line);
  const referring = [...database.tables.values()].some(
    (other) => other !== table && other.foreignKeys.some((key) => key.referencedTable === table.id),
  );
  if (referring) {
    throw new SqlFailure(
      4712,
      `Cannot truncate table '${shown(name)}' because it is being referenced by a FOREIGN KEY constraint.`,
      { line },
    );
  }
  rewriteRows(run, database, table, () => undefined);
  const column = table.identityColumn;
  if (column?.identity) {
    const { identity } = column;
    const before = identity.last;
    identity.last = undefined;
    changing(
      run,
      database,
      () => {
        identity.last = before;
      },
      table,
    );
  }
  const before = table.tracking;
  if (before && database.tracking) {
    const begin = database.tracking.current + session.instance.faults.behaviour.truncateRaisesBy;
    table.tracking = new TableTracking(before.columnsTracked, begin, session.instance.commits + 1);
    changing(
      run,
      database,
      () => {
        table.tracking = before;
      },
      table,
    );
  }
}
