/** What servers do to clients that stay: restarts, backups put back, garbage. Real sockets, files and processes. */
import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { cpSync, rmSync } from 'node:fs';
import { connect, createServer, type Socket } from 'node:net';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { expect, onTestFinished, test, vi } from 'vitest';
import type { Instruction } from '../../src/changeset/instruction.ts';
import { SyncClient } from '../../src/client/sync-client.ts';
import type { SyncSession } from '../../src/client/sync-session.ts';
import { silentLogger } from '../../src/log.ts';
import type { Replica } from '../../src/store/replica/contract.ts';
import { startTestServer } from '../server/support/test-server.ts';
import { createItem, SCHEMA, setItem } from '../store/server/changes.ts';
import { temporaryDirectory } from '../store/server/temporary-directory.ts';
import { Random, testSeed } from '../support/random.ts';
import { connectClient } from './support/client.ts';
import { ScriptedServer } from './support/scripted-server.ts';

const key = (id: number) => ({ type: 'int', value: BigInt(id) }) as const;
const numbers = (replica: Replica): Record<string, string> =>
  Object.fromEntries(
    [...replica.objects('Item')].map(({ key: id, state }) => {
      const n = state.fields.get('n');
      return [id.type === 'int' ? String(id.value) : '?', n?.type === 'int' ? String(n.value) : '0'];
    }),
  );
const addOne: Instruction = {
  op: 'AddInteger',
  table: 'Item',
  key: key(1),
  field: 'n',
  path: [],
  addend: 1n,
};

const NOTE: Instruction = {
  op: 'AddColumn',
  table: 'Item',
  field: 'note',
  column: { type: 'data', nullable: true, collection: 'single' },
};
const note = (id: number, value: Uint8Array): Instruction => ({
  op: 'Update',
  table: 'Item',
  key: key(id),
  field: 'note',
  path: [],
  value: { type: 'data', value },
  isDefault: false,
});

function program(name: string, ...options: string[]): ChildProcessByStdio<null, Readable, null> {
  const file = fileURLToPath(new URL(`./support/${name}.ts`, import.meta.url));
  const child = spawn(process.execPath, [file, ...options], { stdio: ['ignore', 'pipe', 'inherit'] });
  onTestFinished(() => void child.kill('SIGKILL'));
  return child;
}

async function upToDate(sessions: readonly SyncSession[]): Promise<void> {
  for (const session of sessions) await session.uploadCompletion();
  for (const session of sessions) await session.downloadCompletion();
}

test('every change arrives once through a server that is stopped and started again', async () => {
  const dataDirectory = temporaryDirectory();
  let server = await startTestServer({ development: true, dataDirectory });
  const { port } = server;
  const devices = await Promise.all(
    [0, 1].map(async () => {
      const { client, store } = await connectClient(server.url);
      const replica = store.replica('/r');
      return { replica, session: client.open(replica) };
    }),
  );
  const sessions = devices.map(({ session }) => session);
  devices[0]!.replica.write([...SCHEMA, createItem(1), setItem(1, 0)]);
  await upToDate(sessions);
  for (let round = 0; round < 3; round++) {
    const stopped = server.close();
    for (let step = 0; step < 50; step++) {
      for (const { replica } of devices) replica.write([addOne]);
      await sleep(1);
    }
    await stopped;
    server = await startTestServer({ development: true, dataDirectory, port });
    for (const { replica } of devices) replica.write([addOne]);
  }
  await upToDate(sessions);
  for (const { replica } of devices) expect(numbers(replica)).toEqual({ 1: String(2 * 3 * 51) });
});

test('twenty thousand objects go up and come down', async () => {
  const server = await startTestServer({ development: true });
  const up = await connectClient(server.url);
  const replica = up.store.replica('/many');
  const session = up.client.open(replica);
  replica.write(SCHEMA);
  for (let start = 0; start < 20_000; start += 500) {
    const ids = Array.from({ length: 500 }, (_, at) => start + at);
    replica.write(ids.flatMap((id) => [createItem(id), setItem(id, id * 3)]));
  }
  await session.uploadCompletion();
  expect(replica.hasUnsynced()).toBe(false);
  const down = await connectClient(server.url);
  const copy = down.store.replica('/many');
  await down.client.open(copy).downloadCompletion();
  expect(copy.count('Item')).toBe(20_000);
  for (const id of [0, 777, 19_999])
    expect(copy.object('Item', key(id))?.fields.get('n')).toEqual({ type: 'int', value: BigInt(id * 3) });
});

