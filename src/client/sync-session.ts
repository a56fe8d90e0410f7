/**
 * One replica's sync over the connection (wire-protocol.md §5.1, §5.3).
 *
 * | state     | entered by                                            | leaves to                                  |
 * |-----------|-------------------------------------------------------|--------------------------------------------|
 * | unbound   | start, or the connection went away                    | binding (connection up)                    |
 * | binding   | BIND was sent; an ident is awaited if there is none   | bound (IDENT sent)                         |
 * | bound     | IDENT was sent: uploads, downloads, marks             | reported, suspended, resetting, failed     |
 * | reported  | a download could not be integrated, the server knows  | resetting, suspended, failed by its answer |
 * | suspended | an error that allows another try; UNBIND sent         | unbound after the delay                    |
 * | resetting | the server asked for a client reset; UNBIND sent      | unbound with the fresh copy, failed        |
 * | failed    | an error that no other try can mend                   | –                                          |
 * | closed    | close()                                               | –                                          |
 *
 * Messages are handled one after another; what waits counts in `backlogBytes`, by which the connection is paused.
 */
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Logger } from '../log.ts';
import { decompressBody } from '../protocol/compression.ts';
import { parseDownloadBody } from '../protocol/entry-bodies.ts';
import type { ClientMessage, Download, ServerMessage } from '../protocol/messages.ts';
import { formatPartitionValue } from '../protocol/partition-value.ts';
import { ProtocolError } from '../protocol/protocol-error.ts';
import type { Replica, ResetMode, ResetReport } from '../store/replica/contract.ts';
import { IntegrationError } from '../store/replica/errors.ts';
import { isFlexible } from '../store/replica/flexible-contract.ts';
import { BackOff, type BackOffOptions } from './back-off.ts';
import { SyncClosedError, SyncSessionError } from './client-errors.ts';
import { ResetHistory, resetReplica } from './client-reset.ts';
import { downloadBatch } from './download-batch.ts';
import { type FlexibleOptions, FlexibleSync } from './flexible/flexible-sync.ts';
import {
  COMPENSATING_WRITE,
  type ErrorMessage,
  reactionTo,
  readServerError,
  type ServerError,
} from './server-error.ts';
import { type OutgoingUpload, UploadPump } from './upload-pump.ts';
import { Waiters } from './waiters.ts';

/** What a client reports when it cannot say it more precisely (wire-protocol.md §7.5). */
const BAD_CHANGESET = 212;

/** Every message of a session; PONG belongs to the connection. */
export type SessionMessage = Exclude<ServerMessage, { type: 'pong' }>;

type State =
  | { readonly name: 'unbound' }
  | { readonly name: 'binding' | 'bound' | 'reported'; readonly ident: number }
  | { readonly name: 'suspended'; readonly timer: NodeJS.Timeout }
  | { readonly name: 'resetting'; readonly abort: AbortController; readonly done: Promise<void> }
  | { readonly name: 'failed'; readonly error: SyncSessionError }
  | { readonly name: 'closed' };

/** What a session needs of its client. */
export type SessionHost = {
  send(message: ClientMessage): void;
  /** Bytes handed to the socket and not yet sent. */
  readonly bufferedBytes: number;
  readonly isConnected: boolean;
  /** The server is on this machine. */
  readonly isLocal: boolean;
  /** An ident for the next BIND; messages for it are given to this session from now on. */
  bindIdent(session: SyncSession): number;
  /** The binding ends by an error of the server, which sends nothing more for it (wire-protocol.md §5.4). */
  endedByError(ident: number): void;
  succeeded(): void;
  /** Calls {@link SyncSession.roomAgain} when the connection has taken what others gave it. */
  waitForRoom(session: SyncSession): void;
  dropConnection(reason: string): void;
  /** Renews the access token; with `relocate`, also looks for the server anew. */
  refreshUser(options: { relocate: boolean }): Promise<void>;
  /** Downloads everything into an empty generation of the realm, without uploading. */
  downloadFreshCopy(fresh: Replica, signal: AbortSignal): Promise<void>;
};

