/**
 * One WebSocket to the object server, shared by all sessions of a user that are of one mode of sync.
 *
 * States: `idle` → `connecting` → `connected` → `waiting` (back-off) → `connecting` …; back to `idle` when nobody needs
 * it or the server refuses the user; `closed` is final. Sessions are told when a connection is up or gone; everything
 * else is theirs.
 */
import { type RawData, WebSocket } from 'ws';
import type { Logger } from '../log.ts';
import { formatClientMessage } from '../protocol/format-message.ts';
import type { ClientMessage, ServerMessage } from '../protocol/messages.ts';
import { offeredProtocols, parseAnswer, type SyncMode } from '../protocol/negotiation.ts';
import { parseServerMessage } from '../protocol/parse-server-message.ts';
import { BackOff, type BackOffOptions } from './back-off.ts';
import { AuthenticationError } from './client-errors.ts';
import type { User } from './user.ts';

const CONNECT_TIMEOUT_MILLISECONDS = 120_000;
const PING_PERIOD_MILLISECONDS = 60_000;
const PONG_TIMEOUT_MILLISECONDS = 120_000;
/** Largest message taken from a server: its soft limit of 16 MiB plus one large changeset. */
const MAX_MESSAGE_BYTES = 128 * 1024 * 1024;

/** Close codes and statuses by which a server says that the token is no longer good (wire-protocol.md §7.4). */
const TOKEN_REFUSED = new Set([401, 4001]);
const USER_REFUSED = new Set([403, 4002]);
const MOVED = new Set([301, 308, 4003]);

const LOOPBACK = /^(::ffff:)?127\.|^::1$/;

export type ConnectionListener = {
  readonly onConnected: () => void;
  readonly onDisconnected: () => void;
  readonly onMessage: (message: ServerMessage, bytes: number) => void;
  /** The server will not have this user, or its answers make no sense: no further attempt is made. */
  readonly onRefused: (error: Error) => void;
};

type State = 'idle' | 'connecting' | 'connected' | 'waiting' | 'closed';

export class SyncConnection {
  readonly #mode: SyncMode;
  readonly #user: User;
  readonly #listener: ConnectionListener;
  readonly #backOff: BackOff;
  readonly #logger: Logger;
  /** The token was renewed, and the server has not shown since that it is content with it. */
  #isTokenUnproven = false;
  /** Tells what still comes from an earlier attempt. */
  #attempts = 0;
  #state: State = 'idle';
  #socket: WebSocket | undefined;
  #retry: NodeJS.Timeout | undefined;
  #ping: NodeJS.Timeout | undefined;
  #pong: NodeJS.Timeout | undefined;
  #isLocal = false;
  #pingSentAt = 0;
  #roundTrip = 0;

  constructor(options: {
    mode: SyncMode;
    user: User;
    listener: ConnectionListener;
    backOff: BackOffOptions;
    logger: Logger;
  }) {
    this.#mode = options.mode;
    this.#user = options.user;
    this.#listener = options.listener;
    this.#backOff = new BackOff(options.backOff);
    this.#logger = options.logger;
  }

  get isConnected(): boolean {
    return this.#state === 'connected';
  }

  /** The server's address is one of this machine alone. */
  get isLocal(): boolean {
    return this.#isLocal;
  }

