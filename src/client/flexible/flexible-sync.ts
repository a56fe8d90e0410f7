/**
 * What a session of flexible sync does beside one of a partition (wire-protocol.md §5.1, §5.2, §6.5): it says with BIND
 * and IDENT which subscriptions it has, sends newer sets once everything that was written under older ones is uploaded,
 * stores bootstraps and applies them, and asks by MARK whether it holds all of a set.
 */
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { ClientMessage, Download, ServerMessage } from '../../protocol/messages.ts';
import { ProtocolError } from '../../protocol/protocol-error.ts';
import type { FlexibleReplica } from '../../store/replica/flexible-contract.ts';
import type { DownloadEntry } from '../../store/server/contract.ts';
import { downloadBatch } from '../download-batch.ts';
import type { UploadLimit } from '../upload-pump.ts';
import { checkDownload } from './check-download.ts';
import {
  AnnouncedRejections,
  type CompensatingWriteError,
  readCompensatingWrite,
} from './compensating-write.ts';
import { queryText } from './query-text.ts';

/** After a shorter disconnection, uploads need not wait until everything is downloaded (wire-protocol.md §5.2). */
const FAST_RECONNECT_MILLISECONDS = 60_000;

export type FlexibleOptions = {
  /** Of the app's schema; 0 when it is not versioned. */
  readonly schemaVersion?: number;
  /** A write was refused, and undone by what was just integrated. */
  readonly onCompensatingWrite?: (error: CompensatingWriteError) => void;
  /** The server's estimate of how much of what is to be downloaded has come, from 0 to 1. */
  readonly onProgress?: (estimate: number) => void;
  readonly fastReconnectMilliseconds?: number;
};

type Host = {
  send(message: ClientMessage): void;
  /** Sends a MARK with a number of its own, which is returned. */
  mark(): number;
  /** Uploads that were held back may go now. */
  uploadsChanged(): void;
  /** The session ended: nothing more is to be done. */
  readonly isEnded: boolean;
};

export class FlexibleSync {
  readonly #replica: FlexibleReplica;
  readonly #host: Host;
  readonly #options: FlexibleOptions;
  /** False for a fresh copy, which takes only. */
  readonly #uploads: boolean;
  readonly #rejections = new AnnouncedRejections();
  /** The next BIND belongs to a client reset. */
  #isResetting: boolean;
  /** Uploads and queries wait until the server's state at the time of binding is here. */
  #hasCaughtUp = false;
  /** The MARK whose answer says that it is. */
  #awaitedMark = 0;
  #lastMarked = 0;
  #lastSent = 0;
  #disconnectedAt: number | undefined;

  constructor(replica: FlexibleReplica, host: Host, options: FlexibleOptions & { uploads: boolean }) {
    this.#replica = replica;
    this.#host = host;
    this.#options = options;
    this.#uploads = options.uploads;
    this.#isResetting = !options.uploads;
  }

  /** A complete bootstrap was left by an earlier session. */
  get hasStoredBootstrap(): boolean {
    return this.#replica.flexible.bootstrap === 'complete';
  }

  wasReset(): void {
    this.#isResetting = true;
    this.#hasCaughtUp = false;
  }

  disconnected(): void {
    this.#disconnectedAt = performance.now();
  }

  /** The first part of BIND (wire-protocol.md §3.1). What is left of a bootstrap will be sent anew. */
  bindText(): string {
    this.#replica.flexible.dropBootstrap();
    const sessionReason = this.#isResetting ? 1 : 0;
    return JSON.stringify({ schemaVersion: this.#options.schemaVersion ?? 0, sessionReason });
  }

  /** The active set, as IDENT names it. */
  identQuery(): { version: number; text: string } {
    const { version, subscriptions } = this.#replica.flexible.active;
    this.#lastSent = version;
    return { version, text: queryText(subscriptions) };
  }

  /** IDENT was sent; `isAwaited` when somebody waits for the downloads. */
  bound(isAwaited: boolean): void {
    this.#isResetting = !this.#uploads;
    this.#rejections.forget();
    const limit = this.#options.fastReconnectMilliseconds ?? FAST_RECONNECT_MILLISECONDS;
    const isFast = performance.now() - (this.#disconnectedAt ?? Number.NEGATIVE_INFINITY) <= limit;
    if (!isFast) this.#hasCaughtUp = false;
    const { state } = this.#replica.flexible.active;
    if (isAwaited || !this.#hasCaughtUp || state === 'awaitingMark') this.#awaitedMark = this.#host.mark();
  }

  get uploadLimit(): UploadLimit {
    if (!this.#hasCaughtUp) return 'held';
    const next = this.#replica.flexible.nextPending(this.#lastSent);
    if (next !== undefined) return next.snapshot;
    return this.#uploads ? undefined : 'held';
  }

  /** Everything that was written before the next set is uploaded. */
  sendQuery(session: number): void {
    const next = this.#replica.flexible.nextPending(this.#lastSent);
    if (next === undefined) return;
    this.#lastSent = next.version;
    const text = queryText(next.subscriptions);
    this.#host.send({ type: 'query', session, version: next.version, text });
  }

  /**
   * Stores a DOWNLOAD, and applies it unless more of a bootstrap is to come. Returns whether the progress has moved.
   * Throws `ProtocolError` or `IntegrationError`.
   */
  async integrate(message: Download, entries: readonly DownloadEntry[]): Promise<boolean> {
    checkDownload(this.#replica, message, entries);
    const { queryVersion, state, progress } = message.batch;
    const batch = downloadBatch(message, entries);
    if (state === 2) this.#replica.integrate(batch);
    else {
      this.#replica.flexible.storeBatch({ ...batch, queryVersion, isLast: state === 1 });
      if (state === 1) await this.applyStored();
    }
    this.#tell((): void => this.#options.onProgress?.(progress));
    if (state === 0 || this.#host.isEnded) return false;
    if (state === 1 && this.#replica.flexible.active.state === 'awaitingMark')
      this.#awaitedMark = this.#host.mark();
    for (const error of this.#rejections.take(this.#replica.download.serverVersion))
      this.#tell(() => this.#options.onCompensatingWrite?.(error));
    return true;
  }

  /** Applies a complete bootstrap piece by piece. One that cannot be applied is forgotten. */
  async applyStored(): Promise<void> {
    const { flexible } = this.#replica;
    try {
      while (flexible.applyBootstrap()) {
        await nextTurn(); // a large one must not starve everything else
        if (this.#host.isEnded) return;
      }
    } catch (error) {
      flexible.dropBootstrap();
      throw error;
    }
  }

  /** The answer to a MARK: all that the server had when it was sent is here. */
  marked(request: number): void {
    if (request <= this.#lastMarked) throw new ProtocolError(103, 'mark: this one was answered before');
    this.#lastMarked = request;
    if (request < this.#awaitedMark) return;
    this.#hasCaughtUp = true;
    this.#replica.flexible.caughtUp();
    this.#host.uploadsChanged();
  }

  refused({ queryVersion, message }: Extract<ServerMessage, { type: 'query_error' }>): void {
    this.#replica.flexible.refuse(queryVersion, message);
    this.#host.uploadsChanged();
  }

  rejected(json: string): CompensatingWriteError {
    const error = readCompensatingWrite(json);
    this.#rejections.announce(error, this.#replica.download.serverVersion);
    return error;
  }

  /** What a program throws in its callback is its own affair. */
  #tell(call: () => void): void {
    queueMicrotask(call);
  }
}
