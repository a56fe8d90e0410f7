/** CREATE, ALTER and DROP INDEX. */
import { SqlFailure } from '../../contract.ts';
import type { DataDefinition } from '../../sql/ast.ts';
import type { Run } from '../executor/environment.ts';
import { addIndex } from '../executor/index-builder.ts';
import { verifyUnique } from './alter-table.ts';
import { lockForChange, shown, tableToChange } from './change.ts';

export function createIndex(
  statement: Extract<DataDefinition, { readonly kind: 'createIndex' }>,
  run: Run,
): void {
  const { session } = run;
  const found = session.findTable(statement.table);
  if (!found) {
    throw new SqlFailure(
      1088,
      `Cannot find the object "${shown(statement.table)}" because it does not exist or you do not have permissions.`,
      { line: statement.line, state: 12 },
    );
  }
  const { database, table } = lockForChange(run, found, statement.table, statement.line);
  verifyUnique(run, table, addIndex(session, database, table, statement.index));
}

export function alterIndex(
  statement: Extract<DataDefinition, { readonly kind: 'alterIndex' }>,
  run: Run,
): void {
  if (statement.action === 'disable') {
    throw new SqlFailure(50900, 'ALTER INDEX … DISABLE is not supported by the simulator.', {
      line: statement.line,
    });
  }
  const { table } = tableToChange(run, statement.table, statement.line);
  if (statement.name !== undefined && !table.index(statement.name)) {
    throw new SqlFailure(2727, `Cannot find index '${statement.name}'.`, {
      severity: 11,
      line: statement.line,
    });
  }
  table.rebuildIndexes();
}

export function dropIndexes(
  statement: Extract<DataDefinition, { readonly kind: 'dropIndex' }>,
  run: Run,
): void {
  for (const one of statement.indexes) {
    const found = run.session.findTable(one.table);
    const index = found?.index(one.name);
    if (!found || !index) {
      if (statement.ifExists) continue;
      throw new SqlFailure(
        3701,
        `Cannot drop the index '${shown(one.table)}.${one.name}', because it does not exist or you do not have permission.`,
        { severity: 11, line: statement.line, state: 7 },
      );
    }
    if (index.kind !== 'index') {
      const what = index.kind === 'primary key' ? 'PRIMARY KEY' : 'UNIQUE KEY';
      throw new SqlFailure(
        3723,
        `An explicit DROP INDEX is not allowed on index '${shown(one.table)}.${one.name}'. It is being used for ${what} constraint enforcement.`,
        { line: statement.line, state: 4 },
      );
    }
    const { table } = lockForChange(run, found, one.table, statement.line);
    table.indexes = table.indexes.filter((other) => other !== index);
  }
}
