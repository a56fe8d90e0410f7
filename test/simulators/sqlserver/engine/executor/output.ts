/** The OUTPUT clause: what was inserted and deleted, as a result set or into a table. */
import type { Datum } from '../../contract.ts';
import type { OutputClause } from '../../sql/ast.ts';
import type { Session } from '../session/session.ts';
import type { Table } from '../storage/table.ts';
import { assigner, namedColumns } from './assigning.ts';
import { type Data, NO_ROW, newEnv, type Run, type Tuple } from './environment.ts';
import { nextIdentity } from './identity.ts';
import { filler } from './insert.ts';
import type { PlanColumn } from './query.ts';
import { type CommonTables, QueryScope, type Source } from './query-scope.ts';
import { RowWriter, type Written } from './row-writer.ts';
import { tableColumns } from './sources.ts';
import { compileItems, planColumn } from './specification.ts';
import { resultColumns, type StatementResult } from './statement-result.ts';
import { resolveTarget } from './write-target.ts';

type OutputPlan = {
  readonly columns: readonly PlanColumn[];
  readonly make: (run: Run, written: Written, tuple: Tuple) => Data;
  readonly into: { readonly table: Table; readonly columns: readonly string[] | undefined } | undefined;
};

/** `sources` are those of the statement's FROM, whose columns OUTPUT may name, too. */
export function compileOutput(
  clause: OutputClause,
  table: Table,
  sources: readonly Source[] | undefined,
  session: Session,
  common: CommonTables,
): OutputPlan {
  const scope = new QueryScope(session, undefined, common);
  for (const source of sources ?? []) scope.sources.push(source);
  const columns = tableColumns(table).map((one) => ({ ...one, identity: false }));
  const inserted = scope.sources.length;
  scope.sources.push({ index: inserted, qualifier: ['inserted'], columns, table });
  scope.sources.push({ index: inserted + 1, qualifier: ['deleted'], columns, table });
  const outputs = compileItems(clause.items, scope);
  const into = clause.into && {
    table: resolveTarget(clause.into.target, session).table,
    columns: clause.into.columns,
  };
  return {
    columns: outputs.map(({ name, compiled }) => planColumn(name, compiled)),
    into,
    make: (run, written, tuple) => {
      const rows = tuple.slice();
      rows[inserted] = written.after ?? NO_ROW;
      rows[inserted + 1] = written.before ?? NO_ROW;
      const env = newEnv(run, undefined, rows);
      return outputs.map(({ compiled }) => compiled.evaluate(env));
    },
  };
}

/** The rows of OUTPUT as a result, or written where INTO says. */
export function writeOutput(
  plan: OutputPlan,
  run: Run,
  written: readonly Written[],
  tuples: readonly Tuple[],
): Pick<StatementResult, 'columns' | 'rows'> {
  const rows = written.map((one, at) => plan.make(run, one, tuples[at] ?? []));
  const { into } = plan;
  if (!into) return { columns: resultColumns(plan.columns), rows };
  const { table } = into;
  const columns = into.columns
    ? namedColumns(table, into.columns, 0)
    : table.columns.filter((one) => !one.computed && !one.identity && one.type.kind !== 'rowversion');
  const assign = columns.map((column, at) => assigner(run, table, column, plan.columns[at]!.type));
  const fill = filler(run, table);
  const writer = new RowWriter(run, table, 'INSERT', null);
  for (const row of rows) {
    const data: Datum[] = new Array(table.nextSlot).fill(null);
    for (const [at, column] of columns.entries()) data[column.slot] = assign[at]!(row[at] ?? null);
    for (const column of table.columns) if (!columns.includes(column)) fill(data, column);
    const identity = table.identityColumn;
    if (identity && !columns.includes(identity)) data[identity.slot] = nextIdentity(run, identity);
    writer.insert(data);
  }
  writer.finish();
  return {};
}
