/**
 * What the sync client and the connectors need of a replica: a realm at rest on the client's side, with its own
 * history of unsynced writes (spec/server-history.md §8). One store holds the replicas of one process in one embedded
 * database, so that a write to several realms and the position it came from are one atomic, durable commit
 * (DESIGN §1.4). Replicas are synchronous: their database is always in-process.
 */
import type { Instruction } from '../../changeset/instruction.ts';
import type { RealmSchema } from '../../schema/definition.ts';
import type { PrimaryKey } from '../../schema/value.ts';
import type {
  DownloadBatch,
  DownloadCursor,
  SaltedVersion,
  UploadCursor,
  UploadEntry,
} from '../server/contract.ts';
import type { ObjectState } from '../state/object-state.ts';
import type { CommitChange } from './commit-listeners.ts';
import type { FlexibleReplica, FlexibleState } from './flexible-contract.ts';

/** A merged transaction that came from the server, as left by the merge with local writes, waiting to be consumed. */
export type QueuedTransaction = {
  /** Counts up by one per replica, never reused. */
  readonly sequence: number;
  /** Strictly increasing; the server's version, raised after a client reset so that it does not go back. */
  readonly serverVersion: number;
  readonly timestamp: number;
  readonly originFileIdent: number;
  /** What the transaction observer made of it; opaque to the replica. */
  readonly payload: Uint8Array;
};

/**
 * Called inside the integrating transaction, after the instructions were applied, once per merged changeset that is
 * not empty. What it returns is queued with the transaction; `undefined` queues nothing.
 */
export type TransactionObserver = (
  instructions: readonly Instruction[],
  state: ReplicaReader & { readonly path: string },
) => Uint8Array | undefined;

export interface ReplicaReader {
  readonly schema: RealmSchema;
  object(table: string, key: PrimaryKey): ObjectState | undefined;
  /** Objects of a class in key order, starting after `after`. Safe against writes during iteration. */
  objects(table: string, after?: PrimaryKey): IterableIterator<{ key: PrimaryKey; state: ObjectState }>;
  count(table: string): number;
}

/** What becomes of unsynced local changes in a client reset (spec/wire-protocol.md §8). */
export type ResetMode = 'recover' | 'discard';

export type ResetOptions = {
  /**
   * The server has lost a part of its history, as with an older backup. What only the replica still has may be the last
   * that is left of it, so that the consumer of the queue is not told to erase it.
   */
  readonly historyLost?: boolean;
};

export type ResetReport = {
  /** Instructions of unsynced changes that do not apply to the fresh copy. */
  readonly leftOut: number;
  /** Objects that the fresh copy lacks and that the consumer of the queue keeps ({@link ResetOptions.historyLost}). */
  readonly kept: number;
};

export interface Replica extends ReplicaReader {
  readonly path: string;
  /** `undefined` until the server has allocated a file ident. */
  readonly identity: { readonly fileIdent: number; readonly salt: bigint } | undefined;
  readonly download: DownloadCursor;
  readonly upload: UploadCursor;
  readonly latest: SaltedVersion;
  /** Newest local version. */
  readonly version: number;
  /** Counts client resets. Positions of different generations lie in different histories. */
  readonly generation: number;

  assignIdentity(fileIdent: number, salt: bigint): void;
  /**
   * A local write transaction: applies the instructions and appends them to the history for upload. Throws
   * `BadChangesetError` and changes nothing when an instruction does not apply. Returns the new local version.
   */
  write(instructions: readonly Instruction[]): number;
  /** Merges and applies what the server sent, moves the progress, queues what remains for the observer. */
  integrate(batch: DownloadBatch): void;
  /**
   * Local changesets after `from`, in original form, up to about `softLimit` bytes (server-history.md §8.4), and not
   * beyond `head` when that is given.
   */
  uploadScan(
    from: UploadCursor,
    softLimit: number,
    head?: UploadCursor,
  ): { entries: UploadEntry[]; progress: UploadCursor };
  /** True while local changesets exist that the server has not acknowledged. */
  hasUnsynced(): boolean;

  /** Oldest queued transactions with a sequence above `after`, at most `limit`. */
  queued(after: number, limit: number): QueuedTransaction[];
  /** Forgets queued transactions up to and including `sequence`. */
  dropQueued(sequence: number): void;

  /**
   * An empty second generation of this realm, for downloading a fresh copy into. It is not written to, has no observer
   * and no place among {@link ReplicaStore.paths}; one that was left over is thrown away.
   */
  openFreshCopy(): Replica;
  /**
   * Becomes what the fresh copy is, under its identity and progress, in one commit; `fresh` is used up. `recover` makes
   * unsynced local changes again on top, as far as they still apply. What the consumer of the queue has to do is queued
   * as the difference between before and after. Throws `ReplicaStateError` or `SchemaError` and changes nothing when
   * the two generations do not go together.
   */
  resetTo(fresh: Replica, mode: ResetMode, options?: ResetOptions): ResetReport;

  /**
   * Called after each commit that added local changesets, sets of subscriptions or queued transactions, or moved such a
   * set. Returns its undo.
   */
  onCommit(listener: (change: CommitChange) => void): () => void;

  /**
   * Objects of class `table` whose property `field` links to the target, once each, by reading all objects of the
   * class: a replica keeps no index of its links.
   */
  linking(
    table: string,
    field: string,
    target: { table: string; key: PrimaryKey },
  ): Iterable<{ key: PrimaryKey; state: ObjectState }>;
  /** Present in replicas of flexible sync. */
  readonly flexible: FlexibleState | undefined;
}

/**
 * Which object a row of a table belongs to, where the database tells its rows apart by a key that it makes itself. Keys
 * are the database's texts. Changes commit with the surrounding transaction.
 */
export interface RowKeys {
  keyOf(table: string, row: string): string | undefined;
  rowOf(table: string, key: string): string | undefined;
  count(table: string): number;
  /** `owed`: the key was assigned here, and the row does not have it yet. */
  set(table: string, row: string, key: string, owed: boolean): void;
  remove(table: string, row: string): void;
  /** We are about to commit the row, which nobody has shown us yet. Changes nothing of a row that is known. */
  announce(table: string, row: string, key: string): void;
  /** The key of a row of which nothing more is known than that it was announced. */
  announcedKeyOf(table: string, row: string): string | undefined;
  /** The row is gone: from now on only {@link formerRows}, and `rowOf` where no other row has the key, tell of it. */
  bury(table: string, row: string): void;
  /** All rows are gone. */
  clear(table: string): void;
  /** Rows with the key that are gone, or were announced. */
  formerRows(table: string, key: string): readonly string[];
  /** Assignments that the rows do not have yet, at most `limit`. */
  owed(limit: number): readonly RowKeyEntry[];
  /** The row has its key now, unless it was given another one meanwhile. */
  settle(entry: RowKeyEntry): void;
}

export type RowKeyEntry = { readonly table: string; readonly row: string; readonly key: string };

export interface ReplicaStore {
  readonly rowKeys: RowKeys;
  /** Opens a replica, creating an empty one when it does not exist. */
  replica(path: string): Replica;
  paths(): string[];
  /** The replica of the server's flexible realm, as {@link replica}. It queues nothing, and is not one of the paths. */
  flexibleReplica(): FlexibleReplica;
  /** Runs `work` atomically and durably; a nested call joins the outer one. A throw rolls everything back. */
  transaction<T>(work: () => T): T;
  /** Small named values (feed positions, load progress) that commit with the surrounding transaction. */
  mark(name: string): string | undefined;
  setMark(name: string, value: string | undefined): void;
  marks(prefix: string): Map<string, string>;
  close(): void;
}