/** What to do when the server asks for a client reset; `manual` ends the session and leaves the replica alone. */
export type ResetPolicy = ResetMode | 'manual';

export type SessionOptions = FlexibleOptions & {
  /** A flexible one is synced by its subscriptions, every other one as the partition that its path says. */
  readonly replica: Replica;
  readonly host: SessionHost;
  readonly backOff: BackOffOptions;
  readonly logger: Logger;
  /** Awaited before a DOWNLOAD is integrated: lets whoever consumes the replica's queue hold back more. */
  readonly beforeIntegrate?: () => Promise<void> | undefined;
  readonly onFailed: (error: SyncSessionError) => void;
  readonly onReset?: ResetPolicy;
  /** False for a fresh copy, which takes only. */
  readonly uploads?: boolean;
};

export class SyncSession {
  readonly replica: Replica;
  readonly #host: SessionHost;
  readonly #options: SessionOptions;
  readonly #backOff: BackOff;
  readonly #pump: UploadPump;
  readonly #flexible: FlexibleSync | undefined;
  readonly #resets = new ResetHistory();
  readonly #uploads = new Waiters<number>();
  readonly #downloads = new Waiters<number>();
  readonly #released = Promise.withResolvers<void>();
  readonly #stopListening: () => void;
  #state: State = { name: 'unbound' };
  #handling: Promise<void> = Promise.resolve();
  #backlogBytes = 0;
  #lastMark = 0;

