/** INSERT. */
import { type Datum, SqlFailure, type SqlType } from '../../contract.ts';
import type { InsertStatement, ValueOrDefault } from '../../sql/ast.ts';
import { compileExpression } from '../../sql/expressions/compile.ts';
import type { Compiled } from '../../sql/expressions/scope.ts';
import type { Column } from '../storage/definition.ts';
import type { Table } from '../storage/table.ts';
import { assigner, namedColumns } from './assigning.ts';
import { type Data, type Env, newEnv, type Run } from './environment.ts';
import { identityGiven, nextIdentity, noteIdentity } from './identity.ts';
import { compileOutput, writeOutput } from './output.ts';
import { compileQuery } from './query.ts';
import { type CommonTables, QueryScope } from './query-scope.ts';
import { RowWriter } from './row-writer.ts';
import type { StatementResult } from './statement-result.ts';
import { tableExpressions } from './table-expressions.ts';
import { resolveTarget } from './write-target.ts';

/** A cell of VALUES, whose rows need not agree in their types; `undefined` for DEFAULT. */
type Cell = { readonly type: SqlType; readonly make: () => Datum } | undefined;

/** Values for the columns, row by row: cells of VALUES, or data of a query. */
type Input =
  | { readonly width: number; readonly rows: () => readonly (readonly Cell[])[] }
  | { readonly width: number; readonly types: readonly SqlType[]; readonly data: () => readonly Data[] };

export function executeInsert(
  statement: InsertStatement,
  run: Run,
  common: CommonTables,
  context: Uint8Array | null,
): StatementResult {
  const { session } = run;
  const { table, hints } = resolveTarget(statement.target, session);
  session.checkPermission('INSERT', table, undefined, statement.line);
  session.beforeWrite(run, table);
  if (hints.includes('TABLOCKX') || hints.includes('TABLOCK')) {
    session.instance.locks.acquire(session.owner, table, 'X');
  }
  const named = statement.columns && namedColumns(table, statement.columns, statement.line);
  const scope = new QueryScope(session, undefined, common);
  const input = inputOf(statement, run, scope);
  const given = identityGiven(run, table, named, statement.line);
  const columns =
    statement.source.kind === 'defaultValues'
      ? []
      : (named ??
        table.columns.filter(
          (one) => !one.computed && (given || !one.identity) && one.type.kind !== 'rowversion',
        ));
  const writable = named ? columns : withRowVersions(table, columns, input.width);
  checkWidth(statement, named !== undefined, writable.length, input.width);
  const writer = new RowWriter(run, table, 'INSERT', context);
  insertRows(run, writer, writable, input, given, statement.line);
  writer.finish();
  const result = { command: 'insert', rowCount: writer.written.length } as const;
  if (!statement.output) return result;
  const output = compileOutput(statement.output, table, undefined, session, common);
  return { ...result, ...writeOutput(output, run, writer.written, []) };
}

/** Without a column list a value may (must be DEFAULT) stand for a rowversion column, too. */
function withRowVersions(table: Table, columns: readonly Column[], width: number): readonly Column[] {
  if (columns.length === width) return columns;
  const all = table.columns.filter((one) => columns.includes(one) || one.type.kind === 'rowversion');
  return all.length === width ? all : columns;
}

function inputOf(statement: InsertStatement, run: Run, scope: QueryScope): Input {
  const { source } = statement;
  const env = newEnv(run);
  switch (source.kind) {
    case 'defaultValues':
      return { width: 0, rows: () => [[]] };
    case 'values': {
      const compiled = source.rows.map((row) => row.map((one) => compileValue(one, scope)));
      const width = compiled[0]?.length ?? 0;
      if (compiled.some((row) => row.length !== width)) {
        throw new SqlFailure(
          10709,
          'The number of columns for each row in a table value constructor must be the same.',
          { line: statement.line },
        );
      }
      const rows = compiled.map((row) =>
        row.map((one) => one && { type: one.type, make: () => one.evaluate(env) }),
      );
      return { width, rows: () => rows };
    }
    case 'query': {
      const plan = compileQuery(source.query, scope);
      if (plan.assign)
        throw new SqlFailure(
          199,
          'An INSERT statement cannot contain a SELECT statement that assigns values to a variable.',
          { line: statement.line },
        );
      return {
        width: plan.columns.length,
        types: plan.columns.map((one) => one.type),
        data: () => limited(statement, run, scope, plan.rows(newEnv(run))),
      };
    }
    case 'execute':
      throw new SqlFailure(50900, 'INSERT … EXECUTE is not supported by the simulator.', {
        line: statement.line,
      });
  }
}

