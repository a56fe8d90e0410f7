/** Subscription sets and bootstraps at rest (spec/server-history.md §9). */
import { expect, test } from 'vitest';
import type { Instruction } from '../../../src/changeset/instruction.ts';
import type { BootstrapBatch, FlexibleReplica } from '../../../src/store/replica/flexible-contract.ts';
import { openReplicaStore, type SqliteReplicaStore } from '../../../src/store/replica/open-replica-store.ts';
import type { DownloadEntry } from '../../../src/store/server/contract.ts';
import { createItem, SCHEMA, setItem } from '../server/changes.ts';
import { temporaryDirectory } from '../server/temporary-directory.ts';
import { download, openStore, received } from './items.ts';

const subscription = (query: string) => ({
  id: '0123456789abcdef01234567',
  name: undefined,
  table: 'Item',
  query,
  createdAt: 1,
  updatedAt: 2,
});

function batch(
  queryVersion: number,
  isLast: boolean,
  entries: readonly DownloadEntry[],
  serverVersion = entries.at(-1)?.serverVersion ?? 0,
): BootstrapBatch {
  const clientVersion = entries.at(-1)?.clientVersion ?? 0;
  return { ...download(entries, { cursor: { serverVersion, clientVersion } }), queryVersion, isLast };
}

function applyAll({ flexible }: FlexibleReplica): number {
  let pieces = 1;
  while (flexible.applyBootstrap()) pieces += 1;
  return pieces;
}

/** A replica with an ident whose version 0 is complete. */
function started(store: SqliteReplicaStore): FlexibleReplica {
  const replica = store.flexibleReplica();
  replica.assignIdentity(7, 99n);
  replica.flexible.storeBatch(batch(0, true, [received(1, SCHEMA)]));
  applyAll(replica);
  replica.flexible.caughtUp();
  return replica;
}

const idsOf = (replica: FlexibleReplica): number[] =>
  [...replica.objects('Item')].map(({ key }) => (key.type === 'int' ? Number(key.value) : Number.NaN));

test('a set goes from pending to complete, and takes the place of all before it', () => {
  const replica = started(openStore());
  const { flexible } = replica;
  expect(flexible.active).toMatchObject({ version: 0, state: 'complete' });
  flexible.subscribe([subscription('n > 1')]);
  const second = flexible.subscribe([subscription('n > 2')]);
  expect(flexible.latest).toEqual(second);
  expect(flexible.nextPending(0)?.version).toBe(1);
  expect(flexible.nextPending(1)?.version).toBe(2);

  flexible.storeBatch(batch(2, false, [received(2, [createItem(1)])]));
  expect(flexible.set(2)?.state).toBe('bootstrapping');
  expect(flexible.bootstrap).toBe('incomplete');
  expect(replica.count('Item')).toBe(0);
  flexible.storeBatch(batch(2, true, [received(2, [setItem(1, 5)])]));
  expect(flexible.bootstrap).toBe('complete');
  expect(replica.count('Item')).toBe(0);
  applyAll(replica);
  expect(idsOf(replica)).toEqual([1]);
  expect(replica.download.serverVersion).toBe(2);
  expect(flexible.active).toMatchObject({ version: 2, state: 'awaitingMark' });
  expect([flexible.set(0), flexible.set(1)]).toEqual([undefined, undefined]);
  flexible.caughtUp();
  expect(flexible.active.state).toBe('complete');
  expect(flexible.nextPending(0)).toBeUndefined();
});

test('a refused set has the reason, and the one before it stays', () => {
  const { flexible } = started(openStore());
  flexible.subscribe([subscription('n >')]);
  flexible.storeBatch(batch(1, false, [received(2, [createItem(1)])]));
  flexible.refuse(1, 'no query');
  expect(flexible.latest).toMatchObject({ version: 1, state: 'error', error: 'no query' });
  expect(flexible.bootstrap).toBe('none');
  expect(flexible.active.version).toBe(0);
  expect(flexible.nextPending(0)).toBeUndefined();
  expect(() => flexible.storeBatch(batch(1, true, [received(2, [createItem(1)])]))).toThrow('error');
  expect(() => flexible.refuse(0, 'too late')).toThrow('complete');
  expect(() => flexible.refuse(9, 'of nothing')).toThrow('unknown');
});

