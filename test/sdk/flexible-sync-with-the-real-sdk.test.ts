/** Flexible sync of unmodified apps: the SDK's own process against our server. */
import { cpSync, rmSync } from 'node:fs';
import { ObjectId } from 'bson';
import { describe, expect, test } from 'vitest';
import type { Device } from './device.ts';
import { announceMissingSdk, eventually, fleet, SDK, startAgain } from './fleet.ts';

announceMissingSdk('flexible sync', 17);
const OPEN = { name: 'flexible', flexible: true };
const NAME = 'flexible';

/** Opens the flexible realm with subscriptions, each `[class, query?, name?]`. */
async function open(device: Device, ...add: readonly (readonly (string | undefined)[])[]): Promise<void> {
  await device.ask('open', OPEN);
  if (add.length > 0) expect(await subscribe(device, ...add)).toMatchObject({ state: 'complete' });
}

function subscribe(device: Device, ...add: readonly (readonly (string | undefined)[])[]): Promise<unknown> {
  return device.ask('subscribe', { name: NAME, add });
}

function write(device: Device, ...changes: readonly Readonly<Record<string, unknown>>[]): Promise<unknown> {
  return device.ask('write', { name: NAME, changes });
}

function task(id: number, values: Readonly<Record<string, unknown>> = {}): Readonly<Record<string, unknown>> {
  return { change: 'create', table: 'Task', values: { _id: id, ...values } };
}

