/** Rows by the values of some columns: every version of a row that may still be seen is found under its key. */
import type { Datum } from '../../contract.ts';
import type { Row } from './table.ts';

/** The key of a row's values, or undefined when the index does not hold such a row (a filtered index). */
export type KeyOfRow = (data: readonly Datum[]) => string | undefined;

export class HashIndex {
  readonly #rows = new Map<string, Row | Row[]>();
  readonly keyOf: KeyOfRow;

  constructor(keyOf: KeyOfRow) {
    this.keyOf = keyOf;
  }

  add(row: Row, data: readonly Datum[]): void {
    const key = this.keyOf(data);
    if (key === undefined) return;
    const present = this.#rows.get(key);
    if (present === undefined) this.#rows.set(key, row);
    else if (Array.isArray(present)) {
      if (!present.includes(row)) present.push(row);
    } else if (present !== row) this.#rows.set(key, [present, row]);
  }

  /** Forgets the row under this version's key, unless another version that remains has the same. */
  remove(row: Row, data: readonly Datum[], remaining: Iterable<readonly Datum[]>): void {
    const key = this.keyOf(data);
    if (key === undefined) return;
    for (const other of remaining) if (this.keyOf(other) === key) return;
    const present = this.#rows.get(key);
    if (present === row) this.#rows.delete(key);
    else if (Array.isArray(present)) {
      const rest = present.filter((one) => one !== row);
      if (rest.length === 1) this.#rows.set(key, rest[0]!);
      else this.#rows.set(key, rest);
    }
  }

  /** Rows of which some version has the key. */
  find(key: string): readonly Row[] {
    const present = this.#rows.get(key);
    return present === undefined ? [] : Array.isArray(present) ? present : [present];
  }
}
