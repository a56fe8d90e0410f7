/** UPDATE and DELETE, with FROM, TOP, OUTPUT, and through common tables. */
import { type Datum, SqlFailure } from '../../contract.ts';
import type { DeleteStatement, ObjectName, SetClause, TableSource, UpdateStatement } from '../../sql/ast.ts';
import { compileExpression } from '../../sql/expressions/compile.ts';
import type { Compiled } from '../../sql/expressions/scope.ts';
import { assignVariable, combine } from '../session/variables.ts';
import type { Column } from '../storage/definition.ts';
import type { Row, Table } from '../storage/table.ts';
import { assigner, computedColumn } from './assigning.ts';
import { commonTarget } from './common-target.ts';
import { splitConjuncts } from './conjuncts.ts';
import { type Env, newEnv, type Run, type Tuple } from './environment.ts';
import { planSources } from './join-plan.ts';
import { compileOutput, writeOutput } from './output.ts';
import { type CommonTables, QueryScope } from './query-scope.ts';
import { RowWriter } from './row-writer.ts';
import { bindSources, type TargetWish } from './sources.ts';
import { rowSource } from './specification.ts';
import type { StatementResult } from './statement-result.ts';
import { tableExpressions } from './table-expressions.ts';
import { resolveTarget } from './write-target.ts';

type Modification = UpdateStatement | DeleteStatement;

/** Rows to write, each once, with the tuple of sources that it was found in. */
export type TargetRows = {
  readonly table: Table;
  readonly scope: QueryScope;
  readonly find: (run: Run) => { readonly row: Row; readonly tuple: Tuple }[];
  /** What a column of the target is called, where a common table renames it. */
  readonly column: (name: string) => Column | undefined;
};

export function executeUpdate(
  statement: UpdateStatement,
  run: Run,
  common: CommonTables,
  context: Uint8Array | null,
): StatementResult {
  const target = findTarget(statement, run, common);
  const { table, scope } = target;
  const { session } = run;
  const sets = compileSets(statement.set, target, run);
  const ids = sets.flatMap(({ column }) => (column ? [column.id] : []));
  session.checkPermission('UPDATE', table, ids, statement.line);
  session.beforeWrite(run, table);
  const rows = limited(statement, run, target);
  const updated = new Set(ids);
  const writer = new RowWriter(run, table, 'UPDATE', context);
  const env = newEnv(run);
  // New values are computed from the rows as they were before the statement.
  const changes = rows.map(({ row, tuple }) => {
    env.rows = tuple;
    const data = [...row.head.data!];
    for (const set of sets) set.apply(env, data);
    return { row, data };
  });
  for (const { row, data } of changes) writer.update(row, data, updated);
  writer.finish();
  return withOutput(statement, run, scope, writer, rows, common, 'update');
}

export function executeDelete(
  statement: DeleteStatement,
  run: Run,
  common: CommonTables,
  context: Uint8Array | null,
): StatementResult {
  const target = findTarget(statement, run, common);
  const { table, scope } = target;
  run.session.checkPermission('DELETE', table, undefined, statement.line);
  run.session.beforeWrite(run, table);
  const rows = limited(statement, run, target);
  const writer = new RowWriter(run, table, 'DELETE', context);
  for (const { row } of rows) writer.delete(row);
  writer.finish();
  return withOutput(statement, run, scope, writer, rows, common, 'delete');
}

function withOutput(
  statement: Modification,
  run: Run,
  scope: QueryScope,
  writer: RowWriter,
  rows: readonly { readonly tuple: Tuple }[],
  common: CommonTables,
  command: 'update' | 'delete',
): StatementResult {
  const result = { command, rowCount: writer.written.length };
  if (!statement.output) return result;
  const plan = compileOutput(statement.output, writer.table, scope.sources, run.session, common);
  const tuples = rows.map(({ tuple }) => tuple);
  return { ...result, ...writeOutput(plan, run, writer.written, tuples) };
}

function limited(
  statement: Modification,
  run: Run,
  target: TargetRows,
): { readonly row: Row; readonly tuple: Tuple }[] {
  const rows = target.find(run);
  const { top } = statement;
  if (!top) return rows;
  const value = compileExpression(top.expression, new QueryScope(run.session, undefined)).evaluate(
    newEnv(run),
  );
  const count = top.percent ? Math.ceil((rows.length * Number(value)) / 100) : Number(value);
  return rows.slice(0, count);
}

