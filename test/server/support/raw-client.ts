/**
 * A client that speaks the protocol by hand: it sends heads and bodies as they are given and hands out what comes,
 * without any understanding, so that it can also say what no client would.
 */
import { inflateSync } from 'node:zlib';
import { onTestFinished } from 'vitest';
import { WebSocket } from 'ws';

export type Frame = { readonly head: string; readonly fields: readonly string[]; readonly body: Buffer };

export type DownloadedEntry = {
  readonly serverVersion: number;
  readonly clientVersion: number;
  readonly originFileIdent: number;
  readonly changeset: string;
};

const OFFER = Array.from({ length: 13 }, (_, index) => `com.mongodb.realm-sync#${14 - index}`);

export type RawClientOptions = {
  readonly url: string;
  readonly token: string;
  readonly appId?: string;
  readonly protocols?: readonly string[];
};

export class RawClient {
  readonly socket: WebSocket;
  /** Everything that came, in order, log messages aside. */
  readonly frames: Frame[] = [];
  readonly logs: Frame[] = [];
  readonly closed: Promise<{ code: number; reason: string }>;
  #taken = 0;
  #arrived: () => void = () => {};
  #isClosed = false;

  private constructor(socket: WebSocket) {
    this.socket = socket;
    socket.on('message', (data: Buffer) => this.#receive(data));
    this.closed = new Promise((resolve) => {
      socket.once('close', (code, reason) => {
        this.#isClosed = true;
        this.#arrived();
        resolve({ code, reason: reason.toString() });
      });
    });
    socket.on('error', () => {});
  }

  static async connect(options: RawClientOptions): Promise<RawClient> {
    const client = RawClient.open(options);
    await new Promise<void>((resolve, reject) => {
      client.socket.once('open', resolve);
      client.socket.once('error', reject);
    });
    return client;
  }

  /** Connects without waiting for the answer. */
  static open({ url, token, appId = 'isthmus', protocols = OFFER }: RawClientOptions): RawClient {
    const address = `${url.replace('http', 'ws')}/api/client/v2.0/app/${appId}/realm-sync?baas_at=${token}`;
    const socket = new WebSocket(address, [...protocols], { perMessageDeflate: false });
    const client = new RawClient(socket);
    onTestFinished(() => socket.terminate());
    return client;
  }

  send(head: string, body: string | Uint8Array = ''): void {
    this.socket.send(Buffer.concat([Buffer.from(`${head}\n`), Buffer.from(body)]));
  }

  sendRaw(data: string | Uint8Array): void {
    this.socket.send(data);
  }

  /** The next message that nobody has taken, which must be of that type. */
  async next(type: string): Promise<Frame> {
    const frame = await this.nextOfAny();
    if (frame.fields[0] !== type) throw new Error(`expected ${type}, got "${frame.head}" ${frame.body}`);
    return frame;
  }

  async nextOfAny(): Promise<Frame> {
    while (this.frames.length <= this.#taken) {
      if (this.#isClosed) throw new Error('the connection was closed');
      await new Promise<void>((resolve) => {
        this.#arrived = resolve;
      });
    }
    const frame = this.frames[this.#taken++];
    if (!frame) throw new Error('unreachable');
    return frame;
  }

  /** Takes messages until the realm is known to be this far. Returns the entries that came. */
  async downloadUpTo(serverVersion: number): Promise<DownloadedEntry[]> {
    const entries: DownloadedEntry[] = [];
    for (;;) {
      const frame = await this.next('download');
      entries.push(...entriesOf(frame));
      if (Number(frame.fields[2]) >= serverVersion) return entries;
    }
  }

  /** Whether nothing but log messages came that was not taken. */
  get isQuiet(): boolean {
    return this.frames.length === this.#taken;
  }

  /** A PING round trip: whatever the server sent before it has arrived then. */
  async settle(): Promise<void> {
    this.send('ping 42 0');
    await this.next('pong');
  }

  /** Binds a session for a new client file and waits for the first DOWNLOAD. */
  async bindNew(session: number, partition: string): Promise<BoundFile> {
    this.send(`bind ${session} ${Buffer.byteLength(partition)} 0 1 0`, partition);
    const [, , ident, salt] = (await this.next('ident')).fields;
    this.send(`ident ${session} ${ident} ${salt} 0 0 0 0`);
    const download = await this.next('download');
    return { ident: String(ident), salt: String(salt), download };
  }

  #receive(data: Buffer): void {
    const end = data.indexOf(10);
    const head = data.subarray(0, end).toString('latin1');
    const frame = { head, fields: head.split(' '), body: data.subarray(end + 1) };
    if (frame.fields[0] === 'log_message') this.logs.push(frame);
    else this.frames.push(frame);
    this.#arrived();
  }
}

export type BoundFile = { readonly ident: string; readonly salt: string; readonly download: Frame };

/** The changesets of a DOWNLOAD. */
export function entriesOf({ fields, body }: Frame): DownloadedEntry[] {
  const [isCompressed] = fields.slice(-3);
  let rest = isCompressed === '1' ? inflateSync(body) : body;
  const entries: DownloadedEntry[] = [];
  while (rest.length > 0) {
    const match = /^(\d+) (\d+) (\d+) (\d+) (\d+) (\d+) /.exec(rest.subarray(0, 150).toString('latin1'));
    if (!match) throw new Error('an entry that does not parse');
    const start = match[0].length;
    const size = Number(match[6]);
    entries.push({
      serverVersion: Number(match[1]),
      clientVersion: Number(match[2]),
      originFileIdent: Number(match[4]),
      changeset: rest.subarray(start, start + size).toString('hex'),
    });
    rest = rest.subarray(start + size);
  }
  return entries;
}

/** One entry of an UPLOAD body. */
export function uploadEntry(clientVersion: number, serverVersion: number, changeset: string): Buffer {
  const bytes = Buffer.from(changeset, 'hex');
  return Buffer.concat([
    Buffer.from(`${clientVersion} ${serverVersion} 375167540201 0 ${bytes.length} `),
    bytes,
  ]);
}

/** Class T with an int key `_id`. */
export const SCHEMA_CHANGESET = '3f0001543f01035f6964000000010100';
/** Creates the object T[id], 0 ≤ id < 64. */
export function createChangeset(id: number): string {
  return `3f0001540200${'01'}${id.toString(16).padStart(2, '0')}`;
}

/** An uncompressed UPLOAD of one session. */
export function uploadHead(session: number, body: Buffer, progress: string, locked = 0): string {
  return `upload ${session} 0 ${body.length} 0 ${progress} ${locked}`;
}
