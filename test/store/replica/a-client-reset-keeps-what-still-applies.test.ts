/** A replica whose history the server no longer knows goes on from a fresh copy (spec/wire-protocol.md §8). */

import { deserialize, serialize } from 'node:v8';
import { expect, test } from 'vitest';
import { decodeChangeset } from '../../../src/changeset/codec.ts';
import type { Instruction, Payload } from '../../../src/changeset/instruction.ts';
import type { ColumnDefinition } from '../../../src/schema/definition.ts';
import { generationDifference } from '../../../src/store/replica/generation-difference.ts';
import type { SqliteReplica } from '../../../src/store/replica/sqlite-replica.ts';
import { readField } from '../../../src/store/state/default-value.ts';
import { sameState } from '../../../src/store/state/same-state.ts';
import { Model } from '../../merge/model.ts';
import { randomChanges } from '../../merge/random-changes.ts';
import { Random, testSeed } from '../../support/random.ts';
import { createItem, SCHEMA, setItem } from '../server/changes.ts';
import { temporaryDirectory } from '../server/temporary-directory.ts';
import { download, openStore, received } from './items.ts';

const observer = (instructions: readonly Instruction[]): Uint8Array => serialize(instructions);
const queuedOf = (replica: SqliteReplica): Instruction[] =>
  replica.queued(0, 100).flatMap(({ payload }) => deserialize(payload) as Instruction[]);
const keyOf = (id: number) => ({ type: 'int', value: BigInt(id) }) as const;
const items = (replica: SqliteReplica): Record<string, bigint> =>
  Object.fromEntries(
    [...replica.objects('Item')].map(({ key, state }) => {
      const n = state.fields.get('n');
      return [key.type === 'int' ? key.value : '?', n?.type === 'int' ? n.value : 0n];
    }),
  );
const eraseItem = (id: number): Instruction => ({ op: 'EraseObject', table: 'Item', key: keyOf(id) });

/** A replica with items 1, 2 and 3 from the server, of version 5. */
function synced(path = '/r', directory = temporaryDirectory()): SqliteReplica {
  const replica = openStore({ observer }, directory).replica(path);
  replica.assignIdentity(4, 40n);
  const made = [createItem(1), setItem(1, 1), createItem(2), setItem(2, 2), createItem(3), setItem(3, 3)];
  replica.integrate(download([received(5, [...SCHEMA, ...made])]));
  replica.dropQueued(replica.queued(0, 10).at(-1)!.sequence);
  return replica;
}

/** A fresh copy with the instructions as server version 2. */
function freshCopy(replica: SqliteReplica, instructions: readonly Instruction[]): SqliteReplica {
  const fresh = replica.openFreshCopy();
  fresh.assignIdentity(9, 90n);
  fresh.integrate(download([received(2, instructions, { originFileIdent: 8 })]));
  return fresh;
}

test('local changes that the server never had are made again where they still apply', () => {
  const replica = synced();
  replica.write([setItem(1, 10)]); // still applies
  replica.write([setItem(2, 20)]); // item 2 is gone on the server
  replica.write([createItem(4), setItem(4, 40), eraseItem(3)]);
  const before = replica.version;
  replica.resetTo(freshCopy(replica, [...SCHEMA, createItem(1), createItem(3), createItem(5)]), 'recover');

  expect(items(replica)).toEqual({ 1: 10n, 4: 40n, 5: 0n });
  expect(replica.identity).toEqual({ fileIdent: 9, salt: 90n });
  expect(replica.download).toEqual({ serverVersion: 2, clientVersion: 0 });
  const { entries } = replica.uploadScan(replica.upload, 1_000_000);
  expect(entries.map(({ changeset }) => decodeChangeset(changeset).instructions)).toEqual([
    [setItem(1, 10)],
    [createItem(4), setItem(4, 40), eraseItem(3)],
  ]);
  expect(entries.every(({ serverVersion }) => serverVersion === 2)).toBe(true);
  expect(entries[0]!.clientVersion).toBeGreaterThan(before);
});

test('discarding leaves what the server has', () => {
  const replica = synced();
  replica.write([setItem(1, 10), createItem(4)]);
  replica.resetTo(freshCopy(replica, [...SCHEMA, createItem(1), setItem(1, 7)]), 'discard');
  expect(items(replica)).toEqual({ 1: 7n });
  expect(replica.hasUnsynced()).toBe(false);
});

test('classes that the server lost are announced again', () => {
  const replica = synced();
  replica.resetTo(freshCopy(replica, []), 'discard');
  expect(items(replica)).toEqual({});
  const [entry] = replica.uploadScan(replica.upload, 1_000).entries;
  expect(decodeChangeset(entry!.changeset).instructions).toEqual(SCHEMA);
});

