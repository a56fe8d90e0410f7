import { expect, test } from 'vitest';
import { BadChangesetError } from '../../../src/changeset/codec.ts';
import { ReplicaLockedError, ReplicaStateError } from '../../../src/store/replica/errors.ts';
import { createItem, SCHEMA, setItem } from '../server/changes.ts';
import { temporaryDirectory } from '../server/temporary-directory.ts';
import { openStore } from './items.ts';

test('writes to several replicas and a mark commit together', () => {
  const directory = temporaryDirectory();
  const store = openStore({}, directory);
  store.transaction(() => {
    store.replica('/a').write([...SCHEMA, createItem(1)]);
    store.replica('/b').write([...SCHEMA, createItem(2)]);
    store.setMark('feed/position', '0/1A2B');
  });
  store.close();
  const reopened = openStore({}, directory);
  expect(reopened.paths()).toEqual(['/a', '/b']);
  expect(['/a', '/b'].map((path) => reopened.replica(path).count('Item'))).toEqual([1, 1]);
  expect(reopened.mark('feed/position')).toBe('0/1A2B');
});

test('a throw takes back every write, mark, class and new replica of its transaction', () => {
  const store = openStore();
  const a = store.replica('/a');
  a.write(SCHEMA);
  const heard: unknown[] = [];
  a.onCommit((change) => heard.push(change));
  const failure = new Error('no');
  expect(() =>
    store.transaction(() => {
      a.write([createItem(1), { op: 'AddTable', table: 'Other', kind: 'embedded' }]);
      store.replica('/new').write(SCHEMA);
      store.setMark('m', '1');
      throw failure;
    }),
  ).toThrow(failure);
  expect(a.version).toBe(2);
  expect(a.count('Item')).toBe(0);
  expect([...a.schema.keys()]).toEqual(['Item']);
  expect(store.mark('m')).toBeUndefined();
  expect(heard).toEqual([]);
  // Both replicas go on working, the one whose creation was taken back included.
  expect(store.replica('/new').schema.size).toBe(0);
  store.replica('/new').write([...SCHEMA, createItem(5)]);
  a.write([createItem(2)]);
  expect([a.count('Item'), store.replica('/new').count('Item')]).toEqual([1, 1]);
});

test('a write that does not apply changes nothing, and its transaction can go on', () => {
  const store = openStore();
  const replica = store.replica('/a');
  store.transaction(() => {
    replica.write(SCHEMA);
    replica.write([createItem(1)]);
    const bad = [createItem(2), setItem(1, 5), setItem(99, 1)];
    expect(() => replica.write(bad)).toThrow(BadChangesetError);
    replica.write([createItem(3), setItem(1, 7)]);
  });
  expect([...replica.objects('Item')].map(({ key }) => key)).toEqual([
    { type: 'int', value: 1n },
    { type: 'int', value: 3n },
  ]);
  expect(replica.object('Item', { type: 'int', value: 1n })?.fields.get('n')).toEqual({
    type: 'int',
    value: 7n,
  });
  expect(replica.version).toBe(4);
  const versions = replica.uploadScan(replica.upload, 1_000).entries.map((entry) => entry.clientVersion);
  expect(versions).toEqual([2, 3, 4]);
});

test('a nested transaction that fails takes the outer one with it', () => {
  const store = openStore();
  const replica = store.replica('/a');
  expect(() =>
    store.transaction(() => {
      replica.write(SCHEMA);
      try {
        store.transaction(() => {
          throw new Error('inner');
        });
      } catch {
        // The outer work goes on as if nothing had happened.
      }
    }),
  ).toThrow(ReplicaStateError);
  expect(replica.schema.size).toBe(0);
});

test('listeners hear of a transaction once, after it is durable, with what it added', () => {
  const store = openStore();
  const replica = store.replica('/a');
  const heard: { change: unknown; version: number }[] = [];
  const stop = replica.onCommit((change) => heard.push({ change, version: replica.version }));
  store.transaction(() => {
    replica.write(SCHEMA);
    store.transaction(() => replica.write([createItem(1)]));
    expect(heard).toEqual([]);
  });
  expect(heard).toEqual([{ change: { local: true, queued: false }, version: 3 }]);
  stop();
  replica.write([createItem(2)]);
  expect(heard).toHaveLength(1);
});

test('work that returns a promise is refused and taken back', () => {
  const store = openStore();
  const replica = store.replica('/a');
  expect(() => store.transaction(async () => replica.write(SCHEMA))).toThrow('returned a promise');
  expect(replica.schema.size).toBe(0);
});

test('reading a class goes on while it is written to', () => {
  const store = openStore();
  const replica = store.replica('/a');
  replica.write([...SCHEMA, ...Array.from({ length: 1_000 }, (_, i) => createItem(i))]);
  let read = 0;
  for (const { key } of replica.objects('Item')) {
    read += 1;
    if (key.type === 'int' && key.value % 100n === 0n) {
      replica.write([{ op: 'EraseObject', table: 'Item', key }, createItem(5_000 + read)]);
    }
  }
  expect(read).toBe(1_010);
});

test('marks are found by their prefix', () => {
  const store = openStore();
  for (const name of ['load/b', 'load/a', 'loa', 'load', 'feed']) store.setMark(name, name.toUpperCase());
  expect([...store.marks('load/')]).toEqual([
    ['load/a', 'LOAD/A'],
    ['load/b', 'LOAD/B'],
  ]);
  store.setMark('load/a', undefined);
  expect([...store.marks('load/').keys()]).toEqual(['load/b']);
  expect(store.marks('').size).toBe(4);
});

test('a directory in use is refused by naming the process and the file', () => {
  const directory = temporaryDirectory();
  const store = openStore({}, directory);
  expect(() => openStore({}, directory)).toThrow(ReplicaLockedError);
  expect(() => openStore({}, directory)).toThrow(
    `${directory}/replicas.lock is locked by process ${process.pid}`,
  );
  store.close();
  openStore({}, directory).close();
});
