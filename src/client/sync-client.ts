/** The sync client: all sessions of one user over one connection. */
import type { Logger } from '../log.ts';
import type { ServerMessage } from '../protocol/messages.ts';
import type { Replica } from '../store/replica/contract.ts';
import { type BackOffOptions, DEFAULT_BACK_OFF } from './back-off.ts';
import { SyncSessionError } from './client-errors.ts';
import { SyncConnection } from './sync-connection.ts';
import { type SessionHost, type SessionOptions, SyncSession } from './sync-session.ts';
import type { User } from './user.ts';

/** Received bytes that wait to be handled; above it the socket is not read. */
const MAX_BACKLOG_BYTES = 64 * 1024 * 1024;

export type SyncClientOptions = {
  readonly user: User;
  readonly logger: Logger;
  /** Delays between attempts to connect; the defaults are those of the Realm SDKs. */
  readonly backOff?: BackOffOptions;
};

export type OpenOptions = Pick<SessionOptions, 'beforeIntegrate'> & {
  readonly onFailed?: (error: SyncSessionError) => void;
};

export class SyncClient {
  readonly #options: SyncClientOptions;
  readonly #connection: SyncConnection;
  readonly #sessions = new Set<SyncSession>();
  readonly #bound = new Map<number, SyncSession>();
  #lastIdent = 0;
  #paused = false;

  constructor(options: SyncClientOptions) {
    this.#options = options;
    this.#connection = new SyncConnection({
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
  }

  get user(): User {
    return this.#options.user;
  }

  /** Starts syncing a replica. It connects in the background and keeps trying until it is closed. */
  open(replica: Replica, options: OpenOptions = {}): SyncSession {
    const { logger, backOff = DEFAULT_BACK_OFF } = this.#options;
    const { onFailed, beforeIntegrate } = options;
    const session = new SyncSession({
      replica,
      host: this.#host(),
      backOff,
      logger,
      ...(beforeIntegrate === undefined ? {} : { beforeIntegrate }),
      onFailed: (error) => {
        logger.error('Sync of a realm has ended', { path: replica.path, error: error.message });
        onFailed?.(error);
      },
    });
    this.#sessions.add(session);
    this.#connection.open();
    return session;
  }

  /** Ends one session; the connection stays for the others. */
  async closeSession(session: SyncSession): Promise<void> {
    this.#sessions.delete(session);
    await session.close();
  }

  async close(): Promise<void> {
    const sessions = [...this.#sessions];
    this.#sessions.clear();
    await Promise.all(sessions.map((session) => session.close()));
    this.#connection.close();
  }

  #host(): SessionHost {
    const connection = this.#connection;
    return {
      send: (message) => connection.send(message),
      get bufferedBytes() {
        return connection.bufferedBytes;
      },
      get isConnected() {
        return connection.isConnected;
      },
      bindIdent: (session) => {
        this.#lastIdent += 1;
        this.#bound.set(this.#lastIdent, session);
        return this.#lastIdent;
      },
      succeeded: () => {
        connection.succeeded();
        this.#resumeWhenDrained();
      },
      dropConnection: (reason) => connection.drop(reason),
    };
  }

  #connected(): void {
    this.#paused = false;
    for (const session of this.#sessions) session.connected();
  }

  #disconnected(): void {
    this.#bound.clear();
    for (const session of this.#sessions) session.disconnected();
  }

  #refused(error: Error): void {
    for (const session of [...this.#sessions]) {
      session.fail(new SyncSessionError(session.replica.path, error.message, { cause: error }));
    }
  }

  #received(message: Exclude<ServerMessage, { type: 'pong' }> | ServerMessage, bytes: number): void {
    if (message.type === 'pong') return;
    if (message.session === 0) {
      this.#receivedForAll(message, bytes);
      return;
    }
    this.#bound.get(message.session)?.received(message, bytes);
    if (!this.#paused && this.#backlog() > MAX_BACKLOG_BYTES) {
      this.#paused = true;
      this.#connection.pause();
    }
  }

  /** Connection-level errors concern every session; log messages none in particular. */
  #receivedForAll(message: Exclude<ServerMessage, { type: 'pong' }>, bytes: number): void {
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
