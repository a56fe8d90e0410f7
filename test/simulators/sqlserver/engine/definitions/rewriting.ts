/** Writing all rows of a table anew, as changes of its columns demand. */
import type { Datum } from '../../contract.ts';
import type { Data, Run } from '../executor/environment.ts';
import type { Database } from '../storage/database.ts';
import { Row, type Table } from '../storage/table.ts';

/** Exchanges the table's rows for what `make` makes of them (undefined: the row goes). Change tracking sees nothing. */
export function rewriteRows(
  run: Run,
  database: Database,
  table: Table,
  make: (data: Data) => Datum[] | undefined,
): void {
  const { transaction } = run;
  const before = table.rows;
  const rows = new Map<number, Row>();
  for (const row of before.values()) {
    const { data } = row.head;
    const made = data && make(data);
    if (!made) continue;
    rows.set(row.id, new Row(row.id, { data: made, writer: transaction, commit: 0, previous: undefined }));
  }
  table.rows = rows;
  table.rebuildIndexes();
  transaction.changes.push({
    kind: 'definition',
    undo: () => {
      table.rows = before;
      table.rebuildIndexes();
    },
    database,
    table,
    rewritten: true,
  });
}