test('a bootstrap displaces that of another set, which cannot begin again on this connection', () => {
  const replica = started(openStore());
  const { flexible } = replica;
  flexible.subscribe([]);
  flexible.subscribe([]);
  flexible.storeBatch(batch(1, false, [received(2, [createItem(1)])]));
  flexible.storeBatch(batch(2, false, [received(2, [createItem(2)])]));
  expect(() => flexible.storeBatch(batch(1, false, [received(2, [createItem(1)])]))).toThrow('bootstrapping');
  flexible.storeBatch(batch(2, true, [], 2));
  applyAll(replica);
  expect(idsOf(replica)).toEqual([2]);
});

test('the server brings the active set anew, and its state stays', () => {
  const replica = started(openStore());
  replica.flexible.subscribe([subscription('n > 1')]);
  replica.flexible.storeBatch(batch(0, true, [received(1, [createItem(3)])]));
  applyAll(replica);
  expect(replica.flexible.active).toMatchObject({ version: 0, state: 'complete' });
  expect(replica.flexible.latest).toMatchObject({ version: 1, state: 'pending' });
  expect(idsOf(replica)).toEqual([3]);
});

test('a bootstrap without any changeset is refused and nothing of it kept', () => {
  const { flexible } = started(openStore());
  flexible.subscribe([]);
  expect(() => flexible.storeBatch(batch(1, true, [], 2))).toThrow('empty');
  expect(flexible.latest.state).toBe('pending');
  expect(flexible.bootstrap).toBe('none');
});

test('a large bootstrap is applied in pieces, between which local writes are made', () => {
  const replica = started(openStore());
  replica.flexible.subscribe([]);
  const column = { type: 'string', nullable: true, collection: 'single' } as const;
  replica.write([{ op: 'AddColumn', table: 'Item', field: 'text', column }]);
  const value = { type: 'string', value: 'x'.repeat(400 * 1024) } as const;
  const large = (id: number): Instruction[] => [
    createItem(id),
    {
      op: 'Update',
      table: 'Item',
      key: { type: 'int', value: BigInt(id) },
      field: 'text',
      path: [],
      value,
      isDefault: false,
    },
  ];
  for (let id = 1; id <= 6; id++)
    replica.flexible.storeBatch(batch(1, id === 6, [received(5, large(id))], 5));
  expect(replica.flexible.applyBootstrap()).toBe(true);
  expect(idsOf(replica)).toEqual([1, 2]);
  expect(replica.download.serverVersion).toBe(1);
  replica.write([setItem(1, 77), createItem(50)]);
  expect(replica.flexible.applyBootstrap()).toBe(true);
  expect(replica.flexible.applyBootstrap()).toBe(false);
  expect(idsOf(replica)).toEqual([1, 2, 3, 4, 5, 6, 50]);
  expect(replica.object('Item', { type: 'int', value: 1n })?.fields.get('n')).toEqual({
    type: 'int',
    value: 77n,
  });
  expect(replica.download.serverVersion).toBe(5);
});

test('uploads up to a set end with what was written before it', () => {
  const replica = started(openStore());
  replica.write([createItem(1)]);
  const { snapshot } = replica.flexible.subscribe([]);
  replica.write([createItem(2)]);
  replica.integrate(download([received(3, [createItem(9)])]));
  const before = replica.uploadScan(replica.upload, 1_000, snapshot);
  expect(before.entries).toHaveLength(1);
  expect(before.progress).toEqual(snapshot);
  const after = replica.uploadScan(before.progress, 1_000);
  expect(after.entries).toHaveLength(1);
  expect(after.progress.serverVersion).toBe(3);
});

test('the flexible realm is none of the paths, and lives beside the partition of the same server path', () => {
  const store = openStore();
  started(store).write([createItem(1)]);
  expect(store.paths()).toEqual([]);
  expect(store.replica('/').flexible).toBeUndefined();
  expect(store.replica('/').count('Item')).toBe(0);
  expect(store.paths()).toEqual(['/']);
});

