/** Queries: from syntax to a plan that makes rows. */
import { type Datum, SqlFailure } from '../../contract.ts';
import type { Expression, QueryBody, QueryExpression } from '../../sql/ast.ts';
import { compileExpression } from '../../sql/expressions/compile.ts';
import type { Compiled, CompiledQuery, Typed } from '../../sql/expressions/scope.ts';
import { convertDatum } from '../../sql/types/convert.ts';
import { commonType } from '../../sql/types/precedence.ts';
import { datumKey } from '../storage/datum-key.ts';
import { type Data, type Env, newEnv } from './environment.ts';
import { orderRows } from './ordering.ts';
import { cached } from './producers.ts';
import { QueryScope } from './query-scope.ts';
import { type AssignItem, compileSpecification } from './specification.ts';

export type PlanColumn = Typed & {
  /** Empty when it has none. */
  readonly name: string;
  readonly identity?: boolean;
  readonly untypedNull?: boolean;
};

export type QueryPlan = {
  readonly columns: readonly PlanColumn[];
  /** `env` is the query's own environment, with those around it as `outer`. */
  readonly rows: (env: Env) => Data[];
  /** `SELECT @v = …`: rows are assigned instead of returned; the number of rows is. */
  readonly assign?: (env: Env) => number;
  readonly assignments?: readonly AssignItem[];
};

/** Compiles a query whose names are looked up in `scope`, a fresh one of its own. */
export function compileQuery(query: QueryExpression, scope: QueryScope): QueryPlan {
  const { body } = query;
  if (body.kind === 'specification') return compileSpecification(body, query, scope);
  if (body.kind === 'nested' && query.orderBy.length === 0 && !query.offset) {
    return compileQuery(body.query, scope);
  }
  return ordered(compileBody(body, scope), query, scope);
}

/** A query inside an expression. One that refers to nothing around it is computed once a statement. */
export function compileSubquery(query: QueryExpression, around: QueryScope): CompiledQuery<Env> {
  const scope = new QueryScope(around.owner, around);
  const plan = compileQuery(query, scope);
  if (scope.usesOuter) return { columns: plan.columns, rows: (env) => plan.rows(newEnv(env.run, env)) };
  return {
    columns: plan.columns,
    rows: (env) => cached(env.run, plan, () => plan.rows(newEnv(env.run, env))),
  };
}

function compileBody(body: QueryBody, scope: QueryScope): QueryPlan {
  if (body.kind === 'nested') return compileQuery(body.query, scope);
  if (body.kind === 'specification') return compileSpecification(body, undefined, scope);
  const branch = (one: QueryBody) => {
    const inner = new QueryScope(scope.owner, scope.outer, scope.commonTables);
    const plan = compileBody(one, inner);
    scope.usesOuter ||= inner.usesOuter;
    return plan;
  };
  const left = branch(body.left);
  const right = branch(body.right);
  if (left.columns.length !== right.columns.length) {
    throw new SqlFailure(
      205,
      'All queries combined using a UNION, INTERSECT or EXCEPT operator must have an equal number of expressions in their target lists.',
      { line: body.line },
    );
  }
  const columns = left.columns.map((one, at) => combined(one, right.columns[at]!));
  const rows = (plan: QueryPlan, env: Env): Data[] => {
    const found = plan.rows(newEnv(env.run, env.outer));
    const changed = columns.some((column, at) => !sameType(column.type, plan.columns[at]!.type));
    if (!changed) return found;
    const { conversion } = env.run.session;
    return found.map((row) =>
      row.map((value, at) =>
        value === null ? null : convertDatum(value, plan.columns[at]!.type, columns[at]!.type, conversion),
      ),
    );
  };
  const keyOf = rowKey(columns);
  return {
    columns,
    rows: (env) => {
      const first = rows(left, env);
      const second = rows(right, env);
      if (body.operator === 'unionAll') return [...first, ...second];
      if (body.operator === 'union') return distinctRows([...first, ...second], keyOf);
      const others = new Set(second.map(keyOf));
      const wanted = body.operator === 'intersect';
      return distinctRows(
        first.filter((row) => others.has(keyOf(row)) === wanted),
        keyOf,
      );
    },
  };
}

