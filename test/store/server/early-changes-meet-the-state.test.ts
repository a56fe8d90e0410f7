/**
 * Changes that a client makes before it has the state of a trimmed realm are merged with that state on the client, and
 * judged without a merge on the server: both end alike, or the client is told to start anew.
 */
import { expect, onTestFinished, test } from 'vitest';
import type { Instruction } from '../../../src/changeset/instruction.ts';
import { keyToken } from '../../../src/schema/value.ts';
import { openReplicaStore } from '../../../src/store/replica/open-replica-store.ts';
import type { SqliteReplica } from '../../../src/store/replica/sqlite-replica.ts';
import type { SaltedVersion, ServerRealm } from '../../../src/store/server/contract.ts';
import { openServerStore } from '../../../src/store/server/open.ts';
import type { StateReader } from '../../../src/store/state/reader.ts';
import { createItem, SCHEMA, setItem } from './changes.ts';
import { objectText } from './random-realm.ts';
import { temporaryDirectory } from './temporary-directory.ts';

const MINUTE = 60_000;
const LIMITS = { maxOffline: MINUTE, keptVersions: 1, keptBytes: 0 };
const ITEMS = 3;
const EVERYTHING = Number.POSITIVE_INFINITY;

/** A realm with some items whose history is trimmed, and a replica that has an ident and nothing else. */
async function newcomer(): Promise<{ readonly realm: ServerRealm; readonly device: Device }> {
  const sources = { newSalt: () => 7n, unixTime: () => 1_800_000_000_000 };
  const store = await openServerStore(temporaryDirectory(), sources, LIMITS);
  const replicas = openReplicaStore(temporaryDirectory());
  onTestFinished(async () => {
    replicas.close();
    await store.close();
  });
  const realm = await store.realm('/shared');
  await realm.write(SCHEMA);
  for (let id = 0; id < ITEMS; id += 1) await realm.write([createItem(id), setItem(id, 1)]);
  await realm.trim();
  const replica = replicas.replica('/device');
  const { fileIdent, salt } = await realm.allocateClientFile();
  replica.assignIdentity(fileIdent, salt);
  const { download, latest } = replica;
  await realm.checkIdent({ fileIdent, fileIdentSalt: salt, download, latest });
  replica.write(SCHEMA);
  return { realm, device: new Device(replica, realm, fileIdent) };
}

class Device {
  readonly replica: SqliteReplica;
  readonly #realm: ServerRealm;
  readonly #fileIdent: number;

  constructor(replica: SqliteReplica, realm: ServerRealm, fileIdent: number) {
    this.replica = replica;
    this.#realm = realm;
    this.#fileIdent = fileIdent;
  }

  upload(): Promise<SaltedVersion> {
    const { entries, progress } = this.replica.uploadScan(this.replica.upload, EVERYTHING);
    const message = { entries, progress, lockedServerVersion: this.replica.download.serverVersion };
    return this.#realm.integrate(this.#fileIdent, message);
  }

  async download(softLimit = EVERYTHING): Promise<void> {
    this.replica.integrate(await this.#realm.download(this.#fileIdent, this.replica.download, softLimit));
  }

  async downloadAll(): Promise<void> {
    while (this.replica.download.serverVersion < this.#realm.head.version) await this.download();
  }

  /** Receives the beginning of the state; what comes next is lost, so that the server has to start another attempt. */
  async downloadCutOff(): Promise<void> {
    await this.download(0);
    await this.#realm.download(this.#fileIdent, this.replica.download, 0);
  }
}

function itemsOf(reader: Pick<StateReader, 'objects'>): Map<string, string> {
  return new Map([...reader.objects('Item')].map(({ key, state }) => [keyToken(key), objectText(state)]));
}

const asDefault = (instruction: Instruction): Instruction =>
  instruction.op === 'Update' ? { ...instruction, isDefault: true } : instruction;

const eraseItem = (id: number): Instruction => ({
  op: 'EraseObject',
  table: 'Item',
  key: { type: 'int', value: BigInt(id) },
});

test('a default that follows a value of its own takes that place on the server too', async () => {
  const { realm, device } = await newcomer();
  device.replica.write([createItem(0), setItem(0, 5)]);
  device.replica.write([asDefault(setItem(0, 0))]);
  await device.downloadAll();
  await device.upload();
  expect(itemsOf(device.replica)).toEqual(itemsOf(realm.now));
  expect(itemsOf(device.replica).get('i0')).toBe('n=0');
});

test('of two defaults for what the state leaves open, the later one stands', async () => {
  const { realm, device } = await newcomer();
  await realm.write([createItem(9)]);
  device.replica.write([createItem(9), asDefault(setItem(9, 2))]);
  device.replica.write([asDefault(setItem(9, 3))]);
  await device.downloadAll();
  await device.upload();
  expect(itemsOf(device.replica)).toEqual(itemsOf(realm.now));
  expect(itemsOf(device.replica).get('i9')).toBe('n=3');
});

test('a default alone gives way to the state', async () => {
  const { realm, device } = await newcomer();
  device.replica.write([createItem(0), asDefault(setItem(0, 5))]);
  await device.downloadAll();
  await device.upload();
  expect(itemsOf(device.replica)).toEqual(itemsOf(realm.now));
  expect(itemsOf(device.replica).get('i0')).toBe('n=1');
});

test('what an attempt at sending the state erased does not come back, even if others made it anew', async () => {
  const { realm, device } = await newcomer();
  await device.downloadCutOff();
  device.replica.write([createItem(0), setItem(0, 5)]);
  await realm.write([eraseItem(0)]);
  await device.downloadAll();
  await realm.write([createItem(0)]);
  await device.downloadAll();
  await expect(device.upload()).rejects.toMatchObject({ protocolCode: 222 });
});

test('what was changed between two attempts, but not erased, can still be written', async () => {
  const { realm, device } = await newcomer();
  await device.downloadCutOff();
  device.replica.write([createItem(0), setItem(0, 5)]);
  await realm.write([setItem(0, 3)]);
  await device.downloadAll();
  await device.upload();
  expect(itemsOf(device.replica)).toEqual(itemsOf(realm.now));
  expect(itemsOf(device.replica).get('i0')).toBe('n=5');
});

test('an upload that comes while another attempt begins is a part of the state that is sent', async () => {
  const { realm, device } = await newcomer();
  await device.downloadCutOff();
  device.replica.write([createItem(0), setItem(0, 5)]);
  // Made later, by the clock of this server.
  await realm.write([setItem(0, 3)]);
  await Promise.all([device.upload(), device.download()]);
  await device.downloadAll();
  expect(itemsOf(device.replica)).toEqual(itemsOf(realm.now));
  expect(itemsOf(device.replica).get('i0')).toBe('n=3');
});

test('a default that may have been written over a part of the state is not taken to give way', async () => {
  const { device } = await newcomer();
  await device.download(0);
  await device.download(0);
  expect(itemsOf(device.replica).get('i0')).toBe('n=1');
  device.replica.write([asDefault(setItem(0, 5))]);
  await device.downloadAll();
  await expect(device.upload()).rejects.toMatchObject({ protocolCode: 222 });
});