/** What happens to a replica from its first connection to a second set, one commit or message a step. */
const steps: readonly ((replica: FlexibleReplica) => void)[] = [
  (replica) => replica.assignIdentity(7, 99n),
  ({ flexible }) => flexible.storeBatch(batch(0, true, [received(1, SCHEMA)])),
  (replica) => applyAll(replica),
  ({ flexible }) => flexible.caughtUp(),
  (replica) => replica.write([createItem(100)]),
  ({ flexible }) => void flexible.subscribe([subscription('TRUEPREDICATE')]),
  ({ flexible }) => flexible.storeBatch(batch(1, false, [received(4, [createItem(1), setItem(1, 1)])])),
  ({ flexible }) => flexible.storeBatch(batch(1, false, [], 4)),
  ({ flexible }) => flexible.storeBatch(batch(1, true, [received(4, [createItem(2), setItem(2, 2)])])),
  (replica) => applyAll(replica),
  ({ flexible }) => flexible.caughtUp(),
  (replica) => replica.integrate(download([received(5, [setItem(1, 10)]), received(5, [setItem(2, 20)])])),
];
/** A step to go back to when the process ended after `step` steps: an incomplete bootstrap is sent anew. */
const resumeAt = (step: number): number => (step === 7 || step === 8 ? 6 : step);

test.each(steps.map((_, index) => index + 1))('ended after step %i, it goes on without loss', (count) => {
  const directory = temporaryDirectory();
  const first = openReplicaStore(directory);
  for (const step of steps.slice(0, count)) step(first.flexibleReplica());
  first.close();
  const replica = openStore({}, directory).flexibleReplica();
  if (replica.flexible.bootstrap === 'complete') applyAll(replica);
  replica.flexible.dropBootstrap();
  for (const step of steps.slice(resumeAt(count))) step(replica);
  expect(idsOf(replica)).toEqual([1, 2, 100]);
  expect(replica.object('Item', { type: 'int', value: 1n })?.fields.get('n')).toEqual({
    type: 'int',
    value: 10n,
  });
  expect(replica.download).toEqual({ serverVersion: 5, clientVersion: 0 });
  expect(replica.flexible.active).toEqual(replica.flexible.latest);
  expect(replica.flexible.latest).toMatchObject({ version: 1, state: 'complete' });
  expect(replica.flexible.latest.subscriptions).toEqual([subscription('TRUEPREDICATE')]);
  expect(replica.uploadScan(replica.upload, 1_000).entries).toHaveLength(1);
});

test.each([['recover'], ['discard']] as const)('a reset that is to %s', (mode) => {
  const replica = started(openStore());
  const { flexible } = replica;
  flexible.subscribe([subscription('n > 1')]);
  flexible.storeBatch(batch(1, true, [received(2, [createItem(1)])]));
  applyAll(replica);
  replica.write([createItem(2)]);
  const asked = flexible.subscribe([subscription('n > 2')]);
  replica.write([createItem(3)]);
  flexible.storeBatch(batch(2, false, [received(3, [createItem(4)])]));

  const fresh = replica.openFreshCopy() as FlexibleReplica;
  expect(fresh.flexible.latest).toMatchObject({ state: 'pending', subscriptions: [subscription('n > 1')] });
  fresh.assignIdentity(8, 100n);
  fresh.flexible.storeBatch(batch(0, true, [received(9, SCHEMA)]));
  applyAll(fresh);
  fresh.flexible.storeBatch(batch(1, true, [received(9, [createItem(1)])]));
  applyAll(fresh);
  replica.resetTo(fresh, mode);

  expect(flexible.active).toMatchObject({ version: 1, state: 'complete' });
  expect(flexible.bootstrap).toBe('none');
  if (mode === 'discard') {
    expect(idsOf(replica)).toEqual([1]);
    expect(flexible.latest.version).toBe(1);
    return;
  }
  expect(idsOf(replica)).toEqual([1, 2, 3]);
  const latest = flexible.latest;
  expect(latest).toMatchObject({
    version: asked.version,
    state: 'pending',
    subscriptions: asked.subscriptions,
  });
  const before = replica.uploadScan(replica.upload, 1_000, latest.snapshot);
  expect(before.entries).toHaveLength(1);
  expect(replica.uploadScan(before.progress, 1_000).entries).toHaveLength(1);
  expect(before.progress.serverVersion).toBe(9);
});
