/** Clients of partitions that were moved into the flexible realm, and of some that were moved back. */
import { expect, test } from 'vitest';
import type { SyncSessionError } from '../../src/client/client-errors.ts';
import type { ServerOptions } from '../../src/server/server-options.ts';
import { connectClient } from '../client/support/client.ts';
import { Api } from './support/api.ts';
import { create, FlexibleClient, flexibleProtocols, int, set, T_SCHEMA } from './support/flexible-client.ts';
import { type Frame, RawClient } from './support/raw-client.ts';
import { startTestServer } from './support/test-server.ts';

const MIGRATED = JSON.stringify({ migratedPartition: '"moved"', sessionReason: 0 });

async function start(options: Partial<ServerOptions> = {}) {
  const server = await startTestServer({
    development: true,
    flexibleSync: { migration: (path) => (path === '/moved' ? 'n > 1' : undefined) },
    ...options,
  });
  const { accessToken: token } = await new Api(server.url).anonymous();
  return { url: server.url, token };
}

/** The answer to a BIND. */
async function answer(client: RawClient, session: number, text: string): Promise<Frame> {
  client.send(`bind ${session} ${Buffer.byteLength(text)} 0 1 0`, text);
  return await client.nextOfAny();
}

const bodyOf = ({ body }: Frame): unknown => JSON.parse(body.toString());

test('a client of a partition that was moved goes over, and subscribes with the query that it is given', async () => {
  const address = await start();
  const author = await FlexibleClient.start(address);
  author.upload(T_SCHEMA);
  await author.acknowledged();
  await author.subscribe(1, { T: '(n > 0)' });
  author.upload([1, 2, 3].flatMap((id) => [create(id), set(id, 'n', int(id))]));
  await author.acknowledged();

  const before = await RawClient.connect(address);
  const refusal = await answer(before, 1, '"moved"');
  expect(refusal.fields.slice(0, 4)).toEqual(['json_error', '232', expect.any(String), '1']);
  expect(bodyOf(refusal)).toMatchObject({ action: 'MigrateToFLX', partitionQuery: 'n > 1', tryAgain: false });
  // Others on the same connection stay.
  await before.bindNew(2, '"stays"');

  const after = await FlexibleClient.connect(address);
  await after.bind(MIGRATED);
  await after.bootstrap(0);
  await after.subscribe(1, { T: 'n > 1' });
  expect(after.keys('T')).toEqual(['2', '3']);
  await after.settle();
});

test('a client goes back when its partition is not moved any more, and others on its connection stay', async () => {
  const address = await start();
  const client = await FlexibleClient.start(address);
  const refusal = await answer(client.raw, 2, JSON.stringify({ migratedPartition: '"stays"' }));
  expect(refusal.fields.slice(0, 4)).toEqual(['json_error', '234', expect.any(String), '2']);
  expect(bodyOf(refusal)).toMatchObject({ action: 'RevertToPBS', tryAgain: false });
  await client.settle();
});

test('where flexible sync was given up, those who had gone over go back, and others are told what to use', async () => {
  const address = await start({ flexibleSync: false });
  const protocols = flexibleProtocols();
  const migrated = await RawClient.connect({ ...address, protocols });
  const back = await answer(migrated, 1, MIGRATED);
  expect([back.fields[1], back.fields[3]]).toEqual(['234', '1']);
  expect(bodyOf(back)).toMatchObject({ action: 'RevertToPBS' });
  const never = await RawClient.connect({ ...address, protocols });
  const refusal = await answer(never, 1, '{"sessionReason":0}');
  expect([refusal.fields[1], refusal.fields[3]]).toEqual(['114', '0']);
});

test('a client that is too old to go over is refused for good', async () => {
  const address = await start();
  for (const version of [3, 8]) {
    const client = await RawClient.connect({ ...address, protocols: [`com.mongodb.realm-sync#${version}`] });
    const text = version < 8 ? '/moved' : '"moved"';
    const refusal = await answer(client, 1, text);
    expect([refusal.fields[1], refusal.fields.at(-1)]).toEqual(['206', expect.any(String)]);
  }
});

test.each(['', 'n >'])('a function that gives no query (%j) sends nobody over', async (query) => {
  const address = await start({ flexibleSync: { migration: () => query } });
  const client = await RawClient.connect(address);
  const refusal = await answer(client, 1, '"moved"');
  expect(refusal.fields[1]).toBe('201');
  expect(bodyOf(refusal)).toMatchObject({ action: 'Transient', tryAgain: true });
});

test('our client does not go over by itself: its session ends, once, and what it holds stays', async () => {
  const { url } = await start();
  const { client, store } = await connectClient(url);
  const { promise, resolve } = Promise.withResolvers<SyncSessionError>();
  const replica = store.replica('/moved');
  replica.write([...T_SCHEMA, create(1)]);
  client.open(replica, { onFailed: resolve });
  expect(await promise).toMatchObject({ code: 'sync-session-failed', protocolCode: 232 });
  expect(replica.count('T')).toBe(1);
  expect(replica.hasUnsynced()).toBe(true);
});
