/** The server's state: databases, logins, and transactions on their way from beginning to commit or rollback. */
import { type IsolationLevel, SqlFailure } from '../../contract.ts';
import { cleanUpTracking, restoreVersion } from '../change-tracking/maintenance.ts';
import { recordChange } from '../change-tracking/recording.ts';
import { Faults } from '../faults.ts';
import { Database } from './database.ts';
import { type LockOwner, Locks } from './locks.ts';
import type { Row, Table } from './table.ts';
import { type Change, Transaction } from './transaction.ts';

export type Login = {
  name: string;
  password: string;
  readonly sid: Uint8Array;
  readonly principalId: number;
  disabled: boolean;
  defaultDatabase: string;
  /** Fixed server roles, in lower case. */
  readonly roles: Set<string>;
  /** Server permissions, in upper case. */
  readonly permissions: Set<string>;
};

/** What the server knows of its sessions. */
export type LiveSession = {
  readonly id: number;
  readonly login: Login;
  readonly host: string;
  readonly program: string;
  readonly currentDatabase: Database;
  readonly transaction: Transaction | undefined;
  /** Ends it as KILL does. */
  end(): void;
};

/** A row with versions that only snapshots of before the commit see. */
type Prunable = { readonly table: Table; readonly row: Row; readonly commit: number };

/** What a commit is written to before anybody hears of it. */
export interface CommitLog {
  append(
    commit: number,
    time: number,
    changes: readonly Change[],
    versions: ReadonlyMap<Database, number>,
  ): void;
  maintained(kind: 'cleanup' | 'restore', database: string, version: number): void;
}

export class Instance {
  readonly locks = new Locks();
  readonly databases = new Map<string, Database>();
  readonly logins = new Map<string, Login>();
  readonly now: () => number;
  /** Numbers commits of the whole server: what snapshots are made of. */
  commits = 0;
  nextDatabaseId = 5;
  nextPrincipalId = 260;
  log: CommitLog | undefined;
  readonly faults = new Faults({
    cleanUpChangeTracking: (database, upTo) => {
      cleanUpTracking(this, database, upTo);
      this.log?.maintained('cleanup', database, upTo);
    },
    restoreChangeTracking: (database, version) => {
      restoreVersion(this, database, version);
      this.log?.maintained('restore', database, version);
    },
  });
  readonly serverName = 'SIMULATOR';
  #nextTransaction = 1000n;
  readonly #owners = new WeakMap<Table, Database>();
  readonly #snapshots = new Set<Transaction>();
  #prunable: Prunable[] = [];
  #afterSnapshots: { readonly commit: number; readonly run: () => void }[] = [];

  constructor(now: () => number = Date.now) {
    this.now = now;
  }

  readonly sessions = new Map<number, LiveSession>();

  sessionsIn(database: Database): readonly LiveSession[] {
    return [...this.sessions.values()].filter((one) => one.currentDatabase === database);
  }

  /** WITH ROLLBACK IMMEDIATE: everybody else who uses the database is thrown out. */
  disconnectOthers(session: LiveSession, name: string): void {
    const database = this.database(name);
    for (const one of [...this.sessions.values()]) {
      if (one !== session && one.currentDatabase === database) this.kill(one.id);
    }
  }

  kill(id: number): void {
    this.sessions.get(id)?.end();
  }

  database(name: string): Database | undefined {
    return this.databases.get(name.toLowerCase());
  }

  databaseOf(table: Table): Database | undefined {
    return this.#owners.get(table);
  }

  belongs(table: Table, database: Database): void {
    this.#owners.set(table, database);
  }

  addDatabase(name: string, owner: string, id = this.nextDatabaseId++): Database {
    const database = new Database(id, name, owner, new Date(this.now()));
    this.databases.set(name.toLowerCase(), database);
    return database;
  }

