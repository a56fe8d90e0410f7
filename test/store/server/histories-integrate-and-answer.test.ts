import { describe, expect, test } from 'vitest';
import { decodeChangeset } from '../../../src/changeset/codec.ts';
import type { IdentClaim, ServerRealm, ServerStore } from '../../../src/store/server/contract.ts';
import { HistoryError } from '../../../src/store/server/history-error.ts';
import { openServerStore } from '../../../src/store/server/open.ts';
import { createItem, entry, SCHEMA, setItem, upload } from './changes.ts';
import { temporaryDirectory } from './temporary-directory.ts';

const START = { serverVersion: 0, clientVersion: 0 };
const NO_LIMIT = Number.POSITIVE_INFINITY;

async function withStore(
  work: (store: ServerStore) => Promise<void>,
  directory = temporaryDirectory(),
): Promise<void> {
  const store = await openServerStore(directory);
  try {
    await work(store);
  } finally {
    await store.close();
  }
}

async function withSchema(store: ServerStore, path: string): Promise<{ realm: ServerRealm; client: number }> {
  const realm = await store.realm(path);
  const { fileIdent } = await realm.allocateClientFile();
  await realm.integrate(fileIdent, upload(entry(2, 0, SCHEMA)));
  return { realm, client: fileIdent };
}

async function protocolCode(work: Promise<unknown>): Promise<number | undefined> {
  try {
    await work;
  } catch (error) {
    if (error instanceof HistoryError) return error.protocolCode;
    throw error;
  }
  return undefined;
}

test('a bad changeset in one realm harms no other realm in the same group commit, nor earlier ones of its own', async () => {
  const directory = temporaryDirectory();
  await withStore(async (store) => {
    const good = await withSchema(store, '/good');
    const bad = await withSchema(store, '/bad');
    const outcomes = await Promise.allSettled([
      bad.realm.integrate(bad.client, upload(entry(3, 1, [createItem(1)]))),
      good.realm.integrate(good.client, upload(entry(3, 1, [createItem(1)]))),
      bad.realm.integrate(
        bad.client,
        upload(
          entry(4, 1, [
            createItem(2),
            {
              op: 'AddColumn',
              table: 'Item',
              field: 'm',
              column: { type: 'int', nullable: true, collection: 'single' },
            },
          ]),
          entry(5, 1, [setItem(99, 1)]),
        ),
      ),
      good.realm.integrate(good.client, upload(entry(4, 1, [createItem(2)]))),
      bad.realm.integrate(bad.client, {
        ...upload(entry(4, 1, [])),
        entries: [{ ...entry(4, 1, []), changeset: Uint8Array.of(0x20) }],
      }),
      bad.realm.integrate(bad.client, upload(entry(4, 1, [createItem(3)]))),
    ]);
    expect(outcomes.map(({ status }) => status)).toEqual([
      'fulfilled',
      'fulfilled',
      'rejected',
      'fulfilled',
      'rejected',
      'fulfilled',
    ]);
    expect(outcomes[2]).toMatchObject({ reason: { protocolCode: 212, message: /\/bad: .*Item\[i99\]\.n/ } });
    expect(bad.realm.schema.get('Item')?.columns.has('m')).toBe(false);
  }, directory);
  await withStore(async (store) => {
    for (const [path, present, absent] of [
      ['/good', [1, 2], [3]],
      ['/bad', [1, 3], [2]],
    ] as const) {
      const realm = await store.realm(path);
      expect(realm.head.version).toBe(3);
      for (const id of present)
        expect(await realm.object('Item', { type: 'int', value: BigInt(id) })).toBeDefined();
      for (const id of absent)
        expect(await realm.object('Item', { type: 'int', value: BigInt(id) })).toBeUndefined();
      expect([...(realm.schema.get('Item')?.columns.keys() ?? [])]).toEqual(['n']);
    }
  }, directory);
});