test('the consumer of the queue is told the difference, and nothing of its own writes', () => {
  const replica = synced();
  replica.write([createItem(4), setItem(4, 40)]);
  const fresh = [...SCHEMA, createItem(1), setItem(1, 1), createItem(2), setItem(2, 22)];
  replica.resetTo(freshCopy(replica, fresh), 'recover');
  expect(queuedOf(replica)).toEqual([setItem(2, 22), eraseItem(3)]);
  // The server's versions went back from 5 to 2; those of the queue must not.
  replica.integrate(
    download([received(3, [setItem(1, 11)], { originFileIdent: 8 })], {
      uploadCursor: { clientVersion: 0, serverVersion: 0 },
    }),
  );
  const versions = replica.queued(0, 10).map(({ serverVersion }) => serverVersion);
  expect(versions).toEqual([6, 7]);
});

test('after the server has lost history, nothing is erased from where the queue leads', () => {
  const replica = synced();
  replica.write([setItem(2, 20), createItem(4)]);
  const fresh = freshCopy(replica, [...SCHEMA, createItem(1), setItem(1, 11)]);
  const report = replica.resetTo(fresh, 'recover', { historyLost: true });
  expect(report).toEqual({ leftOut: 1, kept: 2 });
  expect(items(replica)).toEqual({ 1: 11n, 4: 0n });
  expect(queuedOf(replica)).toEqual([setItem(1, 11)]);
});

test('resets are counted, also across a restart', () => {
  const directory = temporaryDirectory();
  const store = openStore({ observer }, directory);
  const replica = store.replica('/r');
  expect(replica.generation).toBe(0);
  replica.write([...SCHEMA, createItem(1)]);
  for (const generation of [1, 2]) {
    replica.resetTo(freshCopy(replica, SCHEMA), 'recover');
    expect(replica.generation).toBe(generation);
    expect(items(replica)).toEqual({ 1: 0n });
  }
  store.close();
  expect(openStore({ observer }, directory).replica('/r').generation).toBe(2);
});

test('a reset lasts, and one that was interrupted begins anew', () => {
  const directory = temporaryDirectory();
  const store = openStore({ observer }, directory);
  const replica = store.replica('/r');
  replica.assignIdentity(4, 40n);
  replica.integrate(download([received(5, [...SCHEMA, createItem(1)])]));
  freshCopy(replica, [...SCHEMA, createItem(7)]); // and then the process ends
  store.close();
  const again = openStore({ observer }, directory);
  expect(again.paths()).toEqual(['/r']);
  expect(items(again.replica('/r'))).toEqual({ 1: 0n });
  again.replica('/r').resetTo(freshCopy(again.replica('/r'), [...SCHEMA, createItem(8)]), 'recover');
  again.close();
  const last = openStore({ observer }, directory);
  expect(items(last.replica('/r'))).toEqual({ 8: 0n });
  expect(last.replica('/r').identity?.fileIdent).toBe(9);
  expect(last.replica('/r').queued(0, 10)).toHaveLength(2);
});

test('generations that contradict each other leave everything as it was', () => {
  const replica = synced();
  replica.write([setItem(1, 10)]);
  const [table] = SCHEMA;
  const text: Instruction = {
    op: 'AddColumn',
    table: 'Item',
    field: 'n',
    column: { type: 'string', nullable: false, collection: 'single' },
  };
  expect(() => replica.resetTo(freshCopy(replica, [table!, text]), 'recover')).toThrow(/Item/);
  expect(items(replica)).toEqual({ 1: 10n, 2: 2n, 3: 3n });
  expect(replica.identity?.fileIdent).toBe(4);
  replica.write([setItem(1, 11)]);
  expect(() => replica.resetTo(replica.openFreshCopy(), 'recover')).toThrow(/never downloaded/);
  expect(items(replica)).toEqual({ 1: 11n, 2: 2n, 3: 3n });
});

const LISTS: readonly Instruction[] = [
  {
    op: 'AddTable',
    table: 'L',
    kind: 'topLevel',
    primaryKey: { field: '_id', type: 'int', nullable: false },
  },
  { op: 'AddColumn', table: 'L', field: 'l', column: { type: 'int', nullable: false, collection: 'list' } },
];
const int = (value: number): Payload => ({ type: 'int', value: BigInt(value) });
const onList = { table: 'L', key: keyOf(1), field: 'l' } as const;
const insert = (index: number, value: number, priorSize: number): Instruction => ({
  op: 'ArrayInsert',
  ...onList,
  path: [index],
  value: int(value),
  priorSize,
});

