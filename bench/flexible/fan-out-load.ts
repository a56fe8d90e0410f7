/**
 * A process full of clients, for the fan-out. Its parent tells it what to do; it counts what arrives and how long after
 * it was sent, which the objects say themselves in their field `sent`.
 */
import { inflateSync } from 'node:zlib';
import { decodeChangeset } from '../../src/changeset/codec.ts';
import { parseDownloadBody } from '../../src/protocol/entry-bodies.ts';
import type { Body, Download } from '../../src/protocol/messages.ts';
import { Api } from '../../test/server/support/api.ts';
import { Histogram } from './histogram.ts';
import { LightClient } from './light-client.ts';
import { TABLE } from './measurements.ts';

export type LoadOrder = {
  readonly url: string;
  readonly clients: number;
  /** Clients take them in turn. */
  readonly queries: readonly string[];
};

export type LoadReport = {
  readonly counts: readonly number[];
  readonly messages: number;
  readonly bytes: number;
};

/** Logins and bootstraps under way at a time. */
const CONNECTING = 20;
/** Bodies that other clients with the same query were sent, too, kept decoded. */
const REMEMBERED = 64;

const histogram = new Histogram();
const decoded = new Map<string, readonly bigint[]>();
let messages = 0;
let bytes = 0;
let clients: readonly LightClient[] = [];

process.on('message', (message: LoadOrder | 'finish') => {
  const done = message === 'finish' ? finish() : start(message);
  done.catch((error: unknown) => {
    console.error(error);
    process.exit(1);
  });
});

async function start({ url, clients: count, queries }: LoadOrder): Promise<void> {
  const api = new Api(url);
  const made: LightClient[] = [];
  let next = 0;
  const connect = async (): Promise<void> => {
    for (let index = next++; index < count; index = next++) {
      const { accessToken } = await api.anonymous();
      const client = await LightClient.connect(url, accessToken);
      await client.bind();
      await client.subscribe(1, { [TABLE]: queries[index % queries.length] ?? '' });
      client.onDownload = receive;
      made.push(client);
    }
  };
  await Promise.all(Array.from({ length: CONNECTING }, connect));
  clients = made;
  process.send?.('ready');
}

/** When every MARK is answered everything has arrived. */
async function finish(): Promise<void> {
  await Promise.all(clients.map((client) => client.mark()));
  process.send?.({ counts: histogram.counts(), messages, bytes } satisfies LoadReport, () => {
    for (const client of clients) client.close();
    process.disconnect();
  });
}

function receive({ body }: Download): void {
  const now = process.hrtime.bigint();
  messages += 1;
  bytes += body.bytes.byteLength;
  for (const sent of momentsOf(body)) histogram.add(Number(now - sent) / 1000);
}

function momentsOf(body: Body): readonly bigint[] {
  const key = Buffer.from(body.bytes.buffer, body.bytes.byteOffset, body.bytes.byteLength).toString('latin1');
  const known = decoded.get(key);
  if (known !== undefined) return known;
  const moments: bigint[] = [];
  for (const { changeset } of parseDownloadBody(body.compressed ? inflateSync(body.bytes) : body.bytes)) {
    for (const instruction of decodeChangeset(changeset).instructions) {
      if (instruction.op !== 'Update' || instruction.field !== 'sent') continue;
      if (instruction.value.type === 'int') moments.push(instruction.value.value);
    }
  }
  decoded.set(key, moments);
  for (const oldest of decoded.keys()) {
    if (decoded.size <= REMEMBERED) break;
    decoded.delete(oldest);
  }
  return moments;
}
