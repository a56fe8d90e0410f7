/**
 * Keeps other processes away from a store. The lock is an open write transaction on a small database file of its own,
 * which the operating system ends with the process however that dies; others still see who holds it.
 */
import { mkdirSync } from 'node:fs';
import { dirname } from 'node:path';
import { DatabaseSync } from 'node:sqlite';

/** SQLite's result code for "somebody else is writing". */
const SQLITE_BUSY = 5;

export class FileLock {
  readonly #database: DatabaseSync;

  /** Throws what `inUse` makes of the holder's process number when the file is locked already. */
  constructor(file: string, inUse: (pid: number | undefined) => Error) {
    mkdirSync(dirname(file), { recursive: true });
    const database = new DatabaseSync(file);
    try {
      lock(database);
    } catch (error) {
      const pid = isBusy(error) ? holderOf(database) : undefined;
      database.close();
      throw isBusy(error) ? inUse(pid) : error;
    }
    this.#database = database;
  }

  release(): void {
    if (this.#database.isOpen) this.#database.close();
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
