/** The replicas of one process in one embedded database (DESIGN: position travels with data). */
import { join } from 'node:path';
import type { DatabaseSync } from 'node:sqlite';
import { openDatabase } from '../sqlite/database.ts';
import type { FileLock } from '../sqlite/file-lock.ts';
import { ObjectTable } from '../sqlite/object-table.ts';
import { SchemaTable } from '../sqlite/schema-table.ts';
import { STATE_TABLES } from '../sqlite/state-tables.ts';
import { WorkingView } from '../sqlite/working-view.ts';
import { BootstrapTable } from './bootstrap-table.ts';
import type { ReplicaStore, TransactionObserver } from './contract.ts';
import { lockDirectory } from './directory-lock.ts';
import type { FlexibleReplica } from './flexible-contract.ts';
import { LocalChangesetTable } from './local-changesets.ts';
import { Marks } from './marks.ts';
import { ReplicaTable } from './replica-table.ts';
import { REPLICA_TABLES } from './replica-tables.ts';
import { RowKeyTable } from './row-key-table.ts';
import { openFlexibleReplica, type ReplicaEnvironment, SqliteReplica } from './sqlite-replica.ts';
import { StoreTransactions } from './store-transactions.ts';
import { SubscriptionTable } from './subscription-table.ts';
import { TransactionQueue } from './transaction-queue.ts';

export const DATABASE_FILE = 'replicas.sqlite';

export type ReplicaStoreOptions = {
  /** What makes queued transactions of merged changesets; without it nothing is queued. */
  readonly observer?: TransactionObserver;
  /** Milliseconds since 1970; the system's clock unless given. */
  readonly now?: () => number;
};

/**
 * Opens the replicas in a directory, creating it when it does not exist. Throws `ReplicaLockedError` when another
 * process has it open.
 */
export function openReplicaStore(directory: string, options: ReplicaStoreOptions = {}): SqliteReplicaStore {
  const lock = lockDirectory(directory);
  try {
    const database = openDatabase(join(directory, DATABASE_FILE), [STATE_TABLES, REPLICA_TABLES]);
    return new SqliteReplicaStore(lock, database, options);
  } catch (error) {
    lock.release();
    throw error;
  }
}

export class SqliteReplicaStore implements ReplicaStore {
  readonly #lock: FileLock;
  readonly #database: DatabaseSync;
  readonly #transactions: StoreTransactions;
  readonly #environment: ReplicaEnvironment;
  readonly #marks: Marks;
  readonly rowKeys: RowKeyTable;
  readonly #open = new Map<string, SqliteReplica>();
  #flexible: FlexibleReplica | undefined;

  constructor(lock: FileLock, database: DatabaseSync, { observer, now = Date.now }: ReplicaStoreOptions) {
    this.#lock = lock;
    this.#database = database;
    this.#transactions = new StoreTransactions(database);
    this.#marks = new Marks(database);
    this.rowKeys = new RowKeyTable(database);
    const schemas = new SchemaTable(database);
    const objects = new ObjectTable(database);
    this.#environment = {
      transactions: this.#transactions,
      replicas: new ReplicaTable(database),
      locals: new LocalChangesetTable(database),
      queue: new TransactionQueue(database),
      subscriptions: new SubscriptionTable(database),
      bootstraps: new BootstrapTable(database),
      openView: (replica) => new WorkingView(replica, schemas, objects),
      observer,
      now,
    };
  }

  replica(path: string): SqliteReplica {
    let replica = this.#open.get(path);
    if (replica === undefined) {
      replica = new SqliteReplica(path, this.#environment);
      this.#open.set(path, replica);
    }
    return replica;
  }

  flexibleReplica(): FlexibleReplica {
    this.#flexible ??= openFlexibleReplica({ ...this.#environment, observer: undefined });
    return this.#flexible;
  }

  paths(): string[] {
    return this.#environment.replicas.paths();
  }

  transaction<T>(work: () => T): T {
    return this.#transactions.run(work);
  }

  mark(name: string): string | undefined {
    return this.#marks.get(name);
  }

  setMark(name: string, value: string | undefined): void {
    this.#transactions.run(() => this.#marks.set(name, value));
  }

  marks(prefix: string): Map<string, string> {
    return this.#marks.startingWith(prefix);
  }

  close(): void {
    if (!this.#database.isOpen) return;
    this.#database.close();
    this.#lock.release();
  }
}