function limited(statement: InsertStatement, run: Run, scope: QueryScope, rows: Data[]): Data[] {
  if (!statement.top) return rows;
  const limit = compileExpression(statement.top.expression, scope).evaluate(newEnv(run));
  return rows.slice(0, Number(limit));
}

function compileValue(value: ValueOrDefault, scope: QueryScope): Compiled<Env> | undefined {
  return value.kind === 'default' ? undefined : compileExpression(value, scope);
}

function checkWidth(statement: InsertStatement, named: boolean, columns: number, values: number): void {
  if (columns === values) return;
  const { line } = statement;
  if (!named) {
    throw new SqlFailure(213, 'Column name or number of supplied values does not match table definition.', {
      line,
    });
  }
  const query = statement.source.kind === 'query';
  if (columns > values) {
    throw query
      ? new SqlFailure(
          120,
          'The select list for the INSERT statement contains fewer items than the insert list. The number of SELECT values must match the number of INSERT columns.',
          { line, severity: 15 },
        )
      : new SqlFailure(
          109,
          'There are more columns in the INSERT statement than values specified in the VALUES clause. The number of values in the VALUES clause must match the number of columns specified in the INSERT statement.',
          { line, severity: 15 },
        );
  }
  throw query
    ? new SqlFailure(
        121,
        'The select list for the INSERT statement contains more items than the insert list. The number of SELECT values must match the number of INSERT columns.',
        { line, severity: 15 },
      )
    : new SqlFailure(
        110,
        'There are fewer columns in the INSERT statement than values specified in the VALUES clause. The number of values in the VALUES clause must match the number of columns specified in the INSERT statement.',
        { line, severity: 15 },
      );
}

function insertRows(
  run: Run,
  writer: RowWriter,
  columns: readonly Column[],
  input: Input,
  given: boolean,
  line: number,
): void {
  const { table } = writer;
  const fill = filler(run, table);
  const identity = table.identityColumn;
  const others = table.columns.filter((column) => !columns.includes(column));
  const complete = (data: Datum[]) => {
    for (const column of others) fill(data, column);
    if (identity && given) noteIdentity(run, identity, data[identity.slot] ?? null);
    else if (identity) data[identity.slot] = nextIdentity(run, identity);
    writer.insert(data);
  };
  const versioned = columns.find((column) => column.type.kind === 'rowversion');
  if ('data' in input) {
    if (versioned) throw explicitRowVersion(line);
    const assign = columns.map((column, at) => assigner(run, table, column, input.types[at]!));
    for (const row of input.data()) {
      const data: Datum[] = new Array(table.nextSlot).fill(null);
      for (const [at, column] of columns.entries()) data[column.slot] = assign[at]!(row[at] ?? null);
      complete(data);
    }
    return;
  }
  for (const row of input.rows()) {
    const data: Datum[] = new Array(table.nextSlot).fill(null);
    for (const [at, column] of columns.entries()) {
      const cell = row[at];
      if (!cell) fill(data, column);
      else if (column === versioned) throw explicitRowVersion(line);
      else data[column.slot] = assigner(run, table, column, cell.type)(cell.make());
    }
    complete(data);
  }
}

/** Puts a column's default into new rows. */
export function filler(run: Run, table: Table): (data: Datum[], column: Column) => void {
  const { defaults } = tableExpressions(run, table);
  const env = newEnv(run);
  return (data, column) => {
    const value = defaults.get(column);
    if (!value) return;
    env.rows = [data];
    data[column.slot] = assigner(run, table, column, value.type)(value.evaluate(env));
  };
}

function explicitRowVersion(line: number): SqlFailure {
  return new SqlFailure(
    273,
    'Cannot insert an explicit value into a timestamp column. Use INSERT with a column list to exclude the timestamp column, or insert a DEFAULT into the timestamp column.',
    { line },
  );
}
