/** All sessions of one user that are of one mode of sync, over one connection. */
import { ERROR_CODES, errorLevel } from '../protocol/error-codes.ts';
import type { ServerMessage } from '../protocol/messages.ts';
import type { SyncMode } from '../protocol/negotiation.ts';
import type { Replica } from '../store/replica/contract.ts';
import { isFlexible } from '../store/replica/flexible-contract.ts';
import { DEFAULT_BACK_OFF } from './back-off.ts';
import { AuthenticationError, SyncSessionError } from './client-errors.ts';
import { synchronised } from './flexible/set-waits.ts';
import type { OpenOptions, SyncClientOptions } from './sync-client.ts';
import { SyncConnection } from './sync-connection.ts';
import { type SessionHost, type SessionMessage, type SessionOptions, SyncSession } from './sync-session.ts';

/** Received bytes that wait to be handled; above it the socket is not read. */
const MAX_BACKLOG_BYTES = 64 * 1024 * 1024;
/** How long a connection without sessions is kept for the next one (wire-protocol.md §5.9). */
const LINGER_MILLISECONDS = 30_000;

export class SessionMultiplexer {
  readonly #options: SyncClientOptions;
  readonly #connection: SyncConnection;
  readonly #sessions = new Set<SyncSession>();
  readonly #bound = new Map<number, SyncSession>();
  /** Idents of this connection whose UNBIND answers an error, so that no UNBOUND follows. */
  readonly #failed = new Set<number>();
  /** Sessions that have something to send and find the connection full of what others send. */
  readonly #waitingForRoom = new Set<SyncSession>();
  readonly #host: SessionHost;
  #lastIdent = 0;
  #paused = false;
  #linger: NodeJS.Timeout | undefined;
  #isClosed = false;

