/** Aggregates, apart from the compiler: the engine runs one accumulator a group. */
import type { Datum } from '../../contract.ts';
import type { FunctionCall } from '../ast.ts';
import type { Compiled, Scope, Typed } from './scope.ts';

export interface Accumulator {
  /** The argument's value; 1n for COUNT(*). */
  add(value: Datum): void;
  result(): Datum;
}

export type CompiledAggregate<Env> = Typed & {
  /** Absent for COUNT(*). DISTINCT and skipped NULLs are the accumulator's business. */
  readonly argument: Compiled<Env> | undefined;
  readonly start: () => Accumulator;
  /** WITHIN GROUP (ORDER BY …): rows are to be added in this order. */
  readonly order: readonly { readonly key: Compiled<Env>; readonly descending: boolean }[];
};

export function isAggregate(_call: FunctionCall): boolean {
  throw new Error('not here yet');
}

export function compileAggregate<Env>(_call: FunctionCall, _scope: Scope<Env>): CompiledAggregate<Env> {
  throw new Error('not here yet');
}
