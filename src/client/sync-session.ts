/**
 * One replica's sync over the connection (wire-protocol.md §5.1, §5.3).
 *
 * | state      | entered by                                      | leaves to                                   |
 * |------------|-------------------------------------------------|---------------------------------------------|
 * | unbound    | start, or the connection went away              | binding (connection up)                     |
 * | binding    | BIND was sent; an ident is awaited if there is none | bound (IDENT sent)                      |
 * | bound      | IDENT was sent: uploads, downloads, marks       | suspended, resetting, failed                |
 * | suspended  | an error that allows another try; UNBIND sent   | binding after the delay                     |
 * | resetting  | the server asked for a client reset             | binding once the replica starts afresh      |
 * | failed     | an error that no other try can mend             | –                                           |
 * | closed     | close()                                         | –                                           |
 *
 * Messages are handled one after another; what waits counts in `backlogBytes`, by which the connection is paused.
 */
import { setImmediate as nextTurn } from 'node:timers/promises';
import { z } from 'zod';
import type { Logger } from '../log.ts';
import { compressBody, decompressBody } from '../protocol/compression.ts';
import { formatUploadBody, parseDownloadBody } from '../protocol/entry-bodies.ts';
import type { ClientMessage, Download, ServerMessage } from '../protocol/messages.ts';
import { formatPartitionValue } from '../protocol/partition-value.ts';
import type { Replica } from '../store/replica/contract.ts';
import type { UploadCursor } from '../store/server/contract.ts';
import { BackOff, type BackOffOptions } from './back-off.ts';
import { SyncClosedError, SyncSessionError } from './client-errors.ts';
import { Waiters } from './waiters.ts';

/** Changeset bytes gathered into one UPLOAD. */
const UPLOAD_BATCH_BYTES = 1024 * 1024;
/** Uploaded bytes that the server has not acknowledged yet; above it the session waits. */
const MAX_UNACKNOWLEDGED_BYTES = 8 * 1024 * 1024;

const errorBodySchema = z.object({
  message: z.string(),
  tryAgain: z.boolean(),
  action: z.string().optional(),
  backoffIntervalSec: z.number().optional(),
});

type State =
  | { readonly name: 'unbound' }
  | { readonly name: 'binding' | 'bound'; readonly ident: number }
  | { readonly name: 'suspended'; readonly timer: NodeJS.Timeout }
  | { readonly name: 'resetting' }
  | { readonly name: 'failed'; readonly error: SyncSessionError }
  | { readonly name: 'closed' };

/** What a session needs of its client. */
export type SessionHost = {
  send(message: ClientMessage): void;
  /** Bytes handed to the socket and not yet sent. */
  readonly bufferedBytes: number;
  readonly isConnected: boolean;
  /** An ident for the next BIND; messages for it are given to this session from now on. */
  bindIdent(session: SyncSession): number;
  succeeded(): void;
  dropConnection(reason: string): void;
};

export type SessionOptions = {
  readonly replica: Replica;
  readonly host: SessionHost;
  readonly backOff: BackOffOptions;
  readonly logger: Logger;
  /** Awaited before a DOWNLOAD is integrated: lets whoever consumes the replica's queue hold back more. */
  readonly beforeIntegrate?: () => Promise<void> | undefined;
  readonly onFailed: (error: SyncSessionError) => void;
};

export class SyncSession {
  readonly replica: Replica;
  readonly #host: SessionHost;
  readonly #options: SessionOptions;
  readonly #backOff: BackOff;
  readonly #uploads = new Waiters<number>();
  readonly #downloads = new Waiters<number>();
  readonly #stopListening: () => void;
  #state: State = { name: 'unbound' };
  #handling: Promise<void> = Promise.resolve();
  #backlogBytes = 0;
  #pump: 'idle' | 'running' | 'again' = 'idle';
  #scanned: UploadCursor = { clientVersion: 0, serverVersion: 0 };
  #acknowledged = 0;
  #unacknowledged: { readonly clientVersion: number; readonly bytes: number }[] = [];
  #lastMark = 0;