  constructor(options: SessionOptions) {
    this.#options = options;
    this.replica = options.replica;
    this.#host = options.host;
    this.#backOff = new BackOff(options.backOff);
    const { host } = options;
    const flexible = this.#flexibleSync();
    this.#flexible = flexible;
    this.#pump = new UploadPump(this.replica, {
      get limit() {
        return flexible?.uploadLimit;
      },
      reachedLimit: (binding) => flexible?.sendQuery(binding),
      send: (binding, upload) => this.#sendUpload(binding, upload),
      get bufferedBytes() {
        return host.bufferedBytes;
      },
      get isLocal() {
        return host.isLocal;
      },
      waitForRoom: () => host.waitForRoom(this),
      failed: (error) => this.#integrationFailed(error),
    });
    this.#stopListening = this.replica.onCommit(({ local }) => {
      if (local) this.#pump.wake();
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

  /** After {@link close}: resolves when the server has forgotten the session, or the connection is gone. */
  get released(): Promise<void> {
    return this.#released.promise;
  }

  /** Resolves when everything that is local now is integrated by the server. Rejects when that cannot come. */
  async uploadCompletion(signal?: AbortSignal): Promise<void> {
    if (!this.replica.hasUnsynced()) return;
    await this.#wait(this.#uploads, this.replica.version, signal);
  }

  /** Resolves when everything that the server has now is in the replica. Rejects when that cannot come. */
  async downloadCompletion(signal?: AbortSignal): Promise<void> {
    await this.#wait(this.#downloads, this.#newMark(), signal);
  }

  async close(): Promise<void> {
    if (this.#state.name === 'closed') return;
    const state = this.#state;
    this.#state = { name: 'closed' };
    this.#end(new SyncClosedError(`sync of realm ${this.replica.path} was closed`));
    switch (state.name) {
      case 'binding':
      case 'bound':
      case 'reported':
        this.#host.send({ type: 'unbind', session: state.ident });
        break;
      case 'suspended':
        clearTimeout(state.timer);
        this.#released.resolve();
        break;
      case 'resetting':
        state.abort.abort();
        await state.done;
        this.#released.resolve();
        break;
      default:
        this.#released.resolve();
    }
    await this.#handling;
  }

  connected(): void {
    if (this.#state.name === 'unbound') this.#bind();
  }

  disconnected(): void {
    if (this.#boundIdent() !== undefined) this.#state = { name: 'unbound' };
    this.#pump.stop();
    this.#flexible?.disconnected();
    if (this.#state.name === 'closed') this.#released.resolve();
  }

  roomAgain(): void {
    this.#pump.wake();
  }

  /** No further try can help. */
  fail(error: SyncSessionError): void {
    if (this.#state.name === 'closed' || this.#state.name === 'failed') return;
    if (this.#state.name === 'suspended') clearTimeout(this.#state.timer);
    if (this.#state.name === 'resetting') this.#state.abort.abort();
    this.#state = { name: 'failed', error };
    this.#end(error);
    this.#options.onFailed(error);
  }

  /** Handles a message for the session ident under which it is bound; others come from an earlier binding. */
  received(message: SessionMessage, bytes: number): void {
    if (this.#state.name === 'closed') {
      if (message.type === 'unbound' || message.type === 'json_error') this.#released.resolve();
      return;
    }
    this.#backlogBytes += bytes;
    this.#enqueue(async () => {
      try {
        if (this.#boundIdent() === message.session) await this.#handle(message);
      } finally {
        this.#backlogBytes -= bytes;
      }
    });
  }

  #enqueue(work: () => Promise<void>): void {
    this.#handling = this.#handling.then(async () => {
      try {
        await work();
      } catch (error) {
        this.#handlingFailed(error);
      }
    });
  }

  #boundIdent(): number | undefined {
    const state = this.#state;
    return state.name === 'binding' || state.name === 'bound' || state.name === 'reported'
      ? state.ident
      : undefined;
  }

  #end(reason: Error): void {
    this.#stopListening();
    this.#pump.stop();
    this.#uploads.rejectAll(reason);
    this.#downloads.rejectAll(reason);
  }

  async #wait(waiters: Waiters<number>, target: number, signal: AbortSignal | undefined): Promise<void> {
    if (this.#state.name === 'failed') throw this.#state.error;
    if (this.#state.name === 'closed')
      throw new SyncClosedError(`sync of realm ${this.replica.path} was closed`);
    await waiters.wait(target, signal);
  }

  #bind(): void {
    if (this.#flexible?.hasStoredBootstrap === true) {
      this.#bindAfterBootstrap(this.#flexible);
      return;
    }
    const ident = this.#host.bindIdent(this);
    const { identity, path } = this.replica;
    this.#state = { name: 'binding', ident };
    this.#host.send({
      type: 'bind',
      session: ident,
      path: this.#flexible?.bindText() ?? formatPartitionValue({ type: 'string', value: path }),
      token: '',
      needFileIdent: identity === undefined,
      isSubserver: false,
    });
    if (identity !== undefined) this.#identify(ident);
  }

  /** What an earlier session has downloaded and not applied comes first. */
  #bindAfterBootstrap(flexible: FlexibleSync): void {
    this.#enqueue(async () => {
      try {
        await flexible.applyStored();
      } catch (error) {
        // It is forgotten, and what is downloaded in its place is judged anew.
        const message = error instanceof Error ? error.message : String(error);
        this.#options.logger.error('A stored bootstrap cannot be applied', {
          path: this.replica.path,
          message,
        });
      }
      this.connected();
    });
  }

  #flexibleSync(): FlexibleSync | undefined {
    const { replica } = this;
    if (!isFlexible(replica)) return undefined;
    const session = this;
    const host = {
      send: (message: ClientMessage) => this.#host.send(message),
      mark: () => this.#newMark(),
      uploadsChanged: () => this.#pump.wake(),
      get isEnded() {
        return session.#state.name === 'closed' || session.#state.name === 'failed';
      },
    };
    return new FlexibleSync(replica, host, {
      ...this.#options,
      uploads: this.#options.uploads !== false,
    });
  }

  #identify(ident: number): void {
    const { identity, download, latest } = this.replica;
    if (identity === undefined) return;
    const query = this.#flexible?.identQuery();
    this.#host.send({
      type: 'ident',
      session: ident,
      fileIdent: identity.fileIdent,
      fileIdentSalt: identity.salt,
      downloadServerVersion: download.serverVersion,
      downloadClientVersion: download.clientVersion,
      latestServerVersion: latest.version,
      latestServerVersionSalt: latest.salt,
      ...(query && { query }),
    });
    this.#state = { name: 'bound', ident };
    if (this.#flexible !== undefined) this.#flexible.bound(this.#downloads.size > 0);
    else if (this.#downloads.size > 0) this.#sendMark();
    if (this.#flexible !== undefined || this.#options.uploads !== false) this.#pump.start(ident);
  }

  /** Asks for everything that the server has now. */
  #newMark(): number {
    this.#lastMark += 1;
    this.#sendMark();
    return this.#lastMark;
  }

  #sendMark(): void {
    if (this.#state.name !== 'bound') return;
    this.#host.send({ type: 'mark', session: this.#state.ident, request: this.#lastMark });
  }

  #sendUpload(session: number, { body, progress, lockedServerVersion }: OutgoingUpload): void {
    this.#host.send({
      type: 'upload',
      session,
      body,
      progressClientVersion: progress.clientVersion,
      progressServerVersion: progress.serverVersion,
      lockedServerVersion,
    });
  }

  async #handle(message: SessionMessage): Promise<void> {
    switch (message.type) {
      case 'ident':
        this.replica.assignIdentity(message.fileIdent, message.fileIdentSalt);
        this.#identify(message.session);
        return;
      case 'download':
        if (this.#state.name === 'bound') await this.#integrate(message);
        else if (this.#state.name === 'binding' && this.#flexible !== undefined)
          throw new ProtocolError(103, 'download: it came before IDENT');
        return;
      case 'mark':
        if (message.request > this.#lastMark) throw new ProtocolError(103, 'mark: nobody asked for this one');
        if (this.#state.name !== 'bound') return;
        this.#flexible?.marked(message.request);
        this.#downloads.resolveUpTo(message.request);
        return;
      case 'json_error':
      case 'error':
        await this.#failedByServer(message);
        return;
      case 'log_message':
        this.#options.logger.debug('The object server says', { message: message.json });
        return;
      case 'query_error':
        if (this.#flexible === undefined)
          throw new ProtocolError(103, 'query_error: this session has no query');
        this.#options.logger.warn('The object server refuses a query', { message: message.message });
        if (this.#state.name === 'bound') this.#flexible.refused(message);
        return;
      case 'unbound':
      case 'test_command':
        return;
    }
  }

  async #integrate(message: Download): Promise<void> {
    const { body } = message;
    await this.#options.beforeIntegrate?.();
    const entries = body.size === 0 ? [] : parseDownloadBody(await decompressBody(body));
    if (this.#boundIdent() !== message.session) return;
    if (this.#flexible === undefined) this.replica.integrate(downloadBatch(message, entries));
    else if (!(await this.#flexible.integrate(message, entries))) return;
    this.#backOff.reset();
    this.#host.succeeded();
    this.#acknowledged(message.uploadClientVersion);
    if (entries.length > 0) await nextTurn(); // a long catch-up must not starve everything else
  }

  #acknowledged(clientVersion: number): void {
    this.#pump.acknowledged(clientVersion);
    const { replica } = this;
    const reached = replica.hasUnsynced() ? clientVersion : replica.version;
    this.#resets.acknowledged(reached);
    this.#uploads.resolveUpTo(reached);
  }

  #handlingFailed(error: unknown): void {
    if (error instanceof ProtocolError) this.#host.dropConnection(error.message);
    else this.#integrationFailed(error);
  }

  /** What the server sent could not be merged or applied: it is told, and decides what becomes of the session. */
  #integrationFailed(error: unknown): void {
    if (this.#state.name !== 'bound' && this.#state.name !== 'binding') return;
    const { ident } = this.#state;
    const message = error instanceof Error ? error.message : String(error);
    if (!(error instanceof IntegrationError)) {
      // Ours, not the server's: asking it for another history would not help.
      this.#host.send({ type: 'unbind', session: ident });
      this.fail(new SyncSessionError(this.replica.path, message, { cause: error }));
      return;
    }
    this.#options.logger.error('A download cannot be integrated', { path: this.replica.path, message });
    const errorCode = error.protocolCode ?? BAD_CHANGESET;
    this.#state = { name: 'reported', ident };
    this.#pump.stop();
    this.#host.send({ type: 'json_error', session: ident, errorCode, json: JSON.stringify({ message }) });
  }

  async #failedByServer(message: ErrorMessage): Promise<void> {
    const error = readServerError(message);
    const { path } = this.replica;
    const { protocolCode } = error;
    const reaction = reactionTo(error);
    if (reaction === 'report') {
      if (protocolCode === COMPENSATING_WRITE && message.type === 'json_error')
        this.#flexible?.rejected(message.json);
      this.#options.logger.warn('The object server warns', { path, protocolCode, message: error.message });
      return;
    }
    if (reaction === 'reconnect') {
      this.#host.dropConnection(`error ${protocolCode}: ${error.message}`);
      return;
    }
    this.#pump.stop();
    this.#host.send({ type: 'unbind', session: message.session });
    this.#host.endedByError(message.session);
    switch (reaction) {
      case 'recover':
      case 'discard':
        this.#reset(error, reaction);
        return;
      case 'refreshUser':
      case 'relocate': {
        const refreshed = this.#host.refreshUser({ relocate: reaction === 'relocate' });
        this.#suspend(error, refreshed);
        await refreshed;
        return;
      }
      case 'suspend':
        this.#suspend(error);
        return;
      case 'fail':
        this.fail(new SyncSessionError(path, `${error.message} (${protocolCode})`, { protocolCode }));
    }
  }

  /** Binds again after a delay, and not before it is `ready` to. */
  #suspend({ protocolCode, message, backoffSeconds }: ServerError, ready?: Promise<void>): void {
    const delay = backoffSeconds === undefined ? this.#backOff.next() : backoffSeconds * 1000;
    this.#options.logger.warn('Sync of a realm is suspended', {
      path: this.replica.path,
      protocolCode,
      message,
      delayMilliseconds: Math.round(delay),
    });
    const rebind = (): void => {
      if (this.#state === suspended) this.#rebind();
    };
    const timer = setTimeout(() => (ready === undefined ? rebind() : ready.then(rebind, rebind)), delay);
    const suspended = { name: 'suspended', timer } as const;
    this.#state = suspended;
  }

  #reset({ protocolCode, message }: ServerError, wanted: ResetMode): void {
    const { onReset = 'recover', logger } = this.#options;
    const { path } = this.replica;
    if (onReset === 'manual' || !this.#resets.admits) {
      const remedy = 'remove the local replica, so that it is downloaded anew; what was not uploaded is lost';
      const text = `the server asks for a client reset: ${message} (${protocolCode})`;
      this.fail(new SyncSessionError(path, text, { protocolCode, remedy }));
      return;
    }
    const mode = onReset === 'discard' ? onReset : wanted;
    logger.warn('Client reset', { path, protocolCode, message, mode });
    this.#resets.begun();
    const abort = new AbortController();
    const download = (fresh: Replica): Promise<void> => this.#host.downloadFreshCopy(fresh, abort.signal);
    const done = resetReplica(this.replica, { mode, protocolCode }, download).then(
      (report) => this.#wasReset(report),
      (cause: unknown) => {
        if (abort.signal.aborted) return;
        const reason = cause instanceof Error ? cause.message : String(cause);
        this.fail(new SyncSessionError(path, `the client reset failed: ${reason}`, { protocolCode, cause }));
      },
    );
    this.#state = { name: 'resetting', abort, done };
  }

  #wasReset({ leftOut, kept }: ResetReport): void {
    const { path, version } = this.replica;
    const log = { path, leftOut, kept };
    if (leftOut + kept === 0) this.#options.logger.info('Client reset done', log);
    else this.#options.logger.warn('Client reset done, with changes left out or objects kept', log);
    this.#resets.done(version);
    this.#flexible?.wasReset();
    if (this.#state.name !== 'resetting') return;
    this.#uploads.raise(this.replica.version);
    if (!this.replica.hasUnsynced()) this.#uploads.resolveUpTo(this.replica.version);
    this.#rebind();
  }

  #rebind(): void {
    this.#state = { name: 'unbound' };
    if (this.#host.isConnected) this.#bind();
  }
}
