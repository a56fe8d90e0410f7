/** The object server's store, embedded: all realms in one SQLite file. */
import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import type { DatabaseSync } from 'node:sqlite';
import { openDatabase } from '../sqlite/database.ts';
import { FileLock } from '../sqlite/file-lock.ts';
import { ObjectTable } from '../sqlite/object-table.ts';
import { SchemaTable } from '../sqlite/schema-table.ts';
import { STATE_TABLES } from '../sqlite/state-tables.ts';
import { StoreError } from '../sqlite/store-error.ts';
import { ClientFileTable } from './client-file-table.ts';
import { type CommitParticipant, CommitQueue } from './commit-queue.ts';
import type { ServerRealm, ServerStore } from './contract.ts';
import { CorrectionTable } from './correction-table.ts';
import { EarlierStateTable } from './earlier-state-table.ts';
import { HistoryTable } from './history-table.ts';
import { OpenFills } from './open-fills.ts';
import { ReadConnections } from './read-connections.ts';
import { RealmTable } from './realm-table.ts';
import { SERVER_TABLES } from './server-tables.ts';
import { type RealmResources, SqliteRealm } from './sqlite-realm.ts';
import { DEFAULT_HISTORY_LIMITS, type HistoryLimits } from './trim-history.ts';
import { ViewCache } from './view-cache.ts';

const FILE_NAME = 'realms.db';
/** Beside the database, which has readers of its own and so cannot be locked whole. */
const LOCK_NAME = 'realms.lock';
/** 2015-01-01T00:00:00Z, where changeset timestamps begin. */
const TIMESTAMP_EPOCH = 1_420_070_400_000;

/** Randomness and clock, injectable for tests. */
export type ServerStoreSources = { readonly newSalt: () => bigint; readonly unixTime: () => number };

const SYSTEM_SOURCES: ServerStoreSources = { newSalt: randomSalt, unixTime: Date.now };

/** Opens the store in `directory`, creating it when it does not exist. One process at a time can hold it. */
export async function openServerStore(
  directory: string,
  sources: ServerStoreSources = SYSTEM_SOURCES,
  limits: Partial<HistoryLimits> = {},
): Promise<ServerStore> {
  const file = join(directory, FILE_NAME);
  const lock = lockServerStore(directory);
  try {
    const database = openDatabase(file, [STATE_TABLES, SERVER_TABLES]);
    return new SqliteServerStore(lock, database, file, sources, { ...DEFAULT_HISTORY_LIMITS, ...limits });
  } catch (error) {
    lock.release();
    throw error;
  }
}

/** Keeps everybody from opening the store in `directory`. Throws a `StoreError` when somebody has it open. */
export function lockServerStore(directory: string): FileLock {
  return new FileLock(join(directory, LOCK_NAME), (pid) => inUse(join(directory, FILE_NAME), pid));
}

class SqliteServerStore implements ServerStore {
  readonly #lock: FileLock;
  readonly #database: DatabaseSync;
  readonly #resources: RealmResources;
  readonly #realms = new Map<string, Promise<ServerRealm>>();

  constructor(
    lock: FileLock,
    database: DatabaseSync,
    file: string,
    { newSalt, unixTime }: ServerStoreSources,
    limits: HistoryLimits,
  ) {
    this.#lock = lock;
    this.#database = database;
    const now = () => unixTime() - TIMESTAMP_EPOCH;
    this.#resources = {
      realms: new RealmTable(database),
      history: new HistoryTable(database),
      clientFiles: new ClientFileTable(database),
      earlier: new EarlierStateTable(database),
      corrections: new CorrectionTable(database),
      readers: new ReadConnections(file),
      fills: new OpenFills(),
      limits,
      views: new ViewCache(new SchemaTable(database), new ObjectTable(database)),
      queue: new CommitQueue(database),
      versionSalt: newSalt(),
      newSalt,
      now,
    };
    this.#resources.clientFiles.dateAll(now());
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
    return this.#resources.realms.idOf(path) !== undefined;
  }

  async paths(): Promise<readonly string[]> {
    return this.#resources.realms.paths();
  }

  async trim(connected: (path: string) => Iterable<number> = () => []): Promise<void> {
    for (const path of this.#resources.realms.paths()) {
      const realm = await this.realm(path);
      await realm.trim(connected(path));
    }
  }

  async close(): Promise<void> {
    if (!this.#database.isOpen) return;
    this.#resources.queue.close();
    this.#resources.fills.closeAll();
    this.#resources.readers.close();
    this.#database.close();
    this.#lock.release();
  }

  async #open(path: string): Promise<ServerRealm> {
    const { realms, queue } = this.#resources;
    const id = realms.idOf(path) ?? (await queue.submit(NOBODY, 0, () => realms.add(path)));
    return new SqliteRealm(path, id, this.#resources);
  }
}

function inUse(file: string, pid: number | undefined): StoreError {
  const holder = pid === undefined ? 'another process' : `another process (${pid})`;
  return new StoreError(`${file} is in use by ${holder}`, {
    remedy: 'stop that process, or give each process a directory of its own',
  });
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