  begin(owner: LockOwner, isolation: IsolationLevel, implicit: boolean): Transaction {
    return new Transaction(this.#nextTransaction++, owner, isolation, implicit);
  }

  /** A SNAPSHOT transaction's view begins at its first access to data (sql-server.md fact 29). */
  beginSnapshot(transaction: Transaction): void {
    if (transaction.snapshot !== undefined) return;
    transaction.snapshot = this.commits;
    this.#snapshots.add(transaction);
  }

  commit(transaction: Transaction): void {
    const { changes } = transaction;
    if (changes.length > 0) {
      const commit = this.commits + 1;
      const time = this.now();
      const tracked = this.#trackedDatabases(changes);
      const versions = new Map([...tracked].map((one) => [one, one.tracking!.current + 1] as const));
      this.log?.append(commit, time, changes, versions);
      this.commits = commit;
      this.#finish(changes, commit);
      for (const database of tracked) database.tracking!.next(commit, time);
      for (const change of changes) {
        if (change.kind !== 'row') continue;
        const database = this.#owners.get(change.table);
        const version = database && versions.get(database);
        if (version !== undefined) recordChange(change, version);
      }
    }
    this.#end(transaction);
  }

  rollback(transaction: Transaction): void {
    const tracked = this.faults.behaviour.gapsAfterRollback
      ? this.#trackedDatabases(transaction.changes)
      : [];
    this.#keepVariables(transaction);
    this.undoTo(transaction, 0);
    for (const database of tracked) database.tracking!.current += 1;
    this.#end(transaction);
  }

  /** Table variables, like other variables, do not care for a rollback. */
  #keepVariables({ changes }: Transaction): void {
    const ofVariable = (change: Change) => change.kind === 'row' && change.table.name.startsWith('@');
    const kept = changes.filter(ofVariable);
    if (kept.length === 0) return;
    this.#finish(kept, this.commits);
    changes.splice(0, changes.length, ...changes.filter((change) => !ofVariable(change)));
  }

  /** Takes back what the transaction changed after its first `length` changes. */
  undoTo(transaction: Transaction, length: number): void {
    const { changes } = transaction;
    while (changes.length > length) {
      const change = changes.pop()!;
      if (change.kind === 'row') change.table.undoVersion(change.row);
      else change.undo();
    }
  }

  /** Runs `work` once no snapshot is left that began before now; at once if there is none. */
  whenUnseen(work: () => void): void {
    if (this.#snapshots.size === 0) work();
    else this.#afterSnapshots.push({ commit: this.commits, run: work });
  }

  #trackedDatabases(changes: readonly Change[]): Set<Database> {
    const found = new Set<Database>();
    for (const change of changes) {
      if (change.kind !== 'row' || !change.table.tracking) continue;
      const database = this.#owners.get(change.table);
      if (database?.tracking) found.add(database);
    }
    return found;
  }

  #finish(changes: readonly Change[], commit: number): void {
    const keep = this.#snapshots.size > 0;
    const settle = (table: Table, row: Row) => {
      for (let version = row.head; version.writer; ) {
        version.writer = undefined;
        version.commit = commit;
        // Versions that the transaction itself has overwritten were never seen by anybody.
        const previous: typeof row.head | undefined = version.previous;
        if (!previous) break;
        version = previous;
      }
      if (keep) this.#prunable.push({ table, row, commit });
      else if (row.head.previous || row.head.data === null) table.prune(row, commit);
    };
    for (const change of changes) {
      if (change.kind === 'row') settle(change.table, change.row);
      else if (change.table) {
        if (change.rewritten) for (const row of [...change.table.rows.values()]) settle(change.table, row);
        change.table.definedAt = commit;
      }
    }
  }

  #end(transaction: Transaction): void {
    transaction.ended = true;
    if (this.#snapshots.delete(transaction)) this.#pruneUnseen();
    this.locks.releaseAll(transaction.owner, (resource) => !isApplicationLock(resource));
  }

  #pruneUnseen(): void {
    let oldest = this.commits;
    for (const { snapshot } of this.#snapshots) oldest = Math.min(oldest, snapshot!);
    const rest: Prunable[] = [];
    for (const entry of this.#prunable) {
      if (entry.commit > oldest) rest.push(entry);
      else if (entry.table.rows.get(entry.row.id) === entry.row) entry.table.prune(entry.row, oldest);
    }
    this.#prunable = rest;
    const due = this.#afterSnapshots.filter((one) => one.commit <= oldest || this.#snapshots.size === 0);
    this.#afterSnapshots = this.#afterSnapshots.filter((one) => !due.includes(one));
    for (const one of due) one.run();
  }
}

/** Application locks that belong to the session outlive its transactions. */
export function isApplicationLock(resource: unknown): boolean {
  return typeof resource === 'string' && resource.startsWith('application:session:');
}

/** 911: the name of no database. */
export function noDatabase(name: string): SqlFailure {
  return new SqlFailure(
    911,
    `Database '${name}' does not exist. Make sure that the name is entered correctly.`,
  );
}
