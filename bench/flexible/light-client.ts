/**
 * A client of flexible sync that keeps no objects: it says what the protocol asks for and hands out what it is sent, so
 * that hundreds fit into one process and a measurement shows the server and not the client.
 */
import { once } from 'node:events';
import { WebSocket } from 'ws';
import { encodeChangeset } from '../../src/changeset/codec.ts';
import type { Instruction } from '../../src/changeset/instruction.ts';
import { plainBody } from '../../src/protocol/compression.ts';
import { formatUploadBody } from '../../src/protocol/entry-bodies.ts';
import { formatClientMessage } from '../../src/protocol/format-message.ts';
import type { ClientMessage, Download } from '../../src/protocol/messages.ts';
import { parseServerMessage } from '../../src/protocol/parse-server-message.ts';

const SUBPROTOCOL = 'com.mongodb.realm-query-sync#14';
const SESSION = 1;
/** Some moment in the time of changesets; later writes need later ones. */
const FIRST_TIMESTAMP = 375_167_540_201;

export class LightClient {
  /** Sees every DOWNLOAD as it arrives. */
  onDownload: (download: Download) => void = () => {};
  readonly #socket: WebSocket;
  readonly #marks = new Map<number, () => void>();
  #marked = 0;
  #identified: (fileIdent: number, salt: bigint) => void = () => {};
  #clientVersion = 1;
  /** The version of the realm that the client has. */
  #serverVersion = 0;

  private constructor(socket: WebSocket) {
    this.#socket = socket;
    socket.on('message', (data: Buffer) => this.#receive(data));
  }

  static async connect(url: string, token: string): Promise<LightClient> {
    const address = `${url.replace('http', 'ws')}/api/client/v2.0/app/isthmus/realm-sync?baas_at=${token}`;
    const socket = new WebSocket(address, [SUBPROTOCOL], { perMessageDeflate: false });
    const client = new LightClient(socket);
    await once(socket, 'open');
    return client;
  }

  /** BIND and IDENT of a new client file; resolves when the client has the schema. */
  async bind(): Promise<void> {
    const path = '{"schemaVersion":0,"sessionReason":0}';
    const identified = new Promise<{ fileIdent: number; fileIdentSalt: bigint }>((resolve) => {
      this.#identified = (fileIdent, fileIdentSalt) => resolve({ fileIdent, fileIdentSalt });
    });
    this.#send({ type: 'bind', session: SESSION, path, token: '', needFileIdent: true, isSubserver: false });
    const file = await identified;
    this.#send({
      type: 'ident',
      session: SESSION,
      ...file,
      downloadServerVersion: 0,
      downloadClientVersion: 0,
      latestServerVersion: 0,
      latestServerVersionSalt: 0n,
      query: { version: 0, text: '{}' },
    });
    await this.mark();
  }

  /** Resolves when the MARK behind the new subscriptions is answered. */
  async subscribe(version: number, queries: Readonly<Record<string, string>>): Promise<void> {
    this.#send({ type: 'query', session: SESSION, version, text: JSON.stringify(queries) });
    await this.mark();
  }

  async mark(): Promise<void> {
    this.#marked += 1;
    const request = this.#marked;
    const answered = new Promise<void>((resolve) => this.#marks.set(request, resolve));
    this.#send({ type: 'mark', session: SESSION, request });
    await answered;
  }

  /** Uploads one changeset. Returns its version, which the server acknowledges in a DOWNLOAD. */
  upload(instructions: readonly Instruction[]): number {
    this.#clientVersion += 1;
    const clientVersion = this.#clientVersion;
    const serverVersion = this.#serverVersion;
    const timestamp = FIRST_TIMESTAMP + clientVersion;
    const changeset = encodeChangeset(instructions);
    const entry = { clientVersion, serverVersion, timestamp, originFileIdent: 0, changeset };
    this.#send({
      type: 'upload',
      session: SESSION,
      body: plainBody(formatUploadBody([entry])),
      progressClientVersion: clientVersion,
      progressServerVersion: serverVersion,
      lockedServerVersion: serverVersion,
    });
    return clientVersion;
  }

  close(): void {
    this.#socket.terminate();
  }

  #send(message: ClientMessage): void {
    this.#socket.send(formatClientMessage(message));
  }

  #receive(data: Buffer): void {
    const message = parseServerMessage(data, 'flx');
    switch (message.type) {
      case 'ident':
        this.#identified(message.fileIdent, message.fileIdentSalt);
        break;
      case 'download':
        if (message.batch?.state !== 0) this.#serverVersion = message.downloadServerVersion;
        this.onDownload(message);
        break;
      case 'mark':
        this.#marks.get(message.request)?.();
        this.#marks.delete(message.request);
        break;
      case 'log_message':
      case 'pong':
        break;
      default:
        throw new Error(`the server answers ${data.toString('utf8').slice(0, 500)}`);
    }
  }
}
