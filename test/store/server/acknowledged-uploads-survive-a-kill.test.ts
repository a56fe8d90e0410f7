import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import type { ServerRealm } from '../../../src/store/server/contract.ts';
import { openServerStore } from '../../../src/store/server/open.ts';
import { temporaryDirectory } from './temporary-directory.ts';

const PROCESS = fileURLToPath(new URL('uploading-process.ts', import.meta.url));
const REALMS = 5;
const KILLS = 4;
const ACKNOWLEDGEMENTS_BEFORE_KILL = 150;

type Acknowledged = { fileIdent: number; clientVersion: number; version: number };

/** Runs the uploading process until it has reported often enough, kills it, and returns the newest by realm. */
async function uploadAndKill(directory: string): Promise<Map<string, Acknowledged>> {
  const child = spawn(process.execPath, [PROCESS, directory, String(REALMS)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const exit = once(child, 'exit');
  const newest = new Map<string, Acknowledged>();
  let count = 0;
  for await (const line of createInterface({ input: child.stdout })) {
    const [path, ...numbers] = line.split(' ');
    const [fileIdent, clientVersion, version] = numbers.map(Number);
    if (path === undefined || fileIdent === undefined || !clientVersion || !version) continue;
    newest.set(path, { fileIdent, clientVersion, version });
    count += 1;
    if (count === ACKNOWLEDGEMENTS_BEFORE_KILL) child.kill('SIGKILL');
  }
  expect(await exit).toEqual([null, 'SIGKILL']);
  return newest;
}

/** Server-history.md §11: the entries of each client rise, and the state holds what they created. */
async function checkHistory(realm: ServerRealm, acknowledged: Acknowledged): Promise<void> {
  expect(realm.head.version).toBeGreaterThanOrEqual(acknowledged.version);
  const observer = await realm.allocateClientFile();
  const start = { serverVersion: 0, clientVersion: 0 };
  const all = await realm.download(observer.fileIdent, start, Number.POSITIVE_INFINITY);
  expect(all.cursor.serverVersion).toBe(realm.head.version);
  const versions = all.entries.map((entry) => entry.serverVersion);
  expect(versions).toEqual(versions.toSorted((a, b) => a - b));
  const own = await realm.download(acknowledged.fileIdent, start, Number.POSITIVE_INFINITY);
  expect(own.uploadCursor.clientVersion).toBeGreaterThanOrEqual(acknowledged.clientVersion);
  expect(own.cursor.clientVersion).toBe(own.uploadCursor.clientVersion);
  const size = all.entries.reduce((sum, { originalSize }) => sum + originalSize, 0);
  const nothingRead = await realm.download(observer.fileIdent, start, 0);
  const first = all.entries[0]?.originalSize ?? 0;
  expect(nothingRead.downloadableBytes).toBe(size - first);
  // Two instructions an entry: every uploaded item is there, with its value, and none of a lost upload.
  let items = 0;
  for await (const batch of realm.objects('Item')) {
    for (const { key, state } of batch) {
      items += 1;
      if (key.type !== 'int') throw new Error('an item has another key');
      expect(state.fields.get('n')).toEqual({ type: 'int', value: key.value % 1_000_000n });
    }
  }
  expect(items).toBe(all.entries.length - 1);
}

test('a store killed in the middle of integrations holds every acknowledged version and is consistent', async () => {
  const directory = temporaryDirectory();
  for (let kill = 0; kill < KILLS; kill++) {
    const newest = await uploadAndKill(directory);
    expect(newest.size).toBe(REALMS);
    const store = await openServerStore(directory);
    for (const [path, acknowledged] of newest) await checkHistory(await store.realm(path), acknowledged);
    await store.close();
  }
});

test('a second process cannot open the store', async () => {
  const directory = temporaryDirectory();
  const store = await openServerStore(directory);
  const child = spawn(process.execPath, [PROCESS, directory, '1'], { stdio: ['ignore', 'ignore', 'pipe'] });
  const exit = once(child, 'exit');
  let output = '';
  for await (const chunk of child.stderr) output += chunk;
  expect((await exit)[0]).not.toBe(0);
  expect(output).toMatch(/in use by another process/);
  await store.close();
});
