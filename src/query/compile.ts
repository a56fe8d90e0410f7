/** The front door of the Realm Query Language: texts become {@link Query} values, conditions become booleans. */
import type { CompileOptions, Query, QueryObject, QueryWorld } from './contract.ts';
import { QueryError } from './query-error.ts';

const CONSTANTS: ReadonlyMap<string, boolean> = new Map([
  ['TRUEPREDICATE', true],
  ['FALSEPREDICATE', false],
]);

/** Throws `QueryError` for a text that is no query of the class. */
export function compileQuery(text: string, options: CompileOptions): Query {
  const constant = CONSTANTS.get(text.trim().toUpperCase());
  if (constant === undefined) throw new QueryError(text, 0, 'not supported yet');
  return {
    table: options.table,
    canonical: constant ? 'TRUEPREDICATE' : 'FALSEPREDICATE',
    constant,
    dependencies: { fields: new Set(), paths: [], everything: false },
    hasDescriptors: false,
    matches: () => constant,
    run: (world: QueryWorld): Iterable<QueryObject> => (constant ? world.objects(options.table) : []),
    indexCondition: () => (constant ? undefined : { kind: 'key', keys: [] }),
  };
}

/** Judges a predicate without an object, of literals and `%%` variables only. Throws `QueryError`. */
export function evaluateCondition(text: string, variables: CompileOptions['variables']): boolean {
  return compileQuery(text, {
    schema: new Map(),
    table: '',
    ...(variables === undefined ? {} : { variables }),
  }).matches({ key: { type: 'null' }, state: { fields: new Map() } }, NO_WORLD);
}

const NO_WORLD: QueryWorld = {
  schema: new Map(),
  object: () => undefined,
  objects: () => [],
  linking: () => [],
};
