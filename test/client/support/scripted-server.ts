/** A server that says what a test tells it to, over real sockets, and hands out what the client says. */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { onTestFinished } from 'vitest';
import { type WebSocket, WebSocketServer } from 'ws';
import { formatDownloadBody } from '../../../src/protocol/entry-bodies.ts';
import { type ErrorBody, formatErrorBody } from '../../../src/protocol/error-codes.ts';
import { formatServerMessage } from '../../../src/protocol/format-message.ts';
import type { ClientMessage, Download, ServerMessage } from '../../../src/protocol/messages.ts';
import { negotiate } from '../../../src/protocol/negotiation.ts';
import { parseClientMessage } from '../../../src/protocol/parse-client-message.ts';
import type { DownloadEntry } from '../../../src/store/server/contract.ts';

type Of<T extends ClientMessage['type']> = Extract<ClientMessage, { type: T }>;

/** Hands out in order what arrives, to whoever waits or will ask. */
class Inbox<T> {
  readonly #waiting: ((item: T) => void)[] = [];
  readonly items: T[] = [];

  put(item: T): void {
    const waiting = this.#waiting.shift();
    if (waiting === undefined) this.items.push(item);
    else waiting(item);
  }

  take(): Promise<T> {
    const item = this.items.shift();
    return item === undefined ? new Promise((resolve) => this.#waiting.push(resolve)) : Promise.resolve(item);
  }
}

export class ScriptedConnection {
  readonly token: string | null;
  readonly offer: string;
  readonly extensions: string | undefined;
  readonly socket: WebSocket;
  readonly #messages = new Inbox<ClientMessage>();
  readonly closed: Promise<void>;

  constructor(socket: WebSocket, request: IncomingMessage) {
    this.socket = socket;
    this.token = new URL(request.url ?? '', 'http://x').searchParams.get('baas_at');
    this.offer = String(request.headers['sec-websocket-protocol']);
    this.extensions = request.headers['sec-websocket-extensions'];
    const mode = negotiate(socket.protocol)?.mode ?? 'pbs';
    socket.on('message', (data: Buffer) => {
      const message = parseClientMessage(data, mode);
      if (message.type === 'ping') this.send({ type: 'pong', timestamp: message.timestamp });
      else this.#messages.put(message);
    });
    this.closed = new Promise((resolve) => socket.once('close', () => resolve()));
  }

  send(message: ServerMessage): void {
    this.socket.send(formatServerMessage(message));
  }

  /** The next message, which must be of this type. */
  async next<T extends ClientMessage['type']>(type: T): Promise<Of<T>> {
    const message = await this.#messages.take();
    if (message.type !== type) throw new Error(`expected ${type}, got ${JSON.stringify(message.type)}`);
    return message as Of<T>;
  }

  get isQuiet(): boolean {
    return this.#messages.items.length === 0;
  }

  download(session: number, rest: Partial<Download> & { entries?: readonly DownloadEntry[] } = {}): void {
    const { entries = [], ...fields } = rest;
    const bytes = formatDownloadBody(entries);
    this.send({
      type: 'download',
      session,
      downloadServerVersion: 0,
      downloadClientVersion: 0,
      latestServerVersion: fields.downloadServerVersion ?? 0,
      latestServerVersionSalt: 0n,
      uploadClientVersion: 0,
      uploadServerVersion: 0,
      downloadableBytes: 0,
      body: { bytes, compressed: false, size: bytes.byteLength },
      ...fields,
    });
  }

  error(session: number, errorCode: number, body: ErrorBody): void {
    this.send({ type: 'json_error', session, errorCode, json: formatErrorBody(body) });
  }

  /** Takes BIND and IDENT of a new client file and answers them with an empty DOWNLOAD. */
  async bindNew(fileIdent = 2): Promise<number> {
    const { session } = await this.next('bind');
    this.send({ type: 'ident', session, fileIdent, fileIdentSalt: 7n });
    await this.next('ident');
    this.download(session);
    return session;
  }
}

export class ScriptedServer {
  readonly url: string;
  readonly requests: string[] = [];
  /** Tokens handed out, the newest last. */
  readonly tokens: string[] = [];
  /** Lifetime of the tokens handed out. */
  tokenSeconds = 3600;
  /** Status with which a handshake is refused; undefined lets it in. */
  refuse: (token: string | null) => number | undefined = () => undefined;
  /** Status of `POST /auth/session`. */
  refreshStatus = 201;
  readonly #connections = new Inbox<ScriptedConnection>();

  private constructor(url: string) {
    this.url = url;
  }

  static async start(): Promise<ScriptedServer> {
    const http = createServer();
    const sockets = new WebSocketServer({
      noServer: true,
      handleProtocols: (offered) => negotiate([...offered].join(','))?.protocol ?? false,
    });
    await new Promise<void>((resolve) => http.listen(0, '127.0.0.1', resolve));
    const address = http.address();
    const port = typeof address === 'object' ? address?.port : 0;
    const server = new ScriptedServer(`http://127.0.0.1:${port}`);
    http.on('request', (request, response) => server.#answer(request, response));
    http.on('upgrade', (request, socket, head) => {
      const status = server.refuse(new URL(request.url ?? '', 'http://x').searchParams.get('baas_at'));
      server.requests.push(`WEBSOCKET ${status ?? 101}`);
      if (status !== undefined) {
        socket.end(`HTTP/1.1 ${status} No\r\nContent-Length: 0\r\nConnection: close\r\n\r\n`);
        return;
      }
      sockets.handleUpgrade(request, socket, head, (webSocket) =>
        server.#connections.put(new ScriptedConnection(webSocket, request)),
      );
    });
    onTestFinished(async () => {
      for (const client of sockets.clients) client.terminate();
      http.closeAllConnections();
      await new Promise((resolve) => http.close(resolve));
    });
    return server;
  }

  connection(): Promise<ScriptedConnection> {
    return this.#connections.take();
  }

  #answer(request: IncomingMessage, response: ServerResponse): void {
    const line = `${request.method} ${request.url}`;
    this.requests.push(line);
    const refreshToken = 'h.e30.s';
    if (line.endsWith('/location'))
      json(response, 200, { hostname: this.url, ws_hostname: this.url.replace('http', 'ws') });
    else if (line.endsWith('/login'))
      json(response, 200, {
        access_token: this.#token(),
        refresh_token: refreshToken,
        user_id: 'u1',
        device_id: '0',
      });
    else if (
      line === 'POST /api/client/v2.0/auth/session' &&
      request.headers.authorization === `Bearer ${refreshToken}`
    )
      json(
        response,
        this.refreshStatus,
        this.refreshStatus < 300
          ? { access_token: this.#token() }
          : { error: 'no', error_code: 'InvalidSession' },
      );
    else if (line === 'DELETE /api/client/v2.0/auth/session') response.writeHead(204).end();
    else json(response, 404, { error: 'not here' });
  }

  #token(): string {
    const exp = Math.floor(Date.now() / 1000) + this.tokenSeconds;
    const payload = Buffer.from(JSON.stringify({ exp, iat: exp, n: this.tokens.length })).toString(
      'base64url',
    );
    const token = `h.${payload}.s`;
    this.tokens.push(token);
    return token;
  }
}

function json(response: ServerResponse, status: number, body: unknown): void {
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
}