  /** Starts connecting when nothing is under way. */
  open(): void {
    if (this.#state !== 'idle') return;
    this.#attempt();
  }

  /** Says that the server does useful work: the next failure starts again with the shortest delay. */
  succeeded(): void {
    this.#backOff.reset();
    this.#isTokenUnproven = false;
  }

  /** Bytes handed to the socket and not yet sent. */
  get bufferedBytes(): number {
    return this.#socket?.bufferedAmount ?? 0;
  }

  send(message: ClientMessage): void {
    if (this.#state !== 'connected') return;
    this.#socket?.send(formatClientMessage(message), { binary: true });
  }

  /** Stops reading from the socket until {@link resume}. */
  pause(): void {
    this.#socket?.pause();
  }

  resume(): void {
    this.#socket?.resume();
  }

  /** Gives the connection up, as after a connection-level error, and comes back after the back-off. */
  drop(reason: string): void {
    this.#logger.warn('Dropping the sync connection', { reason });
    this.#socket?.terminate();
  }

  /** Nobody needs the connection for now; {@link open} makes a new one. */
  rest(): void {
    this.#end('idle');
  }

  close(): void {
    this.#end('closed');
  }

  #end(state: 'idle' | 'closed'): void {
    if (this.#state === 'closed') return;
    this.#state = state;
    this.#clearTimers();
    const socket = this.#socket;
    this.#socket = undefined;
    if (socket === undefined) return;
    socket.removeAllListeners();
    socket.on('error', () => {}); // a handshake that is cut off reports itself
    if (socket.readyState === WebSocket.OPEN) socket.close(1000);
    else socket.terminate();
  }

  #attempt(): void {
    this.#state = 'connecting';
    this.#attempts += 1;
    const attempt = this.#attempts;
    this.#connect(attempt).catch((error: unknown) => this.#failed(attempt, error));
  }

  async #connect(attempt: number): Promise<void> {
    if (this.#user.hasExpired()) await this.#user.refresh();
    const url = await this.#user.app.syncUrl(this.#user.accessToken);
    if (this.#state !== 'connecting' || this.#attempts !== attempt) return;
    const socket = new WebSocket(url, offeredProtocols(this.#mode), {
      perMessageDeflate: false,
      maxPayload: MAX_MESSAGE_BYTES,
      handshakeTimeout: CONNECT_TIMEOUT_MILLISECONDS,
    });
    this.#socket = socket;
    socket.on('upgrade', ({ socket: stream }) => {
      stream.setNoDelay(true);
      this.#isLocal = LOOPBACK.test(stream.remoteAddress ?? '');
    });
    socket.on('open', () => this.#opened(socket));
    socket.on('message', (data, isBinary) => this.#received(data, isBinary));
    socket.on('unexpected-response', (request, response) => {
      request.destroy();
      this.#disconnected(socket, response.statusCode ?? 0);
    });
    socket.on('error', (error) => this.#logger.verbose('Sync connection error', { error: error.message }));
    socket.on('close', (code) => this.#disconnected(socket, code));
  }

  #opened(socket: WebSocket): void {
    if (parseAnswer(socket.protocol, this.#mode) === undefined) {
      this.#refuse(new Error(`the server answered with the subprotocol ${JSON.stringify(socket.protocol)}`));
      return;
    }
    this.#state = 'connected';
    this.#schedulePing(Math.random());
    this.#listener.onConnected();
  }

  #received(data: RawData, isBinary: boolean): void {
    if (!isBinary || !Buffer.isBuffer(data)) return;
    let message: ServerMessage;
    try {
      message = parseServerMessage(data, this.#mode);
    } catch (error) {
      this.drop(error instanceof Error ? error.message : String(error));
      return;
    }
    if (message.type === 'pong') this.#ponged(message.timestamp);
    else this.#listener.onMessage(message, data.byteLength);
  }

  #disconnected(socket: WebSocket, code: number): void {
    if (this.#socket !== socket || this.#state === 'closed') return;
    this.#socket = undefined;
    this.#clearTimers();
    if (this.#state === 'connected') this.#listener.onDisconnected();
    else this.#user.app.forgetLocation(); // it may have moved
    const attempt = this.#attempts;
    this.#recover(attempt, code).catch((error: unknown) => this.#failed(attempt, error));
  }

  /**
   * What the server's way of closing asks for, then the next attempt: at once with a renewed token, otherwise, and when
   * the server did not like the renewed one either, after the back-off.
   */
  async #recover(attempt: number, code: number): Promise<void> {
    if (USER_REFUSED.has(code)) {
      this.#refuse(new AuthenticationError('the server refuses the user', { status: 403 }));
      return;
    }
    this.#state = 'waiting';
    if (MOVED.has(code)) this.#user.app.forgetLocation();
    if (TOKEN_REFUSED.has(code) || MOVED.has(code)) {
      const isFirst = !this.#isTokenUnproven;
      this.#isTokenUnproven = true;
      await this.#user.refresh();
      if (this.#state !== 'waiting' || this.#attempts !== attempt) return;
      if (isFirst) return this.#attempt();
    }
    this.#retryLater(`closed with ${code}`);
  }

  #failed(attempt: number, error: unknown): void {
    if (this.#attempts !== attempt) return;
    if (error instanceof AuthenticationError) this.#refuse(error);
    else this.#retryLater(error instanceof Error ? error.message : String(error));
  }

  #retryLater(reason: string): void {
    if (this.#state !== 'connecting' && this.#state !== 'waiting') return;
    this.#state = 'waiting';
    const delay = this.#backOff.next();
    this.#logger.info('No connection to the object server, will try again', {
      reason,
      delayMilliseconds: Math.round(delay),
    });
    this.#retry = setTimeout(() => this.#attempt(), delay);
  }

  #refuse(error: Error): void {
    if (this.#state === 'closed' || this.#state === 'idle') return;
    this.rest();
    this.#listener.onRefused(error);
  }

  #schedulePing(random: number): void {
    this.#ping = setTimeout(() => this.#sendPing(), PING_PERIOD_MILLISECONDS * (1 - random));
    this.#ping.unref();
  }

  #sendPing(): void {
    this.#pingSentAt = Math.round(performance.now());
    this.send({ type: 'ping', timestamp: this.#pingSentAt, roundTrip: this.#roundTrip });
    this.#pong = setTimeout(() => this.drop('no PONG came'), PONG_TIMEOUT_MILLISECONDS);
    this.#pong.unref();
  }

  #ponged(timestamp: number): void {
    if (this.#pong === undefined || timestamp !== this.#pingSentAt) {
      this.drop('a PONG came that nobody asked for');
      return;
    }
    clearTimeout(this.#pong);
    this.#pong = undefined;
    this.#roundTrip = Math.round(performance.now()) - this.#pingSentAt;
    this.#schedulePing(Math.random() / 10);
  }

  #clearTimers(): void {
    clearTimeout(this.#retry);
    clearTimeout(this.#ping);
    clearTimeout(this.#pong);
    this.#pong = undefined;
  }
}