function listAfterReset(server: readonly number[], local: readonly Instruction[]): bigint[] {
  const replica = openStore().replica('/r');
  const create: Instruction = { op: 'CreateObject', table: 'L', key: keyOf(1) };
  replica.assignIdentity(4, 40n);
  replica.integrate(
    download([received(1, [...LISTS, create, insert(0, 1, 0), insert(1, 2, 1), insert(2, 3, 2)])]),
  );
  for (const instruction of local) replica.write([instruction]);
  const elements = server.map((value, index) => insert(index, value, index));
  replica.resetTo(freshCopy(replica, [...LISTS, create, ...elements]), 'recover');
  const list = replica.object('L', keyOf(1))?.fields.get('l');
  return list?.type === 'list' ? list.items.map((item) => (item.type === 'int' ? item.value : -1n)) : [];
}

test('insertions into lists join what the server has; other list changes bring back the whole list', () => {
  expect(listAfterReset([7], [insert(3, 100, 3), insert(4, 101, 4)])).toEqual([7n, 100n, 101n]);
  expect(listAfterReset([7, 8, 9, 10], [insert(1, 100, 3)])).toEqual([7n, 100n, 8n, 9n, 10n]);
  const setOwn: Instruction = { op: 'Update', ...onList, path: [1], value: int(105), priorSize: 4 };
  expect(listAfterReset([7, 8], [insert(1, 100, 3), setOwn])).toEqual([7n, 105n, 8n]);
  const eraseOwn: Instruction = { op: 'ArrayErase', ...onList, path: [1], priorSize: 5 };
  expect(listAfterReset([7, 8], [insert(1, 100, 3), insert(1, 101, 4), eraseOwn])).toEqual([7n, 100n, 8n]);
  const eraseOld: Instruction = { op: 'ArrayErase', ...onList, path: [0], priorSize: 3 };
  expect(listAfterReset([7, 8, 9], [eraseOld])).toEqual([2n, 3n]);
  const clear: Instruction = { op: 'Clear', ...onList, path: [], collection: 'list' };
  expect(listAfterReset([7, 8, 9], [clear, insert(0, 50, 0)])).toEqual([50n]);
});

const column = (type: ColumnDefinition['type'], rest: Partial<ColumnDefinition> = {}): ColumnDefinition => ({
  type,
  nullable: false,
  collection: 'single',
  ...rest,
});
const RICH: readonly Instruction[] = [
  {
    op: 'AddTable',
    table: 'T',
    kind: 'topLevel',
    primaryKey: { field: '_id', type: 'int', nullable: false },
  },
  { op: 'AddTable', table: 'E', kind: 'embedded' },
  { op: 'AddColumn', table: 'E', field: 'x', column: column('int', { nullable: true }) },
  { op: 'AddColumn', table: 'E', field: 'y', column: column('int', { nullable: true }) },
  { op: 'AddColumn', table: 'T', field: 'n', column: column('int', { nullable: true }) },
  { op: 'AddColumn', table: 'T', field: 'l', column: column('int', { collection: 'list' }) },
  {
    op: 'AddColumn',
    table: 'T',
    field: 'd',
    column: column('mixed', { nullable: true, collection: 'dictionary' }),
  },
  { op: 'AddColumn', table: 'T', field: 's', column: column('int', { collection: 'set' }) },
  { op: 'AddColumn', table: 'T', field: 'm', column: column('mixed', { nullable: true }) },
  { op: 'AddColumn', table: 'T', field: 'e', column: column('link', { nullable: true, linkTarget: 'E' }) },
  {
    op: 'AddColumn',
    table: 'T',
    field: 'es',
    column: column('link', { collection: 'list', linkTarget: 'E' }),
  },
];

test('the difference between any two generations turns one into the other', () => {
  const first = testSeed();
  for (let seed = first; seed < first + 40; seed++) {
    const random = new Random(seed);
    const store = openStore();
    const [a, b] = ['/a', '/b'].map((path) => {
      const replica = store.replica(path);
      replica.write(RICH);
      replica.write(randomChanges(new Model(), (end) => random.below(end), 40));
      return replica;
    }) as [SqliteReplica, SqliteReplica];
    for (const piece of generationDifference(a, b, 1 + random.below(20))) a.write(piece);
    for (const [from, to] of [[a, b] as const, [b, a] as const]) {
      for (const { key, state } of from.objects('T')) {
        const other = to.object('T', key);
        expect(other, `seed ${seed}`).toBeDefined();
        for (const [field, definition] of from.schema.get('T')!.columns) {
          const same = sameState(readField(state, field, definition), readField(other!, field, definition));
          expect(same, `seed ${seed}, field ${field}`).toBe(true);
        }
      }
    }
  }
});
