/**
 * What one client of flexible sync is sent. Its states:
 *
 * | state        | what is sent                                                          | leaves to                     |
 * |--------------|-----------------------------------------------------------------------|-------------------------------|
 * | steady       | what happens in the view, acknowledgements; MARKs are answered        | waiting, by {@link change}    |
 * | waiting      | the same under the old view, until the bootstrap begins; no MARK      | transferring                  |
 * | transferring | the bootstrap, nothing else                                           | steady, or waiting once more  |
 *
 * Three versions matter: `reached` is what the view was looked at up to, `told` is what the client knows it has, and the
 * realm's head. A view in which nothing happens reaches the head with every tick without a word to the client.
 */
import type { Body } from '../../protocol/messages.ts';
import type { SharedContent } from '../../protocol/spliced-body.ts';
import type { DownloadCursor, DownloadEntry, UploadCursor } from '../../store/server/contract.ts';
import type { Correction } from '../../store/server/flexible-contract.ts';
import { clientEntries } from '../flexible/delta.ts';
import { rejectedUpdates } from '../flexible/rejected-updates.ts';
import type { View } from '../flexible/view.ts';
import type { Transfer } from './bootstraps.ts';
import {
  type BatchState,
  bootstrapBody,
  entriesBody,
  entryRuns,
  flexibleDownload,
} from './flexible-messages.ts';
import type { FlexibleRealm } from './flexible-realm.ts';
import { formatHeldViews, type HeldView, isToldByCursor, withHeld } from './held-views.ts';
import type { SessionPort } from './mode-session.ts';
import { OrderedOutbox } from './ordered-outbox.ts';

/** Versions that pass unseen before a client is told of them all the same: what it resumes from stays near the head. */
const QUIET_VERSIONS = 1_000;
/** The same in milliseconds, looked at when something happens. */
const QUIET_TIME = 30_000;
/** Bodies beyond this are cut into a bootstrap of the active subscriptions, where the client knows that. */
const LARGEST_STEP = 4 * 1024 * 1024;
/** The origin of no entry: 0 is that of what the server writes itself (spec/server-history.md §2.3). */
const NOBODY = -1;
/** The server's file ident in downloads. */
const SERVER = 1;
/** Compensating writes (spec/wire-protocol.md §1.3). */
const REJECTIONS_SINCE = 5;
/** Bootstraps that the client did not ask for (spec/wire-protocol.md §1.3). */
export const SERVER_BOOTSTRAPS_SINCE = 14;

/** A view to change to. */
export type ViewChange = {
  readonly to: View;
  readonly queryVersion: number;
  /** The subscriptions in one spelling. */
  readonly queries: string;
  readonly includeSchema: boolean;
};

export type FlexibleStreamOptions = {
  readonly shared: FlexibleRealm;
  readonly port: SessionPort;
  readonly fileIdent: number;
  /** What the client says it has. */
  readonly cursor: DownloadCursor;
  readonly upload: UploadCursor;
  /** The view that the client holds at its cursor. */
  readonly view: View;
  readonly queryVersion: number;
  readonly held: readonly HeldView[];
};

type Phase =
  | { readonly kind: 'steady' }
  | { readonly kind: 'waiting'; readonly change: ViewChange; leave: () => void }
  | {
      readonly kind: 'transferring';
      readonly change: ViewChange;
      readonly transfer: Transfer;
      /** What has happened in the old view before the bootstrap was made, and was not sent. */
      readonly lead: readonly DownloadEntry[];
      /** What has happened in the new view after it was made. */
      readonly tail: readonly DownloadEntry[];
    };

/** What there is to tell, and its body, which is made only when it is sent. */
type News = { readonly entries: readonly DownloadEntry[]; readonly body: () => Body | Promise<Body> };

