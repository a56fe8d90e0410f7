import { expect, test } from 'vitest';
import type { TransactionObserver } from '../../../src/store/replica/contract.ts';
import { createItem, SCHEMA, setItem } from '../server/changes.ts';
import { temporaryDirectory } from '../server/temporary-directory.ts';
import { download, openStore, received } from './items.ts';

/** Notes the operations of each transaction, and how many items there are after it. */
const observer: TransactionObserver = (instructions, state) => {
  const operations = instructions.map(({ op }) => op).join(' ');
  return operations.startsWith('AddTable')
    ? undefined
    : Buffer.from(`${operations}, ${state.count('Item')} items`);
};

test('what the merge left of each transaction is queued in order, with the state after it at hand', () => {
  const store = openStore({ observer });
  const replica = store.replica('/a');
  const heard: unknown[] = [];
  replica.onCommit((change) => heard.push(change));
  replica.assignIdentity(2, 1n);
  replica.integrate(download([received(1, SCHEMA)]));
  expect(heard).toEqual([]);
  replica.write([createItem(1), setItem(1, 5)], { version: 8, timestamp: 500 });
  replica.integrate(
    download([
      received(2, [createItem(2)], { timestamp: 30 }),
      // Ours is newer: nothing remains of this one.
      received(3, [createItem(1), setItem(1, 6)], { timestamp: 40 }),
      received(4, [createItem(3), setItem(3, 7)], { timestamp: 50, originFileIdent: 4 }),
    ]),
  );
  expect(heard).toEqual([
    { local: true, queued: false },
    { local: false, queued: true },
  ]);
  const queued = replica
    .queued(0, 10)
    .map(({ payload, ...rest }) => ({ ...rest, text: `${Buffer.from(payload)}` }));
  expect(queued).toEqual([
    { sequence: 1, serverVersion: 2, timestamp: 30, originFileIdent: 9, text: 'CreateObject, 2 items' },
    { sequence: 2, serverVersion: 3, timestamp: 40, originFileIdent: 9, text: 'CreateObject, 2 items' },
    {
      sequence: 3,
      serverVersion: 4,
      timestamp: 50,
      originFileIdent: 4,
      text: 'CreateObject Update, 3 items',
    },
  ]);
});

test('a changeset of which the merge leaves nothing is not observed', () => {
  const seen: number[] = [];
  const store = openStore({ observer: (instructions) => void seen.push(instructions.length) });
  const replica = store.replica('/a');
  replica.assignIdentity(2, 1n);
  replica.integrate(download([received(1, [...SCHEMA, createItem(1)])]));
  replica.write([setItem(1, 5)], { version: 8, timestamp: 500 });
  replica.integrate(download([received(2, [setItem(1, 6)])]));
  expect(seen).toEqual([3]);
  expect(replica.queued(0, 10)).toEqual([]);
  expect(replica.download.serverVersion).toBe(2);
});

test('dropped transactions are gone for good and their sequences are never used again', () => {
  const directory = temporaryDirectory();
  const store = openStore({ observer }, directory);
  const replica = store.replica('/a');
  replica.assignIdentity(2, 1n);
  replica.integrate(download([received(1, SCHEMA), ...[2, 3, 4].map((v) => received(v, [createItem(v)]))]));
  const sequences = (after: number, limit: number) =>
    replica.queued(after, limit).map(({ sequence }) => sequence);
  expect(sequences(1, 1)).toEqual([2]);
  replica.dropQueued(2);
  expect(sequences(0, 10)).toEqual([3]);
  replica.dropQueued(3);
  store.close();
  const reopened = openStore({ observer }, directory).replica('/a');
  reopened.integrate(download([received(5, [createItem(5)])]));
  expect(reopened.queued(0, 10).map(({ sequence }) => sequence)).toEqual([4]);
});

test('an observer that throws leaves the download for another time', () => {
  let broken = true;
  const store = openStore({
    observer: () => {
      if (broken) throw new Error('observer');
      return new Uint8Array(1);
    },
  });
  const replica = store.replica('/a');
  replica.assignIdentity(2, 1n);
  const batch = download([received(1, SCHEMA), received(2, [createItem(1)])]);
  expect(() => replica.integrate(batch)).toThrow('observer');
  expect([replica.schema.size, replica.download.serverVersion, replica.queued(0, 9).length]).toEqual([
    0, 0, 0,
  ]);
  broken = false;
  replica.integrate(batch);
  expect(replica.queued(0, 9)).toHaveLength(2);
});
