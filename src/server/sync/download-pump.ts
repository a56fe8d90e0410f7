/**
 * Sends DOWNLOAD and MARK for one bound session (spec/wire-protocol.md §5.6): a DOWNLOAD while the session's cursor is
 * behind the realm, at least one after IDENT, and the reply to the newest MARK only once the cursor has caught up.
 *
 * `wake` may be called as often as one likes: while a DOWNLOAD is being made, further calls only see to it that the
 * realm is looked at once more. Nothing is computed for a socket that does not drain.
 */
import type { DownloadBatch, DownloadCursor, ServerRealm } from '../../store/server/contract.ts';

/** Where the messages go. */
export type DownloadSink = {
  /** Formats and sends a DOWNLOAD; resolves when it is handed to the socket. */
  download(batch: DownloadBatch, isStopped: () => boolean): Promise<void>;
  mark(requestIdent: number): void;
  /** Resolves when the socket has room. */
  writable(): Promise<void> | undefined;
  /** Reports that downloading is not possible. */
  failed(error: unknown): void;
};

type Activity = 'idle' | 'running' | 'again' | 'stopped';

export class DownloadPump {
  readonly #realm: ServerRealm;
  readonly #fileIdent: number;
  readonly #sink: DownloadSink;
  readonly #softLimit: number;
  readonly #unsubscribe: () => void;
  #cursor: DownloadCursor;
  #activity: Activity = 'idle';
  #greeted = false;
  #mark: number | undefined;

  constructor(
    realm: ServerRealm,
    fileIdent: number,
    cursor: DownloadCursor,
    sink: DownloadSink,
    softLimit: number,
  ) {
    this.#realm = realm;
    this.#fileIdent = fileIdent;
    this.#cursor = cursor;
    this.#sink = sink;
    this.#softLimit = softLimit;
    this.#unsubscribe = realm.onAdvance(() => this.wake());
  }

  /** Server version up to which the client was sent everything. */
  get serverVersion(): number {
    return this.#cursor.serverVersion;
  }

  wake(): void {
    if (this.#activity === 'running') this.#activity = 'again';
    if (this.#activity !== 'idle') return;
    this.#activity = 'running';
    this.#run().catch((error: unknown) => {
      if (!this.#isStopped()) this.#sink.failed(error);
    });
  }

  /** Replaces an older request that was not answered yet. */
  requestMark(requestIdent: number): void {
    this.#mark = requestIdent;
    this.wake();
  }

  stop(): void {
    this.#activity = 'stopped';
    this.#unsubscribe();
  }

  async #run(): Promise<void> {
    do {
      if (this.#activity === 'again') this.#activity = 'running';
      while (!this.#greeted || this.#realm.head.version > this.#cursor.serverVersion) {
        await this.#sink.writable();
        if (this.#isStopped()) return;
        const batch = await this.#realm.download(this.#fileIdent, this.#cursor, this.#softLimit);
        if (this.#isStopped()) return;
        // Before sending: the answer to this message may arrive at once and is judged by the new cursor.
        this.#cursor = batch.cursor;
        this.#greeted = true;
        await this.#sink.download(batch, () => this.#isStopped());
        if (this.#isStopped()) return;
      }
      if (this.#mark !== undefined) {
        const requestIdent = this.#mark;
        this.#mark = undefined;
        this.#sink.mark(requestIdent);
      }
    } while (this.#isWokenAgain());
    if (!this.#isStopped()) this.#activity = 'idle';
  }

  #isWokenAgain(): boolean {
    return this.#activity === 'again';
  }

  #isStopped(): boolean {
    return this.#activity === 'stopped';
  }
}
