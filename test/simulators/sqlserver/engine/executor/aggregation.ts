/** GROUP BY: rows become groups, and aggregates are computed for each. */
import type { Datum } from '../../contract.ts';
import type { FunctionCall, OrderItem, QuerySpecification } from '../../sql/ast.ts';
import { isAggregate } from '../../sql/expressions/aggregates.ts';
import { compileExpression } from '../../sql/expressions/compile.ts';
import { datumKey } from '../storage/datum-key.ts';
import { type Env, NO_ROW, newEnv, type Tuple } from './environment.ts';
import { orderRows } from './ordering.ts';
import type { QueryScope } from './query-scope.ts';

export type AggregationPlan = {
  /** One environment a group: a row that stands for it, and its aggregates. */
  readonly groups: (rows: readonly Tuple[], env: Env) => Env[];
};

/**
 * Prepares the scope for a grouped query, so that aggregates compile to readers of what the plan computes. Undefined
 * for a query without groups.
 */
export function compileGrouping(
  spec: QuerySpecification,
  orderBy: readonly OrderItem[],
  scope: QueryScope,
): AggregationPlan | undefined {
  const aggregates = [spec.items, spec.having, orderBy].some(containsAggregate);
  if (!aggregates && spec.groupBy.length === 0 && !spec.having) return undefined;
  const columns = new Set<string>();
  const keys = spec.groupBy.map((expression) => {
    collectColumns(expression, scope, columns);
    return compileExpression(expression, scope);
  });
  const calls: NonNullable<QueryScope['grouping']>['calls'] = [];
  scope.grouping = { columns, calls };
  const width = () => scope.sources.length;
  return {
    groups: (rows, env) => {
      const groups = new Map<string, Tuple[]>();
      const at = newEnv(env.run, env.outer);
      for (const row of rows) {
        at.rows = row;
        let key = '';
        for (const one of keys) {
          const part = datumKey(one.evaluate(at), one.collation?.name);
          key += `${part.length}:${part}`;
        }
        const present = groups.get(key);
        if (present) present.push(row);
        else groups.set(key, [row]);
      }
      if (groups.size === 0 && keys.length === 0) groups.set('', []);
      return [...groups.values()].map((members) => {
        const first = members[0] ?? new Array(width()).fill(NO_ROW);
        const group = newEnv(env.run, env.outer, first);
        group.aggregates = calls.map(({ compiled }) => aggregate(compiled, members, at));
        return group;
      });
    },
  };
}

function aggregate(
  compiled: NonNullable<QueryScope['grouping']>['calls'][number]['compiled'],
  members: readonly Tuple[],
  env: Env,
): Datum {
  const accumulator = compiled.start();
  const values = members.map((row) => {
    env.rows = row;
    return {
      value: compiled.argument ? compiled.argument.evaluate(env) : 1n,
      keys: compiled.order.map(({ key }) => key.evaluate(env)),
    };
  });
  if (compiled.order.length > 0) orderRows(values, compiled.order);
  for (const { value } of values) accumulator.add(value);
  return accumulator.result();
}

/** Whether an aggregate stands in the syntax, outside subqueries. */
function containsAggregate(node: unknown): boolean {
  if (Array.isArray(node)) return node.some(containsAggregate);
  if (typeof node !== 'object' || node === null || node instanceof Uint8Array) return false;
  const { kind } = node as { readonly kind?: unknown };
  if (kind === 'subquery' || kind === 'exists' || kind === 'literal') return false;
  if (kind === 'function') {
    const call = node as FunctionCall;
    if (!call.over && isAggregate(call)) return true;
  }
  return Object.entries(node).some(([name, child]) => name !== 'query' && containsAggregate(child));
}

function collectColumns(node: unknown, scope: QueryScope, into: Set<string>): void {
  if (Array.isArray(node)) {
    for (const one of node) collectColumns(one, scope, into);
    return;
  }
  if (typeof node !== 'object' || node === null || node instanceof Uint8Array) return;
  const { kind, parts } = node as { readonly kind?: unknown; readonly parts?: unknown };
  if (kind === 'column' && Array.isArray(parts)) {
    const name = String(parts.at(-1)).toLowerCase();
    const { touched } = scope.record(() => scope.column(parts.map(String), 0));
    for (const index of touched) {
      const column = scope.sources[index]!.columns.find((one) => one.name.toLowerCase() === name);
      if (column) into.add(`${index}:${column.slot}`);
    }
    return;
  }
  for (const child of Object.values(node)) collectColumns(child, scope, into);
}
