/** Objects as they were before an entry of the history changed or erased them, in realms of flexible sync. */
import type { DatabaseSync, StatementSync } from 'node:sqlite';
import type { EarlierStates } from '../sqlite/entry-recorder.ts';
import type { StoredKey } from '../sqlite/object-key.ts';

export class EarlierStateTable implements EarlierStates {
  readonly #put: StatementSync;
  readonly #load: StatementSync;
  readonly #drop: StatementSync;

  constructor(database: DatabaseSync) {
    this.#put = database.prepare(
      'INSERT OR IGNORE INTO earlier_states (class, version, key, state) VALUES (?, ?, ?, ?)',
    );
    this.#load = database.prepare(
      'SELECT state FROM earlier_states WHERE class = ? AND version = ? AND key = ?',
    );
    this.#drop = database.prepare('DELETE FROM earlier_states WHERE class = ? AND version <= ?');
  }

  put(classId: bigint, version: number, key: StoredKey, state: Uint8Array): void {
    this.#put.run(classId, version, key, state);
  }

  /** The object as it was before the entry; `undefined` when that entry did not find it. */
  load(classId: bigint, version: number, key: StoredKey): Uint8Array | undefined {
    return this.#load.get(classId, version, key)?.state as Uint8Array | undefined;
  }

  /** Forgets what entries up to `upTo` found. */
  drop(classId: bigint, upTo: number): void {
    this.#drop.run(classId, upTo);
  }
}
