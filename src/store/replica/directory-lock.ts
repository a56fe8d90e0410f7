/**
 * One process per directory. The lock is an open write transaction on a small database file, which the operating
 * system ends with the process however that dies; readers still see who holds it.
 */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { ReplicaLockedError } from './errors.ts';

const LOCK_FILE = 'replicas.lock';
/** SQLite's result code for "somebody else is writing". */
const SQLITE_BUSY = 5;

export class DirectoryLock {
  readonly #database: DatabaseSync;

  /** Throws `ReplicaLockedError` when the directory is in use. */
  constructor(directory: string) {
    mkdirSync(directory, { recursive: true });
    const file = join(directory, LOCK_FILE);
    const database = new DatabaseSync(file);
    try {
      lock(database);
    } catch (error) {
      const pid = isBusy(error) ? holderOf(database) : undefined;
      database.close();
      throw isBusy(error) ? new ReplicaLockedError(file, pid) : error;
    }
    this.#database = database;
  }

  release(): void {
    this.#database.close();
  }
}

function lock(database: DatabaseSync): void {
  database.exec(`PRAGMA busy_timeout = 0;
    BEGIN IMMEDIATE;
    CREATE TABLE IF NOT EXISTS holder (only_one INTEGER PRIMARY KEY CHECK (only_one = 1), pid INTEGER NOT NULL) STRICT;
    INSERT OR REPLACE INTO holder VALUES (1, ${process.pid});
    COMMIT;
    BEGIN IMMEDIATE;`);
}

function isBusy(error: unknown): boolean {
  return error instanceof Error && 'errcode' in error && error.errcode === SQLITE_BUSY;
}

function holderOf(database: DatabaseSync): number | undefined {
  try {
    const row = database.prepare('SELECT pid FROM holder').get();
    return row === undefined ? undefined : Number(row.pid);
  } catch {
    // The holder is just writing its name.
    return undefined;
  }
}
