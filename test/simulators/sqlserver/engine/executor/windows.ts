/** Window functions: ROW_NUMBER, RANK, DENSE_RANK, and aggregates OVER a partition. */
import { type Datum, SqlFailure } from '../../contract.ts';
import type { FunctionCall } from '../../sql/ast.ts';
import { compileAggregate, isAggregate } from '../../sql/expressions/aggregates.ts';
import { compileExpression } from '../../sql/expressions/compile.ts';
import type { Compiled } from '../../sql/expressions/scope.ts';
import { datumKey } from '../storage/datum-key.ts';
import type { Env } from './environment.ts';
import { compareKeys, orderRows, type SortKey } from './ordering.ts';
import type { QueryScope } from './query-scope.ts';

type Ranked = { readonly env: Env; readonly keys: readonly Datum[] };
/** Values for the rows of one partition in their order. */
type Compute = (rows: readonly Ranked[], same: (a: Ranked, b: Ranked) => boolean) => Datum[];

type WindowPlan = {
  readonly partition: readonly Compiled<Env>[];
  readonly order: readonly (SortKey & { readonly key: Compiled<Env> })[];
  readonly compute: Compute;
};

const plans = new WeakMap<QueryScope, WindowPlan[]>();

export function compileWindow(call: FunctionCall, scope: QueryScope): Compiled<Env> {
  const { over } = call;
  if (!over || !scope.windowsAllowed) {
    throw new SqlFailure(4108, 'Windowed functions can only appear in the SELECT or ORDER BY clauses.', {
      line: call.line,
      severity: 15,
    });
  }
  const aggregate = isAggregate(call) ? compileAggregate(call, scope) : undefined;
  const ranking = rankings[call.name];
  if (!aggregate && !ranking) {
    throw new SqlFailure(50900, `The window function ${call.name} is not supported by the simulator.`, {
      line: call.line,
    });
  }
  if (ranking && over.orderBy.length === 0) {
    throw new SqlFailure(4112, `The function '${call.name}' must have an OVER clause with ORDER BY.`, {
      line: call.line,
    });
  }
  const plan: WindowPlan = {
    partition: over.partitionBy.map((one) => compileExpression(one, scope)),
    order: over.orderBy.map((one) => ({
      key: compileExpression(one.expression, scope),
      descending: one.descending,
    })),
    compute: ranking ?? ((rows, same) => running(aggregate!, rows, same, over.orderBy.length > 0)),
  };
  const present = plans.get(scope) ?? [];
  plans.set(scope, present);
  const at = present.push(plan) - 1;
  return {
    type: aggregate?.type ?? { kind: 'bigint' },
    nullable: aggregate?.nullable ?? false,
    evaluate: (env) => env.windows[at] ?? null,
  };
}

const rankings: Readonly<Record<string, Compute>> = {
  ROW_NUMBER: (rows) => rows.map((_row, at) => BigInt(at + 1)),
  RANK: (rows, same) => {
    let rank = 0;
    return rows.map((row, at) => {
      if (at === 0 || !same(rows[at - 1]!, row)) rank = at + 1;
      return BigInt(rank);
    });
  },
  DENSE_RANK: (rows, same) => {
    let rank = 0;
    return rows.map((row, at) => {
      if (at === 0 || !same(rows[at - 1]!, row)) rank++;
      return BigInt(rank);
    });
  },
};

/** The aggregate over the partition; with an order, over the rows up to the last one that is equal by it. */
function running(
  aggregate: ReturnType<typeof compileAggregate<Env>>,
  rows: readonly Ranked[],
  same: (a: Ranked, b: Ranked) => boolean,
  ordered: boolean,
): Datum[] {
  const accumulator = aggregate.start();
  const values: Datum[] = [];
  let done = 0;
  while (done < rows.length) {
    let end = done + 1;
    while (end < rows.length && (!ordered || same(rows[done]!, rows[end]!))) end++;
    for (const { env } of rows.slice(done, end)) {
      accumulator.add(aggregate.argument ? aggregate.argument.evaluate(env) : 1n);
    }
    const value = accumulator.result();
    for (; done < end; done++) values.push(value);
  }
  return values;
}

/** Computes the window functions of a query for its rows. */
export function evaluateWindows(scope: QueryScope, rows: readonly Env[]): void {
  const found = plans.get(scope);
  if (!found) return;
  const results = new Map<Env, Datum[]>(rows.map((row) => [row, []]));
  for (const [at, plan] of found.entries()) {
    const partitions = new Map<string, Ranked[]>();
    for (const env of rows) {
      const key = plan.partition.map((one) => datumKey(one.evaluate(env), one.collation?.name)).join('\0');
      const ranked = { env, keys: plan.order.map((one) => one.key.evaluate(env)) };
      const present = partitions.get(key);
      if (present) present.push(ranked);
      else partitions.set(key, [ranked]);
    }
    const compare = compareKeys(plan.order);
    for (const members of partitions.values()) {
      const sorted = orderRows(members, plan.order);
      const values = plan.compute(sorted, (a, b) => compare(a, b) === 0);
      for (const [position, { env }] of sorted.entries()) results.get(env)![at] = values[position]!;
    }
  }
  for (const [env, values] of results) env.windows = values;
}