test('a realm that writes while others fill the connection is uploaded, too', async () => {
  const server = await startTestServer({ development: true });
  const sockets: Socket[] = [];
  const way = createServer((from) => {
    const to = connect(server.port, '127.0.0.1');
    from.pipe(to).pipe(from);
    for (const socket of [from, to]) sockets.push(socket.on('error', () => {}));
  });
  way.listen(0, '127.0.0.1');
  await once(way, 'listening');
  onTestFinished(async () => {
    for (const socket of sockets) socket.destroy();
    await new Promise((resolve) => way.close(resolve));
  });
  const address = way.address();
  const { client, store } = await connectClient(server.url);
  const user = client.user.at(`http://127.0.0.1:${typeof address === 'object' ? address?.port : 0}`);
  const narrow = new SyncClient({ user, logger: silentLogger });
  onTestFinished(() => narrow.close());
  const replicas = Array.from({ length: 7 }, (_, at) => store.replica(`/r${at}`));
  for (const replica of replicas) replica.write([...SCHEMA, NOTE]);
  // A location that names the server itself would lead past the way.
  vi.spyOn(user.app, 'syncUrl').mockImplementation(async (token) =>
    (await client.user.app.syncUrl(token)).replace(`:${server.port}`, `:${new URL(user.app.baseUrl).port}`),
  );
  const sessions = replicas.map((replica) => narrow.open(replica));
  await upToDate(sessions);
  for (const socket of sockets) socket.unpipe();
  for (const socket of sockets) socket.pause();
  for (const replica of replicas.slice(0, -1)) {
    for (let id = 0; id < 8; id++) replica.write([createItem(id), note(id, randomBytes(1024 * 1024))]);
    await sleep(20);
  }
  await sleep(300); // all that fits has been sent
  replicas.at(-1)!.write([createItem(1)]);
  await sleep(50);
  for (let at = 0; at < sockets.length; at += 2) sockets[at]!.pipe(sockets[at + 1]!).pipe(sockets[at]!);
  for (const session of sessions) await session.uploadCompletion();
});

test('a program that has closed its client ends by itself', async () => {
  const server = await startTestServer({ development: true });
  const child = program('syncing-program', server.url, temporaryDirectory());
  child.stdout.resume();
  expect(await once(child, 'exit')).toEqual([0, null]);
});

test('clients whose server was put back to an older backup keep what it never had, and meet again', async () => {
  const dataDirectory = temporaryDirectory();
  const backup = temporaryDirectory();
  const first = await startTestServer({ development: true, dataDirectory });
  const { port } = first;
  const resets = new Map<string, number>();
  const devices = await Promise.all(
    ['a', 'b'].map(async (name) => {
      const logger = {
        ...silentLogger,
        warn: (message: string) => {
          if (message === 'Client reset') resets.set(name, (resets.get(name) ?? 0) + 1);
        },
      };
      const { client, store } = await connectClient(first.url, { logger });
      const replica = store.replica('/r');
      return { replica, session: client.open(replica) };
    }),
  );
  const [a, b] = devices;
  const sessions = devices.map(({ session }) => session);
  a!.replica.write([...SCHEMA, createItem(1), setItem(1, 1)]);
  await upToDate(sessions);
  await first.close();
  cpSync(dataDirectory, backup, { recursive: true });

  const second = await startTestServer({ development: true, dataDirectory, port });
  a!.replica.write([createItem(2), setItem(2, 2)]);
  b!.replica.write([setItem(1, 10)]);
  await upToDate(sessions);
  await second.close();
  a!.replica.write([createItem(3), setItem(3, 3)]); // unsynced
  b!.replica.write([createItem(4), setItem(4, 4)]);
  rmSync(dataDirectory, { recursive: true });
  cpSync(backup, dataDirectory, { recursive: true });

  await startTestServer({ development: true, dataDirectory, port });
  await expect.poll(() => [a!.replica.generation, b!.replica.generation]).toEqual([1, 1]);
  await upToDate(sessions);
  expect(numbers(a!.replica)).toEqual({ 1: '1', 3: '3', 4: '4' });
  expect(numbers(b!.replica)).toEqual(numbers(a!.replica));
  a!.replica.write([setItem(4, 44)]);
  await upToDate(sessions);
  expect(numbers(b!.replica)).toEqual({ 1: '1', 3: '3', 4: '44' });
  expect([...resets.values()]).toEqual([1, 1]);
});

