import { BadChangesetError } from '../../changeset/codec.ts';
import type { Instruction } from '../../changeset/instruction.ts';
import { TransformError } from '../../merge/transform-error.ts';
import type { RealmSchema } from '../../schema/definition.ts';
import type { PrimaryKey } from '../../schema/value.ts';
import { StoreError } from '../sqlite/store-error.ts';
import { WorkingView } from '../sqlite/working-view.ts';
import type { ObjectState } from '../state/object-state.ts';
import { checkIdent } from './check-ident.ts';
import type { ClientFile, ClientFileTable } from './client-file-table.ts';
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
import type { CorrectionTable } from './correction-table.ts';
import { scanDownload } from './download-scan.ts';
import type { EarlierStateTable } from './earlier-state-table.ts';
import type { FlexibleFile, FlexibleJudge } from './flexible-contract.ts';
import { HistoryError } from './history-error.ts';
import type { HistoryHead, HistoryTable } from './history-table.ts';
import { appendOwnChange, integrateUpload, type RealmChange } from './integrate.ts';
import { integrateJudged } from './integrate-flexible.ts';
import type { OpenFills } from './open-fills.ts';
import type { ReadConnections } from './read-connections.ts';
import { RealmFills } from './realm-fills.ts';
import { RealmReading } from './realm-reading.ts';
import type { RealmFacts, RealmTable } from './realm-table.ts';
import type { RealmSnapshot } from './snapshot-contract.ts';
import { type HistoryLimits, nextBase, trimTo } from './trim-history.ts';
import type { ViewCache } from './view-cache.ts';

