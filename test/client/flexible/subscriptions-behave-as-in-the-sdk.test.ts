import { describe, expect, test } from 'vitest';
import { ObjectRealm } from '../../../src/client/realm/object-realm.ts';
import { openStore } from '../../store/replica/items.ts';
import { openMemoryRealm } from '../realm/memory-realm.ts';
import { ITEM } from './flexible-realm.ts';

const PERSON = { name: 'Person', primaryKey: '_id', properties: { _id: 'int', inner: 'Inner?' } };
const INNER = { name: 'Inner', embedded: true, properties: { n: 'int' } };
const EVENT = { name: 'Event', asymmetric: true, primaryKey: '_id', properties: { _id: 'int' } };

function open() {
  const replica = openStore().flexibleReplica();
  let time = 1000;
  const ended = new AbortController();
  const realm = new ObjectRealm({
    reader: replica,
    write: (instructions) => replica.write(instructions),
    schema: [ITEM, PERSON, INNER, EVENT],
    subscriptions: { replica, ended: ended.signal, now: () => time++ },
  });
  return { realm, replica, ended };
}

describe('a set', () => {
  test('holds what was added, by name or by query', () => {
    const { realm } = open();
    const { subscriptions } = realm;
    expect(subscriptions).toMatchObject({ version: 0, isEmpty: true, state: 'pending', error: null });
    const large = realm.objects('Item').filtered('n > $0', 5);
    subscriptions.updateNoWait((subs) => {
      const first = subs.add(large);
      expect(first).toMatchObject({ name: null, objectType: 'Item', queryString: 'n > 5' });
      subs.add(large, { name: 'large' });
      subs.add(realm.objects('Person'));
      expect(subs.length).toBe(3);
    });
    expect(subscriptions).toMatchObject({ version: 1, length: 3, state: 'pending' });
    expect(realm.subscriptions.version).toBe(1);
    expect([...subscriptions].map(({ queryString }) => queryString)).toEqual([
      'n > 5',
      'n > 5',
      'TRUEPREDICATE',
    ]);
    expect(subscriptions.findByName('large')).toMatchObject({ objectType: 'Item' });
    expect(subscriptions.findByName('small')).toBeNull();
    expect(subscriptions.findByQuery(realm.objects('Item').filtered('n>5'))).toMatchObject({ name: null });
    expect(subscriptions.exists(realm.objects('Item'))).toBe(false);
    expect(subscriptions.at(-1)).toMatchObject({ objectType: 'Person' });
  });

  test('keeps id and creation of a subscription that is added again', () => {
    const { realm } = open();
    const add = (query: string, options = {}) =>
      realm.subscriptions.updateNoWait((subs) =>
        subs.add(realm.objects('Item').filtered(query), { name: 'mine', ...options }),
      );
    add('n > 1');
    const before = realm.subscriptions.findByName('mine')!;
    add('n > 2');
    const after = realm.subscriptions.findByName('mine')!;
    expect(after).toMatchObject({ id: before.id, createdAt: before.createdAt, queryString: 'n > 2' });
    expect(after.updatedAt.getTime()).toBeGreaterThan(before.updatedAt.getTime());
    expect(() => add('n > 3', { updateExisting: false })).toThrow(/'mine' exists/);
    expect(() => add('n > 3', { throwOnUpdate: true })).toThrow(/'mine' exists/);
    add('n > 2', { throwOnUpdate: true });
    expect(realm.subscriptions.version).toBe(3);
  });

  test('lets subscriptions be removed in every way', () => {
    const { realm } = open();
    const items = (n: number) => realm.objects('Item').filtered('n == $0', n);
    realm.subscriptions.updateNoWait((subs) => {
      for (let n = 0; n < 5; n++) subs.add(items(n));
      subs.add(realm.objects('Person'), { name: 'people' });
      subs.add(realm.objects('Item'), { name: 'all' });
    });
    realm.subscriptions.updateNoWait((subs) => {
      expect(subs.remove(items(1))).toBe(true);
      expect(subs.remove(items(1))).toBe(false);
      // The last one takes its place.
      expect(subs.at(1)?.name).toBe('all');
      expect(subs.removeSubscription(subs.at(0)!)).toBe(true);
      expect(subs.removeByName('people')).toBe(true);
      expect(subs.removeByName('people')).toBe(false);
      expect(subs.removeUnnamed()).toBe(3);
      expect([...subs].map(({ name }) => name)).toEqual(['all']);
      expect(subs.removeByObjectType('Item')).toBe(1);
      expect(subs.removeAll()).toBe(0);
    });
    expect(realm.subscriptions.isEmpty).toBe(true);
  });

  test('refuses what is no plain query of this realm', () => {
    const { realm } = open();
    const { subscriptions } = realm;
    const other = openMemoryRealm([ITEM]).realm;
    expect(() => subscriptions.updateNoWait((subs) => subs.add(other.objects('Item')))).toThrow(/this realm/);
    expect(() => subscriptions.updateNoWait((subs) => subs.add(realm.objects('Item').sorted('n')))).toThrow(
      /plain query/,
    );
    expect(realm.subscriptions.version).toBe(0);
    expect(() => other.subscriptions).toThrow(/flexible/);
    const chained = realm.objects('Item').filtered('n > 1').filtered('n < 9 OR text == null');
    subscriptions.updateNoWait((subs) => subs.add(chained));
    const text = subscriptions.at(0)?.queryString ?? '';
    expect(realm.objects('Item').filtered(text).subscriptionQuery()).toBe(text);
  });

  test('is superseded when a newer one is there, which those who wait are content with', async () => {
    const { realm, replica, ended } = open();
    replica.assignIdentity(2, 3n);
    const old = realm.subscriptions;
    old.updateNoWait((subs) => subs.add(realm.objects('Item')));
    const waiting = old.waitForSynchronization();
    realm.subscriptions.updateNoWait((subs) => subs.add(realm.objects('Person')));
    replica.flexible.storeBatch({
      queryVersion: 2,
      isLast: true,
      entries: [
        {
          serverVersion: 1,
          clientVersion: 0,
          timestamp: 1,
          originFileIdent: 1,
          originalSize: 0,
          changeset: new Uint8Array(0),
        },
      ],
      cursor: { serverVersion: 1, clientVersion: 0 },
      latest: { version: 1, salt: 1n },
      uploadCursor: { clientVersion: 0, serverVersion: 0 },
      downloadableBytes: 0,
    });
    replica.flexible.applyBootstrap();
    await waiting;
    expect(old.state).toBe('superseded');
    const later = realm.subscriptions.waitForSynchronization();
    ended.abort(new Error('the session has ended'));
    await expect(later).rejects.toThrow('the session has ended');
  });
});

