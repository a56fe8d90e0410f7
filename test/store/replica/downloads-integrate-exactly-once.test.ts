import { expect, test } from 'vitest';
import { ReplicaStateError } from '../../../src/store/replica/errors.ts';
import type { SqliteReplica } from '../../../src/store/replica/sqlite-replica.ts';
import type { DownloadBatch } from '../../../src/store/server/contract.ts';
import { createItem, SCHEMA, setItem } from '../server/changes.ts';
import { temporaryDirectory } from '../server/temporary-directory.ts';
import { download, openStore, received } from './items.ts';

const numberOf = (replica: SqliteReplica, id: number) =>
  replica.object('Item', { type: 'int', value: BigInt(id) })?.fields.get('n');
const int = (value: number) => ({ type: 'int', value: BigInt(value) });

function identified(): { store: ReturnType<typeof openStore>; replica: SqliteReplica } {
  const store = openStore();
  const replica = store.replica('/a');
  replica.assignIdentity(2, 55n);
  return { store, replica };
}

test('the ident is taken once, and nothing is integrated without it', () => {
  const directory = temporaryDirectory();
  const store = openStore({}, directory);
  const replica = store.replica('/a');
  expect(replica.identity).toBeUndefined();
  expect(() => replica.integrate(download([received(1, SCHEMA)]))).toThrow(ReplicaStateError);
  replica.write(SCHEMA);
  replica.assignIdentity(2, 2n ** 62n + 1n);
  replica.assignIdentity(2, 2n ** 62n + 1n);
  expect(() => replica.assignIdentity(3, 1n)).toThrow('/a: the replica has file ident 2 already');
  store.close();
  const reopened = openStore({}, directory).replica('/a');
  expect(reopened.identity).toEqual({ fileIdent: 2, salt: 2n ** 62n + 1n });
  expect(reopened.version).toBe(3);
});

test('the later write wins on both sides, and what was uploaded keeps its original form', () => {
  const { replica } = identified();
  replica.integrate(download([received(1, [...SCHEMA, createItem(1), createItem(2)])]));
  const version = replica.write([setItem(1, 10), setItem(2, 10)], { version: 10, timestamp: 100 });
  replica.integrate(download([received(2, [setItem(1, 20)], { timestamp: 99 })]));
  replica.integrate(download([received(3, [setItem(2, 20)], { timestamp: 101 })]));
  expect([numberOf(replica, 1), numberOf(replica, 2)]).toEqual([int(10), int(20)]);
  const { entries, progress } = replica.uploadScan(replica.upload, 1_000);
  expect(entries).toMatchObject([{ clientVersion: version, serverVersion: 1, timestamp: 100 }]);
  expect(entries[0]!.changeset).toEqual(received(0, [setItem(1, 10), setItem(2, 10)]).changeset);
  expect(progress).toEqual({ clientVersion: replica.version, serverVersion: 3 });
});

test('a repeated download has no effect', () => {
  const { replica } = identified();
  const first = download([received(1, [...SCHEMA, createItem(1)])]);
  replica.integrate(first);
  replica.write([{ op: 'EraseObject', table: 'Item', key: { type: 'int', value: 1n } }]);
  const { version } = replica;
  replica.integrate(first);
  expect(replica.count('Item')).toBe(0);
  expect(replica.version).toBe(version);
});

test('an acknowledgement alone makes no version, so there is nothing to report back', () => {
  const { replica } = identified();
  replica.write(SCHEMA);
  expect(replica.hasUnsynced()).toBe(true);
  const { version } = replica;
  const upload = { clientVersion: version, serverVersion: 0 };
  replica.integrate(download([], { uploadCursor: upload }));
  expect(replica.hasUnsynced()).toBe(false);
  expect(replica.upload).toEqual(upload);
  expect(replica.version).toBe(version);
  expect(replica.uploadScan(replica.upload, 1_000)).toEqual({ entries: [], progress: upload });
});

