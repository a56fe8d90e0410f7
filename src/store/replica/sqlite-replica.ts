/** A replica in the store's database (spec/server-history.md §8). */
import { BadChangesetError, encodeChangeset } from '../../changeset/codec.ts';
import type { Instruction } from '../../changeset/instruction.ts';
import { TransformError } from '../../merge/transform-error.ts';
import type { RealmSchema } from '../../schema/definition.ts';
import type { PrimaryKey } from '../../schema/value.ts';
import type {
  DownloadBatch,
  DownloadCursor,
  DownloadEntry,
  SaltedVersion,
  UploadCursor,
} from '../server/contract.ts';
import type { WorkingView } from '../sqlite/working-view.ts';
import { applyInstructions } from '../state/apply.ts';
import type { ObjectState } from '../state/object-state.ts';
import type { StoredState } from '../state/reader.ts';
import type { BootstrapTable } from './bootstrap-table.ts';
import { checkProgress } from './check-progress.ts';
import { nextTimestamp } from './client-clock.ts';
import { type Generation, removeFreshCopy, replaceGeneration } from './client-reset.ts';
import { type CommitChange, CommitListeners } from './commit-listeners.ts';
import type {
  QueuedTransaction,
  Replica,
  ResetMode,
  ResetOptions,
  ResetReport,
  TransactionObserver,
} from './contract.ts';
import { IntegrationError, ReplicaStateError } from './errors.ts';
import { type FlexibleReplica, isFlexible } from './flexible-contract.ts';
import { SqliteFlexibleState } from './flexible-state.ts';
import { decodeEntries, type IncomingChangeset, IncomingMerge, runsOf } from './incoming-merge.ts';
import type { LocalChangesetTable } from './local-changesets.ts';
import { FLEXIBLE_REALM, freshCopyName, type ReplicaRecord, type ReplicaTable } from './replica-table.ts';
import type { Participant, StoreTransactions } from './store-transactions.ts';
import type { SubscriptionTable } from './subscription-table.ts';
import { touchedBy } from './touched-objects.ts';
import type { TransactionQueue } from './transaction-queue.ts';
import { scanForUpload, type UploadScan } from './upload-scan.ts';

/** What the replicas of one store share. */
export type ReplicaEnvironment = {
  readonly transactions: StoreTransactions;
  readonly replicas: ReplicaTable;
  readonly locals: LocalChangesetTable;
  readonly queue: TransactionQueue;
  readonly subscriptions: SubscriptionTable;
  readonly bootstraps: BootstrapTable;
  readonly openView: (replica: number) => WorkingView;
  readonly observer: TransactionObserver | undefined;
  /** Milliseconds since 1970. */
  readonly now: () => number;
};

/** When a recorded local changeset was made, for replaying histories; without it, now and the next version. */
export type RecordedStamp = { readonly version: number; readonly timestamp: number };

type ReplicaOptions = {
  /** Under which it is kept; the path unless given. */
  readonly name?: string;
  readonly isFlexible?: boolean;
};

/** The replica of the server's flexible realm; nothing of it is queued. */
export function openFlexibleReplica(environment: ReplicaEnvironment): FlexibleReplica {
  const replica = new SqliteReplica(FLEXIBLE_REALM, environment, { isFlexible: true });
  if (!isFlexible(replica)) throw new ReplicaStateError(`${FLEXIBLE_REALM}: it has no subscriptions`);
  return replica;
}

export class SqliteReplica implements Replica, Participant {
  readonly path: string;
  readonly flexible: SqliteFlexibleState | undefined;
  readonly #environment: ReplicaEnvironment;
  /** Under which it is kept. */
  readonly #name: string;
  readonly #listeners = new CommitListeners();
  #id!: number;
  #record!: ReplicaRecord;
  #view!: WorkingView;
  /** Version of the newest local changeset that is kept. */
  #newestLocal = 0;

  constructor(path: string, environment: ReplicaEnvironment, options: ReplicaOptions = {}) {
    this.path = path;
    this.#name = options.name ?? path;
    this.#environment = environment;
    if (options.isFlexible === true) this.flexible = this.#flexibleState();
    this.#load();
  }

  get identity(): { readonly fileIdent: number; readonly salt: bigint } | undefined {
    const { fileIdent, salt } = this.#record;
    return fileIdent === 0 ? undefined : { fileIdent, salt };
  }

  get download(): DownloadCursor {
    return this.#record.download;
  }

  get upload(): UploadCursor {
    return this.#record.upload;
  }

  get latest(): SaltedVersion {
    return this.#record.latest;
  }

  get version(): number {
    return this.#record.version;
  }

  get generation(): number {
    return this.#record.generation;
  }

  get schema(): RealmSchema {
    return this.#view.schema;
  }

  object(table: string, key: PrimaryKey): ObjectState | undefined {
    return this.#view.object(table, key);
  }

  objects(table: string, after?: PrimaryKey): IterableIterator<{ key: PrimaryKey; state: ObjectState }> {
    return this.#view.objects(table, after);
  }

  count(table: string): number {
    return this.#view.count(table);
  }

