/** One SELECT: from its sources over WHERE, GROUP BY and HAVING to its list, ORDER BY, TOP and DISTINCT. */
import { type Datum, SqlFailure } from '../../contract.ts';
import type { OrderItem, QueryExpression, QuerySpecification, SelectItem } from '../../sql/ast.ts';
import { compileCondition, compileExpression } from '../../sql/expressions/compile.ts';
import type { Compiled } from '../../sql/expressions/scope.ts';
import { assignVariable } from '../session/variables.ts';
import { compileGrouping } from './aggregation.ts';
import { allHold, type Conjunct, splitConjuncts } from './conjuncts.ts';
import { type Env, newEnv, type Tuple } from './environment.ts';
import { planSources } from './join-plan.ts';
import { compareKeys, orderRows } from './ordering.ts';
import type { Producer } from './producers.ts';
import {
  compilePage,
  countOf,
  distinctRows,
  ordinalOf,
  type PlanColumn,
  type QueryPlan,
  rowKey,
} from './query.ts';
import type { QueryScope } from './query-scope.ts';
import { bindSources } from './sources.ts';
import { evaluateWindows } from './windows.ts';

export type AssignItem = {
  readonly variable: string;
  readonly operator: Extract<SelectItem, { readonly kind: 'assign' }>['operator'];
  readonly value: Compiled<Env>;
  readonly line: number;
};

type Output = { readonly name: string; readonly compiled: Compiled<Env> };

export function compileSpecification(
  spec: QuerySpecification,
  query: QueryExpression | undefined,
  scope: QueryScope,
): QueryPlan {
  const bound = bindSources(spec.from, scope);
  const where = splitConjuncts(spec.where, scope);
  const producer = bound && planSources(bound, where);
  const residual = where.filter((one) => !one.used);
  const grouping = compileGrouping(spec, query?.orderBy ?? [], scope);
  scope.windowsAllowed = true;
  const assignments: AssignItem[] = [];
  const outputs = compileItems(spec.items, scope, assignments);
  const order = (query?.orderBy ?? []).map((item) => ({
    key: orderKey(item, outputs, scope),
    descending: item.descending,
  }));
  scope.windowsAllowed = false;
  const having = spec.having && compileCondition(spec.having, scope);
  const columns = outputs.map(({ name, compiled }) => planColumn(name, compiled));
  const tuples = rowSource(producer, residual);
  const environments = (env: Env): Env[] => {
    const rows = tuples(env);
    const made = grouping
      ? grouping.groups(rows, env).filter((group) => !having || having(group) === true)
      : rows.map((row) => newEnv(env.run, env.outer, row));
    evaluateWindows(scope, made);
    return made;
  };
  const sorted = (env: Env) => {
    const rows = environments(env).map((row) => ({
      env: row,
      keys: order.map(({ key }) => key.evaluate(row)),
    }));
    return order.length > 0 ? orderRows(rows, order) : rows;
  };
  if (assignments.length > 0) {
    if (outputs.length > 0) {
      throw new SqlFailure(
        141,
        'A SELECT statement that assigns a value to a variable must not be combined with data-retrieval operations.',
        { line: spec.line, severity: 15 },
      );
    }
    return { columns: [], rows: () => [], assignments, assign: (env) => assignAll(assignments, sorted(env)) };
  }
  const top = compileTop(spec, order, scope);
  const page = compilePage(query, scope);
  const keyOf = rowKey(columns);
  return {
    columns,
    rows: (env) => {
      let rows = sorted(env).map(({ env: row, keys }) => ({
        keys,
        values: outputs.map(({ compiled }) => compiled.evaluate(row)),
      }));
      if (spec.distinct) rows = distinctRows(rows, ({ values }) => keyOf(values));
      return page(env, top(env, rows)).map(({ values }) => values);
    },
  };
}

/** The tuples that WHERE leaves. */
export function rowSource(
  producer: Producer | undefined,
  residual: readonly Conjunct[],
): (env: Env) => Tuple[] {
  return (env) => {
    env.rows = [];
    const tuples = producer ? producer.tuples(env) : [[]];
    if (residual.length === 0) return tuples;
    const kept = tuples.filter((tuple) => {
      env.rows = tuple;
      return allHold(residual, env);
    });
    env.rows = [];
    return kept;
  };
}

