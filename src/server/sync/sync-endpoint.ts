/**
 * Takes WebSocket upgrades for `A/realm-sync` on the HTTP server's port (spec/wire-protocol.md §1): looks at the app id,
 * the offered protocols and the token, and turns the socket into a connection or says why not.
 */
import { type IncomingMessage, type Server, STATUS_CODES } from 'node:http';
import type { Duplex } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { type WebSocket, WebSocketServer } from 'ws';
import { type Negotiated, negotiate } from '../../protocol/negotiation.ts';
import { AccountError } from '../accounts/account-error.ts';
import type { Access, Accounts, Revocation } from '../accounts/accounts.ts';
import { API_BASE } from '../http/http-app.ts';
import { ServerBacklog } from './backlog.ts';
import { BoundFiles } from './bound-files.ts';
import { SyncConnection } from './sync-connection.ts';
import type { SyncContext } from './sync-session.ts';

/** The close code that makes a client get a new token (spec/wire-protocol.md §7.4). */
const BAD_TOKEN = 4001;
/** The one that makes a client ask for the server's location again. */
const MOVED = 4003;
/** From this version on, errors of the handshake come as close codes after it (spec/wire-protocol.md §1.3). */
const CLOSE_CODES_SINCE = 8;

export type SyncEndpointOptions = Omit<SyncContext, 'boundFiles' | 'backlog'> & {
  readonly appId: string;
  readonly accounts: Accounts;
  /** The app is served there now: clients are sent to ask for its location. */
  readonly redirectTo?: string;
};

export class SyncEndpoint {
  readonly #appId: string;
  readonly #redirectTo: string | undefined;
  readonly #accounts: Accounts;
  readonly #context: SyncContext;
  readonly #webSockets: WebSocketServer;
  readonly #connections = new Set<SyncConnection>();
  /** Every socket that was upgraded or is about to be. */
  readonly #sockets = new Set<Duplex>();
  readonly #unsubscribe: () => void;
  readonly #closing = new AbortController();

