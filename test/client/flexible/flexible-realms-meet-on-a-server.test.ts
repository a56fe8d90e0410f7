import { expect, test } from 'vitest';
import type { Instruction } from '../../../src/changeset/instruction.ts';
import type { CompensatingWriteError } from '../../../src/client/flexible/compensating-write.ts';
import { ObjectRealm } from '../../../src/client/realm/object-realm.ts';
import { ADMIN, startTestServer } from '../../server/support/test-server.ts';
import { temporaryDirectory } from '../../store/server/temporary-directory.ts';
import { ITEM, type Item, idsOf, openFlexible } from './flexible-realm.ts';

test('each realm holds what it has subscribed to, and follows what others write', async () => {
  const server = await startTestServer({ development: true, flexibleSync: {} });
  const author = await openFlexible(server.url);
  await author.realm.subscriptions.update((subs) => subs.add(author.realm.objects('Item')));
  author.realm.write(() => {
    for (let id = 1; id <= 6; id++) author.realm.create('Item', { _id: id, n: id });
  });
  await author.session.uploadCompletion();

  const reader = await openFlexible(server.url);
  const large = reader.realm.objects<Item>('Item').filtered('n > $0', 3);
  await large.subscribe({ name: 'large' });
  expect(idsOf(reader)).toEqual([4, 5, 6]);
  expect(reader.realm.subscriptions.state).toBe('complete');

  author.realm.write(() => {
    author.realm.objectForPrimaryKey<Item>('Item', 1)!.n = 10;
    author.realm.objectForPrimaryKey<Item>('Item', 6)!.n = 0;
  });
  reader.realm.write(() => {
    reader.realm.objectForPrimaryKey<Item>('Item', 4)!.text = 'from the reader';
  });
  await Promise.all([author.session.uploadCompletion(), reader.session.uploadCompletion()]);
  await Promise.all([author.session.downloadCompletion(), reader.session.downloadCompletion()]);
  expect(idsOf(reader)).toEqual([1, 4, 5]);
  expect(author.realm.objectForPrimaryKey<Item>('Item', 4)?.text).toBe('from the reader');

  await reader.realm.subscriptions.update((subs) => subs.removeByName('large'));
  expect(idsOf(reader)).toEqual([]);
});

test('a write outside the subscription is undone and told', async () => {
  const server = await startTestServer({ development: true, flexibleSync: {} });
  const told: CompensatingWriteError[] = [];
  const { realm, session } = await openFlexible(server.url, {
    onCompensatingWrite: (error) => told.push(error),
  });
  await realm.subscriptions.update((subs) => subs.add(realm.objects('Item').filtered('n > 3')));
  realm.write(() => realm.create('Item', { _id: 1, n: 1 }));
  realm.write(() => realm.create('Item', { _id: 2, n: 5 }));
  await session.uploadCompletion();
  await session.downloadCompletion();
  expect(idsOf({ realm })).toEqual([2]);
  expect(told).toMatchObject([{ rejected: [{ table: 'Item', key: { type: 'int', value: 1n } }] }]);
});

test('what one erases is gone for another who, without seeing it, has made it anew at the same time', async () => {
  const server = await startTestServer({ development: true, flexibleSync: {} });
  const author = await openFlexible(server.url);
  await author.realm.subscriptions.update((subs) => subs.add(author.realm.objects('Item')));
  author.realm.write(() => author.realm.create('Item', { _id: 1, n: 1 }));
  await author.session.uploadCompletion();
  const directory = temporaryDirectory();
  const credentials = { provider: 'local-userpass', username: ADMIN.user, password: ADMIN.password } as const;
  const reader = await openFlexible(server.url, { directory, credentials });
  await reader.realm.subscriptions.update((subs) => subs.add(reader.realm.objects('Item').filtered('n > 3')));
  await reader.close();
  const replica = reader.store.flexibleReplica();
  const write = (instructions: readonly Instruction[]) => replica.write(instructions);
  const offline = new ObjectRealm({ reader: replica, write, schema: [ITEM] });
  offline.write(() => offline.create('Item', { _id: 1, n: 6 }));
  await reader.client.close();
  reader.store.close();
  author.realm.write(() => author.realm.deleteAll());
  await author.session.uploadCompletion();

  const again = await openFlexible(server.url, { directory, credentials });
  expect(idsOf(again)).toEqual([1]);
  await again.session.uploadCompletion();
  await again.session.downloadCompletion();
  await author.session.downloadCompletion();
  expect([idsOf(again), idsOf(author)]).toEqual([[], []]);
});

test('a query that the server refuses leaves the set before it', async () => {
  const server = await startTestServer({ development: true, flexibleSync: {} });
  const { realm, store } = await openFlexible(server.url);
  await realm.subscriptions.update((subs) => subs.add(realm.objects('Item')));
  realm.write(() => realm.create('Item', { _id: 1 }));
  const { subscriptions } = realm;
  const now = Date.now();
  const bad = { id: '0'.repeat(24), name: undefined, table: 'Nothing', createdAt: now, updatedAt: now };
  store.flexibleReplica().flexible.subscribe([{ ...bad, query: 'no = = query' }]);
  await expect(realm.subscriptions.waitForSynchronization()).rejects.toMatchObject({ code: 'subscription' });
  expect(realm.subscriptions).toMatchObject({ version: 2, state: 'error' });
  expect(realm.subscriptions.error).not.toBe('');
  expect(subscriptions.state).toBe('complete');
  expect(idsOf({ realm })).toEqual([1]);
  await realm.subscriptions.update((subs) => {
    subs.removeAll();
    subs.add(realm.objects('Item'));
  });
  expect(idsOf({ realm })).toEqual([1]);
});

test('after a reset by a server set up anew, subscriptions and unsynced writes are there', async () => {
  const first = await startTestServer({ development: true, flexibleSync: {} });
  const directory = temporaryDirectory();
  const before = await openFlexible(first.url, { directory });
  const large = before.realm.objects('Item').filtered('n >= 5');
  await before.realm.subscriptions.update((subs) => subs.add(large));
  before.realm.write(() => before.realm.create('Item', { _id: 5, n: 5 }));
  await before.session.uploadCompletion();
  await first.close();
  before.realm.write(() => before.realm.create('Item', { _id: 7, n: 7 }));
  before.realm.subscriptions.updateNoWait((subs) =>
    subs.add(before.realm.objects('Item').filtered('n == 1'), { name: 'one' }),
  );
  before.realm.write(() => before.realm.create('Item', { _id: 2, n: 1 }));
  await before.close();
  before.store.close();

  const second = await startTestServer({ development: true, flexibleSync: {} });
  const author = await openFlexible(second.url);
  await author.realm.subscriptions.update((subs) => subs.add(author.realm.objects('Item')));
  author.realm.write(() => {
    for (const id of [1, 8, 9]) author.realm.create('Item', { _id: id, n: id });
  });
  await author.session.uploadCompletion();

  const told: unknown[] = [];
  const after = await openFlexible(second.url, {
    directory,
    onCompensatingWrite: (error) => told.push(error),
  });
  await after.realm.subscriptions.waitForSynchronization();
  await after.session.uploadCompletion();
  await after.session.downloadCompletion();
  expect(idsOf(after)).toEqual([1, 2, 7, 8, 9]);
  expect(after.realm.subscriptions).toMatchObject({ version: 2, length: 2, state: 'complete' });
  expect(told).toEqual([]);
  await author.session.downloadCompletion();
  expect(idsOf(author)).toEqual([1, 2, 7, 8, 9]);
});