test('an upload is cut at the soft limit and goes on from the progress of the last one', () => {
  const { replica } = identified();
  replica.write(SCHEMA);
  for (let id = 0; id < 10; id++) replica.write([createItem(id)]);
  const versions: number[] = [];
  let position = replica.upload;
  for (;;) {
    const { entries, progress } = replica.uploadScan(position, 20);
    if (entries.length === 0) break;
    expect(progress.clientVersion).toBeGreaterThanOrEqual(entries.at(-1)!.clientVersion);
    versions.push(...entries.map((entry) => entry.clientVersion));
    position = progress;
  }
  expect(versions).toEqual([3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13]);
});

const integrated: DownloadBatch = download([received(5, SCHEMA)], {
  latest: { version: 8, salt: 7n },
});
const next = (rest: Partial<DownloadBatch>): DownloadBatch =>
  download([], { latest: { version: 9, salt: 7n }, cursor: { serverVersion: 6, clientVersion: 0 }, ...rest });

test.each<[string, number, DownloadBatch]>([
  ['the latest version goes back', 233, next({ latest: { version: 7, salt: 7n } })],
  ['the download cursor goes back', 233, next({ cursor: { serverVersion: 4, clientVersion: 0 } })],
  [
    'the download cursor is beyond the latest version',
    233,
    next({ cursor: { serverVersion: 10, clientVersion: 0 } }),
  ],
  [
    'the upload cursor is beyond what exists',
    233,
    next({ uploadCursor: { clientVersion: 99, serverVersion: 0 } }),
  ],
  [
    'the upload cursor is beyond the download',
    233,
    next({ uploadCursor: { clientVersion: 0, serverVersion: 7 } }),
  ],
  [
    'the download cursor names more than was acknowledged',
    233,
    next({
      cursor: { serverVersion: 6, clientVersion: 1 },
      uploadCursor: { clientVersion: 0, serverVersion: 0 },
    }),
  ],
  ['a changeset is our own', 233, next({ entries: [received(6, [], { originFileIdent: 2 })] })],
  ['a changeset is beyond the cursor', 233, next({ entries: [received(7, [])] })],
  ['the changesets are out of order', 233, next({ entries: [received(6, []), received(5, [])] })],
  [
    'a changeset cannot be parsed',
    212,
    next({ entries: [{ ...received(6, []), changeset: Uint8Array.of(0x20) }] }),
  ],
  ['a changeset does not apply', 212, next({ entries: [received(6, [createItem(1), setItem(2, 1)])] })],
  [
    'a changeset does not merge',
    212,
    next({ entries: [received(6, [{ op: 'AddTable', table: 'Mine', kind: 'embedded' }])] }),
  ],
])('a download is refused whole when %s', (_, protocolCode, batch) => {
  const { store, replica } = identified();
  replica.integrate(integrated);
  replica.write([
    {
      op: 'AddTable',
      table: 'Mine',
      kind: 'topLevel',
      primaryKey: { field: '_id', type: 'int', nullable: false },
    },
  ]);
  const before = { ...positionsOf(replica), count: replica.count('Item') };
  expect(() => store.transaction(() => replica.integrate(batch))).toThrow(
    expect.objectContaining({ code: 'replica/integration', protocolCode }),
  );
  expect({ ...positionsOf(replica), count: replica.count('Item') }).toEqual(before);
});

function positionsOf({ version, download, upload, latest }: SqliteReplica): object {
  return { version, download, upload, latest };
}

test('local timestamps always increase, also when the clock goes back', () => {
  const times = [5_000, 5_000, 4_000, 9_000].map((time) => time + Date.UTC(2015, 0, 1));
  const store = openStore({ now: () => times.shift() ?? 0 });
  const replica = store.replica('/a');
  replica.write(SCHEMA);
  for (let id = 0; id < 3; id++) replica.write([createItem(id)]);
  const { entries } = replica.uploadScan(replica.upload, 1_000);
  expect(entries.map(({ timestamp }) => timestamp)).toEqual([5_000, 5_001, 5_002, 9_000]);
});