test('a client reset that is killed at any point loses and doubles nothing', async () => {
  const seed = testSeed();
  const random = new Random(seed);
  const directory = temporaryDirectory();
  const first = await startTestServer({ development: true });
  const before = await connectClient(first.url, { directory });
  const replica = before.store.replica('/r');
  replica.write([...SCHEMA, createItem(1), setItem(1, 0)]);
  await before.client.open(replica).uploadCompletion();
  await before.client.close();
  for (let step = 0; step < 400; step++) replica.write([createItem(step + 10), addOne]);
  before.store.close();
  await first.close();

  const second = await startTestServer({ development: true });
  const other = await connectClient(second.url);
  const theirs = other.store.replica('/r');
  theirs.write([...SCHEMA, createItem(1), setItem(1, 1000)]);
  theirs.write(Array.from({ length: 3000 }, (_, at) => createItem(at + 10_000)));
  const session = other.client.open(theirs);
  await session.uploadCompletion();
  let kills = 0;
  for (let isUpToDate = false; !isUpToDate; ) {
    const child = program('resetting-program', second.url, directory);
    const exited = once(child, 'exit');
    for await (const line of createInterface({ input: child.stdout })) {
      if (line === 'up to date') isUpToDate = true;
      else if (kills < 6) {
        await sleep(random.below(40));
        kills += 1;
        child.kill('SIGKILL');
      }
    }
    await exited;
  }
  expect(kills, `seed ${seed}`).toBeGreaterThan(1);
  await session.downloadCompletion();
  expect(theirs.count('Item'), `seed ${seed}`).toBe(3401);
  expect(numbers(theirs)['1'], `seed ${seed}`).toBe('1400');
});

test('garbage from a server harms no client', async () => {
  const seed = testSeed();
  const random = new Random(seed);
  const server = await ScriptedServer.start();
  const { client, store } = await connectClient(server.url);
  const replica = store.replica('/r');
  replica.write([...SCHEMA, createItem(1)]);
  const ended: unknown[] = [];
  client.open(replica, { onFailed: (error) => ended.push(error) });
  const samples = [
    'ident 1 2 7\n',
    'download 1 1 0 1 5 0 0 0 0 9 0\n1 0 0 9 0 0 ',
    'download 1 9 9 9 9 9 9 9 1 100 3\nx\x01\x02',
    'mark 1 1\n',
    'unbound 1\n',
    'error 101 2 1 0\nno',
    'json_error 200 2 1\n{}',
    'log_message 0 2\n{}',
    'pong 1\n',
  ];
  for (let round = 0; round < 60; round++) {
    const connection = await server.connection();
    const bytes = Buffer.from(random.pick(samples), 'latin1');
    for (let change = random.below(4); change > 0; change--) {
      bytes[random.below(bytes.length)] = random.below(256);
    }
    connection.socket.send(random.chance(0.2) ? bytes.subarray(0, random.below(bytes.length)) : bytes);
    connection.socket.send(Buffer.from('no message at all\n'));
    await connection.closed;
    if (ended.length > 0) break; // a mutation said that there is no hope, and the client must believe it
  }
  expect(numbers(replica), `seed ${seed}`).toEqual({ 1: '0' });
  expect(replica.hasUnsynced(), `seed ${seed}`).toBe(true);
  replica.write([setItem(1, 5)]);
  expect(numbers(replica)).toEqual({ 1: '5' });
});
