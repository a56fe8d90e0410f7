/** Sources whose rows are computed from expressions: they may refer to sources before them, as APPLY allows. */
import type { Expression } from '../../sql/ast.ts';
import { compileExpression } from '../../sql/expressions/compile.ts';
import type { Compiled } from '../../sql/expressions/scope.ts';
import type { Data, Env } from './environment.ts';
import { cached, type Leaf } from './producers.ts';
import type { QueryScope, Source } from './query-scope.ts';

/** Compiles what a source is computed from, and says whether it is the same for all rows around it. */
export function compileInputs(
  expressions: readonly Expression[],
  scope: QueryScope,
): { readonly compiled: readonly Compiled<Env>[]; readonly constant: boolean } {
  const outerBefore = scope.usesOuter;
  scope.usesOuter = false;
  const { result: compiled, touched } = scope.record(() =>
    expressions.map((one) => compileExpression(one, scope)),
  );
  const constant = touched.size === 0 && !scope.usesOuter;
  scope.usesOuter ||= outerBefore;
  return { compiled, constant };
}

export function computedLeaf(source: Source, constant: boolean, rows: (env: Env) => readonly Data[]): Leaf {
  if (!constant) return { source, constant, rows };
  const key = {};
  return { source, constant, rows: (env) => cached(env.run, key, () => rows(env)) };
}