  constructor(options: SessionOptions) {
    this.#options = options;
    this.replica = options.replica;
    this.#host = options.host;
    this.#backOff = new BackOff(options.backOff);
    this.#stopListening = this.replica.onCommit(({ local }) => {
      if (local) this.#pumpUploads();
    });
    if (this.#host.isConnected) this.connected();
  }

  get state(): State['name'] {
    return this.#state.name;
  }

  /** Bytes of received messages that wait to be handled. */
  get backlogBytes(): number {
    return this.#backlogBytes;
  }

  /** Resolves when everything that is local now is integrated by the server. Rejects when that cannot come. */
  async uploadCompletion(signal?: AbortSignal): Promise<void> {
    if (!this.replica.hasUnsynced()) return;
    await this.#wait(this.#uploads, this.replica.version, signal);
  }

  /** Resolves when everything that the server has now is in the replica. Rejects when that cannot come. */
  async downloadCompletion(signal?: AbortSignal): Promise<void> {
    this.#lastMark += 1;
    const mark = this.#lastMark;
    this.#sendMark();
    await this.#wait(this.#downloads, mark, signal);
  }

  async close(): Promise<void> {
    if (this.#state.name === 'closed') return;
    const state = this.#state;
    if (state.name === 'suspended') clearTimeout(state.timer);
    if (state.name === 'bound' || state.name === 'binding')
      this.#host.send({ type: 'unbind', session: state.ident });
    this.#state = { name: 'closed' };
    this.#stopListening();
    const closed = new SyncClosedError(`sync of realm ${this.replica.path} was closed`);
    this.#uploads.rejectAll(closed);
    this.#downloads.rejectAll(closed);
    await this.#handling;
  }

  connected(): void {
    if (this.#state.name === 'unbound') this.#bind();
  }

  disconnected(): void {
    if (this.#state.name === 'bound' || this.#state.name === 'binding') this.#state = { name: 'unbound' };
  }

  /** The connection is gone for good. */
  fail(error: SyncSessionError): void {
    if (this.#state.name === 'closed' || this.#state.name === 'failed') return;
    if (this.#state.name === 'suspended') clearTimeout(this.#state.timer);
    this.#state = { name: 'failed', error };
    this.#uploads.rejectAll(error);
    this.#downloads.rejectAll(error);
    this.#options.onFailed(error);
  }

  /** Handles a message for the session ident under which it is bound; others come from an earlier binding. */
  received(message: Exclude<ServerMessage, { type: 'pong' }>, bytes: number): void {
    this.#backlogBytes += bytes;
    this.#handling = this.#handling.then(async () => {
      try {
        if (this.#isCurrent(message.session)) await this.#handle(message);
      } catch (error) {
        this.#integrationFailed(error);
      } finally {
        this.#backlogBytes -= bytes;
      }
    });
  }

  #isCurrent(ident: number): boolean {
    return (this.#state.name === 'bound' || this.#state.name === 'binding') && this.#state.ident === ident;
  }

  async #wait(waiters: Waiters<number>, target: number, signal: AbortSignal | undefined): Promise<void> {
    if (this.#state.name === 'failed') throw this.#state.error;
    if (this.#state.name === 'closed')
      throw new SyncClosedError(`sync of realm ${this.replica.path} was closed`);
    await waiters.wait(target, signal);
  }

  #bind(): void {
    const ident = this.#host.bindIdent(this);
    const { identity, path } = this.replica;
    this.#state = { name: 'binding', ident };
    this.#host.send({
      type: 'bind',
      session: ident,
      path: formatPartitionValue({ type: 'string', value: path }),
      token: '',
      needFileIdent: identity === undefined,
      isSubserver: false,
    });
    if (identity !== undefined) this.#identify(ident);
  }

  #identify(ident: number): void {
    const { identity, download, latest, upload } = this.replica;
    if (identity === undefined) return;
    this.#host.send({
      type: 'ident',
      session: ident,
      fileIdent: identity.fileIdent,
      fileIdentSalt: identity.salt,
      downloadServerVersion: download.serverVersion,
      downloadClientVersion: download.clientVersion,
      latestServerVersion: latest.version,
      latestServerVersionSalt: latest.salt,
    });
    this.#state = { name: 'bound', ident };
    this.#scanned = upload;
    this.#acknowledged = download.serverVersion;
    this.#unacknowledged = [];
    if (this.#downloads.size > 0) this.#sendMark();
    this.#pumpUploads();
  }

  #sendMark(): void {
    if (this.#state.name !== 'bound') return;
    this.#host.send({ type: 'mark', session: this.#state.ident, request: this.#lastMark });
  }

  async #handle(message: Exclude<ServerMessage, { type: 'pong' }>): Promise<void> {
    switch (message.type) {
      case 'ident':
        this.replica.assignIdentity(message.fileIdent, message.fileIdentSalt);
        this.#identify(message.session);
        return;
      case 'download':
        await this.#integrate(message);
        return;
      case 'mark':
        this.#downloads.resolveUpTo(message.request);
        return;
      case 'json_error':
        this.#failedByServer(message.errorCode, errorBodySchema.parse(JSON.parse(message.json)));
        return;
      case 'error':
        this.#failedByServer(message.errorCode, { message: message.message, tryAgain: message.tryAgain });
        return;
      case 'log_message':
        this.#options.logger.debug('The object server says', { message: message.json });
        return;
      case 'unbound':
      case 'query_error':
      case 'test_command':
        return;
    }
  }

  async #integrate(message: Download): Promise<void> {
    const { body } = message;
    await this.#options.beforeIntegrate?.();
    const entries = body.size === 0 ? [] : parseDownloadBody(await decompressBody(body));
    if (!this.#isCurrent(message.session)) return;
    this.replica.integrate({
      entries,
      cursor: { serverVersion: message.downloadServerVersion, clientVersion: message.downloadClientVersion },
      latest: { version: message.latestServerVersion, salt: message.latestServerVersionSalt },
      uploadCursor: {
        clientVersion: message.uploadClientVersion,
        serverVersion: message.uploadServerVersion,
      },
      downloadableBytes: message.downloadableBytes,
    });
    this.#backOff.reset();
    this.#host.succeeded();
    this.#acknowledgedUpTo(message.uploadClientVersion);
    this.#pumpUploads();
    if (entries.length > 0) await nextTurn(); // a long catch-up must not starve everything else
  }

  #acknowledgedUpTo(clientVersion: number): void {
    while ((this.#unacknowledged[0]?.clientVersion ?? Number.POSITIVE_INFINITY) <= clientVersion) {
      this.#unacknowledged.shift();
    }
    if (clientVersion > this.#scanned.clientVersion) this.#scanned = this.replica.upload;
    this.#uploads.resolveUpTo(this.replica.hasUnsynced() ? clientVersion : this.replica.version);
  }

  #pumpUploads(): void {
    if (this.#pump !== 'idle') {
      this.#pump = 'again';
      return;
    }
    this.#uploadAll().catch((error: unknown) => this.#integrationFailed(error));
  }

  async #uploadAll(): Promise<void> {
    try {
      do {
        this.#pump = 'running';
        if (this.#state.name === 'bound') await this.#uploadWhilePossible(this.#state.ident);
      } while (this.#isAskedAgain());
    } finally {
      this.#pump = 'idle';
    }
  }

  /** A commit, an acknowledgement or a new binding came while the pump was waiting. */
  #isAskedAgain(): boolean {
    return this.#pump === 'again';
  }

  async #uploadWhilePossible(ident: number): Promise<void> {
    while (this.#isCurrent(ident) && this.#mayUpload()) {
      const { entries, progress } = this.replica.uploadScan(this.#scanned, UPLOAD_BATCH_BYTES);
      const integrated = this.replica.download.serverVersion;
      if (entries.length === 0 && integrated <= this.#acknowledged) return;
      this.#scanned = progress;
      this.#acknowledged = integrated;
      const body = await compressBody(formatUploadBody(entries));
      if (!this.#isCurrent(ident)) return;
      this.#unacknowledged.push({ clientVersion: progress.clientVersion, bytes: body.size });
      this.#host.send({
        type: 'upload',
        session: ident,
        body,
        progressClientVersion: progress.clientVersion,
        progressServerVersion: progress.serverVersion,
        lockedServerVersion: integrated,
      });
    }
  }

  #mayUpload(): boolean {
    const waiting = this.#unacknowledged.reduce((sum, { bytes }) => sum + bytes, this.#host.bufferedBytes);
    return waiting < MAX_UNACKNOWLEDGED_BYTES;
  }

  /** What the server sent could not be merged or applied: it is told, and the session does not go on. */
  #integrationFailed(error: unknown): void {
    if (this.#state.name !== 'bound' && this.#state.name !== 'binding') return;
    const message = error instanceof Error ? error.message : String(error);
    this.#host.send({
      type: 'json_error',
      session: this.#state.ident,
      errorCode: 212,
      json: JSON.stringify({ message }),
    });
    this.#host.send({ type: 'unbind', session: this.#state.ident });
    this.fail(new SyncSessionError(this.replica.path, message, { protocolCode: 212, cause: error }));
  }

  #failedByServer(protocolCode: number, body: z.infer<typeof errorBodySchema>): void {
    const state = this.#state;
    if (state.name !== 'bound' && state.name !== 'binding') return;
    if (protocolCode < 200) {
      this.#connectionFailed(protocolCode, body);
      return;
    }
    if (body.action === 'Warning') {
      this.#options.logger.warn('The object server warns', {
        path: this.replica.path,
        protocolCode,
        message: body.message,
      });
      return;
    }
    this.#host.send({ type: 'unbind', session: state.ident });
    if (body.action === 'ClientReset' || body.action === 'ClientResetNoRecovery') {
      this.#reset(protocolCode, body.message, body.action === 'ClientReset');
    } else if (body.tryAgain) this.#suspend(protocolCode, body);
    else
      this.fail(
        new SyncSessionError(this.replica.path, `${body.message} (${protocolCode})`, { protocolCode }),
      );
  }

  #connectionFailed(protocolCode: number, { tryAgain, message }: z.infer<typeof errorBodySchema>): void {
    if (tryAgain) this.#host.dropConnection(`error ${protocolCode}: ${message}`);
    else this.fail(new SyncSessionError(this.replica.path, `${message} (${protocolCode})`, { protocolCode }));
  }

  #suspend(protocolCode: number, { message, backoffIntervalSec }: z.infer<typeof errorBodySchema>): void {
    const delay = backoffIntervalSec === undefined ? this.#backOff.next() : backoffIntervalSec * 1000;
    this.#options.logger.warn('Sync of a realm is suspended', {
      path: this.replica.path,
      protocolCode,
      message,
      delayMilliseconds: Math.round(delay),
    });
    const timer = setTimeout(() => this.#rebind(), delay);
    this.#state = { name: 'suspended', timer };
  }

  /**
   * The server's history and ours have no common future (wire-protocol.md §8). The replica forgets what it downloaded
   * and fetches it anew under another file ident; local writes that the server never had are made again on top.
   */
  #reset(protocolCode: number, message: string, recover: boolean): void {
    this.#options.logger.warn('Client reset', { path: this.replica.path, protocolCode, message, recover });
    this.#state = { name: 'resetting' };
    this.replica.reset({ recover });
    this.#rebind();
  }

  #rebind(): void {
    this.#state = { name: 'unbound' };
    if (this.#host.isConnected) this.#bind();
  }
}