  linking(table: string, field: string, target: { table: string; key: PrimaryKey }): Iterable<StoredState> {
    return this.#view.linking(table, field, target);
  }

  /** Takes the ident that the server has allocated, once; a commit of its own (spec/server-history.md §8.7). */
  assignIdentity(fileIdent: number, salt: bigint): void {
    const known = this.identity;
    if (known?.fileIdent === fileIdent && known.salt === salt) return;
    if (known !== undefined) {
      throw new ReplicaStateError(`${this.path}: the replica has file ident ${known.fileIdent} already`);
    }
    const { download, upload, version } = this.#record;
    this.#change(() => {
      this.#save({
        fileIdent,
        salt,
        download: { ...download, clientVersion: 0 },
        upload: { ...upload, clientVersion: 0 },
        version: version + 1,
      });
    });
  }

  write(instructions: readonly Instruction[], recorded?: RecordedStamp): number {
    if (instructions.length === 0) return this.version;
    const { version: before, lastTimestamp, download } = this.#record;
    const version = recorded?.version ?? before + 1;
    const timestamp = recorded?.timestamp ?? nextTimestamp(this.#environment.now(), lastTimestamp);
    if (version <= before) {
      throw new ReplicaStateError(`${this.path}: version ${version} is not after version ${before}`);
    }
    this.#change(() => {
      applyInstructions(this.#view, instructions);
      const changeset = encodeChangeset(instructions);
      const remoteVersion = download.serverVersion;
      const made = { version, timestamp, remoteVersion, changeset };
      this.#environment.locals.append(this.#id, made, touchedBy(instructions));
      this.#save({ version, lastTimestamp: timestamp });
      this.#newestLocal = version;
      this.#listeners.note({ local: true, queued: false });
    });
    return version;
  }

  /** For replaying recorded histories: versions up to this one were commits that left nothing to upload. */
  skipVersions(upTo: number): void {
    if (upTo > this.version) this.#change(() => this.#save({ version: upTo }));
  }

  /**
   * Throws `IntegrationError` and changes nothing when the batch breaks a progress rule, or a changeset cannot be
   * parsed, merged or applied. Changesets that were integrated before are skipped, so a repeated batch is harmless; in
   * flexible sync several share one version, so that none of them can be told to be a repetition.
   */
  integrate(batch: DownloadBatch): void {
    const { fileIdent, download } = this.#record;
    if (fileIdent === 0)
      throw new ReplicaStateError(`${this.path}: nothing can be integrated without a file ident`);
    checkProgress(this.path, this.#record, batch);
    const fresh =
      this.flexible === undefined
        ? batch.entries.filter((entry) => entry.serverVersion > download.serverVersion)
        : batch.entries;
    const runs = this.#parsed(fresh);
    if (fresh.length === 0 && this.#saysNothingNew(batch)) return;
    this.#change(() => {
      this.#merge(runs);
      this.#advance(batch, fresh.length > 0);
    });
  }

  uploadScan(from: UploadCursor, softLimit: number, head?: UploadCursor): UploadScan {
    const newest = { clientVersion: this.version, serverVersion: this.download.serverVersion };
    const locals = this.#environment.locals.originals(this.#id, from.clientVersion);
    return scanForUpload(locals, from, head ?? newest, softLimit);
  }

  hasUnsynced(): boolean {
    return this.#newestLocal > this.#record.upload.clientVersion;
  }

  queued(after: number, limit: number): QueuedTransaction[] {
    return this.#environment.queue.read(this.#id, after, limit);
  }

  dropQueued(sequence: number): void {
    this.#change(() => this.#environment.queue.drop(this.#id, sequence));
  }

  openFreshCopy(): SqliteReplica {
    const environment = { ...this.#environment, observer: undefined };
    environment.transactions.run(() => removeFreshCopy(environment, this.path));
    const name = freshCopyName(this.path);
    const copy = new SqliteReplica(this.path, environment, { name, isFlexible: this.flexible !== undefined });
    const active = this.flexible?.active;
    if (active !== undefined && active.version > 0) copy.flexible?.subscribe(active.subscriptions);
    return copy;
  }

  resetTo(fresh: Replica, mode: ResetMode, options: ResetOptions = {}): ResetReport {
    if (!(fresh instanceof SqliteReplica) || fresh.#name !== freshCopyName(this.path)) {
      throw new ReplicaStateError(`${this.path}: this is no fresh copy of the realm`);
    }
    if (fresh.identity === undefined) {
      throw new ReplicaStateError(`${this.path}: the fresh copy was never downloaded`);
    }
    return this.#change(() => {
      const { lastQueued } = this.#record;
      const { next, report } = replaceGeneration(
        this.#environment,
        this.path,
        this.#generation(),
        fresh.#generation(),
        { ...options, mode },
      );
      this.#id = next.id;
      this.#view = next.view;
      this.#loadRecord();
      this.#listeners.note({
        local: this.hasUnsynced(),
        queued: this.#record.lastQueued > lastQueued,
        subscriptions: this.flexible && true,
      });
      return report;
    });
  }

  onCommit(listener: (change: CommitChange) => void): () => void {
    return this.#listeners.add(listener);
  }

  flush(): void {
    this.#view.flush();
    this.#listeners.settle();
  }

  partFailed(): void {
    this.#view.discard();
    this.#loadRecord();
    this.#listeners.forgetUnsettled();
  }

  rolledBack(): void {
    this.#load();
    this.#listeners.forget();
  }

  committed(): void {
    this.#view.keep();
    this.#listeners.tell();
  }

  /** Parses everything before anything is changed. */
  #parsed(entries: readonly DownloadEntry[]): IncomingChangeset[][] {
    return runsOf(this.#refusing(() => decodeEntries(entries)));
  }

  #merge(runs: readonly IncomingChangeset[][]): void {
    const merge = new IncomingMerge(this.#environment.locals, this.#id, this.#record.fileIdent);
    for (const run of runs) {
      for (const merged of this.#refusing(() => merge.transform(run))) this.#apply(merged);
    }
  }

  #flexibleState(): SqliteFlexibleState {
    const replica = this;
    const { subscriptions, bootstraps } = this.#environment;
    return new SqliteFlexibleState({
      path: this.path,
      subscriptions,
      bootstraps,
      get id() {
        return replica.#id;
      },
      get record() {
        return replica.#record;
      },
      change: (work) => this.#change(work),
      nextVersion: () => {
        this.#save({ version: this.version + 1 });
        return this.version;
      },
      merge: (entries) => this.#merge(this.#parsed(entries)),
      advance: (progress) => {
        checkProgress(this.path, this.#record, { ...progress, entries: [] });
        this.#advance({ ...progress, entries: [] }, true);
      },
      check: (batch) => checkProgress(this.path, this.#record, batch),
      note: (local) => this.#listeners.note({ local, queued: false, subscriptions: true }),
    });
  }

  #generation(): Generation {
    return { id: this.#id, record: this.#record, view: this.#view };
  }

  #apply({ entry, changeset: { instructions } }: IncomingChangeset): void {
    if (instructions.length === 0) return;
    this.#refusing(() => applyInstructions(this.#view, instructions));
    const payload = this.#environment.observer?.(instructions, this);
    if (payload === undefined) return;
    const { serverVersion, timestamp, originFileIdent } = entry;
    const sequence = this.#record.lastQueued + 1;
    this.#environment.queue.append(this.#id, {
      sequence,
      serverVersion: serverVersion + this.#record.queueOffset,
      timestamp,
      originFileIdent,
      payload,
    });
    this.#record = { ...this.#record, lastQueued: sequence };
    this.#listeners.note({ local: false, queued: true });
  }

  /** The new progress. A batch that only acknowledges an upload makes no version: there is nothing to tell of it. */
  #advance({ cursor, latest, uploadCursor }: DownloadBatch, changed: boolean): void {
    const { download, upload, version } = this.#record;
    const moved = changed || cursor.serverVersion > download.serverVersion;
    this.#save({
      latest,
      download: { serverVersion: cursor.serverVersion, clientVersion: cursor.clientVersion },
      upload: {
        clientVersion: uploadCursor.clientVersion,
        serverVersion: Math.max(upload.serverVersion, uploadCursor.serverVersion),
      },
      version: moved ? version + 1 : version,
    });
    if (cursor.clientVersion > download.clientVersion) {
      this.#environment.locals.trim(this.#id, cursor.clientVersion);
    }
  }

  #saysNothingNew({ cursor, latest, uploadCursor }: DownloadBatch): boolean {
    const known = this.#record;
    return (
      cursor.serverVersion === known.download.serverVersion &&
      cursor.clientVersion === known.download.clientVersion &&
      latest.version === known.latest.version &&
      latest.salt === known.latest.salt &&
      uploadCursor.clientVersion === known.upload.clientVersion &&
      uploadCursor.serverVersion <= known.upload.serverVersion
    );
  }

  /** Runs what can fail because of the changesets that the server sent. */
  #refusing<T>(work: () => T): T {
    try {
      return work();
    } catch (error) {
      if (!(error instanceof BadChangesetError || error instanceof TransformError)) throw error;
      throw new IntegrationError(
        212,
        `${this.path}: cannot integrate what the server sent: ${error.message}`,
        error,
      );
    }
  }

  #change<T>(work: () => T): T {
    return this.#environment.transactions.change(this, work);
  }

  #save(changes: Partial<ReplicaRecord>): void {
    this.#record = { ...this.#record, ...changes };
    this.#environment.replicas.save(this.#id, this.#record);
  }

  /** Also creates the replica when it does not exist (any more, after its creation was rolled back). */
  #load(): void {
    const { replicas, openView, transactions } = this.#environment;
    const known = replicas.find(this.#name);
    if (known === undefined) transactions.enlist(this);
    this.#id = known ?? replicas.create(this.#name);
    this.#view = openView(this.#id);
    this.#loadRecord();
    this.flexible?.start();
  }

  #loadRecord(): void {
    this.#record = this.#environment.replicas.load(this.#id);
    this.#newestLocal = this.#environment.locals.newestVersion(this.#id);
  }
}
