/** Encoded objects by class number and key. */
import type { DatabaseSync, StatementSync } from 'node:sqlite';
import type { StoredKey } from './object-key.ts';

/** Objects that {@link ObjectTable.putMany} takes: beyond this, more bring little. */
export const OBJECTS_PER_STATEMENT = 32;

export type StoredObject = { readonly key: StoredKey; readonly state: Uint8Array };

export class ObjectTable {
  readonly #load: StatementSync;
  readonly #first: StatementSync;
  readonly #after: StatementSync;
  readonly #count: StatementSync;
  readonly #put: StatementSync;
  readonly #putMany: StatementSync;
  readonly #has: StatementSync;
  readonly #highest: StatementSync;
  readonly #remove: StatementSync;
  readonly #removeClass: StatementSync;

  constructor(database: DatabaseSync) {
    this.#load = database.prepare('SELECT state FROM objects WHERE class = ? AND key = ?');
    this.#first = database.prepare('SELECT key, state FROM objects WHERE class = ? ORDER BY key LIMIT ?');
    this.#after = database.prepare(
      'SELECT key, state FROM objects WHERE class = ? AND key > ? ORDER BY key LIMIT ?',
    );
    // Keys may be 64-bit integers.
    this.#first.setReadBigInts(true);
    this.#after.setReadBigInts(true);
    this.#count = database.prepare('SELECT count(*) AS objects FROM objects WHERE class = ?');
    this.#put = database.prepare('INSERT OR REPLACE INTO objects (class, key, state) VALUES (?, ?, ?)');
    this.#putMany = database.prepare(
      `INSERT OR REPLACE INTO objects (class, key, state) VALUES ${Array(OBJECTS_PER_STATEMENT).fill('(?, ?, ?)').join(', ')}`,
    );
    this.#has = database.prepare('SELECT 1 FROM objects WHERE class = ? AND key = ?');
    this.#highest = database.prepare('SELECT key FROM objects WHERE class = ? ORDER BY key DESC LIMIT 1');
    this.#highest.setReadBigInts(true);
    this.#remove = database.prepare('DELETE FROM objects WHERE class = ? AND key = ?');
    this.#removeClass = database.prepare('DELETE FROM objects WHERE class = ?');
  }

  load(classId: bigint, key: StoredKey): Uint8Array | undefined {
    return this.#load.get(classId, key)?.state as Uint8Array | undefined;
  }

  /** At most `limit` objects in key order, after the key `after` if there is one. */
  scan(classId: bigint, after: StoredKey | undefined, limit: number): readonly StoredObject[] {
    const rows =
      after === undefined ? this.#first.all(classId, limit) : this.#after.all(classId, after, limit);
    return rows as unknown as readonly StoredObject[];
  }

  count(classId: bigint): number {
    return Number(this.#count.get(classId)?.objects);
  }

  put(classId: bigint, key: StoredKey, state: Uint8Array): void {
    this.#put.run(classId, key, state);
  }

  /** Class number, key and state of {@link OBJECTS_PER_STATEMENT} objects, one after the other. */
  putMany(values: readonly StoredKey[]): void {
    this.#putMany.run(...values);
  }

  has(classId: bigint, key: StoredKey): boolean {
    return this.#has.get(classId, key) !== undefined;
  }

  /** The last key of a class in key order. */
  highest(classId: bigint): StoredKey | undefined {
    return this.#highest.get(classId)?.key as StoredKey | undefined;
  }

  remove(classId: bigint, key: StoredKey): void {
    this.#remove.run(classId, key);
  }

  removeClass(classId: bigint): void {
    this.#removeClass.run(classId);
  }
}
