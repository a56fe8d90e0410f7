/** DECLARE. */
import { SqlFailure } from '../../contract.ts';
import type { VariableStatement } from '../../sql/ast.ts';
import { resolveTypeName } from '../../sql/types/type-names.ts';
import { buildTable } from '../executor/table-builder.ts';
import type { Batch } from './batch.ts';
import type { Session } from './session.ts';
import { assignVariable } from './variables.ts';

export async function declareVariables(
  batch: Batch,
  statement: Extract<VariableStatement, { readonly kind: 'declare' }>,
): Promise<void> {
  const { session } = batch;
  for (const { name, type, value, line } of statement.variables) {
    const key = name.toLowerCase();
    // A DECLARE in a loop is executed again without making another variable.
    if (!session.variables.has(key)) {
      session.variables.set(key, { name, type: resolveTypeName(type, 'column'), value: null });
    }
    if (!value) continue;
    const initial = await batch.evaluate(value);
    assignVariable(session, name, '=', initial.value, initial.type, line);
  }
}

export function declareTableVariable(
  session: Session,
  statement: Extract<VariableStatement, { readonly kind: 'declareTable' }>,
): void {
  const key = statement.name.toLowerCase();
  if (session.variables.has(key)) {
    throw new SqlFailure(134, `The variable name '${statement.name}' has already been declared.`, {
      line: statement.line,
      severity: 15,
    });
  }
  const table = buildTable(session, session.currentDatabase, {
    schema: 'dbo',
    name: statement.name,
    columns: statement.columns,
    constraints: statement.constraints,
    indexes: [],
    temporary: true,
  });
  session.tableVariables.set(key, table);
}
