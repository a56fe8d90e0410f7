/** The object server's store, embedded: all realms in one SQLite file. */
import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import type { DatabaseSync, StatementSync } from 'node:sqlite';
import { openDatabase } from '../sqlite/database.ts';
import { ObjectTable } from '../sqlite/object-table.ts';
import { SchemaTable } from '../sqlite/schema-table.ts';
import { STATE_TABLES } from '../sqlite/state-tables.ts';
import { ClientFileTable } from './client-file-table.ts';
import { type CommitParticipant, CommitQueue } from './commit-queue.ts';
import type { ServerRealm, ServerStore } from './contract.ts';
import { HistoryTable } from './history-table.ts';
import { SERVER_TABLES } from './server-tables.ts';
import { type RealmResources, SqliteRealm } from './sqlite-realm.ts';
import { ViewCache } from './view-cache.ts';

const FILE_NAME = 'realms.db';
/** 2015-01-01T00:00:00Z, where changeset timestamps begin. */
const TIMESTAMP_EPOCH = 1_420_070_400_000;

/** Randomness and clock, injectable for tests. */
export type ServerStoreSources = { readonly newSalt: () => bigint; readonly unixTime: () => number };

const SYSTEM_SOURCES: ServerStoreSources = { newSalt: randomSalt, unixTime: Date.now };

/** Opens the store in `directory`, creating it when it does not exist. One process at a time can hold it. */
export async function openServerStore(
  directory: string,
  sources: ServerStoreSources = SYSTEM_SOURCES,
): Promise<ServerStore> {
  const database = openDatabase(join(directory, FILE_NAME), [STATE_TABLES, SERVER_TABLES], {
    exclusive: true,
  });
  return new SqliteServerStore(database, sources);
}

class SqliteServerStore implements ServerStore {
  readonly #database: DatabaseSync;
  readonly #resources: RealmResources;
  readonly #realms = new Map<string, Promise<ServerRealm>>();
  readonly #find: StatementSync;
  readonly #add: StatementSync;
  readonly #paths: StatementSync;

  constructor(database: DatabaseSync, { newSalt, unixTime }: ServerStoreSources) {
    this.#database = database;
    this.#resources = {
      history: new HistoryTable(database),
      clientFiles: new ClientFileTable(database),
      views: new ViewCache(new SchemaTable(database), new ObjectTable(database)),
      queue: new CommitQueue(database),
      versionSalt: newSalt(),
      newSalt,
      now: () => unixTime() - TIMESTAMP_EPOCH,
    };
    this.#find = database.prepare('SELECT id FROM realms WHERE path = ?');
    this.#add = database.prepare('INSERT INTO realms (path) VALUES (?)');
    this.#paths = database.prepare('SELECT path FROM realms ORDER BY path');
  }

  realm(path: string): Promise<ServerRealm> {
    let realm = this.#realms.get(path);
    if (realm === undefined) {
      realm = this.#open(path);
      this.#realms.set(path, realm);
      realm.catch(() => this.#realms.delete(path));
    }
    return realm;
  }

  async has(path: string): Promise<boolean> {
    return this.#idOf(path) !== undefined;
  }

  async paths(): Promise<readonly string[]> {
    return this.#paths.all().map((row) => String(row.path));
  }

  async close(): Promise<void> {
    if (!this.#database.isOpen) return;
    this.#resources.queue.close();
    this.#database.close();
  }

  async #open(path: string): Promise<ServerRealm> {
    const id =
      this.#idOf(path) ??
      (await this.#resources.queue.submit(NOBODY, 0, () => Number(this.#add.run(path).lastInsertRowid)));
    return new SqliteRealm(path, id, this.#resources);
  }

  #idOf(path: string): number | undefined {
    const id = this.#find.get(path)?.id;
    return typeof id === 'number' ? id : undefined;
  }
}

/** Takes part in commits without holding anything in memory. */
const NOBODY: CommitParticipant = { rolledBack() {}, lost() {}, committed() {} };

/** 1 … 2^63−1; 0 means "none" on the wire. */
function randomSalt(): bigint {
  for (;;) {
    const salt = randomBytes(8).readBigUInt64LE() >> 1n;
    if (salt !== 0n) return salt;
  }
}
