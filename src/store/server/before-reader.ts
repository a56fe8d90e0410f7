/** The state of a realm at an earlier version: touched objects as they were, all others as they are. */
import type { RealmSchema } from '../../schema/definition.ts';
import { keyToken, type PrimaryKey, type ScalarValue } from '../../schema/value.ts';
import { compareKeys } from '../sqlite/object-key.ts';
import type { WorkingView } from '../sqlite/working-view.ts';
import { indexToken, indexTokens } from '../state/index-token.ts';
import type { ObjectState } from '../state/object-state.ts';
import type { StateReader, StoredState } from '../state/reader.ts';
import type { Touch } from './change-window.ts';

/** The touched objects of a window. */
export type EarlierObjects = {
  /** By key token. */
  readonly ofClass: (table: string) => ReadonlyMap<string, Touch>;
  readonly stateOf: (touch: Touch) => ObjectState | undefined;
};

/** The schema is the present one: a class or column that was erased since is not shown. */
export class BeforeReader implements StateReader {
  readonly #source: { readonly view: WorkingView };
  readonly #earlier: EarlierObjects;
  /** Touched objects of a class that existed, in key order. */
  readonly #existing = new Map<string, readonly Touch[]>();
  /** The same by the token of what they held in a property: by class and property. */
  readonly #byToken = new Map<string, ReadonlyMap<string, readonly Touch[]>>();

  constructor(source: { readonly view: WorkingView }, earlier: EarlierObjects) {
    this.#source = source;
    this.#earlier = earlier;
  }

  get schema(): RealmSchema {
    return this.#source.view.schema;
  }

  object(table: string, key: PrimaryKey): ObjectState | undefined {
    const touch = this.#earlier.ofClass(table).get(keyToken(key));
    return touch === undefined ? this.#source.view.object(table, key) : this.#earlier.stateOf(touch);
  }

  objects(table: string, after?: PrimaryKey): Iterable<StoredState> {
    const existing = this.#existingOf(table);
    const earlier =
      after === undefined ? existing : existing.filter(({ key }) => compareKeys(key, after) > 0);
    return this.#merge(table, this.#source.view.objects(table, after), earlier);
  }

  count(table: string): number {
    let count = this.#source.view.count(table) + this.#existingOf(table).length;
    for (const { key } of this.#earlier.ofClass(table).values())
      if (this.#source.view.has(table, key)) count -= 1;
    return count;
  }

  linking(table: string, field: string, target: { table: string; key: PrimaryKey }): Iterable<StoredState> {
    const link: ScalarValue = { type: 'link', table: target.table, key: target.key };
    return this.#merge(
      table,
      this.#source.view.linking(table, field, target),
      this.#holding(table, field, [link]),
    );
  }

  isIndexed(table: string, field: string): boolean {
    return this.#source.view.isIndexed(table, field);
  }

  withValue(table: string, field: string, values: readonly ScalarValue[]): Iterable<StoredState> {
    const current = this.#source.view.withValue(table, field, values);
    return this.#merge(table, current, this.#holding(table, field, values));
  }

  /** Both sequences are in key order; of the current objects those that were touched are left out. */
  *#merge(
    table: string,
    current: Iterable<StoredState>,
    earlier: readonly Touch[],
  ): IterableIterator<StoredState> {
    const touched = this.#earlier.ofClass(table);
    let next = 0;
    for (const object of current) {
      if (touched.has(keyToken(object.key))) continue;
      for (; next < earlier.length && compareKeys(earlier[next]!.key, object.key) < 0; next += 1) {
        yield* this.#stored(earlier[next]!);
      }
      yield object;
    }
    for (; next < earlier.length; next += 1) yield* this.#stored(earlier[next]!);
  }

  *#stored(touch: Touch): IterableIterator<StoredState> {
    const state = this.#earlier.stateOf(touch);
    if (state !== undefined) yield { key: touch.key, state };
  }

  #existingOf(table: string): readonly Touch[] {
    let existing = this.#existing.get(table);
    if (existing === undefined) {
      const touches = [...this.#earlier.ofClass(table).values()];
      existing = touches
        .filter((touch) => this.#earlier.stateOf(touch) !== undefined)
        .sort((a, b) => compareKeys(a.key, b.key));
      this.#existing.set(table, existing);
    }
    return existing;
  }

  /** Touched objects that held one of the values, in key order. */
  #holding(table: string, field: string, values: readonly ScalarValue[]): readonly Touch[] {
    const byToken = this.#tokensOf(table, field);
    const [value] = values;
    if (value !== undefined && values.length === 1) return byToken.get(indexToken(value)) ?? [];
    const found = new Set(values.flatMap((each) => byToken.get(indexToken(each)) ?? []));
    return [...found].sort((a, b) => compareKeys(a.key, b.key));
  }

  #tokensOf(table: string, field: string): ReadonlyMap<string, readonly Touch[]> {
    const place = `${table}.${field}`;
    let byToken = this.#byToken.get(place);
    if (byToken === undefined) {
      byToken = this.#gatherTokens(table, field);
      this.#byToken.set(place, byToken);
    }
    return byToken;
  }

  #gatherTokens(table: string, field: string): ReadonlyMap<string, readonly Touch[]> {
    const byToken = new Map<string, Touch[]>();
    const definition = this.schema.get(table);
    const column = definition?.columns.get(field);
    const isKey = definition?.primaryKey?.field === field;
    if (column === undefined && !isKey) return byToken;
    for (const touch of this.#existingOf(table)) {
      const tokens =
        column === undefined
          ? keyTokens(touch.key)
          : indexTokens(column, this.#earlier.stateOf(touch)?.fields.get(field));
      for (const token of tokens) {
        const holders = byToken.get(token);
        if (holders === undefined) byToken.set(token, [touch]);
        else holders.push(touch);
      }
    }
    return byToken;
  }
}

/** A global key is no value of a property. */
function keyTokens(key: PrimaryKey): readonly string[] {
  return key.type === 'globalKey' ? [] : [indexToken(key)];
}