describe('results', () => {
  test('subscribe once, with or without waiting, and unsubscribe', async () => {
    const { realm } = open();
    const items = realm.objects('Item').filtered('n > 1');
    await items.subscribe({ behavior: 'never' });
    expect(realm.subscriptions).toMatchObject({ version: 1, length: 1 });
    // The subscription is there, so that the second time nobody waits.
    const again = await realm.objects('Item').filtered('n > 1').subscribe();
    expect(again[0]).toBeUndefined();
    expect(realm.subscriptions.version).toBe(1);
    await items.subscribe({ behavior: 'always', timeout: 5 });
    await items.subscribe({ behavior: 'never', name: 'named' });
    expect(realm.subscriptions).toMatchObject({ version: 2, length: 2 });
    items.unsubscribe();
    expect([...realm.subscriptions].map(({ name }) => name)).toEqual([null]);
    again.unsubscribe();
    again.unsubscribe();
    expect(realm.subscriptions).toMatchObject({ version: 4, isEmpty: true });
  });
});

describe('writes', () => {
  test('need a subscription to the class, except of embedded and asymmetric ones', () => {
    const { realm, replica } = open();
    const { version } = replica;
    expect(() => realm.write(() => realm.create('Item', { _id: 1 }))).toThrow(/class Item.*no subscription/);
    expect(replica.version).toBe(version);
    realm.write(() => realm.create('Event', { _id: 1 }));
    realm.subscriptions.updateNoWait((subs) => subs.add(realm.objects('Person').filtered('_id > 5')));
    realm.write(() => realm.create('Person', { _id: 1, inner: { n: 1 } }));
    realm.subscriptions.updateNoWait((subs) => subs.removeAll());
    const person = realm.objectForPrimaryKey('Person', 1)!;
    expect(() => realm.write(() => realm.delete(person))).toThrow(/class Person/);
    expect(person.isValid()).toBe(true);
  });
});
