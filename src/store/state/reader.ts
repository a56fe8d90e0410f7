/** Reading one state of a realm, synchronously. */
import type { RealmSchema } from '../../schema/definition.ts';
import type { PrimaryKey, ScalarValue } from '../../schema/value.ts';
import type { ObjectState } from './object-state.ts';

export type StoredState = { readonly key: PrimaryKey; readonly state: ObjectState };

export interface StateReader {
  readonly schema: RealmSchema;
  object(table: string, key: PrimaryKey): ObjectState | undefined;
  /** Objects of a class in key order, after the key `after` if there is one, read as the caller asks for them. */
  objects(table: string, after?: PrimaryKey): Iterable<StoredState>;
  count(table: string): number;
  /** Objects of class `table` whose property `field` (a link, or a collection of links) contains the target. */
  linking(table: string, field: string, target: { table: string; key: PrimaryKey }): Iterable<StoredState>;
  /** True when {@link withValue} and {@link linking} find objects by an index. */
  isIndexed(table: string, field: string): boolean;
  /** Objects of class `table` whose property `field` holds one of the values, in key order. Needs an index. */
  withValue(table: string, field: string, values: readonly ScalarValue[]): Iterable<StoredState>;
}