/** What the realms of one store share. */
export type RealmResources = {
  readonly realms: RealmTable;
  readonly history: HistoryTable;
  readonly clientFiles: ClientFileTable;
  readonly earlier: EarlierStateTable;
  readonly corrections: CorrectionTable;
  readonly readers: ReadConnections;
  readonly fills: OpenFills;
  readonly limits: HistoryLimits;
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
/** Objects put into a new index in one change, so that others wait a few milliseconds at most. */
const INDEX_PORTION = 500;
/** What such a change counts among those of a group commit. */
const INDEX_PORTION_SIZE = 1024 * 1024;
const TRIM_PORTION_SIZE = 1024 * 1024;
/** Milliseconds after which it is written down anew that a client is there. */
const SEEN_INTERVAL = 60 * 60 * 1000;

/** A realm of an embedded store. Between two turns of the commit queue it shows committed state only. */
export class SqliteRealm implements ServerRealm, CommitParticipant {
  readonly path: string;
  readonly #id: number;
  readonly #resources: RealmResources;
  readonly #listeners = new Set<() => void>();
  #head: HistoryHead;
  #headBefore: HistoryHead;
  #facts: RealmFacts;
  readonly #fills: RealmFills;
  /** Indexes being built, by class and property. */
  readonly #indexes = new Map<string, Promise<void>>();
  /** The open transaction holds something that listeners want to know. */
  #advanced = false;

  constructor(path: string, id: number, resources: RealmResources) {
    this.path = path;
    this.#id = id;
    this.#resources = resources;
    this.#head = resources.history.head(id);
    this.#headBefore = this.#head;
    this.#facts = resources.realms.facts(id);
    this.#fills = new RealmFills({
      realm: id,
      resources,
      snapshot: () => this.snapshot(),
      head: () => this.head,
      submit: (work) => this.#submit(0, work),
    });
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

  allocateClientFile(owner?: string): Promise<{ fileIdent: number; salt: bigint }> {
    const { clientFiles, newSalt, now } = this.#resources;
    return this.#submit(0, () => {
      const salt = newSalt();
      return { fileIdent: clientFiles.add(this.#id, salt, now(), owner), salt };
    });
  }

  async checkIdent(claim: IdentClaim): Promise<IdentVerdict> {
    const { clientFiles, history } = this.#resources;
    const file = clientFiles.load(this.#id, claim.fileIdent);
    const { base } = this.#facts;
    const { version } = claim.latest;
    const salt = version === base.version ? base.salt : history.saltOf(this.#id, version);
    const verdict = checkIdent(claim, file, this.#head.version, salt, base.version);
    if (verdict.kind === 'accepted' && file !== undefined) await this.#noteSeen(file);
    return verdict;
  }

  integrate(fileIdent: number, upload: Upload): Promise<SaltedVersion> {
    return this.#append(sizeOf(upload), (change) => {
      const options = this.#fills.forUpload(change, this.#facts.base, this.#head, fileIdent, upload);
      return integrateUpload(change, this.#head, fileIdent, upload, options);
    });
  }

  async integrateFlexible(fileIdent: number, upload: Upload, judge: FlexibleJudge): Promise<SaltedVersion> {
    if (this.#facts.flexibleSince === undefined) {
      throw new StoreError(`${this.path} does not serve flexible sync`);
    }
    return await this.#append(sizeOf(upload), (change) =>
      integrateJudged(change, this.#head, fileIdent, upload, judge),
    );
  }

  async download(fileIdent: number, cursor: DownloadCursor, softLimit: number): Promise<DownloadBatch> {
    const { history, clientFiles } = this.#resources;
    const file = clientFiles.load(this.#id, fileIdent);
    if (file === undefined) throw new HistoryError(208, `client file ident ${fileIdent} is unknown`);
    if (cursor.serverVersion < Math.max(this.#facts.base.version, file.filledFrom ?? 0)) {
      return await this.#fills.download(file, cursor, softLimit);
    }
    return scanDownload(history, this.#id, this.#head, file, cursor, softLimit);
  }

  write(instructions: readonly Instruction[]): Promise<SaltedVersion> {
    return this.#append(0, (change) => appendOwnChange(change, this.#head, instructions));
  }

  async enableFlexibleSync(): Promise<void> {
    if (this.#facts.flexibleSince !== undefined) return;
    const { realms } = this.#resources;
    await this.#submit(0, () => {
      realms.setFlexible(this.#id, this.#head.version);
      this.#facts = realms.facts(this.#id);
    });
  }

  get now(): RealmSnapshot {
    const { history, earlier } = this.#resources;
    return new RealmReading({
      realm: this.#id,
      view: this.#view,
      history,
      earlier,
      head: this.#head,
      facts: this.#facts,
      release: () => {},
    });
  }

  snapshot(): RealmSnapshot {
    const { realms, history, schemas, objects, earlier, release } = this.#resources.readers.acquire();
    try {
      const realm = this.#id;
      return new RealmReading({
        realm,
        head: history.head(realm),
        facts: realms.facts(realm),
        view: new WorkingView(realm, schemas, objects),
        history,
        earlier,
        release,
      });
    } catch (error) {
      release();
      throw error;
    }
  }

  get flexible(): FlexibleFile {
    const { corrections } = this.#resources;
    return {
      corrections: (fileIdent, after) => corrections.after(this.#id, fileIdent, after),
      view: (fileIdent) => corrections.view(this.#id, fileIdent),
      setView: (fileIdent, view) => this.#submit(0, () => corrections.setView(this.#id, fileIdent, view)),
    };
  }

  ensureIndex(table: string, field: string): Promise<void> {
    const place = JSON.stringify([table, field]);
    let building = this.#indexes.get(place);
    if (building === undefined) {
      building = this.#buildIndex(table, field).finally(() => this.#indexes.delete(place));
      this.#indexes.set(place, building);
    }
    return building;
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

  async trim(connected: Iterable<number> = []): Promise<void> {
    const { clientFiles, corrections, limits, now } = this.#resources;
    await this.#submit(0, () => {
      for (const ident of connected) clientFiles.seen(this.#id, ident, now());
      for (const ident of clientFiles.expire(this.#id, now() - limits.maxOffline)) {
        corrections.drop(this.#id, ident, this.#head.version);
      }
    });
    while (await this.#submit(TRIM_PORTION_SIZE, () => this.#trimPortion())) {
      // goes on with the next portion
    }
  }

  onAdvance(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  rolledBack(): void {
    this.#head = this.#headBefore;
    this.#facts = this.#resources.realms.facts(this.#id);
    this.#fills.forget();
    this.#view.discard();
  }

  lost(): void {
    this.#resources.views.drop(this.#id);
    this.#head = this.#resources.history.head(this.#id);
    this.#facts = this.#resources.realms.facts(this.#id);
    this.#fills.forget();
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

  #append(size: number, work: (change: RealmChange) => HistoryHead): Promise<SaltedVersion> {
    return this.#submit(size, () => {
      this.#head = work(this.#change());
      this.#advanced = true;
      return this.head;
    });
  }

  #change(): RealmChange {
    const { history, clientFiles, earlier, corrections, versionSalt, now } = this.#resources;
    return {
      realm: this.#id,
      view: this.#view,
      history,
      clientFiles,
      flexible: this.#facts.flexibleSince === undefined ? undefined : { earlier, corrections },
      salt: versionSalt,
      now: now(),
    };
  }

  /** Not at each IDENT: a file is dated to the hour, mostly. */
  async #noteSeen({ ident, identified, lastSeen }: ClientFile): Promise<void> {
    const { clientFiles, now } = this.#resources;
    if (identified && now() - lastSeen < SEEN_INTERVAL) return;
    await this.#submit(0, () => clientFiles.seen(this.#id, ident, now()));
  }

  /** False when there is nothing left to trim. */
  #trimPortion(): boolean {
    const { history, clientFiles, realms, earlier, limits } = this.#resources;
    const { base } = this.#facts;
    const place = { realm: this.#id, history, clientFiles, head: this.#head, base };
    const version = nextBase(place, limits);
    if (version <= base.version) return false;
    trimTo(place, realms, version);
    for (const table of this.#view.schema.keys()) {
      const classId = this.#view.classId(table);
      if (classId !== undefined) earlier.drop(classId, version);
    }
    this.#facts = realms.facts(this.#id);
    return true;
  }

  async #buildIndex(table: string, field: string): Promise<void> {
    let after: PrimaryKey | undefined;
    let complete = this.#view.isIndexed(table, field);
    while (!complete) {
      complete = await this.#submit(INDEX_PORTION_SIZE, () => {
        const index = this.#view.startIndex(table, field);
        if (index === undefined || index.complete) return true;
        after = this.#view.buildIndex(table, index, after, INDEX_PORTION);
        return after === undefined;
      });
    }
  }
}

function sizeOf({ entries }: Upload): number {
  return entries.reduce((sum, { changeset }) => sum + changeset.length, 0);
}