  constructor({ appId, accounts, redirectTo, ...context }: SyncEndpointOptions) {
    this.#appId = appId;
    this.#redirectTo = redirectTo;
    this.#accounts = accounts;
    this.#context = {
      ...context,
      boundFiles: new BoundFiles(),
      backlog: new ServerBacklog(context.limits.serverBacklog),
    };
    this.#webSockets = new WebSocketServer({
      noServer: true,
      clientTracking: false,
      perMessageDeflate: false,
      maxPayload: context.limits.message,
    });
    this.#unsubscribe = accounts.onRevoked((revocation) => this.#revoke(revocation));
  }

  /** The client files of a realm that sessions have bound. */
  filesInUse(path: string): Iterable<number> {
    return this.#context.boundFiles.of(path);
  }

  /** Connections that are open. */
  get size(): number {
    return this.#connections.size;
  }

  /** Listens for upgrades on the HTTP server. */
  attach(server: Server): void {
    server.on('upgrade', (request, socket, head) => {
      // A peer that resets its socket is nobody's failure; without a listener it would end the process.
      socket.on('error', () => socket.destroy());
      this.#upgrade(request, socket, head).catch((error: unknown) => {
        this.#context.logger.error('a WebSocket upgrade failed', { error });
        refuse(socket, 500);
      });
    });
  }

  /**
   * Turns new sockets away, lets what is being integrated finish, and says goodbye to everybody. Whoever has not
   * answered when the time is up is cut off.
   */
  async close(): Promise<void> {
    this.#closing.abort();
    this.#unsubscribe();
    const allClosed = Promise.all([...this.#sockets].map((socket) => closed(socket)));
    const drained = Promise.all([...this.#connections].map((connection) => connection.drain()));
    await withinTime(Promise.all([drained, allClosed]), this.#context.limits.shutdown);
    for (const socket of this.#sockets) socket.destroy();
    this.#webSockets.close();
  }

  /** The rights of one user, or of everybody, may have changed, to one path or to all: sessions are judged anew. */
  review(change: { readonly userId?: string; readonly path?: string } = {}): void {
    const { userId, path } = change;
    for (const connection of this.#connections) {
      if (userId === undefined || connection.user.id === userId) connection.review(path);
    }
  }

  async #upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): Promise<void> {
    const { limits } = this.#context;
    if (this.#closing.signal.aborted || this.#sockets.size >= limits.connections) return refuse(socket, 503);
    const url = URL.parse(request.url ?? '/', 'http://localhost');
    if (url?.pathname !== `${API_BASE}/app/${this.#appId}/realm-sync`) return refuse(socket, 404);
    const protocol = negotiate(request.headers['sec-websocket-protocol'] ?? '');
    if (protocol === undefined) return refuse(socket, 400);

    this.#sockets.add(socket);
    socket.once('close', () => this.#sockets.delete(socket));
    if (this.#redirectTo !== undefined) {
      const location = new URL(`${url.pathname}${url.search}`, this.#redirectTo).href;
      return await this.#sendOn(request, socket, head, protocol, location);
    }
    const access = await this.#access(tokenOf(request, url));
    if (access === undefined && protocol.version < CLOSE_CODES_SINCE) {
      await pause(limits.badTokenPause, this.#closing.signal);
      return refuse(socket, 401);
    }
    if (socket.destroyed) return;
    if (this.#closing.signal.aborted) return refuse(socket, 503);
    const webSocket = this.#accept(request, socket, head, protocol.protocol);
    if (webSocket === undefined) return;
    if (access === undefined) return await this.#turnAway(webSocket, BAD_TOKEN, 'invalid session');
    const connection = new SyncConnection(webSocket, access, protocol, this.#context);
    this.#connections.add(connection);
    webSocket.once('close', () => this.#connections.delete(connection));
  }

  /** Answers 101. The protocol is announced here: ws cannot parse the oldest names, which contain a slash. */
  #accept(request: IncomingMessage, socket: Duplex, head: Buffer, protocol: string): WebSocket | undefined {
    const announce = (headers: string[]): void => {
      headers.push(`Sec-WebSocket-Protocol: ${protocol}`);
    };
    let accepted: WebSocket | undefined;
    delete request.headers['sec-websocket-protocol'];
    // The handshake is synchronous; when it is malformed ws answers by itself and there is no socket.
    this.#webSockets.on('headers', announce);
    this.#webSockets.handleUpgrade(request, socket, head, (webSocket) => {
      accepted = webSocket;
    });
    this.#webSockets.off('headers', announce);
    return accepted;
  }

  /** The app has moved; clients find out where over HTTP (spec/wire-protocol.md §7.4). */
  async #sendOn(
    request: IncomingMessage,
    socket: Duplex,
    head: Buffer,
    { protocol, version }: Negotiated,
    location: string,
  ): Promise<void> {
    if (version < CLOSE_CODES_SINCE) {
      await pause(this.#context.limits.badTokenPause, this.#closing.signal);
      return refuse(socket, 301, { Location: location });
    }
    const webSocket = this.#accept(request, socket, head, protocol);
    if (webSocket !== undefined) await this.#turnAway(webSocket, MOVED, 'the app has moved');
  }

  /** Closes a connection after a pause: the client comes back at once, and endlessly when nothing has changed. */
  async #turnAway(webSocket: WebSocket, code: number, reason: string): Promise<void> {
    webSocket.on('error', () => webSocket.terminate());
    await pause(this.#context.limits.badTokenPause, this.#closing.signal);
    webSocket.close(code, reason);
  }

  async #access(token: string | undefined): Promise<Access | undefined> {
    if (token === undefined) return undefined;
    try {
      return await this.#accounts.access(token);
    } catch (error) {
      if (error instanceof AccountError) return undefined;
      throw error;
    }
  }

  /** Ends the connections of a session that was logged out, or of a user that was deleted. */
  #revoke({ userId, sessionId }: Revocation): void {
    for (const connection of this.#connections) {
      if (connection.user.id !== userId) continue;
      if (sessionId === undefined || connection.loginSession === sessionId) {
        connection.close(BAD_TOKEN, 'session ended');
      }
    }
  }
}

/** The token of the query, or of the Authorization header of older clients (spec/wire-protocol.md §1.1). */
function tokenOf(request: IncomingMessage, url: URL): string | undefined {
  const inQuery = url.searchParams.get('baas_at');
  return inQuery ?? /^Bearer (\S+)$/i.exec(request.headers.authorization ?? '')?.[1];
}

function refuse(socket: Duplex, status: number, headers: Readonly<Record<string, string>> = {}): void {
  if (!socket.writable) return;
  const lines = Object.entries({ Connection: 'close', 'Content-Length': '0', ...headers });
  socket.end(
    `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ''}\r\n${lines.map(([name, value]) => `${name}: ${value}\r\n`).join('')}\r\n`,
  );
}

/** Waits; shorter when the server closes. */
async function pause(milliseconds: number, signal: AbortSignal): Promise<void> {
  await sleep(milliseconds, undefined, { signal }).catch(() => {});
}

function closed(socket: Duplex): Promise<void> {
  return new Promise((resolve) => {
    if (socket.destroyed) resolve();
    else socket.once('close', () => resolve());
  });
}

/** Resolves with the work, or when the time is up. */
async function withinTime(work: Promise<unknown>, milliseconds: number): Promise<void> {
  const timeout = new AbortController();
  await Promise.race([work, pause(milliseconds, timeout.signal)]);
  timeout.abort();
}
