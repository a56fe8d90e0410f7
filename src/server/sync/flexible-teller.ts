/** What a client of flexible sync knows of the server, and the messages that tell it more. */
import type { Body } from '../../protocol/messages.ts';
import type {
  DownloadCursor,
  DownloadEntry,
  SaltedVersion,
  UploadCursor,
} from '../../store/server/contract.ts';
import type { Correction } from '../../store/server/flexible-contract.ts';
import { rejectedUpdates } from '../flexible/rejected-updates.ts';
import { type BatchState, entriesBody, entryRuns, flexibleDownload } from './flexible-messages.ts';
import type { SessionPort } from './mode-session.ts';
import { OrderedOutbox } from './ordered-outbox.ts';

/** Versions that pass unseen before a client is told of them all the same: what it resumes from stays near the head. */
const QUIET_VERSIONS = 1_000;
/** The same in milliseconds, looked at when something happens. */
const QUIET_TIME = 30_000;
/** Bodies beyond this are cut into a bootstrap of the active subscriptions, where the client knows that. */
const LARGEST_STEP = 4 * 1024 * 1024;
/** Compensating writes (spec/wire-protocol.md §1.3). */
const REJECTIONS_SINCE = 5;
/** Bootstraps that the client did not ask for (spec/wire-protocol.md §1.3). */
export const SERVER_BOOTSTRAPS_SINCE = 14;

/** What there is to tell, and its body, which is made only when it is sent. */
export type News = {
  readonly entries: readonly DownloadEntry[];
  readonly body: () => Body | Promise<Body>;
};

/** A DOWNLOAD of a bootstrap. */
export type Portion = {
  readonly body: Body | Promise<Body>;
  readonly state: BatchState;
  readonly progress: number;
};

export type FlexibleTellerOptions = {
  readonly port: SessionPort;
  readonly head: () => SaltedVersion;
  /** What the client says it has. */
  readonly cursor: DownloadCursor;
  readonly upload: UploadCursor;
  readonly queryVersion: number;
};

export class FlexibleTeller {
  /** What the view was looked at up to: the client knows it with the next DOWNLOAD. */
  reached: DownloadCursor;
  /** The subscriptions that the client holds. */
  queryVersion: number;
  readonly #port: SessionPort;
  readonly #head: () => SaltedVersion;
  readonly #outbox: OrderedOutbox;
  #upload: UploadCursor;
  #told: number;
  #toldAt = performance.now();
  #owesAnswer = true;
  #owesAcknowledgement = false;

  constructor({ port, head, cursor, upload, queryVersion }: FlexibleTellerOptions) {
    this.#port = port;
    this.#head = head;
    this.#outbox = new OrderedOutbox(port);
    this.#upload = upload;
    this.#told = cursor.serverVersion;
    this.reached = cursor;
    this.queryVersion = queryVersion;
    if (cursor.serverVersion === 0) this.begin();
  }

  /** Server version that the client was told it has. */
  get told(): number {
    return this.#told;
  }

  get owesAcknowledgement(): boolean {
    return this.#owesAcknowledgement;
  }

  /** There is to be a DOWNLOAD, even if nothing has happened. */
  get owesAnswer(): boolean {
    return this.#owesAnswer || this.#isLagging();
  }

  /** A client that has nothing yet has missed nothing: it begins with what there is. */
  begin(): void {
    this.reached = { serverVersion: this.#head().version, clientVersion: this.#upload.clientVersion };
  }

  /** An upload, or a part of it, was integrated; one with changesets is acknowledged. */
  uploaded(progress: UploadCursor, hadEntries: boolean): void {
    if (progress.clientVersion > this.#upload.clientVersion) this.#upload = progress;
    if (hadEntries) this.#owesAcknowledgement = true;
  }

  /** Resolves when there is room for more; undefined when there is. */
  room(): Promise<void> | undefined {
    return this.#port.writable() ?? this.#outbox.drained();
  }

  async roomForMore(): Promise<void> {
    await this.#outbox.drained();
    await this.#port.writable();
  }

  answerMark(request: number): void {
    this.#port.send({ type: 'mark', session: this.#port.session, request });
  }

  /** Says what was not taken, before the DOWNLOAD that undoes it (spec/wire-protocol.md §7.2). */
  reject(corrections: readonly Correction[]): void {
    if (this.#port.version < REJECTIONS_SINCE) return;
    const { session } = this.#port;
    for (const correction of corrections) {
      const json = rejectedUpdates(correction);
      if (json === undefined) continue;
      this.#outbox.after(() => this.#port.send({ type: 'json_error', session, errorCode: 231, json }));
    }
  }

  /** Brings the client to what is reached. */
  tell({ entries, body }: News): void {
    const isCut =
      this.#port.version >= SERVER_BOOTSTRAPS_SINCE &&
      entries.reduce((size, { changeset }) => size + changeset.byteLength, 0) > LARGEST_STEP;
    if (!isCut) {
      this.#send({ body: body(), state: 2, progress: 1 }, this.#head());
      return;
    }
    const runs = entryRuns(entries, this.#port.limits.download);
    for (const [i, run] of runs.entries()) {
      const state = i === runs.length - 1 ? 1 : 0;
      this.#send({ body: entriesBody(run), state, progress: (i + 1) / runs.length }, this.#head());
    }
  }

  /** A part of a bootstrap that brings the client to these subscriptions, at that version. */
  tellPortion(portion: Portion, queryVersion: number, version: SaltedVersion): void {
    if (portion.state !== 0) this.queryVersion = queryVersion;
    this.#send(portion, version, queryVersion);
  }

  stop(): void {
    this.#outbox.stop();
  }

  #isLagging(): boolean {
    const versions = this.reached.serverVersion - this.#told;
    if (versions <= 0) return false;
    return versions >= QUIET_VERSIONS || performance.now() - this.#toldAt >= QUIET_TIME;
  }

  #send(
    { body, state, progress }: Portion,
    latest: SaltedVersion,
    queryVersion: number = this.queryVersion,
  ): void {
    const progresses = { cursor: this.reached, latest, upload: this.#upload };
    const head = flexibleDownload(this.#port.session, progresses, { queryVersion, state, progress });
    // Before sending: the answer to this message may arrive at once and is judged by the new cursor.
    if (state !== 0) this.#hasTold();
    this.#outbox.send(head, body);
  }

  #hasTold(): void {
    this.#told = this.reached.serverVersion;
    this.#toldAt = performance.now();
    this.#owesAnswer = false;
    this.#owesAcknowledgement = false;
  }
}