function combined(left: PlanColumn, right: PlanColumn): PlanColumn {
  const type = left.untypedNull
    ? right.type
    : right.untypedNull
      ? left.type
      : commonType(left.type, right.type);
  const collation = left.collation ?? right.collation;
  return {
    name: left.name,
    type,
    nullable: left.nullable || right.nullable,
    ...(left.untypedNull && right.untypedNull ? { untypedNull: true } : {}),
    ...(collation ? { collation } : {}),
  };
}

function sameType(a: Typed['type'], b: Typed['type']): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}

export function rowKey(columns: readonly Typed[]): (row: Data) => string {
  return (row) => {
    let key = '';
    for (const [at, value] of row.entries()) {
      const part = datumKey(value, columns[at]?.collation?.name);
      key += `${part.length}:${part}`;
    }
    return key;
  };
}

export function distinctRows<Row>(rows: readonly Row[], keyOf: (row: Row) => string): Row[] {
  const seen = new Set<string>();
  const kept: Row[] = [];
  for (const row of rows) {
    const key = keyOf(row);
    if (seen.has(key)) continue;
    seen.add(key);
    kept.push(row);
  }
  return kept;
}

/** ORDER BY, OFFSET and FETCH of a query that is no single SELECT: only its result's columns can be named. */
function ordered(plan: QueryPlan, query: QueryExpression, scope: QueryScope): QueryPlan {
  if (query.orderBy.length === 0) return plan;
  const outputs = new QueryScope(scope.owner, scope.outer, scope.commonTables);
  outputs.sources.push({
    index: 0,
    qualifier: [],
    columns: plan.columns.map((one, at) => ({ ...one, slot: at })),
    table: undefined,
  });
  const keys = query.orderBy.map((item) => ({
    key: outputKey(item.expression, plan.columns, outputs),
    descending: item.descending,
  }));
  const page = compilePage(query, scope);
  return {
    columns: plan.columns,
    rows: (env) => {
      const inner = newEnv(env.run, env.outer);
      const rows = plan.rows(env).map((row) => {
        inner.rows = [row];
        return { row, keys: keys.map(({ key }) => key.evaluate(inner)) };
      });
      return page(
        env,
        orderRows(rows, keys).map(({ row }) => row),
      );
    },
  };
}

function outputKey(expression: Expression, columns: readonly PlanColumn[], scope: QueryScope): Compiled<Env> {
  const at = ordinalOf(expression, columns.length);
  if (at === undefined) return compileExpression(expression, scope);
  return { ...columns[at]!, evaluate: (env) => env.rows[0]![at] ?? null };
}

/** `ORDER BY 2`: the position from 0, or undefined when the expression is no number. */
export function ordinalOf(expression: Expression, count: number): number | undefined {
  if (expression.kind !== 'literal' || typeof expression.value !== 'bigint') return undefined;
  const at = Number(expression.value);
  if (at < 1 || at > count) {
    throw new SqlFailure(
      108,
      `The ORDER BY position number ${at} is out of range of the number of items in the select list.`,
      { line: expression.line, severity: 15 },
    );
  }
  return at - 1;
}

/** OFFSET and FETCH as a cut of rows. */
export function compilePage(
  query: QueryExpression | undefined,
  scope: QueryScope,
): <Row>(env: Env, rows: Row[]) => Row[] {
  if (!query?.offset) return (_env, rows) => rows;
  const offset = compileExpression(query.offset, scope);
  const fetch = query.fetch && compileExpression(query.fetch, scope);
  return (env, rows) => {
    const from = countOf(
      offset.evaluate(env),
      10742,
      'The offset specified in a OFFSET clause may not be negative.',
    );
    if (!fetch) return rows.slice(from);
    const count = countOf(
      fetch.evaluate(env),
      10744,
      'The number of rows provided for a FETCH clause must be greater then zero.',
    );
    return rows.slice(from, from + count);
  };
}

export function countOf(value: Datum, number: number, message: string): number {
  if (value === null || (typeof value !== 'bigint' && typeof value !== 'number') || value < 0) {
    throw new SqlFailure(number, message, { severity: 15 });
  }
  return Number(value);
}
