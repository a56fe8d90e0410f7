/**
 * Which object a row belongs to, for tables whose rows have a key that the database makes: what translates foreign keys
 * to links, and the bare primary keys that deletions show to objects. Changes are staged and written together with the
 * objects that they came with, so that a transaction that is delivered again after a crash finds what it found before.
 */
import type { RowKeyEntry, RowKeys } from '../../store/replica/contract.ts';

/** What is remembered of the store's answers; beyond it everything is forgotten and asked again. */
const MAX_REMEMBERED = 50_000;

type Staged = { readonly key: string; readonly owed: boolean } | 'removed' | 'buried';

export class KeyDirectory {
  readonly #store: RowKeys;
  readonly #staged = new Map<string, Map<string, Staged>>();
  /** Rows by key, of what is staged; the rows of removed entries too, until they are written. */
  readonly #rowsByKey = new Map<string, Map<string, string>>();
  /** Rows that are gone, by key, of what is staged. */
  readonly #buried = new Map<string, Map<string, string>>();
  readonly #remembered = new Map<string, string>();

  constructor(store: RowKeys) {
    this.#store = store;
  }

  /** The key of a row's object, as the text of the class's key column. */
  keyOf(table: string, row: string): string | undefined {
    const shown = this.#shownKeyOf(table, row);
    return shown === undefined && !this.#staged.get(table)?.has(row)
      ? this.#store.announcedKeyOf(table, row)
      : shown;
  }

  /** True for a row that was seen with the key, rather than only written by us. */
  isShown(table: string, row: string, key: string): boolean {
    return this.#shownKeyOf(table, row) === key;
  }

  #shownKeyOf(table: string, row: string): string | undefined {
    const staged = this.#staged.get(table)?.get(row);
    if (staged !== undefined) return typeof staged === 'string' ? undefined : staged.key;
    const name = `${table}\0${row}`;
    const remembered = this.#remembered.get(name);
    if (remembered !== undefined) return remembered;
    const key = this.#store.keyOf(table, row);
    if (key !== undefined) this.#remember(name, key);
    return key;
  }

  /** The row of an object; of one that was removed just now the row that it had. */
  rowOf(table: string, key: string): string | undefined {
    return this.#rowsByKey.get(table)?.get(key) ?? this.#store.rowOf(table, key);
  }

  /** `owed`: the key was made here, and the row does not have it yet. */
  set(table: string, row: string, key: string, owed = false): void {
    if (!owed && this.#shownKeyOf(table, row) === key && !this.#staged.get(table)?.has(row)) return;
    inner(this.#staged, table).set(row, { key, owed });
    inner(this.#rowsByKey, table).set(key, row);
  }

  /** `buried`: {@link formerRows} goes on knowing it. */
  remove(table: string, row: string, buried = false): void {
    const key = this.keyOf(table, row);
    if (key === undefined) return;
    inner(this.#staged, table).set(row, buried ? 'buried' : 'removed');
    if (buried) inner(this.#buried, table).set(key, row);
    if (!this.#rowsByKey.get(table)?.has(key)) inner(this.#rowsByKey, table).set(key, row);
  }

  /** Rows of the object that are gone; asked once, when it has a row again. */
  takeFormerRows(table: string, key: string): readonly string[] {
    const buried = this.#buried.get(table)?.get(key);
    const former = [...this.#store.formerRows(table, key), ...(buried === undefined ? [] : [buried])];
    for (const row of former)
      if (this.keyOf(table, row) === undefined) inner(this.#staged, table).set(row, 'removed');
    return former;
  }

  /** Writes what is staged; call inside the transaction of the objects that it came with. */
  write(): void {
    for (const [table, rows] of this.#staged) {
      for (const [row, staged] of rows) {
        this.#remembered.delete(`${table}\0${row}`);
        if (staged === 'removed') this.#store.remove(table, row);
        else if (staged === 'buried') this.#store.bury(table, row);
        else this.#store.set(table, row, staged.key, staged.owed);
      }
    }
    this.#staged.clear();
    this.#rowsByKey.clear();
    this.#buried.clear();
  }

  /** All rows of a table are gone. What was staged before is written. */
  clear(table: string): void {
    this.write();
    this.#store.clear(table);
    this.#remembered.clear();
  }

  /** Forgets what is staged and what was read: the transaction did not take place. */
  reset(): void {
    this.#staged.clear();
    this.#rowsByKey.clear();
    this.#buried.clear();
    this.#remembered.clear();
  }

  /** Of what is written. */
  count(table: string): number {
    return this.#store.count(table);
  }

  /** Gives a row another key than the one that it could not be given; independent of what is staged. */
  reassign(table: string, row: string, key: string): void {
    this.#remembered.delete(`${table}\0${row}`);
    this.#store.set(table, row, key, true);
  }

  /**
   * Rows that we are about to commit, by the keys of their objects; independent of what is staged. Call inside a
   * transaction of the store.
   */
  announce(table: string, rows: ReadonlyMap<string, string>): void {
    for (const [key, row] of rows) this.#store.announce(table, row, key);
  }

  owed(limit: number): readonly RowKeyEntry[] {
    return this.#store.owed(limit);
  }

  settle(entries: readonly RowKeyEntry[]): void {
    for (const entry of entries) this.#store.settle(entry);
  }

  #remember(name: string, key: string): void {
    if (this.#remembered.size >= MAX_REMEMBERED) this.#remembered.clear();
    this.#remembered.set(name, key);
  }
}

function inner<V>(outer: Map<string, Map<string, V>>, name: string): Map<string, V> {
  let found = outer.get(name);
  if (found === undefined) {
    found = new Map();
    outer.set(name, found);
  }
  return found;
}