test('an upload that was integrated already has no effect', async () => {
  await withStore(async (store) => {
    const { realm, client } = await withSchema(store, '/realm');
    const twice = upload(entry(3, 1, [createItem(1)]));
    await realm.integrate(client, twice);
    await realm.integrate(client, upload(entry(2, 0, SCHEMA)));
    expect((await realm.integrate(client, twice)).version).toBe(2);
  });
});

test('a changeset that contradicts what others did is refused', async () => {
  await withStore(async (store) => {
    const { realm, client } = await withSchema(store, '/realm');
    const other = (await realm.allocateClientFile()).fileIdent;
    const asText = {
      ...SCHEMA[0],
      primaryKey: { field: '_id', type: 'string', nullable: false },
    } as (typeof SCHEMA)[0];
    expect(await protocolCode(realm.integrate(other, upload(entry(2, 0, [asText]))))).toBe(212);
    expect((await realm.integrate(client, upload(entry(3, 1, [createItem(1)])))).version).toBe(2);
  });
});

test("the server's own changes are downloaded under ident 1 and merged with what clients did meanwhile", async () => {
  await withStore(async (store) => {
    const { realm, client } = await withSchema(store, '/realm');
    const advances: number[] = [];
    const undo = realm.onAdvance(() => advances.push(realm.head.version));
    await realm.write([createItem(1), setItem(1, 5)]);
    await realm.integrate(client, upload(entry(3, 1, [createItem(1), setItem(1, 6)])));
    undo();
    await realm.integrate(client, upload(entry(4, 2, [])));
    expect(advances).toEqual([2, 3]);
    const { entries } = await realm.download(client, { serverVersion: 1, clientVersion: 2 }, NO_LIMIT);
    expect(entries).toMatchObject([{ serverVersion: 2, clientVersion: 2, originFileIdent: 1 }]);
    expect(decodeChangeset(entries[0]?.changeset ?? Uint8Array.of()).instructions).toEqual([
      createItem(1),
      setItem(1, 5),
    ]);
    // The client's clock is far behind the server's, so the server's write is the newer one.
    const item = await realm.object('Item', { type: 'int', value: 1n });
    expect(item?.fields.get('n')).toEqual({ type: 'int', value: 5n });
  });
});

test('a download stops after the entry that exceeds the limit and goes on from there', async () => {
  await withStore(async (store) => {
    const { realm, client } = await withSchema(store, '/realm');
    const entries = Array.from({ length: 20 }, (_, i) => entry(3 + i, 1, [createItem(i)]));
    await realm.integrate(client, upload(...entries));
    const reader = (await realm.allocateClientFile()).fileIdent;
    const limit = (entries[0]?.changeset.length ?? 0) * 3;
    let cursor = START;
    let left = Number.POSITIVE_INFINITY;
    const versions: number[] = [];
    while (cursor.serverVersion < realm.head.version) {
      const batch = await realm.download(reader, cursor, limit);
      versions.push(...batch.entries.map(({ serverVersion }) => serverVersion));
      expect(batch.downloadableBytes).toBeLessThan(left);
      left = batch.downloadableBytes;
      cursor = batch.cursor;
    }
    expect(left).toBe(0);
    expect(versions).toEqual(Array.from({ length: 21 }, (_, i) => i + 1));
  });
});

test('merging with more history than fits in memory at once gives the same as with little', async () => {
  await withStore(async (store) => {
    const { realm, client } = await withSchema(store, '/realm');
    await realm.integrate(client, upload(entry(3, 1, [createItem(0)])));
    const away = (await realm.allocateClientFile()).fileIdent;
    const many = Array.from({ length: 20_000 }, (_, i) => setItem(0, i));
    for (let i = 0; i < 12; i++) await realm.integrate(client, upload(entry(4 + i, 2, many)));
    const instructions = [createItem(1), setItem(0, 7)];
    const old = { ...entry(2, 2, instructions), timestamp: 1 };
    await realm.integrate(away, upload(old));
    const merged = await realm.download(client, { serverVersion: 14, clientVersion: 15 }, NO_LIMIT);
    expect(merged.entries).toHaveLength(1);
    expect(decodeChangeset(merged.entries[0]?.changeset ?? Uint8Array.of()).instructions).toEqual([
      createItem(1),
    ]);
  });
});