  constructor(mode: SyncMode, options: SyncClientOptions) {
    this.#options = options;
    this.#connection = new SyncConnection({
      mode,
      user: options.user,
      backOff: options.backOff ?? DEFAULT_BACK_OFF,
      logger: options.logger,
      listener: {
        onConnected: () => this.#connected(),
        onDisconnected: () => this.#disconnected(),
        onMessage: (message, bytes) => this.#received(message, bytes),
        onRefused: (error) => this.#refused(error),
      },
    });
    this.#host = this.#sessionHost();
  }

  /** Starts syncing a replica. It connects in the background and keeps trying until it is closed. */
  open(replica: Replica, options: OpenOptions = {}): SyncSession {
    const { onFailed, ...rest } = options;
    return this.#start({
      ...rest,
      replica,
      onFailed: (error) => {
        this.#options.logger.error('Sync of a realm has ended', { path: replica.path, error: error.message });
        onFailed?.(error);
      },
    });
  }

  /** Ends one session; the connection stays for the others, and a while for one to come. */
  async closeSession(session: SyncSession): Promise<void> {
    await session.close();
    this.#forget(session);
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    const sessions = [...this.#sessions];
    await Promise.all(sessions.map((session) => session.close()));
    this.#connection.close();
    this.#disconnected();
    this.#sessions.clear();
    clearTimeout(this.#linger);
  }

  #start(options: Omit<SessionOptions, 'host' | 'backOff' | 'logger'>): SyncSession {
    const { logger, backOff = DEFAULT_BACK_OFF } = this.#options;
    clearTimeout(this.#linger);
    const session: SyncSession = new SyncSession({
      ...options,
      host: this.#host,
      backOff,
      logger,
      onFailed: (error) => {
        this.#forget(session);
        options.onFailed(error);
      },
    });
    this.#sessions.add(session);
    this.#connection.open();
    return session;
  }

  #forget(session: SyncSession): void {
    this.#sessions.delete(session);
    if (this.#sessions.size > 0 || this.#isClosed) return;
    clearTimeout(this.#linger);
    const delay = this.#options.lingerMilliseconds ?? LINGER_MILLISECONDS;
    this.#linger = setTimeout(() => this.#connection.rest(), delay);
    this.#linger.unref();
  }

  #sessionHost(): SessionHost {
    const connection = this.#connection;
    return {
      send: (message) => connection.send(message),
      get bufferedBytes() {
        return connection.bufferedBytes;
      },
      get isLocal() {
        return connection.isLocal;
      },
      get isConnected() {
        return connection.isConnected;
      },
      bindIdent: (session) => {
        this.#lastIdent += 1;
        this.#bound.set(this.#lastIdent, session);
        return this.#lastIdent;
      },
      endedByError: (ident) => {
        this.#bound.delete(ident);
        this.#failed.add(ident);
      },
      succeeded: () => {
        connection.succeeded();
        this.#resumeWhenDrained();
        this.#giveRoom();
      },
      waitForRoom: (session) => this.#waitingForRoom.add(session),
      dropConnection: (reason) => connection.drop(reason),
      refreshUser: ({ relocate }) => this.#refreshUser(relocate),
      downloadFreshCopy: (fresh, signal) => this.#downloadFreshCopy(fresh, signal),
    };
  }

  async #refreshUser(relocate: boolean): Promise<void> {
    const { user } = this.#options;
    if (relocate) user.app.forgetLocation();
    try {
      await user.refresh();
      if (relocate) this.#connection.drop('the server asks to look for it anew');
    } catch (error) {
      if (error instanceof AuthenticationError) this.#refused(error);
      else this.#connection.drop(error instanceof Error ? error.message : String(error));
    }
  }

  async #downloadFreshCopy(fresh: Replica, signal: AbortSignal): Promise<void> {
    const failure = new AbortController();
    const session = this.#start({
      replica: fresh,
      uploads: false,
      onReset: 'manual',
      onFailed: (error) => failure.abort(error),
    });
    const ended = AbortSignal.any([signal, failure.signal]);
    try {
      if (isFlexible(fresh)) await synchronised(fresh, fresh.flexible.latest.version, ended);
      await session.downloadCompletion(ended);
    } finally {
      await session.close();
      // Its client file must be free before the session that takes it over binds it (error 108).
      if (!signal.aborted) await session.released;
      this.#forget(session);
    }
  }

  #connected(): void {
    this.#paused = false;
    for (const session of this.#sessions) session.connected();
  }

  /** Something was acknowledged, so that the connection has moved. Who still finds no room asks again. */
  #giveRoom(): void {
    if (this.#waitingForRoom.size === 0) return;
    const waiting = [...this.#waitingForRoom];
    this.#waitingForRoom.clear();
    for (const session of waiting) session.roomAgain();
  }

  #disconnected(): void {
    this.#waitingForRoom.clear();
    this.#bound.clear();
    this.#failed.clear();
    for (const session of this.#sessions) session.disconnected();
  }

  #refused(error: Error): void {
    for (const session of [...this.#sessions]) {
      session.fail(new SyncSessionError(session.replica.path, error.message, { cause: error }));
    }
  }

  #received(message: ServerMessage, bytes: number): void {
    if (message.type === 'pong') return;
    if (breaksLevel(message)) {
      this.#connection.drop(
        `an error came that is none of ${message.session === 0 ? 'a connection' : 'a session'}`,
      );
      return;
    }
    if (message.session === 0) {
      this.#receivedForAll(message, bytes);
      return;
    }
    if (message.session > this.#lastIdent) {
      this.#connection.drop(`a message came for session ${message.session}, which there never was`);
      return;
    }
    if (message.type === 'unbound' && this.#failed.has(message.session)) {
      this.#connection.drop('an UNBOUND came for a session that has ended by an error');
      return;
    }
    this.#bound.get(message.session)?.received(message, bytes);
    if (message.type === 'unbound') this.#bound.delete(message.session);
    if (!this.#paused && this.#backlog() > MAX_BACKLOG_BYTES) {
      this.#paused = true;
      this.#connection.pause();
    }
  }

  /** Connection-level errors concern every session; log messages none in particular. */
  #receivedForAll(message: SessionMessage, bytes: number): void {
    if (message.type !== 'json_error' && message.type !== 'error') return;
    for (const [ident, session] of this.#bound) session.received({ ...message, session: ident }, bytes);
  }

  #resumeWhenDrained(): void {
    if (!this.#paused || this.#backlog() > MAX_BACKLOG_BYTES / 2) return;
    this.#paused = false;
    this.#connection.resume();
  }

  #backlog(): number {
    let bytes = 0;
    for (const session of this.#sessions) bytes += session.backlogBytes;
    return bytes;
  }
}

/** Whether it is an error that belongs to connections and came to a session, or the reverse (wire-protocol.md §7.1). */
function breaksLevel(message: SessionMessage): boolean {
  if (message.type === 'query_error') return message.session === 0;
  if (message.type !== 'json_error' && message.type !== 'error') return false;
  const isOfConnection = message.session === 0;
  if (!ERROR_CODES.has(message.errorCode)) return isOfConnection;
  return (errorLevel(message.errorCode) === 'connection') !== isOfConnection;
}
