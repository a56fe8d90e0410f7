/** UPDATE and DELETE of a common table: what it selects are rows of a single table. */
import { SqlFailure } from '../../contract.ts';
import type { CommonTable, DeleteStatement, UpdateStatement } from '../../sql/ast.ts';
import { compileCondition, compileExpression } from '../../sql/expressions/compile.ts';
import { splitConjuncts } from './conjuncts.ts';
import { newEnv, type Run, type Tuple } from './environment.ts';
import { planSources } from './join-plan.ts';
import { type TargetRows, targetRows } from './modify.ts';
import { orderRows } from './ordering.ts';
import { type CommonTables, QueryScope, type SourceColumn } from './query-scope.ts';
import { bindSources, type TargetWish, tableColumns } from './sources.ts';
import { rowSource } from './specification.ts';

export function commonTarget(
  statement: UpdateStatement | DeleteStatement,
  common: { readonly definition: CommonTable; readonly around: CommonTables },
  run: Run,
): TargetRows {
  const { definition, around } = common;
  const { session } = run;
  const { body, orderBy } = definition.query;
  const [from] = body.kind === 'specification' ? body.from : [];
  if (
    body.kind !== 'specification' ||
    body.from.length !== 1 ||
    from?.kind !== 'table' ||
    body.groupBy.length > 0 ||
    body.distinct
  ) {
    throw new SqlFailure(
      4406,
      `Update or insert of view or function '${definition.name}' failed because it contains a derived or constant field.`,
      { line: statement.line },
    );
  }
  const inner = new QueryScope(session, undefined, around);
  const wish: TargetWish = {
    table: session.requireTable(from.name),
    name: (from.alias ?? from.name.name).toLowerCase(),
  };
  const bound = bindSources([from], inner, wish);
  const table = wish.table!;
  const where = splitConjuncts(body.where, inner);
  const tuples = rowSource(
    planSources(bound!, where),
    where.filter((one) => !one.used),
  );
  const order = orderBy.map((one) => ({
    key: compileExpression(one.expression, inner),
    descending: one.descending,
  }));
  const top = body.top && compileExpression(body.top.expression, inner);
  const names = columnNames(definition, table, statement.line);
  const outer = new QueryScope(session, undefined, around);
  const columns = tableColumns(table).flatMap((one): SourceColumn[] => {
    const name = names.get(one.name.toLowerCase());
    return name === undefined ? [] : [{ ...one, name }];
  });
  outer.sources.push({ index: 0, qualifier: [definition.name.toLowerCase()], columns, table });
  const condition = statement.where && compileCondition(statement.where, outer);
  return {
    table,
    scope: outer,
    column: (wanted) => {
      const found = columns.find((one) => one.name.toLowerCase() === wanted.toLowerCase());
      return found && table.columns.find((one) => one.slot === found.slot);
    },
    find: (at) => {
      const env = newEnv(at);
      let found: Tuple[] = tuples(env);
      if (order.length > 0) {
        const keyed = found.map((tuple) => {
          env.rows = tuple;
          return { tuple, keys: order.map(({ key }) => key.evaluate(env)) };
        });
        found = orderRows(keyed, order).map(({ tuple }) => tuple);
      }
      if (top) found = found.slice(0, Number(top.evaluate(newEnv(at))));
      if (condition) {
        found = found.filter((tuple) => {
          env.rows = tuple;
          return condition(env) === true;
        });
      }
      return targetRows(at, found, 0);
    },
  };
}

/** The common table's name for each column of the table that it shows. */
function columnNames(definition: CommonTable, table: TargetWish['table'], line: number): Map<string, string> {
  const { body } = definition.query;
  const names = new Map<string, string>();
  if (body.kind !== 'specification' || !table) return names;
  const shown = body.items.flatMap((item): readonly (readonly [string, string])[] => {
    if (item.kind === 'star') return table.columns.map(({ name }) => [name, name] as const);
    if (item.kind !== 'expression' || item.expression.kind !== 'column') return [['', '']];
    const name = item.expression.parts.at(-1)!;
    return [[name, item.alias ?? name]];
  });
  if (definition.columns && definition.columns.length !== shown.length) {
    throw new SqlFailure(
      8158,
      `'${definition.name}' has more columns than were specified in the column list.`,
      { line },
    );
  }
  for (const [at, [column, name]] of shown.entries()) {
    if (column !== '') names.set(column.toLowerCase(), definition.columns?.[at] ?? name);
  }
  return names;
}
