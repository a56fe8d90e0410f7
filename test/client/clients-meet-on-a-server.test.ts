/** Sync clients over a real server: what users of two devices and one network rely on. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { expect, onTestFinished, test } from 'vitest';
import type { Replica } from '../../src/store/replica/contract.ts';
import { ADMIN, startTestServer } from '../server/support/test-server.ts';
import { createItem, SCHEMA, setItem } from '../store/server/changes.ts';
import { temporaryDirectory } from '../store/server/temporary-directory.ts';
import { Random, testSeed } from '../support/random.ts';
import { connectClient } from './support/client.ts';

const key = (id: number) => ({ type: 'int', value: BigInt(id) }) as const;
const numbers = (replica: Replica): Record<string, string> =>
  Object.fromEntries(
    [...replica.objects('Item')].map(({ key: id, state }) => {
      const n = state.fields.get('n');
      return [id.type === 'int' ? String(id.value) : '?', n?.type === 'int' ? String(n.value) : '0'];
    }),
  );

/** A way to the server that can be cut. */
async function cuttableWay(
  port: number,
): Promise<{ url: string; cut: () => void; connections: () => number }> {
  const open = new Set<Socket>();
  let connections = 0;
  const way = createServer((from) => {
    connections += 1;
    const to = connect(port, '127.0.0.1');
    for (const [socket, other] of [[from, to] as const, [to, from] as const]) {
      open.add(socket);
      socket.on('error', () => other.destroy());
      socket.on('close', () => {
        open.delete(socket);
        other.destroy();
      });
      socket.pipe(other);
    }
  });
  way.listen(0, '127.0.0.1');
  await once(way, 'listening');
  const address = way.address();
  const cut = (): void => {
    for (const socket of open) socket.destroy();
  };
  onTestFinished(async () => {
    cut();
    await new Promise((resolve) => way.close(resolve));
  });
  return {
    url: `http://127.0.0.1:${typeof address === 'object' ? address?.port : 0}`,
    cut,
    connections: () => connections,
  };
}

test('two clients that write at the same time end with the same, while their connections are cut', async () => {
  const seed = testSeed();
  const random = new Random(seed);
  const server = await startTestServer({ development: true });
  const clients = await Promise.all(
    [1, 2].map(async () => {
      const way = await cuttableWay(server.port);
      const { client, store } = await connectClient(way.url);
      const replica = store.replica('/shared');
      replica.write(SCHEMA);
      return { way, replica, session: client.open(replica) };
    }),
  );
  for (let step = 0; step < 300; step++) {
    const { replica, way } = random.pick(clients);
    const id = random.below(20);
    const isNew = replica.object('Item', key(id)) === undefined;
    if (isNew) replica.write([createItem(id), setItem(id, step)]);
    else if (random.chance(0.1)) replica.write([{ op: 'EraseObject', table: 'Item', key: key(id) }]);
    else replica.write([setItem(id, step)]);
    if (step % 60 === 30) way.cut();
    if (random.chance(0.3)) await sleep(2);
  }
  for (const { session } of clients) await session.uploadCompletion();
  for (const { session } of clients) await session.downloadCompletion();
  const [a, b] = clients.map(({ replica }) => numbers(replica));
  expect(clients[0]!.way.connections() + clients[1]!.way.connections()).toBeGreaterThan(6);
  expect(Object.keys(a!).length).toBeGreaterThan(5);
  expect(a, `seed ${seed}`).toEqual(b);
});

test('what was written without a server is synced after the process was killed and started again', async () => {
  const server = await startTestServer({ development: true });
  const directory = temporaryDirectory();
  const program = fileURLToPath(new URL('./support/writing-client.ts', import.meta.url));
  const child = spawn(process.execPath, [program, directory], { stdio: ['ignore', 'pipe', 'inherit'] });
  let written = 0;
  for await (const line of createInterface({ input: child.stdout })) {
    written = Number(line);
    if (written >= 50) break;
  }
  child.kill('SIGKILL');
  await once(child, 'exit');

  const { client, store } = await connectClient(server.url, { directory });
  await client.open(store.replica('/kept')).uploadCompletion();
  const reader = await connectClient(server.url);
  const replica = reader.store.replica('/kept');
  await reader.client.open(replica).downloadCompletion();
  expect(replica.count('Item')).toBeGreaterThanOrEqual(written);
  expect(replica.object('Item', key(written))?.fields.get('n')).toEqual({
    type: 'int',
    value: BigInt(written),
  });
});

test('a client whose server was set up anew keeps what the new server has and what it never uploaded', async () => {
  const dataDirectory = temporaryDirectory();
  const first = await startTestServer({ development: true, dataDirectory });
  const directory = temporaryDirectory();
  const before = await connectClient(first.url, { directory });
  const replica = before.store.replica('/r');
  replica.write([...SCHEMA, createItem(1), setItem(1, 1)]);
  await before.client.open(replica).uploadCompletion();
  await before.client.close();
  replica.write([createItem(2), setItem(2, 2)]); // never uploaded
  before.store.close();
  await first.close();

  const second = await startTestServer({ development: true });
  const other = await connectClient(second.url);
  const theirs = other.store.replica('/r');
  theirs.write([...SCHEMA, createItem(3), setItem(3, 3)]);
  await other.client.open(theirs).uploadCompletion();

  const after = await connectClient(second.url, { directory });
  const again = after.store.replica('/r');
  const session = after.client.open(again);
  await session.uploadCompletion();
  await session.downloadCompletion();
  expect(numbers(again)).toEqual({ 2: '2', 3: '3' });
  await expect.poll(() => numbers(theirs)).toEqual({ 2: '2', 3: '3' });
  // And it goes on as any other client does.
  again.write([setItem(3, 33)]);
  theirs.write([setItem(2, 22)]);
  await expect.poll(() => numbers(theirs)).toEqual({ 2: '22', 3: '33' });
  await expect.poll(() => numbers(again)).toEqual({ 2: '22', 3: '33' });
});

test('users log in with a password, and are told what is wrong', async () => {
  const server = await startTestServer();
  const credentials = { provider: 'local-userpass', username: ADMIN.user, password: ADMIN.password } as const;
  const { client, store } = await connectClient(server.url.replace('http', 'realm'), { credentials });
  await client.open(store.replica('/__admin')).downloadCompletion();
  expect(store.replica('/__admin').schema.has('RealmFile')).toBe(true);
  await expect(
    connectClient(server.url, { credentials: { ...credentials, password: 'wrong' } }),
  ).rejects.toMatchObject({
    code: 'authentication-failed',
    status: 401,
    errorCode: 'InvalidPassword',
  });
  const dead = connectClient('http://127.0.0.1:1');
  await expect(dead).rejects.toMatchObject({ code: 'server-unreachable' });
  const stranger = await connectClient(server.url);
  const failed = new Promise((onFailed) =>
    stranger.client.open(stranger.store.replica('/__admin'), { onFailed }),
  );
  expect(await failed).toMatchObject({ protocolCode: 206, path: '/__admin' });
});

test('after logging out, the refresh token is worth nothing', async () => {
  const server = await startTestServer();
  const { client } = await connectClient(server.url);
  const token = client.user.accessToken;
  await client.user.refresh();
  expect(client.user.accessToken.split('.')).toHaveLength(3);
  expect(token).not.toBe('');
  await client.user.logOut();
  await expect(client.user.refresh()).rejects.toMatchObject({ code: 'authentication-failed' });
});
