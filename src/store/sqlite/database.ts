/** Opening a store's SQLite file, its schema versions, and transactions on it. */
import { mkdirSync } from 'node:fs';
import { dirname } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { StoreError } from './store-error.ts';

const SQLITE_BUSY = 5;
/** How long to wait for another process that holds the file, in milliseconds. */
const BUSY_TIMEOUT = 5_000;
/** Page cache in KiB: enough for the inner pages of the trees of a large store. */
const CACHE_KIB = 32 * 1024;
/** Of each connection that only reads. */
const READER_CACHE_KIB = 8 * 1024;
/** Pages in the log before they move into the file: 16 MiB, so that bulk writes seldom pay for it. */
const CHECKPOINT_PAGES = 4096;
/** A log that grew beyond this in one large transaction is cut back, in bytes. */
const JOURNAL_SIZE_LIMIT = 64 * 1024 * 1024;

/**
 * One numbered step of a component's tables. The steps of a component are an array: the first leads to version 1.
 * A step that was released is never changed; a new one follows it.
 */
export type Migrations = { readonly component: string; readonly steps: readonly string[] };

/**
 * Opens a database file, creating it and its directory when they do not exist. Every commit is on the disk before it
 * returns (write-ahead log, one sync a commit). Text is UTF-8 and compares bytewise.
 */
export function openDatabase(file: string, migrations: readonly Migrations[]): DatabaseSync {
  mkdirSync(dirname(file), { recursive: true });
  const database = new DatabaseSync(file, { enableForeignKeyConstraints: false });
  try {
    database.exec(`PRAGMA busy_timeout = ${BUSY_TIMEOUT};
      PRAGMA journal_mode = WAL;
      PRAGMA synchronous = FULL;
      PRAGMA cache_size = -${CACHE_KIB};
      PRAGMA wal_autocheckpoint = ${CHECKPOINT_PAGES};
      PRAGMA journal_size_limit = ${JOURNAL_SIZE_LIMIT};
      PRAGMA temp_store = MEMORY;`);
    for (const component of migrations) migrate(database, component, file);
  } catch (error) {
    database.close();
    if (error instanceof Error && 'errcode' in error && error.errcode === SQLITE_BUSY) {
      throw new StoreError(`${file} is in use by another process`, {
        remedy: 'stop that process, or give each process a directory of its own',
        cause: error,
      });
    }
    throw error;
  }
  return database;
}

/** Opens a database that {@link openDatabase} has open, for reading beside it. */
export function openForReading(file: string): DatabaseSync {
  const database = new DatabaseSync(file, { readOnly: true });
  database.exec(`PRAGMA busy_timeout = ${BUSY_TIMEOUT}; PRAGMA cache_size = -${READER_CACHE_KIB};`);
  return database;
}

/** Brings the tables of one component to its newest version. */
function migrate(database: DatabaseSync, { component, steps }: Migrations, file: string): void {
  inTransaction(database, () => {
    database.exec(
      'CREATE TABLE IF NOT EXISTS schema_versions (component TEXT PRIMARY KEY, version INTEGER NOT NULL) STRICT',
    );
    const row = database.prepare('SELECT version FROM schema_versions WHERE component = ?').get(component);
    const version = Number(row?.version ?? 0);
    if (version > steps.length) {
      throw new StoreError(
        `${file}: the tables "${component}" have version ${version}, known is ${steps.length}`,
        {
          remedy: 'start the version of Isthmus that wrote this store, or a newer one',
        },
      );
    }
    if (version === steps.length) return;
    for (const step of steps.slice(version)) database.exec(step);
    database
      .prepare('INSERT OR REPLACE INTO schema_versions (component, version) VALUES (?, ?)')
      .run(component, steps.length);
  });
}

/** Runs `work` atomically; within an open transaction as a part of it that can fail alone. A throw rolls it back. */
export function inTransaction<T>(database: DatabaseSync, work: () => T): T {
  if (database.isTransaction) return inSavepoint(database, work);
  database.exec('BEGIN IMMEDIATE');
  try {
    const result = work();
    database.exec('COMMIT');
    return result;
  } catch (error) {
    // An I/O error may have ended the transaction already.
    if (database.isTransaction) database.exec('ROLLBACK');
    throw error;
  }
}

function inSavepoint<T>(database: DatabaseSync, work: () => T): T {
  database.exec('SAVEPOINT part');
  try {
    const result = work();
    database.exec('RELEASE part');
    return result;
  } catch (error) {
    if (database.isTransaction) database.exec('ROLLBACK TO part; RELEASE part');
    throw error;
  }
}