function set(id: number, values: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> {
  return { change: 'set', table: 'Task', key: id, values };
}

async function ids(device: Device, table = 'Task'): Promise<unknown[]> {
  const objects = await device.ask('read', { name: NAME, table });
  return Array.isArray(objects) ? objects.map((object: { _id?: unknown }) => object._id) : [];
}

async function sync(...devices: readonly Device[]): Promise<void> {
  for (const device of devices) await device.ask('sync', { name: NAME });
}

async function noReports(...devices: readonly Device[]): Promise<void> {
  for (const device of devices) expect(await device.ask('reports')).toEqual([]);
}

describe.skipIf(SDK === undefined)('the real SDK, query by query', () => {
  test('a subscription to an empty realm completes', async () => {
    const { device } = await fleet();
    const one = await device();
    await open(one, ['Task'], ['Person'], ['Dog']);
    expect(await ids(one)).toEqual([]);
    await noReports(one);
  });

  test('objects of every kind of property arrive unchanged, and only those that match', async () => {
    const { device } = await fleet();
    const [one, other] = [await device(), await device()];
    await open(one, ['Task'], ['Person']);
    await write(
      one,
      task(1, { title: 'no' }),
      task(2, {
        title: 'yes',
        done: true,
        due: new Date(1_700_000_000_123),
        ratio: 0.1,
        anything: { nested: [1, 'two', { three: 3 }] },
        counts: { x: 1 },
        tags: ['a', 'b'],
        place: { street: 'Main', city: 'Here' },
        places: [{ city: 'There' }, { city: 'Elsewhere' }],
        parent: { link: ['Task', 1] },
      }),
      { change: 'add', table: 'Task', key: 2, field: 'labels', value: 'red' },
    );
    await sync(one);
    await open(other, ['Task', 'title == "yes"']);
    const [, mine] = (await one.ask('read', { name: NAME, table: 'Task' })) as unknown[];
    const theirs = await other.ask('read', { name: NAME, table: 'Task' });
    // The parent does not match, so that the link leads nowhere on that device.
    expect(theirs).toEqual([{ ...(mine as object), parent: null }]);
    expect(await subscribe(other, ['Task', '_id == 1'])).toMatchObject({ state: 'complete' });
    expect(await other.ask('read', { name: NAME, table: 'Task', query: '_id == 2' })).toEqual([mine]);
    await noReports(one, other);
  });

  test('changes flow live in both directions', async () => {
    const { device } = await fleet();
    const [one, other] = [await device(), await device()];
    await open(one, ['Task', 'priority > 3']);
    await open(other, ['Task', 'priority > 1']);
    await write(one, task(1, { priority: 5, tags: ['a'] }));
    await eventually(async () => expect(await ids(other)).toEqual([1]));
    await write(other, { change: 'insert', table: 'Task', key: 1, field: 'tags', index: 0, value: 'b' });
    await eventually(async () =>
      expect(await one.ask('read', { name: NAME, table: 'Task' })).toMatchObject([{ tags: ['b', 'a'] }]),
    );
    await noReports(one, other);
  });

  test('objects enter and leave a view as they change, also by the device’s own hand', async () => {
    const { device } = await fleet();
    const [one, other] = [await device(), await device()];
    await open(one, ['Task', 'priority > 3']);
    await open(other, ['Task']);
    await write(other, task(1, { priority: 5 }), task(2, { priority: 1 }));
    await sync(other);
    await eventually(async () => expect(await ids(one)).toEqual([1]));
    await write(other, set(1, { priority: 0 }), set(2, { priority: 9, title: 'in' }));
    await eventually(async () => expect(await ids(one)).toEqual([2]));
    await write(one, set(2, { priority: 2, title: 'out' }));
    await eventually(async () => expect(await ids(one)).toEqual([]));
    expect(await other.ask('read', { name: NAME, table: 'Task', query: '_id == 2' })).toMatchObject([
      { priority: 2, title: 'out' },
    ]);
    await noReports(one, other);
  });

  test('a change of subscriptions adds what matches now and removes what does not', async () => {
    const { device } = await fleet();
    const [one, other] = [await device(), await device()];
    await open(other, ['Task']);
    await write(other, ...[1, 2, 3, 4, 5].map((id) => task(id, { priority: id })));
    await sync(other);
    await open(one, ['Task', 'priority < 3', 'low']);
    expect(await ids(one)).toEqual([1, 2]);
    await subscribe(one, ['Task', 'priority > 4', 'high']);
    expect(await ids(one)).toEqual([1, 2, 5]);
    await one.ask('subscribe', { name: NAME, remove: ['low'] });
    await eventually(async () => expect(await ids(one)).toEqual([5]));
    await one.ask('subscribe', { name: NAME, removeAll: true });
    await eventually(async () => expect(await ids(one)).toEqual([]));
    await subscribe(one, ['Task']);
    expect(await ids(one)).toEqual([1, 2, 3, 4, 5]);
    await noReports(one, other);
  });

  test('subscriptions changed many times in a row end complete', async () => {
    const { device } = await fleet();
    const [one, other] = [await device(), await device()];
    await open(other, ['Task']);
    await write(other, { change: 'many', table: 'Task', from: 0, count: 3000, values: { title: 'x' } });
    await sync(other);
    await open(one);
    for (let limit = 1; limit <= 12; limit += 1) {
      await one.ask('subscribeLocally', { name: NAME, add: [['Task', `_id < ${limit * 200}`]] });
    }
    expect(await subscribe(one, ['Task', '_id >= 2900'])).toMatchObject({ state: 'complete' });
    expect(await one.ask('count', { name: NAME, table: 'Task' })).toBe(2500);
    await noReports(one, other);
  });

  test('a large bootstrap arrives whole', async () => {
    const { device } = await fleet();
    const [one, other] = [await device(), await device()];
    await open(other, ['Task']);
    const values = { title: 'a title of some length', tags: ['a', 'b', 'c'], place: { city: 'Here' } };
    for (let from = 0; from < 20_000; from += 5_000) {
      await write(other, { change: 'many', table: 'Task', from, count: 5_000, values });
    }
    await sync(other);
    await open(one, ['Task', '_id < 15000']);
    expect(await one.ask('count', { name: NAME, table: 'Task' })).toBe(15_000);
    await noReports(one, other);
  });

  test('writes made offline survive, and merge with what others did', async () => {
    const { device } = await fleet();
    const [one, other] = [await device(), await device()];
    await open(one, ['Task']);
    await open(other, ['Task']);
    await write(one, task(1, { tags: ['x'] }), task(2));
    await sync(one, other);
    await one.ask('pause', { name: NAME });
    await write(one, { change: 'push', table: 'Task', key: 1, field: 'tags', value: 'one' }, task(3));
    await write(
      other,
      { change: 'push', table: 'Task', key: 1, field: 'tags', value: 'other' },
      { change: 'erase', table: 'Task', key: 2 },
      task(4),
    );
    await sync(other);
    await one.ask('resume', { name: NAME });
    await sync(one, other);
    const states = await Promise.all(
      [one, other].map((side) => side.ask('read', { name: NAME, table: 'Task' })),
    );
    expect(states[0]).toEqual(states[1]);
    expect(await ids(one)).toEqual([1, 3, 4]);
    await noReports(one, other);
  });

  test('a write that leaves no trace of its object in the view is undone and reported', async () => {
    const { device } = await fleet();
    const one = await device();
    await open(one, ['Task', 'priority > 3']);
    await write(one, task(1, { priority: 1, tags: ['a'] }));
    await eventually(async () => {
      const reports = await one.ask('reports');
      expect(reports).toMatchObject([
        { kind: 'error', code: 1033, writes: [{ objectName: 'Task', primaryKey: 1 }] },
      ]);
    });
    await sync(one);
    expect(await ids(one)).toEqual([]);
    await write(one, task(2, { priority: 7 }));
    await sync(one);
    expect(await ids(one)).toEqual([2]);
    await noReports(one);
  });

  test('creating an object that exists outside the view is undone and reported', async () => {
    const { device } = await fleet();
    const [one, other] = [await device(), await device()];
    await open(other, ['Task']);
    await write(other, task(1, { priority: 1, title: 'theirs', tags: ['a', 'b'] }));
    await sync(other);
    await open(one, ['Task', 'priority > 3']);
    await write(one, task(1, { priority: 5, title: 'mine', tags: ['c'] }));
    await eventually(async () => {
      expect(await one.ask('reports')).toMatchObject([{ kind: 'error', writes: [{ primaryKey: 1 }] }]);
    });
    await sync(one, other);
    expect(await ids(one)).toEqual([]);
    expect(await other.ask('read', { name: NAME, table: 'Task' })).toMatchObject([
      { priority: 1, title: 'theirs', tags: ['a', 'b'] },
    ]);
  });

  test('a query that the server cannot judge fails alone', async () => {
    const { device } = await fleet();
    const one = await device();
    await open(one, ['Task']);
    await write(one, task(1));
    await sync(one);
    await expect(
      subscribe(one, ['Task', 'spot GEOWITHIN geoCircle([1.0, 2.0], 0.5)', 'bad']),
    ).rejects.toThrow();
    expect(await one.ask('subscriptions', { name: NAME })).toMatchObject({ state: 'error' });
    expect(await ids(one)).toEqual([1]);
    expect(await one.ask('subscribe', { name: NAME, remove: ['bad'] })).toMatchObject({ state: 'complete' });
    await write(one, task(2));
    await sync(one);
    expect(await ids(one)).toEqual([1, 2]);
  });

  test('links lead to objects as far as they are in the view; queries follow them', async () => {
    const { device } = await fleet();
    const [one, other] = [await device(), await device()];
    const [ann, bob] = [new ObjectId(), new ObjectId()];
    await open(other, ['Person'], ['Dog']);
    await write(
      other,
      { change: 'create', table: 'Person', values: { _id: ann, name: 'Ann' } },
      { change: 'create', table: 'Person', values: { _id: bob, name: 'Bob' } },
    );
    const dog = (id: number, owner: ObjectId): Readonly<Record<string, unknown>> => ({
      change: 'create',
      table: 'Dog',
      values: { _id: id, name: `dog ${id}`, owner: { link: ['Person', owner] } },
    });
    await write(other, dog(1, ann), dog(2, bob));
    await sync(other);
    await open(one, ['Dog', 'owner.name == "Ann"']);
    expect(await one.ask('read', { name: NAME, table: 'Dog' })).toMatchObject([{ _id: 1, owner: null }]);
    await write(other, { change: 'set', table: 'Person', key: bob, values: { name: 'Ann' } });
    await eventually(async () => expect(await ids(one, 'Dog')).toEqual([1, 2]));
    await write(other, { change: 'set', table: 'Person', key: ann, values: { name: 'Eve' } });
    await eventually(async () => expect(await ids(one, 'Dog')).toEqual([2]));
    await subscribe(one, ['Person']);
    expect(await one.ask('read', { name: NAME, table: 'Dog' })).toMatchObject([
      { _id: 2, owner: { link: bob } },
    ]);
    await noReports(one, other);
  });

  test('asymmetric objects go up, and come down nowhere', async () => {
    const { device } = await fleet();
    const [one, other] = [await device(), await device()];
    await open(one, ['Task']);
    await write(one, {
      change: 'create',
      table: 'Reading',
      values: { _id: new ObjectId(), value: 1.5, taken: new Date(0) },
    });
    await sync(one);
    await open(other, ['Task']);
    await sync(other);
    await noReports(one, other);
  });

  test('the app goes on after a restart of the server, and after its own death', async () => {
    const { server, bare } = await fleet();
    const one = await bare();
    await one.ask('logIn', { provider: 'anon-user' });
    await open(one, ['Task']);
    await write(one, task(1));
    await sync(one);
    await server.close();
    await write(one, task(2));
    await one.kill();
    await startAgain(server);
    const again = await bare(one.folder);
    await again.ask('open', { ...OPEN, behaviour: 'openImmediately' });
    await sync(again);
    expect(await ids(again)).toEqual([1, 2]);
    await noReports(again);
  });

  test.each(['recoverUnsyncedChanges', 'discardUnsyncedChanges', 'recoverOrDiscardUnsyncedChanges'])(
    'a realm whose server came back from an older backup is reset as the app chose: %s',
    async (mode) => {
      const { server, device } = await fleet();
      const one = await device();
      await one.ask('open', { ...OPEN, reset: mode });
      await subscribe(one, ['Task']);
      await write(one, task(1));
      await sync(one);
      await server.close();
      cpSync(`${server.dataDirectory}/realms`, `${server.dataDirectory}/backup`, { recursive: true });
      const between = await startAgain(server);
      await write(one, task(2));
      await sync(one);
      await one.ask('pause', { name: NAME });
      await write(one, task(3));
      await between.close();
      rmSync(`${server.dataDirectory}/realms`, { recursive: true });
      cpSync(`${server.dataDirectory}/backup`, `${server.dataDirectory}/realms`, { recursive: true });
      await startAgain(server);
      await one.ask('resume', { name: NAME });
      const kept = mode === 'discardUnsyncedChanges' ? [1] : [1, 3];
      await eventually(async () => expect(await ids(one)).toEqual(kept));
      await sync(one);
      const other = await device();
      await open(other, ['Task']);
      expect(await ids(other)).toEqual(kept);
      expect(await one.ask('reports')).not.toContainEqual(expect.objectContaining({ kind: 'error' }));
    },
  );
});
