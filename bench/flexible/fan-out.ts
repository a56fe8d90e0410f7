/** Many connected clients with few different queries, and one that writes: how late, and at what cost, they hear of it. */
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import type { Instruction } from '../../src/changeset/instruction.ts';
import { Api } from '../../test/server/support/api.ts';
import { megabytes, type Row, seconds, thousands } from '../measure.ts';
import { bareMicroseconds } from './bare-sockets.ts';
import type { LoadOrder, LoadReport } from './fan-out-load.ts';
import { Histogram } from './histogram.ts';
import { LightClient } from './light-client.ts';
import { fill, GROUPS, TABLE, withRealm } from './measurements.ts';
import { BenchServer } from './server.ts';

const LOAD = fileURLToPath(new URL('./fan-out-load.ts', import.meta.url));
const LOAD_PROCESSES = 2;
const OBJECTS = 10_000;
const WRITES_PER_SECOND = 200;
/** One write in so many moves its object from one query to another. */
const MOVES_EVERY = 10;

export type FanOut = {
  readonly name: string;
  readonly clients: number;
  readonly queries: readonly string[];
  readonly writeSeconds: number;
};

export const FAN_OUTS: readonly FanOut[] = [
  {
    name: '10 queries',
    clients: 1000,
    queries: Array.from({ length: GROUPS }, (_, group) => `(group == ${group})`),
    writeSeconds: 30,
  },
  { name: '1 query', clients: 1000, queries: ['(TRUEPREDICATE)'], writeSeconds: 10 },
];

export async function benchFanOut(
  directory: string,
  fanOut: FanOut,
  profile: string | undefined,
): Promise<Row[]> {
  const { clients, queries, name, writeSeconds } = fanOut;
  const data = join(directory, `fan-out-${queries.length}`);
  mkdirSync(data);
  await withRealm(data, (realm) => fill(realm, OBJECTS, ['sent']));
  const server = await BenchServer.start(data, {}, profile);
  const loads = Array.from({ length: LOAD_PROCESSES }, () => fork(LOAD));
  try {
    const order = { url: server.url, clients: clients / LOAD_PROCESSES, queries };
    const connected = await seconds(async () => {
      await Promise.all(loads.map((load) => asked(load, order)));
    });
    const connecting = server.processorSeconds();
    const written = await write(server.url, writeSeconds);
    const received = new Histogram();
    let messages = 0;
    let bytes = 0;
    for (const report of await Promise.all(loads.map((load) => asked(load, 'finish')))) {
      const { counts, ...more } = asReport(report);
      received.addAll(counts);
      messages += more.messages;
      bytes += more.bytes;
    }
    const processor = server.processorSeconds() - connecting;
    const peak = server.peakMemory();
    const each = (processor / messages) * 1e6;
    const bare = await bareMicroseconds(clients, Math.round(bytes / messages));
    const who = `${thousands(clients)} clients with ${name}, ${WRITES_PER_SECOND} writes/s`;
    return [
      [
        `${thousands(clients)} clients with ${name}: log-in, schema and bootstrap`,
        `${connected.toFixed(1)} s`,
        `${((connecting / clients) * 1000).toFixed(1)} ms of the server's processor time each; ${thousands((OBJECTS / queries.length) * clients)} objects sent`,
      ],
      [
        `${who}: write sent to received`,
        `p50 ${received.percentile(0.5).toFixed(1)} ms`,
        `p95 ${received.percentile(0.95).toFixed(1)} ms, p99 ${received.percentile(0.99).toFixed(1)} ms, ${thousands(received.total)} deliveries`,
      ],
      [
        `${who}: write sent to acknowledged`,
        `p50 ${written.acknowledged.percentile(0.5).toFixed(1)} ms`,
        `p99 ${written.acknowledged.percentile(0.99).toFixed(1)} ms, ${thousands(written.acknowledged.total)} writes`,
      ],
      [
        `${who}: the server`,
        `${(processor / written.elapsed).toFixed(2)} s of processor time a second`,
        `${thousands(messages / written.elapsed)} messages/s of ${Math.round(bytes / messages)} bytes, ${each.toFixed(0)} µs each, all work included: ${(each / bare).toFixed(1)} × bare WebSockets (${bare.toFixed(0)} µs); peak memory ${megabytes(peak)}`,
      ],
    ];
  } finally {
    for (const load of loads) load.kill();
    await server.stop();
  }
}

async function asked(load: ChildProcess, order: LoadOrder | 'finish'): Promise<unknown> {
  const exited = once(load, 'exit').then(() => {
    throw new Error('a process of clients ended');
  });
  exited.catch(() => {}); // it does in the end
  load.send(order);
  const [answer] = await Promise.race([once(load, 'message'), exited]);
  return answer;
}

function asReport(message: unknown): LoadReport {
  if (typeof message === 'object' && message !== null && 'counts' in message && 'messages' in message) {
    const { counts, messages } = message;
    const bytes = 'bytes' in message ? message.bytes : undefined;
    if (Array.isArray(counts) && typeof messages === 'number' && typeof bytes === 'number') {
      return { counts: counts.map(Number), messages, bytes };
    }
  }
  throw new Error('a process of clients reports nothing');
}

type Written = { readonly elapsed: number; readonly acknowledged: Histogram };

/** Changes one object after the other at the given pace. */
async function write(url: string, writeSeconds: number): Promise<Written> {
  const { accessToken } = await new Api(url).anonymous();
  const client = await LightClient.connect(url, accessToken);
  await client.bind();
  await client.subscribe(1, { [TABLE]: '(TRUEPREDICATE)' });
  const acknowledged = new Histogram();
  const sentAt: number[] = [];
  let newest = 1;
  client.onDownload = ({ uploadClientVersion }) => {
    for (; newest < uploadClientVersion; newest += 1) {
      const sent = sentAt[newest + 1];
      if (sent !== undefined) acknowledged.add((performance.now() - sent) * 1000);
    }
  };
  const groups = Array.from({ length: OBJECTS }, (_, i) => i % GROUPS);
  const start = performance.now();
  const count = writeSeconds * WRITES_PER_SECOND;
  for (let i = 0; i < count; i += 1) {
    const due = start + (i * 1000) / WRITES_PER_SECOND;
    while (performance.now() < due) await sleep(1);
    const id = (i * 7919) % OBJECTS; // a prime: each object once before any comes again
    const moved = i % MOVES_EVERY === 0 ? ((groups[id] ?? 0) + 1) % GROUPS : undefined;
    if (moved !== undefined) groups[id] = moved;
    const version = client.upload(change(id, i, moved));
    sentAt[version] = performance.now();
  }
  await client.mark();
  while (acknowledged.total < count) await sleep(1);
  const elapsed = (performance.now() - start) / 1000;
  client.close();
  return { elapsed, acknowledged };
}

function change(id: number, value: number, group: number | undefined): Instruction[] {
  const on = {
    op: 'Update',
    table: TABLE,
    key: { type: 'int', value: BigInt(id) },
    path: [],
    isDefault: false,
  } as const;
  const instructions: Instruction[] = [
    { ...on, field: 'value', value: { type: 'double', value } },
    { ...on, field: 'sent', value: { type: 'int', value: process.hrtime.bigint() } },
  ];
  if (group !== undefined) {
    instructions.push({ ...on, field: 'group', value: { type: 'int', value: BigInt(group) } });
  }
  return instructions;
}