function findTarget(statement: Modification, run: Run, common: CommonTables): TargetRows {
  const { session } = run;
  const { target } = statement;
  const scope = new QueryScope(session, undefined, common);
  const single = target.kind === 'name' && !target.name.schema && !target.name.database;
  const name = target.kind === 'name' ? target.name.name : target.name;
  const from = statement.from;
  const definition = single ? common.get(name.toLowerCase()) : undefined;
  if (definition && from.length === 0) return commonTarget(statement, definition, run);
  const aliased = single && from.some((source) => hasAlias(source, name));
  const table = aliased ? undefined : resolveTarget(target, session).table;
  const wish: TargetWish = { table, name: name.toLowerCase() };
  const sources = [...from];
  if (sources.length === 0) sources.push(ownSource(target));
  let bound = bindSources(sources, scope, wish);
  if (wish.index === undefined && table && target.kind === 'name') {
    // The target does not stand in FROM: it is joined to it, as if by CROSS JOIN.
    const again = new QueryScope(session, undefined, common);
    wish.index = undefined;
    bound = bindSources([ownSource(target), ...sources], again, wish);
    scope.sources.splice(0, scope.sources.length, ...again.sources);
  }
  const source = wish.index === undefined ? undefined : scope.sources[wish.index];
  if (!source?.table || !bound) {
    throw new SqlFailure(208, `Invalid object name '${name}'.`, { line: statement.line });
  }
  const where = splitConjuncts(statement.where, scope);
  const producer = planSources(bound, where);
  const tuples = rowSource(
    producer,
    where.filter((one) => !one.used),
  );
  const { index } = source;
  const found = source.table;
  return {
    table: found,
    scope,
    column: (wanted) => found.column(wanted),
    find: (at) => targetRows(at, tuples(newEnv(at)), index),
  };
}

/** The rows behind the target's data, each with the first tuple that it was found in. */
export function targetRows(
  run: Run,
  tuples: readonly Tuple[],
  index: number,
): { readonly row: Row; readonly tuple: Tuple }[] {
  const seen = new Set<Row>();
  const rows: { readonly row: Row; readonly tuple: Tuple }[] = [];
  for (const tuple of tuples) {
    const row = run.targets.get(tuple[index]!);
    if (!row || seen.has(row)) continue;
    seen.add(row);
    rows.push({ row, tuple });
  }
  return rows;
}

function hasAlias(source: TableSource, name: string): boolean {
  if (source.kind === 'join') return hasAlias(source.left, name) || hasAlias(source.right, name);
  return source.alias?.toLowerCase() === name.toLowerCase();
}

function ownSource(target: Modification['target']): TableSource {
  const line = target.kind === 'name' ? target.name.line : target.line;
  const none = { line, alias: undefined, columnAliases: undefined };
  return target.kind === 'name'
    ? { kind: 'table', name: target.name satisfies ObjectName, hints: target.hints, ...none }
    : { kind: 'tableVariable', name: target.name, ...none };
}

type Set_ = {
  readonly column: Column | undefined;
  readonly apply: (env: Env, data: Datum[]) => void;
};

function compileSets(sets: readonly SetClause[], target: TargetRows, run: Run): Set_[] {
  const seen = new Set<Column>();
  return sets.map((set) => {
    const column = set.column && settable(set, set.column.at(-1)!, target, seen);
    const value = set.value.kind === 'default' ? undefined : compileExpression(set.value, target.scope);
    return { column, apply: setter(set, column, value, target, run) };
  });
}

function settable(set: SetClause, name: string, target: TargetRows, seen: Set<Column>): Column {
  const column = target.column(name);
  const { line } = set;
  if (!column) throw new SqlFailure(207, `Invalid column name '${name}'.`, { line });
  if (column.computed) throw computedColumn(column, line);
  if (column.identity)
    throw new SqlFailure(8102, `Cannot update identity column '${column.name}'.`, { line });
  if (column.type.kind === 'rowversion')
    throw new SqlFailure(272, 'Cannot update a timestamp column.', { line });
  if (seen.has(column)) {
    throw new SqlFailure(
      264,
      `The column name '${name}' is specified more than once in the SET clause or column list of an INSERT. A column cannot be assigned more than one value in the same clause. Modify the clause to make sure that a column is updated only once.`,
      { line },
    );
  }
  seen.add(column);
  return column;
}

function setter(
  set: SetClause,
  column: Column | undefined,
  value: Compiled<Env> | undefined,
  target: TargetRows,
  run: Run,
): Set_['apply'] {
  const { session } = run;
  const { table } = target;
  if (!value) {
    const made = column && tableExpressions(run, table).defaults.get(column);
    if (!column)
      throw new SqlFailure(156, "Incorrect syntax near the keyword 'DEFAULT'.", { line: set.line });
    return (_env, data) => {
      const inner = newEnv(run, undefined, [data]);
      data[column.slot] = made ? assigner(run, table, column, made.type)(made.evaluate(inner)) : null;
    };
  }
  if (!column) {
    return (env) =>
      assignVariable(session, set.variable!, set.operator, value.evaluate(env), value.type, set.line);
  }
  const assign = assigner(run, table, column, value.type);
  return (env, data) => {
    let made: Datum;
    if (set.operator === '=') made = assign(value.evaluate(env));
    else {
      const left = { value: data[column.slot] ?? null, type: column.type };
      const right = { value: value.evaluate(env), type: value.type };
      const combined = combine(session, set.operator, left, right, set.line);
      made = assigner(run, table, column, combined.type)(combined.evaluate(undefined));
    }
    data[column.slot] = made;
    if (set.variable) assignVariable(session, set.variable, '=', made, column.type, set.line);
  };
}
