/** The statements that read, write or define data, each executed in one attempt. */
import { SqlFailure } from '../../contract.ts';
import type {
  CommonTable,
  DataDefinition,
  DeleteStatement,
  InsertStatement,
  SelectStatement,
  Statement,
  TableSource,
  UpdateStatement,
} from '../../sql/ast.ts';
import { compileExpression } from '../../sql/expressions/compile.ts';
import { executeDefinition, isDataDefinition } from '../definitions/definitions.ts';
import type { Session } from '../session/session.ts';
import { newEnv, type Run } from './environment.ts';
import { executeInsert } from './insert.ts';
import { executeDelete, executeUpdate } from './modify.ts';
import { compileQuery } from './query.ts';
import { type CommonTables, QueryScope } from './query-scope.ts';
import { selectInto } from './select-into.ts';
import { resultColumns, type StatementResult } from './statement-result.ts';

export type DataStatement =
  | SelectStatement
  | InsertStatement
  | UpdateStatement
  | DeleteStatement
  | DataDefinition;

export function isDataStatement(statement: Statement): statement is DataStatement {
  switch (statement.kind) {
    case 'select':
    case 'insert':
    case 'update':
    case 'delete':
      return true;
    default:
      return isDataDefinition(statement);
  }
}

export function executeDataStatement(statement: DataStatement, run: Run): StatementResult {
  // FMTONLY asks only for the columns of results.
  const shapeOnly = run.session.options.switches.get('FMTONLY') === true;
  if (shapeOnly && statement.kind !== 'select') return { command: 'other' };
  switch (statement.kind) {
    case 'select':
      if (statement.changeContext) throw contextOnSelect(statement.changeContext.line);
      return executeSelect(statement, run);
    case 'insert':
      strike(run);
      return executeInsert(statement, run, commonTablesOf(statement), contextOf(statement, run));
    case 'update':
      strike(run);
      return executeUpdate(statement, run, commonTablesOf(statement), contextOf(statement, run));
    case 'delete':
      strike(run);
      return executeDelete(statement, run, commonTablesOf(statement), contextOf(statement, run));
    default:
      return executeDefinition(statement, run);
  }
}

/** The failures that were ordered for statements that write. */
function strike(run: Run): void {
  const { faults } = run.session.instance;
  if (faults.takeDeadlock()) {
    throw new SqlFailure(
      1205,
      `Transaction (Process ID ${run.session.id}) was deadlocked on lock resources with another process and has been chosen as the deadlock victim. Rerun the transaction.`,
      { severity: 13, state: 51, rolledBack: true },
    );
  }
  if (run.transaction.isolation === 'snapshot' && faults.takeConflict()) {
    throw new SqlFailure(
      3960,
      'Snapshot isolation transaction aborted due to update conflict. Retry the transaction or change the isolation level for the update/delete statement.',
      {
        state: 2,
        rolledBack: true,
      },
    );
  }
}

function executeSelect(statement: SelectStatement, run: Run): StatementResult {
  const { session } = run;
  const scope = new QueryScope(session, undefined, commonTablesOf(statement));
  const { body } = statement.query;
  const into = body.kind === 'specification' ? body.into : undefined;
  const plan = compileQuery(statement.query, scope);
  if (run.session.options.switches.get('FMTONLY') === true) {
    return { command: 'select', columns: resultColumns(plan.columns), rows: [], rowCount: 0 };
  }
  const env = newEnv(run);
  if (plan.assign) return { command: 'select', rowCount: plan.assign(env) };
  if (into) return selectInto(into, plan, run);
  const rows = plan.rows(env);
  const { rowCount: limit } = session.options;
  const kept = limit > 0 ? rows.slice(0, limit) : rows;
  return { command: 'select', columns: resultColumns(plan.columns), rows: kept, rowCount: kept.length };
}

/** Common tables may refer to those before them. */
export function commonTablesOf(statement: { readonly commonTables: readonly CommonTable[] }): CommonTables {
  let around: CommonTables = new Map();
  for (const definition of statement.commonTables) {
    const key = definition.name.toLowerCase();
    if (around.has(key)) {
      throw new SqlFailure(
        239,
        `Duplicate common table expression name '${definition.name}' was specified.`,
        {
          line: definition.line,
        },
      );
    }
    refuseRecursion(definition, definition.query);
    around = new Map([...around, [key, { definition, around }]]);
  }
  return around;
}

/** A common table that reads from itself would otherwise look like one that reads from a table of that name. */
function refuseRecursion(definition: CommonTable, node: unknown): void {
  if (Array.isArray(node)) {
    for (const one of node) refuseRecursion(definition, one);
    return;
  }
  if (typeof node !== 'object' || node === null || node instanceof Uint8Array) return;
  const source = node as Partial<TableSource>;
  const name = source.kind === 'table' ? source.name : undefined;
  if (name && name.schema === undefined && name.name.toLowerCase() === definition.name.toLowerCase()) {
    throw new SqlFailure(
      50900,
      `The recursive common table expression '${definition.name}' is not supported by the simulator.`,
      { line: definition.line },
    );
  }
  for (const child of Object.values(node)) refuseRecursion(definition, child);
}

/** The value of `WITH CHANGE_TRACKING_CONTEXT (x)`: at most 128 bytes and not NULL (22109). */
function contextOf(
  statement: InsertStatement | UpdateStatement | DeleteStatement,
  run: Run,
): Uint8Array | null {
  const { changeContext } = statement;
  if (!changeContext) return null;
  const value = compileExpression(changeContext.value, plainScope(run.session)).evaluate(newEnv(run));
  if (!(value instanceof Uint8Array) || value.length > 128) {
    throw new SqlFailure(
      22109,
      'The change tracking context must be a constant or variable of type varbinary(128) and may not be NULL.',
      { line: changeContext.line },
    );
  }
  return value;
}

function plainScope(session: Session): QueryScope {
  return new QueryScope(session, undefined);
}

function contextOnSelect(line: number): SqlFailure {
  return new SqlFailure(
    22108,
    'The CHANGE_TRACKING_CONTEXT WITH clause cannot be used with a SELECT statement.',
    { line },
  );
}