const NO_NEWS: News = { entries: [], body: () => entriesBody([]) };
const NOTHING: SharedContent = { bytes: new Uint8Array(), size: 0 };
/** The progress of a message that is not the last. */
const ALMOST_ALL = 0.999;
const NO_CORRECTIONS: readonly Correction[] = [];

export class FlexibleStream {
  readonly #shared: FlexibleRealm;
  readonly #port: SessionPort;
  readonly #fileIdent: number;
  readonly #outbox: OrderedOutbox;
  readonly #unsubscribe: () => void;
  #held: readonly HeldView[];
  #view: View;
  #queryVersion: number;
  #reached: DownloadCursor;
  #upload: UploadCursor;
  #told: number;
  #toldAt = performance.now();
  #transferVersion: number;
  /** Corrections after this version were not sent in this session. */
  #correctedUpTo: number;
  /** Uploads that are being integrated, and whether there may be corrections of earlier ones. */
  #integrating = 0;
  #mayHaveCorrections = true;
  #owesAnswer = true;
  #owesAcknowledgement = false;
  #mark: number | undefined;
  #phase: Phase = { kind: 'steady' };
  #next: ViewChange | undefined;
  #activity: 'idle' | 'running' | 'again' | 'stopped' = 'idle';

  constructor(options: FlexibleStreamOptions) {
    const { shared, port, fileIdent, cursor, upload, view, queryVersion, held } = options;
    this.#shared = shared;
    this.#port = port;
    this.#fileIdent = fileIdent;
    this.#outbox = new OrderedOutbox(port);
    this.#held = held;
    this.#view = view;
    this.#queryVersion = queryVersion;
    this.#upload = upload;
    this.#reached = cursor.serverVersion === 0 ? this.#beginning() : cursor;
    this.#told = cursor.serverVersion;
    this.#transferVersion = cursor.serverVersion;
    this.#correctedUpTo = cursor.serverVersion;
    this.#unsubscribe = shared.ticks.onTick(() => this.wake());
  }

  /** Server version that the client was told it has. */
  get told(): number {
    return this.#told;
  }

  /** Version of the last state that the client was sent as such, not as it came about. */
  get transferVersion(): number {
    return this.#transferVersion;
  }

