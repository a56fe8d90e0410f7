/** Defaults, computed columns, checks and filters of a table, compiled for a statement. */
import { SqlFailure } from '../../contract.ts';
import type { Condition, Expression, Statement } from '../../sql/ast.ts';
import { compileCondition, compileExpression } from '../../sql/expressions/compile.ts';
import type { Compiled, CompiledCondition } from '../../sql/expressions/scope.ts';
import { parseBatch } from '../../sql/parse.ts';
import type { Session } from '../session/session.ts';
import type { Check, Column } from '../storage/definition.ts';
import type { RowFilter, Table } from '../storage/table.ts';
import { type Data, type Env, newEnv, type Run } from './environment.ts';
import { cached } from './producers.ts';
import { QueryScope } from './query-scope.ts';
import { tableColumns } from './sources.ts';

export type TableExpressions = {
  readonly defaults: ReadonlyMap<Column, Compiled<Env>>;
  readonly computed: readonly { readonly column: Column; readonly value: Compiled<Env> }[];
  readonly checks: readonly { readonly check: Check; readonly holds: CompiledCondition<Env> }[];
};

const parsed = new Map<string, Statement>();

function parseSelect(text: string): Extract<Statement, { readonly kind: 'select' }> {
  let statement = parsed.get(text);
  if (!statement) {
    statement = parseBatch(text)[0]!;
    parsed.set(text, statement);
  }
  if (statement.kind !== 'select') throw new Error(`${text} is no query.`);
  return statement;
}

/** The expression that a definition's text is. */
export function parseExpressionText(text: string): Expression {
  const { query } = parseSelect(`SELECT ${text}`);
  const item = query.body.kind === 'specification' ? query.body.items[0] : undefined;
  if (item?.kind !== 'expression') throw new Error(`${text} is no expression.`);
  return item.expression;
}

export function parseConditionText(text: string): Condition {
  const { query } = parseSelect(`SELECT 1 WHERE ${text}`);
  const where = query.body.kind === 'specification' ? query.body.where : undefined;
  if (!where) throw new Error(`${text} is no condition.`);
  return where;
}

/** A scope whose only source is one row of the table. */
export function rowScope(session: Session, table: Table): QueryScope {
  const scope = new QueryScope(session, undefined);
  scope.sources.push({
    index: 0,
    qualifier: [table.name.toLowerCase()],
    columns: tableColumns(table),
    table,
  });
  return scope;
}

export function tableExpressions(run: Run, table: Table): TableExpressions {
  return cached(run, `expressions:${table.id}:${table.name}`, () => compileAll(run.session, table));
}

function compileAll(session: Session, table: Table): TableExpressions {
  const scope = rowScope(session, table);
  const defaults = new Map<Column, Compiled<Env>>();
  for (const column of table.columns) {
    if (column.default) {
      defaults.set(column, compileExpression(parseExpressionText(column.default.text), scope));
    }
  }
  const computed = table.columns.flatMap((column) =>
    column.computed
      ? [{ column, value: compileExpression(parseExpressionText(column.computed.text), scope) }]
      : [],
  );
  const checks = table.checks
    .filter((check) => !check.disabled)
    .map((check) => ({ check, holds: compileCondition(parseConditionText(check.text), scope) }));
  return { defaults, computed, checks };
}

/** The condition of a filtered index as a function of a row. */
export function compileFilter(session: Session, table: Table, text: string): RowFilter {
  const holds = compileCondition(parseConditionText(text), rowScope(session, table));
  const env = newEnv(filterRun(session));
  return (data: Data) => {
    env.rows = [data];
    return holds(env) === true;
  };
}

/** Conditions of filters use only the row: nothing of a statement. */
function filterRun(session: Session): Run {
  return {
    session,
    database: session.currentDatabase,
    get transaction(): never {
      throw new SqlFailure(10609, 'A filtered index uses only columns of its row.');
    },
    cache: new Map(),
    targets: new Map(),
  };
}
