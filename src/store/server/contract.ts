/**
 * What the object server needs of a realm at rest. Asynchronous and free of SQL, so that it can stand on embedded
 * SQLite in one process or on a database under many (DESIGN §3). Rules: spec/server-history.md.
 */
import type { DownloadEntry, UploadEntry } from '../../changeset/history-entry.ts';
import type { Instruction } from '../../changeset/instruction.ts';
import type { RealmSchema } from '../../schema/definition.ts';
import type { PrimaryKey } from '../../schema/value.ts';
import type { ObjectState } from '../state/object-state.ts';
import type { StateReader } from '../state/reader.ts';
import type { FlexibleFile, FlexibleJudge } from './flexible-contract.ts';
import type { RealmSnapshot } from './snapshot-contract.ts';

export type { DownloadEntry, UploadEntry };

/** "Client version `clientVersion` is integrated; when it was made the client had integrated `serverVersion`." */
export type UploadCursor = { readonly clientVersion: number; readonly serverVersion: number };
/** "Everything up to `serverVersion` was sent; at that point `clientVersion` of this client was integrated." */
export type DownloadCursor = { readonly serverVersion: number; readonly clientVersion: number };
export type SaltedVersion = { readonly version: number; readonly salt: bigint };

export type Upload = {
  readonly entries: readonly UploadEntry[];
  readonly progress: UploadCursor;
  readonly lockedServerVersion: number;
};

export type DownloadBatch = {
  readonly entries: readonly DownloadEntry[];
  readonly cursor: DownloadCursor;
  readonly latest: SaltedVersion;
  readonly uploadCursor: UploadCursor;
  readonly downloadableBytes: number;
};

/** What a client says of itself in IDENT. */
export type IdentClaim = {
  readonly fileIdent: number;
  readonly fileIdentSalt: bigint;
  readonly download: DownloadCursor;
  readonly latest: SaltedVersion;
};

/** Protocol error codes of wire-protocol.md §7.1 that a history can answer with. */
export type HistoryErrorCode = 208 | 209 | 210 | 211 | 212 | 216 | 222;

/** The outcome of checking an {@link IdentClaim} (wire-protocol.md §5.5, in that order). */
export type IdentVerdict =
  | {
      readonly kind: 'accepted';
      readonly uploadCursor: UploadCursor;
      readonly lockedServerVersion: number;
      /** The user that the file was allocated for, when one was named. */
      readonly owner?: string;
    }
  | { readonly kind: 'rejected'; readonly code: HistoryErrorCode; readonly message: string };

/**
 * A realm on the server. Integration within a realm is serial; realms are independent. Every promise that reports a
 * change resolves only after the change is durable.
 */
export interface ServerRealm {
  readonly path: string;
  /** Newest version and its salt; version 0 has salt 0. */
  readonly head: SaltedVersion;
  readonly schema: RealmSchema;

  /** Registers a new client file (server-history.md §2.4). `owner` is the id of the user it belongs to. */
  allocateClientFile(owner?: string): Promise<{ fileIdent: number; salt: bigint }>;
  checkIdent(claim: IdentClaim): Promise<IdentVerdict>;
  /**
   * Merges, applies and appends what a client uploaded (server-history.md §3.2). Entries already integrated are
   * skipped. Rejects with `HistoryError` (a `HistoryErrorCode` and a message) and stores nothing of that upload
   * when a changeset is malformed, does not merge or does not apply.
   */
  integrate(fileIdent: number, upload: Upload): Promise<SaltedVersion>;
  /** The next entries for a client (server-history.md §4); stops after exceeding `softLimit` uncompressed bytes. */
  download(fileIdent: number, cursor: DownloadCursor, softLimit: number): Promise<DownloadBatch>;
  /** A change made by the server itself: origin 0, downloaded with origin ident 1. */
  write(instructions: readonly Instruction[]): Promise<SaltedVersion>;

  object(table: string, key: PrimaryKey): Promise<ObjectState | undefined>;
  /** Objects of a class in key order, in batches. */
  objects(table: string): AsyncIterable<readonly { key: PrimaryKey; state: ObjectState }[]>;
  /**
   * Starts to keep what flexible sync needs: the state of every object before each change. From then on
   * {@link snapshot} can look back to the version at which this was first called. Durable; calling it again is cheap.
   */
  enableFlexibleSync(): Promise<void>;
  /** The realm at its head, which later commits do not change. Must be closed. */
  snapshot(): RealmSnapshot;
  /** The committed state of this very moment: good until the caller gives up its turn of the event loop. */
  readonly now: RealmSnapshot;
  /**
   * As {@link integrate}, for a client of flexible sync: the judge decides object by object what is taken. Appends one
   * entry per uploaded changeset, with what was accepted, and keeps the corrections until the client has seen them.
   */
  integrateFlexible(fileIdent: number, upload: Upload, judge: FlexibleJudge): Promise<SaltedVersion>;
  /** What is kept about client files of flexible sync. */
  readonly flexible: FlexibleFile;
  /**
   * Sees to an index on a property, so that {@link StateReader.withValue} and {@link StateReader.linking} need not scan.
   * Built in portions, beside other work; readers use it as soon as it is complete. Without effect on a property that
   * does not exist (yet), is the primary key, or belongs to an embedded class. Goes with its property or class.
   */
  ensureIndex(table: string, field: string): Promise<void>;

  /**
   * Expires client files that were not seen for too long and removes the part of the history that no other client needs
   * (server-history.md §6). From then on a new client is sent the state instead. `connected` are the idents of files
   * with a session now: they count as seen.
   */
  trim(connected?: Iterable<number>): Promise<void>;

  /** Calls back after each commit that made a new version, or moved a client's upload cursor. Returns its undo. */
  onAdvance(listener: () => void): () => void;
}

export interface ServerStore {
  /** Opens a realm, creating it when it does not exist. */
  realm(path: string): Promise<ServerRealm>;
  has(path: string): Promise<boolean>;
  paths(): Promise<readonly string[]>;
  /** Trims all realms, one after the other; see {@link ServerRealm.trim}. */
  trim(connected?: (path: string) => Iterable<number>): Promise<void>;
  close(): Promise<void>;
}
