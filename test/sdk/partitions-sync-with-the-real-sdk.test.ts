/** Partition-based sync of unmodified apps: the SDK's own process against our server. */
import { cpSync, rmSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { announceMissingSdk, eventually, fleet, SDK, startAgain } from './fleet.ts';

announceMissingSdk('partition sync', 7);
const OPEN = { name: 'shared', partition: 'shared' };

describe.skipIf(SDK === undefined)('the real SDK, partition by partition', () => {
  test('objects of every kind of property reach another device unchanged', async () => {
    const { device } = await fleet();
    const [one, other] = [await device(), await device()];
    await one.ask('open', OPEN);
    await one.ask('write', {
      name: 'shared',
      changes: [
        { change: 'create', table: 'Task', values: { _id: 1, title: 'first', tags: ['a', 'b'] } },
        {
          change: 'create',
          table: 'Task',
          values: {
            _id: 2,
            title: 'second',
            done: true,
            due: new Date(1_700_000_000_123),
            ratio: 0.1,
            anything: { nested: [1, 'two', { three: 3 }] },
            counts: { x: 1 },
            place: { street: 'Main', city: 'Here' },
            places: [{ city: 'There' }],
            parent: { link: ['Task', 1] },
          },
        },
        { change: 'add', table: 'Task', key: 2, field: 'labels', value: 'red' },
      ],
    });
    await one.ask('sync', { name: 'shared' });
    await other.ask('open', OPEN);
    await other.ask('sync', { name: 'shared' });
    const [mine, theirs] = await Promise.all(
      [one, other].map((side) => side.ask('read', { name: 'shared', table: 'Task' })),
    );
    expect(theirs).toEqual(mine);
    expect(theirs).toMatchObject([
      { _id: 1, tags: ['a', 'b'] },
      {
        _id: 2,
        anything: { nested: [1, 'two', { three: 3 }] },
        labels: ['red'],
        place: { street: 'Main', city: 'Here' },
        parent: { link: 1 },
      },
    ]);
    for (const side of [one, other]) expect(await side.ask('reports')).toEqual([]);
  });

  test('what two devices did offline merges to the same on both', async () => {
    const { device } = await fleet();
    const [one, other] = [await device(), await device()];
    await one.ask('open', OPEN);
    await one.ask('write', {
      name: 'shared',
      changes: [{ change: 'create', table: 'Task', values: { _id: 1, tags: ['x'] } }],
    });
    await one.ask('sync', { name: 'shared' });
    await other.ask('open', OPEN);
    await other.ask('sync', { name: 'shared' });
    for (const [side, mark] of [
      [one, 'one'],
      [other, 'other'],
    ] as const) {
      await side.ask('pause', { name: 'shared' });
      await side.ask('write', {
        name: 'shared',
        changes: [
          { change: 'push', table: 'Task', key: 1, field: 'tags', value: mark },
          { change: 'set', table: 'Task', key: 1, values: { title: mark } },
        ],
      });
    }
    for (const side of [one, other]) {
      await side.ask('resume', { name: 'shared' });
      await side.ask('sync', { name: 'shared' });
    }
    await one.ask('sync', { name: 'shared' });
    const states = await Promise.all(
      [one, other].map((side) => side.ask('read', { name: 'shared', table: 'Task' })),
    );
    expect(states[0]).toEqual(states[1]);
    expect(states[0]).toMatchObject([
      { title: 'other', tags: expect.arrayContaining(['x', 'one', 'other']) },
    ]);
  });

  test('every type of partition value has its own realm', async () => {
    const { device } = await fleet();
    const one = await device();
    const partitions = ['5', 5, null];
    for (const [index, partition] of partitions.entries()) {
      const name = `p${index}`;
      await one.ask('open', { name, partition });
      await one.ask('write', {
        name,
        changes: [{ change: 'create', table: 'Task', values: { _id: index } }],
      });
      await one.ask('sync', { name });
    }
    const other = await device();
    for (const [index, partition] of partitions.entries()) {
      const name = `p${index}`;
      await other.ask('open', { name, partition });
      expect(await other.ask('read', { name, table: 'Task' })).toMatchObject([{ _id: index }]);
    }
  });

  test('the app goes on after a restart of the server, and after its own death', async () => {
    const { server, bare } = await fleet();
    const one = await bare();
    await one.ask('logIn', { provider: 'anon-user' });
    await one.ask('open', OPEN);
    await one.ask('sync', { name: 'shared' });
    await server.close();
    await one.ask('write', {
      name: 'shared',
      changes: [{ change: 'create', table: 'Task', values: { _id: 7 } }],
    });
    await one.kill();
    await startAgain(server);
    const again = await bare(one.folder);
    expect(await again.ask('state')).toMatchObject({ loggedIn: true });
    await again.ask('open', { ...OPEN, behaviour: 'openImmediately' });
    await again.ask('sync', { name: 'shared' });
    expect(await again.ask('read', { name: 'shared', table: 'Task' })).toMatchObject([{ _id: 7 }]);
  });

  test.each(['recoverUnsyncedChanges', 'discardUnsyncedChanges', 'recoverOrDiscardUnsyncedChanges'])(
    'a realm whose server came back from an older backup is reset as the app chose: %s',
    async (mode) => {
      const { server, device } = await fleet();
      const one = await device();
      const create = (id: number): Promise<unknown> =>
        one.ask('write', {
          name: 'shared',
          changes: [{ change: 'create', table: 'Task', values: { _id: id } }],
        });
      await one.ask('open', { ...OPEN, reset: mode });
      await create(1);
      await one.ask('sync', { name: 'shared' });
      await server.close();
      cpSync(`${server.dataDirectory}/realms`, `${server.dataDirectory}/backup`, { recursive: true });
      const between = await startAgain(server);
      await create(2);
      await one.ask('sync', { name: 'shared' });
      await one.ask('pause', { name: 'shared' });
      await create(3);
      await between.close();
      rmSync(`${server.dataDirectory}/realms`, { recursive: true });
      cpSync(`${server.dataDirectory}/backup`, `${server.dataDirectory}/realms`, { recursive: true });
      await startAgain(server);
      await one.ask('resume', { name: 'shared' });
      const kept = mode === 'discardUnsyncedChanges' ? [1] : [1, 3];
      await eventually(async () => {
        const tasks = await one.ask('read', { name: 'shared', table: 'Task' });
        expect(tasks).toEqual(kept.map((id) => expect.objectContaining({ _id: id })));
      });
      await one.ask('sync', { name: 'shared' });
      const other = await device();
      await other.ask('open', OPEN);
      expect(await other.ask('read', { name: 'shared', table: 'Task' })).toMatchObject(
        kept.map((id) => ({ _id: id })),
      );
      expect(await one.ask('reports')).not.toContainEqual(expect.objectContaining({ kind: 'error' }));
    },
  );
});
