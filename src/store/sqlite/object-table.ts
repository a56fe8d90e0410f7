/** Encoded objects by class number and key. */
import type { DatabaseSync, StatementSync } from 'node:sqlite';
import type { StoredKey } from './object-key.ts';

export type StoredObject = { readonly key: StoredKey; readonly state: Uint8Array };

export class ObjectTable {
  readonly #load: StatementSync;
  readonly #first: StatementSync;
  readonly #after: StatementSync;
  readonly #count: StatementSync;
  readonly #put: StatementSync;
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

  remove(classId: bigint, key: StoredKey): void {
    this.#remove.run(classId, key);
  }

  removeClass(classId: bigint): void {
    this.#removeClass.run(classId);
  }
}
