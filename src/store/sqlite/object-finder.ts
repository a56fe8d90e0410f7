/** Finding the objects of a class by what a property holds, with an index where there is one. */
import { keyToken, type PrimaryKey, type ScalarValue } from '../../schema/value.ts';
import { indexToken, indexTokens } from '../state/index-token.ts';
import type { StateReader, StoredState } from '../state/reader.ts';
import { scanIndex } from './index-scan.ts';
import type { IndexTable } from './index-table.ts';
import { compareKeys } from './object-key.ts';
import type { StoredObject } from './object-table.ts';
import type { IndexedColumn, StoredClass } from './schema-table.ts';

/** Where the objects are. */
export interface FindingPlace extends Pick<StateReader, 'object' | 'objects'> {
  /** Writes out what is held in memory, so that indexes show it. */
  flush(): void;
  decodedRow(stored: StoredClass, row: StoredObject): StoredState;
}

export class ObjectFinder {
  readonly #place: FindingPlace;
  readonly #table: IndexTable;

  constructor(place: FindingPlace, table: IndexTable) {
    this.#place = place;
    this.#table = table;
  }

  isIndexed(stored: StoredClass, field: string): boolean {
    return isKeyField(stored, field) || completeIndex(stored, field) !== undefined;
  }

  /** In key order. */
  withValue(stored: StoredClass, field: string, values: readonly ScalarValue[]): Iterable<StoredState> {
    if (isKeyField(stored, field)) return this.#withKeys(stored, values);
    const tokens = values.map(indexToken);
    return completeIndex(stored, field) === undefined
      ? this.#byLookingAtAll(stored, field, new Set(tokens))
      : this.#byIndex(stored, field, tokens);
  }

  *#withKeys({ definition }: StoredClass, values: readonly ScalarValue[]): IterableIterator<StoredState> {
    const { name, primaryKey } = definition;
    const isKey = (value: ScalarValue): value is PrimaryKey & ScalarValue =>
      value.type === primaryKey?.type || value.type === 'null';
    let last: string | undefined;
    for (const key of values.filter(isKey).sort(compareKeys)) {
      const token = keyToken(key);
      if (token === last) continue;
      last = token;
      const state = this.#place.object(name, key);
      if (state !== undefined) yield { key, state };
    }
  }

  *#byLookingAtAll(
    stored: StoredClass,
    field: string,
    tokens: ReadonlySet<string>,
  ): IterableIterator<StoredState> {
    const layout = stored.byName.get(field);
    if (layout === undefined) return;
    for (const object of this.#place.objects(stored.definition.name)) {
      const held = indexTokens(layout.column, object.state.fields.get(field));
      if (held.some((token) => tokens.has(token))) yield object;
    }
  }

  *#byIndex(stored: StoredClass, field: string, tokens: readonly string[]): IterableIterator<StoredState> {
    const layout = stored.byName.get(field);
    if (layout === undefined) return;
    this.#place.flush();
    const place = { table: this.#table, classId: stored.id, column: layout.id };
    for (const row of scanIndex(place, tokens)) yield this.#place.decodedRow(stored, row);
  }
}

function completeIndex(stored: StoredClass, field: string): IndexedColumn | undefined {
  return stored.indexes.find(({ layout, complete }) => complete && layout.name === field);
}

function isKeyField({ definition: { primaryKey } }: StoredClass, field: string): boolean {
  return primaryKey !== undefined && primaryKey.type !== 'globalKey' && primaryKey.field === field;
}
