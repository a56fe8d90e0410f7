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
import type { DownloadCursor, DownloadEntry, UploadCursor } from '../../store/server/contract.ts';
import type { View } from '../flexible/view.ts';
import type { Transfer } from './bootstraps.ts';
import type { FlexibleRealm } from './flexible-realm.ts';
import { FlexibleTeller } from './flexible-teller.ts';
import { formatHeldViews, type HeldView, isToldByCursor, withHeld } from './held-views.ts';
import type { SessionPort } from './mode-session.ts';
import { sendTransfer } from './send-transfer.ts';
import { type FoundNews, ViewNews } from './view-news.ts';

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

export class FlexibleStream {
  readonly #shared: FlexibleRealm;
  readonly #port: SessionPort;
  readonly #fileIdent: number;
  readonly #teller: FlexibleTeller;
  readonly #news: ViewNews;
  readonly #unsubscribe: () => void;
  #held: readonly HeldView[];
  #view: View;
  #transferVersion: number;
  #mark: number | undefined;
  #phase: Phase = { kind: 'steady' };
  #next: ViewChange | undefined;
  #activity: 'idle' | 'running' | 'again' | 'stopped' = 'idle';

  constructor(options: FlexibleStreamOptions) {
    const { shared, port, fileIdent, cursor, upload, view, queryVersion, held } = options;
    this.#shared = shared;
    this.#port = port;
    this.#fileIdent = fileIdent;
    this.#held = held;
    this.#view = view;
    const head = () => shared.realm.head;
    this.#teller = new FlexibleTeller({ port, head, cursor, upload, queryVersion });
    this.#news = new ViewNews(shared, fileIdent, cursor.serverVersion);
    this.#transferVersion = cursor.serverVersion;
    this.#unsubscribe = shared.ticks.onTick(() => this.wake());
  }

  /** Server version that the client was told it has. */
  get told(): number {
    return this.#teller.told;
  }

  /** Version of the last state that the client was sent as such, not as it came about, or is about to be sent. */
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
    this.#news.uploading();
  }

  /** An upload, or a part of it, was integrated; one with changesets is acknowledged. */
  uploaded(progress: UploadCursor, hadEntries: boolean): void {
    this.#teller.uploaded(progress, hadEntries);
  }

  uploadEnded(): void {
    this.#news.uploadEnded();
    if (this.#teller.owesAcknowledgement) this.wake();
  }

  stop(): void {
    if (this.#isStopped()) return;
    this.#activity = 'stopped';
    this.#unsubscribe();
    this.#teller.stop();
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
    const room = this.#teller.room();
    if (room !== undefined) return room.then(() => true);
    if (this.#phase.kind === 'transferring') return this.#transfer(this.#phase).then(() => true);
    const isHeldBack = this.#isHeldBack();
    if (!isHeldBack && this.#shared.deltas.isFar(this.#teller.reached.serverVersion)) {
      return this.#catchUp().then(() => true);
    }
    if (this.#next !== undefined) return this.#request(this.#next).then(() => true);
    if (isHeldBack) return false;
    if (this.#step()) return true;
    if (this.#mark !== undefined && this.#phase.kind === 'steady') {
      this.#teller.answerMark(this.#mark);
      this.#mark = undefined;
    }
    return false;
  }

  /**
   * A client that has nothing yet is told nothing before its first bootstrap, and none that could be taken for one that
   * has integrated a bootstrap when it comes back.
   */
  #isHeldBack(): boolean {
    const isNew = this.told === 0;
    if (this.#phase.kind !== 'waiting') return isNew && this.#next !== undefined;
    return isNew || this.#isToldByCursor(this.#phase.change);
  }

  /** Looks at the view up to the head, and tells the client when there is something to tell. */
  #step(): boolean {
    return this.#tell(this.#look());
  }

  /** The same up to a version of before. */
  async #catchUp(): Promise<void> {
    const cursor = this.#teller.reached;
    const found = await this.#news.catchUp(this.#view, cursor, {
      began: (version) => this.#transfers(version),
      isGone: () => this.#isStopped(),
    });
    // Meanwhile a bootstrap may have begun that brings the client further.
    if (this.#isStopped() || this.#teller.reached !== cursor) return;
    this.#news.taken(found);
    this.#reach(found);
    this.#tell(found);
  }

  #look(): FoundNews {
    const found = this.#news.look(this.#view, this.#teller.reached);
    this.#reach(found);
    return found;
  }

  #reach({ cursor, isSynthetic }: FoundNews): void {
    this.#teller.reached = cursor;
    if (isSynthetic) this.#transfers(cursor.serverVersion);
  }

  /** What the client changes without knowing what it is sent of that version needs to be looked at. */
  #transfers(version: number): void {
    this.#transferVersion = Math.max(this.#transferVersion, version);
  }

  #tell(found: FoundNews): boolean {
    const isNews = found.entries.length > 0 || found.corrections.length > 0;
    if (!isNews && !this.#teller.owesAcknowledgement && !this.#teller.owesAnswer) return false;
    this.#teller.reject(found.corrections);
    this.#teller.tell(found);
    return true;
  }

  /** Gets in line for the bootstrap of a change. */
  async #request(change: ViewChange): Promise<void> {
    if (this.#phase.kind === 'waiting') this.#phase.leave();
    this.#phase = { kind: 'steady' };
    this.#next = undefined;
    const { realm, bootstraps } = this.#shared;
    // Changes that the client makes on what it has now must not look like those that it makes on the bootstrap.
    if (this.told > 0 && this.told >= realm.head.version) await realm.write([]);
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

  /** Brings the client to the version of the bootstrap, under the old view: it has both or none. */
  #begin(phase: Phase & { kind: 'waiting' }, transfer: Transfer): void {
    if (this.#isStopped() || this.#phase !== phase) {
      transfer.release();
      return;
    }
    const { change } = phase;
    try {
      if (this.told === 0) this.#teller.begin();
      if (this.told > 0 && this.told >= transfer.version.version) {
        this.#again(change, transfer);
        return;
      }
      const { entries: lead, corrections } = this.#look();
      this.#teller.reject(corrections);
      const tail = this.#news.tail(change.to, transfer, this.#teller.reached.clientVersion);
      // From now on, not only when it is sent: what is uploaded meanwhile was written without it.
      this.#transfers(transfer.version.version);
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

  async #transfer({ change, transfer, lead, tail }: Phase & { kind: 'transferring' }): Promise<void> {
    const { to, queryVersion } = change;
    try {
      const remembered = this.#remember(change, transfer.version.version);
      // Whoever waits for it sees the failure.
      remembered.catch(() => {});
      const sendLast = await sendTransfer({
        teller: this.#teller,
        transfer,
        lead,
        tail,
        queryVersion,
        messageSize: this.#port.limits.download,
        remembered,
        isStopped: () => this.#isStopped(),
      });
      if (sendLast === undefined) return;
      this.#view = to;
      this.#phase = { kind: 'steady' };
      sendLast();
    } finally {
      transfer.release();
    }
  }

  /** The record of a bootstrap is durable before the client can have integrated it. */
  #remember(change: ViewChange, at: number): Promise<void> {
    this.#held = withHeld(this.#held, { queries: change.queries, at, view: change.to.description });
    return this.#shared.realm.flexible.setView(this.#fileIdent, formatHeldViews(this.#held));
  }

  #isWokenAgain(): boolean {
    return this.#activity === 'again';
  }

  #isStopped(): boolean {
    return this.#activity === 'stopped';
  }
}