function assignAll(assignments: readonly AssignItem[], rows: readonly { readonly env: Env }[]): number {
  for (const { env } of rows) {
    for (const one of assignments) {
      const value = one.value.evaluate(env);
      assignVariable(env.run.session, one.variable, one.operator, value, one.value.type, one.line);
    }
  }
  return rows.length;
}

/** Compiles a select list; stars become the columns of their sources. */
export function compileItems(
  items: readonly SelectItem[],
  scope: QueryScope,
  assignments?: AssignItem[],
): Output[] {
  return items.flatMap((item): Output[] => {
    if (item.kind === 'star') return starColumns(item, scope);
    const compiled = compileExpression(item.expression, scope);
    if (item.kind === 'assign') {
      if (!assignments) throw new SqlFailure(141, 'Variables cannot be assigned here.', { line: item.line });
      assignments.push({
        variable: item.variable,
        operator: item.operator,
        value: compiled,
        line: item.line,
      });
      return [];
    }
    const name = item.alias ?? (item.expression.kind === 'column' ? (compiled.columnName ?? '') : '');
    return [{ name, compiled }];
  });
}

function starColumns(item: Extract<SelectItem, { readonly kind: 'star' }>, scope: QueryScope): Output[] {
  const qualifier = item.qualifier.map((part) => part.toLowerCase());
  const sources = scope.sources.filter((source) => {
    const offset = source.qualifier.length - qualifier.length;
    return offset >= 0 && qualifier.every((part, at) => source.qualifier[offset + at] === part);
  });
  if (sources.length === 0) {
    const name = item.qualifier.join('.');
    throw qualifier.length > 0
      ? new SqlFailure(
          107,
          `The column prefix '${name}' does not match with a table name or alias name used in the query.`,
          { line: item.line, severity: 15 },
        )
      : new SqlFailure(263, 'Must specify table to select from.', { line: item.line });
  }
  return sources.flatMap((source) =>
    source.columns.map((column): Output => {
      const { index } = source;
      const { slot } = column;
      scope.touched?.add(index);
      return {
        name: column.name,
        compiled: {
          type: column.type,
          nullable: column.nullable,
          ...(column.collation ? { collation: column.collation } : {}),
          ...(column.identity ? { identity: true } : {}),
          columnName: column.name,
          evaluate: (env) => env.rows[index]![slot] ?? null,
        },
      };
    }),
  );
}

export function planColumn(name: string, compiled: Compiled<Env>): PlanColumn {
  return {
    name,
    type: compiled.type,
    nullable: compiled.nullable,
    ...(compiled.collation ? { collation: compiled.collation } : {}),
    ...(compiled.identity ? { identity: true } : {}),
    ...(compiled.untypedNull ? { untypedNull: true } : {}),
  };
}

function orderKey(item: OrderItem, outputs: readonly Output[], scope: QueryScope): Compiled<Env> {
  const { expression } = item;
  const at = ordinalOf(expression, outputs.length);
  if (at !== undefined) return outputs[at]!.compiled;
  if (expression.kind === 'column' && expression.parts.length === 1) {
    const wanted = expression.parts[0]!.toLowerCase();
    const named = outputs.find(({ name }) => name.toLowerCase() === wanted);
    if (named) return named.compiled;
  }
  return compileExpression(expression, scope);
}

type Row = { readonly keys: readonly Datum[]; readonly values: readonly Datum[] };

function compileTop(
  spec: QuerySpecification,
  order: readonly { readonly key: Compiled<Env>; readonly descending: boolean }[],
  scope: QueryScope,
): (env: Env, rows: Row[]) => Row[] {
  const { top } = spec;
  if (!top) return (_env, rows) => rows;
  if (top.withTies && order.length === 0) {
    throw new SqlFailure(
      1062,
      'The TOP N WITH TIES clause is not allowed without a corresponding ORDER BY clause.',
      {
        line: spec.line,
        severity: 15,
      },
    );
  }
  const limit = compileExpression(top.expression, scope);
  const compare = compareKeys(order);
  return (env, rows) => {
    const value = countOf(
      limit.evaluate(env),
      1060,
      'The number of rows provided for a TOP or FETCH clauses row count parameter must be an integer.',
    );
    let count = top.percent ? Math.ceil((rows.length * value) / 100) : value;
    if (top.withTies && count > 0) {
      const last = rows[count - 1];
      while (last && rows[count] && compare(last, rows[count]!) === 0) count++;
    }
    return rows.slice(0, count);
  };
}