describe('a client that identifies itself', () => {
  test('is refused for each of the reasons, and accepted otherwise', async () => {
    await withStore(async (store) => {
      const { realm, client } = await withSchema(store, '/realm');
      const { fileIdent, salt } = await realm.allocateClientFile();
      await realm.integrate(client, upload(entry(4, 1, [createItem(1)])));
      await realm.integrate(fileIdent, { ...upload(), progress: { clientVersion: 3, serverVersion: 1 } });
      const good: IdentClaim = {
        fileIdent,
        fileIdentSalt: salt,
        download: { serverVersion: 1, clientVersion: 3 },
        latest: realm.head,
      };
      const code = async (change: Partial<IdentClaim>): Promise<number> => {
        const verdict = await realm.checkIdent({ ...good, ...change });
        return verdict.kind === 'rejected' ? verdict.code : 0;
      };
      expect(await realm.checkIdent(good)).toEqual({
        kind: 'accepted',
        uploadCursor: { clientVersion: 3, serverVersion: 1 },
        lockedServerVersion: 0,
      });
      expect(await code({ latest: { version: 3, salt: realm.head.salt } })).toBe(209);
      expect(await code({ fileIdent: 17 })).toBe(208);
      expect(await code({ fileIdent: 1, fileIdentSalt: 0n })).toBe(208);
      expect(await code({ fileIdentSalt: salt ^ 1n })).toBe(211);
      expect(await code({ download: START })).toBe(209);
      expect(await code({ download: { serverVersion: 3, clientVersion: 3 } })).toBe(209);
      expect(await code({ download: { serverVersion: 1, clientVersion: 4 } })).toBe(210);
      expect(
        await code({
          download: { serverVersion: 2, clientVersion: 3 },
          latest: { version: 1, salt: realm.head.salt },
        }),
      ).toBe(209);
      expect(await code({ latest: { version: 2, salt: realm.head.salt ^ 1n } })).toBe(211);
      expect(
        await code({ download: { serverVersion: 1, clientVersion: 0 }, latest: { version: 1, salt: 0n } }),
      ).toBe(211);
    });
  });

  test('sees new salts for versions made after a restart', async () => {
    const directory = temporaryDirectory();
    let before = 0n;
    await withStore(async (store) => {
      before = (await withSchema(store, '/realm')).realm.head.salt;
    }, directory);
    await withStore(async (store) => {
      const realm = await store.realm('/realm');
      expect(realm.head).toEqual({ version: 1, salt: before });
      expect((await realm.write([createItem(1)])).salt).not.toBe(before);
    }, directory);
  });
});

test('a store knows its realms', async () => {
  await withStore(async (store) => {
    expect(await store.has('/a')).toBe(false);
    const [first, second] = await Promise.all([store.realm('/a'), store.realm('/a'), store.realm('/b')]);
    expect(first).toBe(second);
    expect(first.head).toEqual({ version: 0, salt: 0n });
    expect(await store.has('/a')).toBe(true);
    expect(await store.paths()).toEqual(['/a', '/b']);
  });
});

test('more realms than are kept in memory stay usable', async () => {
  await withStore(async (store) => {
    const realms = await Promise.all(Array.from({ length: 1200 }, (_, i) => withSchema(store, `/${i}`)));
    await Promise.all(
      realms.map(({ realm, client }, i) => realm.integrate(client, upload(entry(3, 1, [createItem(i)])))),
    );
    for (const [i, { realm }] of realms.entries()) {
      expect(realm.schema.has('Item')).toBe(true);
      expect(await realm.object('Item', { type: 'int', value: BigInt(i) })).toBeDefined();
    }
  });
});
