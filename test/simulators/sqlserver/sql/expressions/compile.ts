/** Compiles expressions and conditions to closures over the engine's environment. */
import type { Condition, Expression } from '../ast.ts';
import type { Compiled, CompiledCondition, Scope } from './scope.ts';

/** Infers the type of `expression` and compiles it. Throws `SqlFailure` with its line. */
export function compileExpression<Env>(_expression: Expression, _scope: Scope<Env>): Compiled<Env> {
  throw new Error('not here yet');
}

/** Compiles a condition to three-valued logic. */
export function compileCondition<Env>(_condition: Condition, _scope: Scope<Env>): CompiledCondition<Env> {
  throw new Error('not here yet');
}
