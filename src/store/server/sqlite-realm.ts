import { BadChangesetError } from '../../changeset/codec.ts';
import type { Instruction } from '../../changeset/instruction.ts';
import { TransformError } from '../../merge/transform-error.ts';
import type { RealmSchema } from '../../schema/definition.ts';
import type { PrimaryKey } from '../../schema/value.ts';
import { StoreError } from '../sqlite/store-error.ts';
import type { WorkingView } from '../sqlite/working-view.ts';
import type { ObjectState } from '../state/object-state.ts';
import { checkIdent } from './check-ident.ts';
import type { ClientFileTable } from './client-file-table.ts';
import type { CommitParticipant, CommitQueue } from './commit-queue.ts';
import type {
  DownloadBatch,
  DownloadCursor,
  IdentClaim,
  IdentVerdict,
  SaltedVersion,
  ServerRealm,
  Upload,
} from './contract.ts';
import { scanDownload } from './download-scan.ts';
import type { FlexibleFile, FlexibleJudge } from './flexible-contract.ts';
import { HistoryError } from './history-error.ts';
import type { HistoryHead, HistoryTable } from './history-table.ts';
import { appendOwnChange, integrateUpload, type RealmChange } from './integrate.ts';
import type { RealmSnapshot } from './snapshot-contract.ts';
import type { ViewCache } from './view-cache.ts';

/** What the realms of one store share. */
export type RealmResources = {
  readonly history: HistoryTable;
  readonly clientFiles: ClientFileTable;
  readonly views: ViewCache;
  readonly queue: CommitQueue;
  /** One salt for all versions that this opening of the store makes (spec/server-history.md §2.2). */
  readonly versionSalt: bigint;
  readonly newSalt: () => bigint;
  /** Milliseconds since 2015-01-01T00:00:00Z. */
  readonly now: () => number;
};

/** Objects handed out at once by {@link SqliteRealm.objects}. */
const OBJECT_BATCH = 256;

/** A realm of an embedded store. Between two turns of the commit queue it shows committed state only. */
export class SqliteRealm implements ServerRealm, CommitParticipant {
  readonly path: string;
  readonly #id: number;
  readonly #resources: RealmResources;
  readonly #listeners = new Set<() => void>();
  #head: HistoryHead;
  #headBefore: HistoryHead;
  /** The open transaction holds something that listeners want to know. */
  #advanced = false;

  constructor(path: string, id: number, resources: RealmResources) {
    this.path = path;
    this.#id = id;
    this.#resources = resources;
    this.#head = resources.history.head(id);
    this.#headBefore = this.#head;
  }

  get head(): SaltedVersion {
    return { version: this.#head.version, salt: this.#head.salt };
  }

  get #view(): WorkingView {
    return this.#resources.views.view(this.#id);
  }

  get schema(): RealmSchema {
    return this.#view.schema;
  }

  async enableFlexibleSync(): Promise<void> {
    throw new StoreError('flexible sync is not there yet');
  }

  get now(): RealmSnapshot {
    throw new StoreError('flexible sync is not there yet');
  }

  snapshot(): RealmSnapshot {
    throw new StoreError('flexible sync is not there yet');
  }

  get flexible(): FlexibleFile {
    throw new StoreError('flexible sync is not there yet');
  }

  async integrateFlexible(
    _fileIdent: number,
    _upload: Upload,
    _judge: FlexibleJudge,
  ): Promise<SaltedVersion> {
    throw new StoreError('flexible sync is not there yet');
  }

  async ensureIndex(_table: string, _field: string): Promise<void> {
    throw new StoreError('indexes are not there yet');
  }

  allocateClientFile(_owner?: string): Promise<{ fileIdent: number; salt: bigint }> {
    const { clientFiles, newSalt } = this.#resources;
    return this.#submit(0, () => {
      const salt = newSalt();
      return { fileIdent: clientFiles.add(this.#id, salt), salt };
    });
  }

  async checkIdent(claim: IdentClaim): Promise<IdentVerdict> {
    const { clientFiles, history } = this.#resources;
    const file = clientFiles.load(this.#id, claim.fileIdent);
    const salt = history.saltOf(this.#id, claim.latest.version);
    return checkIdent(claim, file, this.#head.version, salt);
  }

  async integrate(fileIdent: number, upload: Upload): Promise<SaltedVersion> {
    const size = upload.entries.reduce((sum, entry) => sum + entry.changeset.length, 0);
    return await this.#submit(size, () => {
      this.#head = integrateUpload(this.#change(), this.#head, fileIdent, upload);
      this.#advanced = true;
      return this.head;
    });
  }

  async download(fileIdent: number, cursor: DownloadCursor, softLimit: number): Promise<DownloadBatch> {
    const { history, clientFiles } = this.#resources;
    const file = clientFiles.load(this.#id, fileIdent);
    if (file === undefined) throw new HistoryError(208, `client file ident ${fileIdent} is unknown`);
    return scanDownload(history, this.#id, this.#head, file, cursor, softLimit);
  }

  async write(instructions: readonly Instruction[]): Promise<SaltedVersion> {
    return await this.#submit(0, () => {
      this.#head = appendOwnChange(this.#change(), this.#head, instructions, this.#resources.now());
      this.#advanced = true;
      return this.head;
    });
  }

  async object(table: string, key: PrimaryKey): Promise<ObjectState | undefined> {
    return this.#view.object(table, key);
  }

  async *objects(table: string): AsyncIterable<readonly { key: PrimaryKey; state: ObjectState }[]> {
    let last: PrimaryKey | undefined;
    for (;;) {
      const batch = this.#view.batch(table, last, OBJECT_BATCH);
      last = batch.at(-1)?.key;
      if (last === undefined) return;
      yield batch;
    }
  }

  onAdvance(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  rolledBack(): void {
    this.#head = this.#headBefore;
    this.#view.discard();
  }

  lost(): void {
    this.#resources.views.drop(this.#id);
    this.#head = this.#resources.history.head(this.#id);
    this.#advanced = false;
  }

  committed(): void {
    if (!this.#advanced) return;
    this.#advanced = false;
    for (const listener of [...this.#listeners]) listener();
  }

  async #submit<T>(size: number, work: () => T): Promise<T> {
    try {
      return await this.#resources.queue.submit(this, size, () => {
        this.#headBefore = this.#head;
        const result = work();
        this.#view.keep();
        return result;
      });
    } catch (error) {
      if (error instanceof BadChangesetError || error instanceof TransformError) {
        throw new HistoryError(212, `${this.path}: ${error.message}`, error);
      }
      throw error;
    }
  }

  #change(): RealmChange {
    const { history, clientFiles, versionSalt } = this.#resources;
    return { realm: this.#id, view: this.#view, history, clientFiles, salt: versionSalt };
  }
}
