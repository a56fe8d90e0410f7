/** The front door of the Realm Query Language: texts become {@link Query} values, conditions become booleans. */
import type { ClassDefinition } from '../schema/definition.ts';
import { nearestName } from '../schema/nearest-name.ts';
import { buildPredicate } from './build-predicate.ts';
import type {
  CompileOptions,
  IndexCondition,
  Query,
  QueryDependencies,
  QueryObject,
  QueryWorld,
} from './contract.ts';
import { publicDependencies } from './dependencies.ts';
import { buildDescriptor, type Descriptor } from './descriptors.ts';
import { planIndex } from './index-planning.ts';
import { MAX_TEXT_LENGTH } from './limits.ts';
import { NO_OBJECT, NO_WORLD } from './no-object.ts';
import { parseQuery } from './parser.ts';
import type { Matcher, Predicate } from './predicate.ts';
import { QueryError } from './query-error.ts';
import type { Scope } from './resolve-path.ts';

/** Throws `QueryError` for a text that is no query of the class. */
export function compileQuery(text: string, options: CompileOptions): Query {
  const { schema, table } = options;
  const definition = schema.get(table);
  if (definition === undefined) {
    const near = nearestName(table, schema.keys());
    throw new QueryError(
      text,
      0,
      `there is no class '${table}'${near === undefined ? '' : `, did you mean '${near}'?`}`,
    );
  }
  const syntax = parseQuery(text, options);
  const scope: Scope = { schema, table, fault: (at, reason) => new QueryError(text, at, reason) };
  const predicate = buildPredicate(syntax.predicate, scope);
  const descriptors = syntax.descriptors.map((node) => buildDescriptor(node, scope));
  const query = new CompiledQuery(definition, predicate, descriptors);
  // What has been compiled must be possible to compile again from its canonical text.
  if (query.canonical.length > MAX_TEXT_LENGTH)
    throw new QueryError(
      text,
      0,
      `the query is longer than ${MAX_TEXT_LENGTH} characters in its canonical form`,
    );
  return query;
}

/** Judges a predicate without an object, of literals and `%%` variables only. Throws `QueryError`. */
export function evaluateCondition(text: string, variables: CompileOptions['variables']): boolean {
  const syntax = parseQuery(text, variables === undefined ? {} : { variables });
  const fault = (at: number, reason: string) => new QueryError(text, at, reason);
  const [descriptor] = syntax.descriptors;
  if (descriptor !== undefined)
    throw fault(descriptor.at, `a condition has no ${descriptor.kind.toUpperCase()}`);
  const predicate = buildPredicate(syntax.predicate, { schema: new Map(), table: '', fault });
  // Without properties nothing is read of an object, so that any will do.
  return predicate.matches(NO_OBJECT.state, NO_OBJECT.key, NO_WORLD);
}

class CompiledQuery implements Query {
  readonly table: string;
  readonly canonical: string;
  readonly constant: boolean | undefined;
  readonly dependencies: QueryDependencies;
  readonly hasDescriptors: boolean;
  readonly #definition: ClassDefinition;
  readonly #predicate: Predicate;
  readonly #matches: Matcher;
  readonly #descriptors: readonly Descriptor[];

  constructor(definition: ClassDefinition, predicate: Predicate, descriptors: readonly Descriptor[]) {
    this.table = definition.name;
    this.canonical = [predicate.text, ...descriptors.map(({ text }) => text)].join(' ');
    this.constant = predicate.kind === 'constant' ? predicate.value : undefined;
    this.dependencies = publicDependencies(predicate.dependencies);
    this.hasDescriptors = descriptors.length > 0;
    this.#definition = definition;
    this.#predicate = predicate;
    this.#matches = predicate.matches;
    this.#descriptors = descriptors;
  }

  matches(object: QueryObject, world: QueryWorld): boolean {
    return this.#matches(object.state, object.key, world);
  }

  run(world: QueryWorld): Iterable<QueryObject> {
    if (!this.hasDescriptors) return this.#matching(world);
    let objects: readonly QueryObject[] = [...this.#matching(world)];
    for (const { apply } of this.#descriptors) objects = apply(objects, world);
    return objects;
  }

  indexCondition(isIndexed: (field: string) => boolean): IndexCondition | undefined {
    return planIndex(this.#predicate, this.#definition, isIndexed);
  }

  *#matching(world: QueryWorld): Generator<QueryObject> {
    const condition = this.indexCondition(() => false);
    if (condition?.kind === 'key' && condition.keys.length <= 1) {
      for (const key of condition.keys) {
        const state = world.object(this.table, key);
        if (state !== undefined && this.#matches(state, key, world)) yield { key, state };
      }
      return;
    }
    for (const object of world.objects(this.table))
      if (this.#matches(object.state, object.key, world)) yield object;
  }
}
