/**
 * The Realm Query Language as the rest of Isthmus sees it: a text is compiled once, for one class of one schema, and
 * then judges objects. Subscriptions, permission rules and the client's object API use the same compiler.
 */
import type { RealmSchema } from '../schema/definition.ts';
import type { PrimaryKey, ScalarValue } from '../schema/value.ts';
import type { ObjectState } from '../store/state/object-state.ts';

export type QueryObject = { readonly key: PrimaryKey; readonly state: ObjectState };

/** The realm that a query is asked about. Synchronous; the state must not change while a query runs. */
export interface QueryWorld {
  readonly schema: RealmSchema;
  object(table: string, key: PrimaryKey): ObjectState | undefined;
  /** All objects of a class in key order. */
  objects(table: string): Iterable<QueryObject>;
  /** Objects of class `table` whose property `field` links to the target, once each however often they do. */
  linking(table: string, field: string, target: { table: string; key: PrimaryKey }): Iterable<QueryObject>;
}

/** What stands for `$0`, `$1`… or for a `%%name.path`: a value, or several for `IN` and `BETWEEN`. */
export type QueryArgument = ScalarValue | readonly ScalarValue[];

export type CompileOptions = {
  readonly schema: RealmSchema;
  /** The class whose objects are judged. */
  readonly table: string;
  readonly arguments?: readonly QueryArgument[];
  /** The value of `%%user.custom_data.team`, asked as `['user', 'custom_data', 'team']`; undefined reads as null. */
  readonly variables?: (path: readonly string[]) => QueryArgument | undefined;
};

/** A step from one object to others: along a link property, or back from the objects that link here. */
export type LinkStep =
  | { readonly kind: 'forward'; readonly table: string; readonly field: string; readonly target: string }
  | { readonly kind: 'backward'; readonly table: string; readonly field: string; readonly source: string };

export type QueryDependencies = {
  /** Properties of the judged object itself that the result depends on; embedded ones by their top-level property. */
  readonly fields: ReadonlySet<string>;
  /**
   * Ways from the judged object to other objects that the result depends on; a way is listed with all its steps, its
   * prefixes are implied. `table` of a step is the class it starts from.
   */
  readonly paths: readonly (readonly LinkStep[])[];
  /** The result depends on objects that no way leads to (through links in mixed values): any change may matter. */
  readonly everything: boolean;
};

/** A necessary condition: every object that matches has one of `values` in `field`, or is one of `keys`. */
export type IndexCondition =
  | { readonly kind: 'field'; readonly field: string; readonly values: readonly ScalarValue[] }
  | { readonly kind: 'key'; readonly keys: readonly PrimaryKey[] };

/** Compiled once; holds no state of its own and can be shared. */
export interface Query {
  readonly table: string;
  /** Equal for texts that differ only in spelling, white space and argument substitution. Can be compiled again. */
  readonly canonical: string;
  readonly constant: boolean | undefined;
  readonly dependencies: QueryDependencies;
  /** `SORT`, `DISTINCT` or `LIMIT` are present: {@link run} obeys them, {@link matches} knows the predicate only. */
  readonly hasDescriptors: boolean;
  matches(object: QueryObject, world: QueryWorld): boolean;
  /** The matching objects, sorted, made distinct and limited as the text says; otherwise in key order. */
  run(world: QueryWorld): Iterable<QueryObject>;
  /** The narrowest condition on an indexed field or on the key that the predicate implies. */
  indexCondition(isIndexed: (field: string) => boolean): IndexCondition | undefined;
}
