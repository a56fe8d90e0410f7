/**
 * One WebSocket connection: parses what arrives, hands it to its sessions, answers PING, and keeps both directions
 * within bounds. While too many received bytes wait for integration the socket is not read; while too many sent
 * bytes wait in the socket nothing more is computed for it.
 */
import type { WebSocket } from 'ws';
import { formatServerMessage } from '../../protocol/format-message.ts';
import type { ClientMessage, ServerMessage } from '../../protocol/messages.ts';
import type { Negotiated } from '../../protocol/negotiation.ts';
import { parseClientMessage } from '../../protocol/parse-client-message.ts';
import type { Access, User } from '../accounts/accounts.ts';
import { newHexId } from '../accounts/hex-id.ts';
import { ConnectionBacklog } from './backlog.ts';
import type { BindMessage } from './session-messages.ts';
import { asConnectionError, ConnectionError, errorMessage, type SessionError } from './sync-error.ts';
import { type SessionConnection, type SyncContext, SyncSession } from './sync-session.ts';

/** Versions from which on the client knows a message (spec/wire-protocol.md §1.3). */
const LOG_MESSAGE_SINCE = 10;
/** WebSocket close codes. */
const NORMAL = 1000;
const GOING_AWAY = 1001;
/** The part of the send buffer at which downloads go on. */
const RESUME_AT = 0.5;

export class SyncConnection implements SessionConnection {
  readonly user: User;
  readonly loginSession: string;
  readonly #socket: WebSocket;
  readonly protocol: Negotiated;
  readonly #context: SyncContext;
  readonly #sessions = new Map<number, SyncSession>();
  readonly #backlog: ConnectionBacklog;
  readonly #idle: NodeJS.Timeout;
  #room: { readonly promise: Promise<void>; readonly resolve: () => void } | undefined;
  #phase: 'open' | 'draining' | 'closed' = 'open';

  constructor(socket: WebSocket, access: Access, protocol: Negotiated, context: SyncContext) {
    this.#socket = socket;
    this.user = access.user;
    this.loginSession = access.sessionId;
    this.protocol = protocol;
    this.#context = context;
    this.#backlog = new ConnectionBacklog(context.backlog, context.limits.uploadBacklog, socket);
    this.#idle = setTimeout(() => this.close(GOING_AWAY, 'idle'), context.limits.idle);
    socket.on('message', (data: Buffer, isBinary: boolean) => this.#receive(data, isBinary));
    socket.on('close', () => this.#closed());
    socket.on('error', (error) => {
      context.logger.info(`a sync connection broke: ${error.message}`, { user: this.user.id });
    });
    this.#greet();
  }

  send(message: ServerMessage): void {
    if (this.#phase === 'closed') return;
    this.#socket.send(formatServerMessage(message), () => this.#sent());
  }

  sendError(session: number, error: ConnectionError | SessionError): void {
    this.send(errorMessage(session, error, this.protocol.version));
  }

  writable(): Promise<void> | undefined {
    if (this.#phase === 'closed' || this.#socket.bufferedAmount < this.#context.limits.sendBuffer)
      return undefined;
    this.#room ??= Promise.withResolvers<void>();
    return this.#room.promise;
  }

  log(session: number, text: string): void {
    this.#log(session, { level: 'debug', msg: text });
  }

  consumed(bytes: number): void {
    this.#backlog.consumed(bytes);
  }

  fail(error: ConnectionError): void {
    if (this.#phase !== 'open') return;
    this.#context.logger.info(`a sync connection was refused: ${error.message}`, {
      user: this.user.id,
      code: error.protocolCode,
    });
    this.sendError(0, error);
    this.close(NORMAL, 'error');
  }

  terminate(reason: string): void {
    this.#context.logger.verbose(`a sync connection is dropped: ${reason}`, { user: this.user.id });
    this.#socket.terminate();
    this.#closed();
  }

  ended(session: number): void {
    this.#sessions.delete(session);
  }

  /** The rights of the user may have changed, to one path or to all. */
  review(path?: string): void {
    for (const session of this.#sessions.values()) session.review(path);
  }

  /** Says goodbye; sessions end at once. */
  close(code: number, reason: string): void {
    this.#closed();
    this.#socket.resume();
    this.#socket.close(code, reason);
  }

  /** Reads no more, lets what is being integrated finish, then says that the server goes away. */
  async drain(): Promise<void> {
    if (this.#phase !== 'open') return;
    this.#phase = 'draining';
    this.#socket.pause();
    const sessions = [...this.#sessions.values()];
    for (const session of sessions) session.end();
    await Promise.all(sessions.map((session) => session.settled()));
    // The close code alone would be reported to the app, as a mistake of the protocol.
    this.sendError(0, new ConnectionError(100, 'the server goes away'));
    this.close(GOING_AWAY, 'the server goes away');
  }

  #greet(): void {
    this.#log(0, {
      co_id: newHexId(),
      level: 'info',
      msg: `connected with protocol ${this.protocol.version}`,
    });
  }

  #log(session: number, content: Readonly<Record<string, string>>): void {
    if (this.protocol.version < LOG_MESSAGE_SINCE) return;
    this.send({ type: 'log_message', session, json: JSON.stringify(content) });
  }

  #receive(data: Buffer, isBinary: boolean): void {
    if (this.#phase !== 'open') return;
    this.#idle.refresh();
    try {
      if (!isBinary) throw new ConnectionError(103, 'a text message: all messages are binary');
      const limits = { maxBodySize: this.#context.limits.decompressedBody };
      this.#dispatch(parseClientMessage(data, this.protocol.mode, limits), data.length);
    } catch (error) {
      const connectionError = asConnectionError(error);
      if (connectionError) {
        this.fail(connectionError);
      } else {
        this.#context.logger.error('a message could not be handled', { user: this.user.id, error });
        this.terminate('internal error');
      }
    }
  }

  #dispatch(message: ClientMessage, size: number): void {
    switch (message.type) {
      case 'ping':
        this.send({ type: 'pong', timestamp: message.timestamp });
        break;
      case 'test_command':
        break;
      case 'bind':
        this.#bind(message, size);
        break;
      default: {
        const session = this.#sessions.get(message.session);
        if (!session) throw new ConnectionError(106, `there is no session ${message.session}`);
        const bytes = Math.max(size, message.type === 'upload' ? message.body.size : 0);
        this.#backlog.received(bytes);
        session.receive(message, bytes);
      }
    }
  }

  #bind(message: BindMessage, size: number): void {
    const { session } = message;
    const open = this.#context.modes[this.protocol.mode];
    if (this.#sessions.has(session)) throw new ConnectionError(107, `session ${session} is bound already`);
    if (this.#sessions.size >= this.#context.limits.sessionsPerConnection) {
      throw new ConnectionError(
        101,
        `a connection has at most ${this.#context.limits.sessionsPerConnection} sessions`,
      );
    }
    this.#backlog.received(size);
    this.#sessions.set(session, new SyncSession(message, size, this, this.#context, open));
  }

  #sent(): void {
    if (this.#room === undefined) return;
    const { sendBuffer } = this.#context.limits;
    if (this.#phase !== 'closed' && this.#socket.bufferedAmount > sendBuffer * RESUME_AT) return;
    this.#room.resolve();
    this.#room = undefined;
  }

  #closed(): void {
    if (this.#phase === 'closed') return;
    this.#phase = 'closed';
    clearTimeout(this.#idle);
    this.#backlog.release();
    for (const session of [...this.#sessions.values()]) session.end();
    this.#room?.resolve();
    this.#room = undefined;
  }
}