  /** The view that the client will hold when everything under way is done. */
  get target(): View {
    return (this.#next ?? (this.#phase.kind === 'steady' ? undefined : this.#phase.change))?.to ?? this.#view;
  }

  /** True when a bootstrap for these subscriptions is still to begin, so that it can be another one. */
  get isToBegin(): boolean {
    return this.#next !== undefined || this.#phase.kind === 'waiting';
  }

  wake(): void {
    if (this.#activity === 'running') this.#activity = 'again';
    if (this.#activity !== 'idle') return;
    this.#activity = 'running';
    this.#run().catch((error: unknown) => {
      if (!this.#isStopped()) this.#port.failed(error);
    });
  }

  /** Replaces an older request that was not answered yet. */
  requestMark(request: number): void {
    this.#mark = request;
    this.wake();
  }

  /** Changes the view through a bootstrap. Replaces a change whose bootstrap has not begun. */
  change(change: ViewChange): void {
    this.#next = change;
    this.wake();
  }

  uploading(): void {
    this.#integrating += 1;
    this.#mayHaveCorrections = true;
  }

  /** An upload, or a part of it, was integrated; one with changesets is acknowledged. */
  uploaded(progress: UploadCursor, hadEntries: boolean): void {
    if (progress.clientVersion > this.#upload.clientVersion) this.#upload = progress;
    if (hadEntries) this.#owesAcknowledgement = true;
  }

  uploadEnded(): void {
    this.#integrating -= 1;
    if (this.#owesAcknowledgement) this.wake();
  }

  stop(): void {
    if (this.#isStopped()) return;
    this.#activity = 'stopped';
    this.#unsubscribe();
    this.#outbox.stop();
    if (this.#phase.kind === 'waiting') this.#phase.leave();
    if (this.#phase.kind === 'transferring') this.#phase.transfer.release();
  }

  async #run(): Promise<void> {
    do {
      if (this.#activity === 'again') this.#activity = 'running';
      while (await this.#advance()) {
        if (this.#isStopped()) return;
      }
      if (this.#isStopped()) return;
    } while (this.#isWokenAgain());
    this.#activity = 'idle';
  }

  /** Does what is next; returns whether there may be more. Waits for nothing where there is nothing to wait for. */
  #advance(): Promise<boolean> | boolean {
    const room = this.#port.writable() ?? this.#outbox.drained();
    if (room !== undefined) return room.then(() => true);
    if (this.#phase.kind === 'transferring') return this.#transfer(this.#phase).then(() => true);
    if (this.#next !== undefined) return this.#request(this.#next).then(() => true);
    // A client that has nothing yet is told nothing before its first bootstrap, and none that could be taken for one that
    // has integrated a bootstrap when it comes back.
    if (this.#phase.kind === 'waiting' && (this.#told === 0 || this.#isToldByCursor(this.#phase.change))) {
      return false;
    }
    if (this.#step()) return true;
    if (this.#mark !== undefined && this.#phase.kind === 'steady') this.#answerMark(this.#mark);
    return false;
  }

  #answerMark(request: number): void {
    this.#mark = undefined;
    this.#port.send({ type: 'mark', session: this.#port.session, request });
  }

  /** A client that has nothing yet has missed nothing: it begins with what there is. */
  #beginning(): DownloadCursor {
    const { clientVersion } = this.#upload;
    return { serverVersion: this.#shared.realm.head.version, clientVersion };
  }

  /** Looks at the view up to the head, and tells the client when there is something to tell. */
  #step(isBeforeBootstrap = false): boolean {
    const { entries, body, corrections } = this.#look();
    const isNews = entries.length > 0 || corrections.length > 0 || this.#owesAcknowledgement;
    if (!isNews && (isBeforeBootstrap || !(this.#owesAnswer || this.#isLagging()))) return false;
    this.#reject(corrections);
    this.#sendEntries(entries, body);
    return true;
  }

  #look(): News & { readonly corrections: readonly Correction[] } {
    const { realm } = this.#shared;
    const { version } = realm.head;
    const corrections = this.#mayHaveCorrections
      ? realm.flexible.corrections(this.#fileIdent, this.#correctedUpTo)
      : NO_CORRECTIONS;
    const news = this.#newsUpTo(version, corrections);
    this.#correctedUpTo = version;
    if (this.#integrating === 0) this.#mayHaveCorrections = false;
    return { ...news, corrections };
  }

  /** What brings the client to the head, as the beginning of a bootstrap: it has both or none. */
  #lead(): readonly DownloadEntry[] {
    const { entries, corrections } = this.#look();
    this.#reject(corrections);
    return entries;
  }

  #newsUpTo(version: number, corrections: readonly Correction[]): News {
    const cursor = this.#reached;
    if (version === cursor.serverVersion && corrections.length === 0) return NO_NEWS;
    const { deltas } = this.#shared;
    const delta = deltas.get(this.#view, cursor.serverVersion);
    const sent = clientEntries(delta, { fileIdent: this.#fileIdent, cursor, corrections });
    this.#reached = sent.cursor;
    if (sent.synthetic) this.#transferVersion = version;
    const { entries } = sent;
    if (entries.length === 0) return NO_NEWS;
    // Clients without anything of their own in between share the bytes, too.
    const isShared = corrections.length === 0 && sent.cursor.clientVersion === cursor.clientVersion;
    return {
      entries,
      body: () => (isShared ? deltas.body(delta, cursor.clientVersion, entries) : entriesBody(entries)),
    };
  }

  #isLagging(): boolean {
    const versions = this.#reached.serverVersion - this.#told;
    if (versions <= 0) return false;
    return versions >= QUIET_VERSIONS || performance.now() - this.#toldAt >= QUIET_TIME;
  }

  /** Says what was not taken, before the DOWNLOAD that undoes it (spec/wire-protocol.md §7.2). */
  #reject(corrections: readonly Correction[]): void {
    if (this.#port.version < REJECTIONS_SINCE) return;
    const { session } = this.#port;
    for (const correction of corrections) {
      const json = rejectedUpdates(correction);
      if (json === undefined) continue;
      this.#outbox.after(() => this.#port.send({ type: 'json_error', session, errorCode: 231, json }));
    }
  }

  #sendEntries(entries: readonly DownloadEntry[], body: News['body']): void {
    const isCut =
      this.#port.version >= SERVER_BOOTSTRAPS_SINCE &&
      entries.reduce((size, { changeset }) => size + changeset.byteLength, 0) > LARGEST_STEP;
    if (!isCut) {
      this.#send(body(), 2, 1);
      return;
    }
    const runs = entryRuns(entries, this.#port.limits.download);
    for (const [i, run] of runs.entries()) {
      this.#send(entriesBody(run), i === runs.length - 1 ? 1 : 0, (i + 1) / runs.length);
    }
  }

  #send(body: Body | Promise<Body>, state: BatchState, progress: number): void {
    const { realm } = this.#shared;
    const batch = { queryVersion: this.#queryVersion, state, progress };
    const head = flexibleDownload(
      this.#port.session,
      { cursor: this.#reached, latest: realm.head, upload: this.#upload },
      batch,
    );
    // Before sending: the answer to this message may arrive at once and is judged by the new cursor.
    if (state !== 0) this.#hasTold();
    this.#outbox.send(head, body);
  }

  #hasTold(): void {
    this.#told = this.#reached.serverVersion;
    this.#toldAt = performance.now();
    this.#owesAnswer = false;
    this.#owesAcknowledgement = false;
  }

  /** Gets in line for the bootstrap of a change. */
  async #request(change: ViewChange): Promise<void> {
    if (this.#phase.kind === 'waiting') this.#phase.leave();
    this.#phase = { kind: 'steady' };
    this.#next = undefined;
    const { realm, bootstraps } = this.#shared;
    // Changes that the client makes on what it has now must not look like those that it makes on the bootstrap.
    if (this.#told > 0 && this.#told >= realm.head.version) await realm.write([]);
    // Meanwhile there may be another change, or nobody any more.
    if (this.#next !== undefined || this.#isStopped()) return;
    const phase: Phase & { kind: 'waiting' } = { kind: 'waiting', change, leave: () => {} };
    this.#phase = phase;
    phase.leave = bootstraps.enter(
      { from: this.#view, to: change.to, includeSchema: change.includeSchema },
      {
        begin: (transfer) => this.#begin(phase, transfer),
        failed: (error) => this.#port.failed(error),
      },
    );
  }

  #isToldByCursor({ queries, to }: ViewChange): boolean {
    return isToldByCursor(this.#held, { queries, view: to.description });
  }

  /** Brings the client to the version of the bootstrap, under the old view. */
  #begin(phase: Phase & { kind: 'waiting' }, transfer: Transfer): void {
    if (this.#isStopped() || this.#phase !== phase) {
      transfer.release();
      return;
    }
    try {
      if (this.#told === 0) this.#reached = this.#beginning();
      const { change } = phase;
      if (this.#told > 0 && this.#told >= transfer.version.version) {
        this.#again(change, transfer);
        return;
      }
      const lead = this.#lead();
      const tail = this.#tail(change.to, transfer);
      this.#phase = { kind: 'transferring', change, transfer, lead, tail };
    } catch (error) {
      transfer.release();
      this.#port.failed(error);
      return;
    }
    this.wake();
  }

  /** The client was told of that version while it waited. */
  #again(change: ViewChange, transfer: Transfer): void {
    transfer.release();
    this.#phase = { kind: 'steady' };
    this.#next ??= change;
    this.wake();
  }

  /** What has happened in the new view since the bootstrap was made, for a late-comer. */
  #tail(view: View, { madeAt, version }: Transfer): readonly DownloadEntry[] {
    if (madeAt === version.version) return [];
    const { clientVersion } = this.#reached;
    const delta = this.#shared.deltas.get(view, madeAt);
    const cursor = { serverVersion: madeAt, clientVersion };
    // With what the client did itself: nothing of it is left there under the old view.
    const { entries } = clientEntries(delta, { fileIdent: NOBODY, cursor, corrections: [] });
    // One bootstrap, one version: what comes before this in it is at the head already. Nobody is sent entries of its own.
    return entries.map((entry) => ({
      ...entry,
      serverVersion: version.version,
      clientVersion,
      originFileIdent: entry.originFileIdent === this.#fileIdent ? SERVER : entry.originFileIdent,
    }));
  }

  async #transfer(phase: Phase & { kind: 'transferring' }): Promise<void> {
    const { change, transfer, lead, tail } = phase;
    try {
      const remembered = this.#remember(change, transfer.version.version);
      // Whoever waits for it below sees the failure.
      remembered.catch(() => {});
      for (const run of entryRuns(lead, this.#port.limits.download)) {
        await this.#roomForMore();
        if (this.#isStopped()) return;
        this.#sendPortion(change, transfer, entriesBody(run), 0, 0);
      }
      // A message waits until it is known whether it is the last.
      let held: { readonly body: Body | Promise<Body>; readonly progress: number } | undefined;
      for (let i = 0; ; i += 1) {
        const portion = await transfer.spool.portion(i);
        if (held !== undefined && (portion !== undefined || tail.length > 0)) {
          await this.#roomForMore();
          if (this.#isStopped()) return;
          this.#sendPortion(change, transfer, held.body, 0, Math.min(held.progress, ALMOST_ALL));
        }
        if (portion === undefined) break;
        held = { body: bootstrapBody(this.#reached, portion.content), progress: portion.progress };
      }
      await remembered;
      await this.#roomForMore();
      if (this.#isStopped()) return;
      // An entry there must be, even if it says nothing (spec/wire-protocol.md §6.5).
      const last = tail.length > 0 ? entriesBody(tail) : held?.body;
      this.#endTransfer(change, transfer, last ?? bootstrapBody(this.#reached, NOTHING));
    } finally {
      transfer.release();
    }
  }

  async #roomForMore(): Promise<void> {
    await this.#outbox.drained();
    await this.#port.writable();
  }

  /** The record of a bootstrap is durable before the client can have integrated it. */
  #remember(change: ViewChange, at: number): Promise<void> {
    this.#held = withHeld(this.#held, { queries: change.queries, at, view: change.to.description });
    return this.#shared.realm.flexible.setView(this.#fileIdent, formatHeldViews(this.#held));
  }

  #endTransfer(change: ViewChange, transfer: Transfer, body: Body | Promise<Body>): void {
    this.#view = change.to;
    this.#queryVersion = change.queryVersion;
    this.#transferVersion = transfer.version.version;
    this.#phase = { kind: 'steady' };
    this.#sendPortion(change, transfer, body, 1, 1);
    this.#hasTold();
  }

  #sendPortion(
    { queryVersion }: ViewChange,
    { version }: Transfer,
    body: Body | Promise<Body>,
    state: BatchState,
    progress: number,
  ): void {
    const head = flexibleDownload(
      this.#port.session,
      { cursor: this.#reached, latest: version, upload: this.#upload },
      { queryVersion, state, progress },
    );
    this.#outbox.send(head, body);
  }

  #isWokenAgain(): boolean {
    return this.#activity === 'again';
  }

  #isStopped(): boolean {
    return this.#activity === 'stopped';
  }
}
