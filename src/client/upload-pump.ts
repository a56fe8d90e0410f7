/**
 * Uploads what a replica has and the server has not, in the order of commits (spec/server-history.md §8.4). One run is
 * under way at a time; asked meanwhile, it looks again before it ends, so that no commit waits for the next one.
 */
import { compressBody, plainBody } from '../protocol/compression.ts';
import { formatUploadBody } from '../protocol/entry-bodies.ts';
import type { Body } from '../protocol/messages.ts';
import type { Replica } from '../store/replica/contract.ts';
import type { UploadCursor } from '../store/server/contract.ts';

/** Changeset bytes gathered into one UPLOAD. */
const UPLOAD_BATCH_BYTES = 256 * 1024;
/** Uploaded bytes that the server has not acknowledged yet; above it nothing more is sent. */
const MAX_UNACKNOWLEDGED_BYTES = 8 * 1024 * 1024;

export type OutgoingUpload = {
  readonly body: Body;
  readonly progress: UploadCursor;
  readonly lockedServerVersion: number;
};

/** Where uploads have to stop for now: nowhere, at once, or after a version that something else waits for. */
export type UploadLimit = undefined | 'held' | UploadCursor;

export type UploadPumpHost = {
  readonly limit: UploadLimit;
  /** All uploads up to the limit were handed to {@link send}; after this the limit is another one. */
  reachedLimit(binding: number): void;
  /** Sends for the binding for which the upload was made; drops it when that is over. */
  send(binding: number, upload: OutgoingUpload): void;
  /** Bytes handed to the socket and not yet sent. */
  readonly bufferedBytes: number;
  /** The server is on this machine, where deflating costs more than it saves. */
  readonly isLocal: boolean;
  /** Others fill the connection and nothing of ours is under way: asks to be woken when there is room again. */
  waitForRoom(): void;
  failed(error: unknown): void;
};

export class UploadPump {
  readonly #replica: Replica;
  readonly #host: UploadPumpHost;
  #run: 'idle' | 'running' | 'again' = 'idle';
  /** Under which uploads are sent; undefined while nothing may be sent. */
  #binding: number | undefined;
  #scanned: UploadCursor = { clientVersion: 0, serverVersion: 0 };
  /** Newest server version that the server knows we have integrated. */
  #reported = 0;
  /** Sent and not acknowledged, oldest first, from `#head` on. */
  #inFlight: { readonly clientVersion: number; readonly bytes: number }[] = [];
  #head = 0;
  #inFlightBytes = 0;

  constructor(replica: Replica, host: UploadPumpHost) {
    this.#replica = replica;
    this.#host = host;
  }

  /** A new binding: everything that is not acknowledged is sent again. */
  start(binding: number): void {
    this.#binding = binding;
    this.#scanned = this.#replica.upload;
    this.#reported = this.#replica.download.serverVersion;
    this.#inFlight = [];
    this.#head = 0;
    this.#inFlightBytes = 0;
    this.wake();
  }

  stop(): void {
    this.#binding = undefined;
  }

  /** There may be something to send. */
  wake(): void {
    if (this.#run !== 'idle') {
      this.#run = 'again';
      return;
    }
    if (this.#binding === undefined) return;
    this.#sendAll().catch((error: unknown) => this.#host.failed(error));
  }

  acknowledged(clientVersion: number): void {
    for (
      let sent = this.#inFlight[this.#head];
      sent !== undefined && sent.clientVersion <= clientVersion;
      sent = this.#inFlight[this.#head]
    ) {
      this.#inFlightBytes -= sent.bytes;
      this.#head += 1;
    }
    if (this.#head * 2 > this.#inFlight.length) {
      this.#inFlight = this.#inFlight.slice(this.#head);
      this.#head = 0;
    }
    // The server may know more than this binding has sent.
    if (clientVersion > this.#scanned.clientVersion) this.#scanned = this.#replica.upload;
    this.wake();
  }

  async #sendAll(): Promise<void> {
    try {
      do {
        this.#run = 'running';
        if (this.#binding !== undefined) await this.#sendWhilePossible(this.#binding);
      } while (this.#isAskedAgain());
    } finally {
      this.#run = 'idle';
    }
  }

  #isAskedAgain(): boolean {
    return this.#run === 'again';
  }

  async #sendWhilePossible(binding: number): Promise<void> {
    while (this.#binding === binding) {
      const { limit } = this.#host;
      if (limit === 'held') return;
      if (limit !== undefined && this.#scanned.clientVersion >= limit.clientVersion) {
        this.#host.reachedLimit(binding);
        continue;
      }
      if (!this.#hasRoom()) {
        // An acknowledgement of something that we sent wakes us, too.
        if (this.#inFlightBytes === 0) this.#host.waitForRoom();
        return;
      }
      const { entries, progress } = this.#replica.uploadScan(this.#scanned, UPLOAD_BATCH_BYTES, limit);
      const integrated = this.#replica.download.serverVersion;
      if (entries.length === 0 && limit !== undefined) {
        this.#scanned = progress;
        continue;
      }
      if (entries.length === 0 && integrated <= this.#reported) return;
      this.#scanned = progress;
      this.#reported = limit === undefined ? integrated : Math.max(this.#reported, progress.serverVersion);
      const formatted = formatUploadBody(entries);
      const body = this.#host.isLocal ? plainBody(formatted) : await compressBody(formatted);
      if (this.#binding !== binding) return;
      this.#inFlight.push({ clientVersion: progress.clientVersion, bytes: body.size });
      this.#inFlightBytes += body.size;
      this.#host.send(binding, { body, progress, lockedServerVersion: integrated });
    }
  }

  /** What is in the socket's buffer is ours, and then under way as well, or that of other sessions. */
  #hasRoom(): boolean {
    return Math.max(this.#inFlightBytes, this.#host.bufferedBytes) < MAX_UNACKNOWLEDGED_BYTES;
  }
}
