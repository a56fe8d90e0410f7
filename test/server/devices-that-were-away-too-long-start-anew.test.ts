/** Devices that stayed away for longer than `clientMaxOfflineDays`, and others, over real sockets, with a clock of ours. */
import { randomInt } from 'node:crypto';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import type { SyncSession } from '../../src/client/sync-session.ts';
import { startServerOn } from '../../src/server/start-server.ts';
import type { Replica } from '../../src/store/replica/contract.ts';
import { openServerStore } from '../../src/store/server/open.ts';
import { connectClient, type TestClient } from '../client/support/client.ts';
import { createItem, SCHEMA, setItem } from '../store/server/changes.ts';
import { Api } from './support/api.ts';
import { flexibleProtocols } from './support/flexible-client.ts';
import { RawClient } from './support/raw-client.ts';
import { temporaryDirectory } from './support/test-server.ts';

const DAY = 24 * 60 * 60_000;
const MAX_OFFLINE_DAYS = 3;

type Mode = 'partition' | 'flexible';

/** A server that keeps of a history only what somebody needs, and on which `pass` lets days go by. */
async function start() {
  const dataDirectory = await temporaryDirectory();
  let now = Date.now();
  const store = await openServerStore(
    join(dataDirectory, 'realms'),
    { newSalt: () => BigInt(1 + randomInt(1_000_000)), unixTime: () => now },
    { maxOffline: MAX_OFFLINE_DAYS * DAY, keptVersions: 1, keptBytes: 0 },
  );
  const options = { dataDirectory, port: 0, development: true, flexibleSync: {} } as const;
  const server = await startServerOn(store, options);
  onTestFinished(() => server.close());
  const pass = (days: number): void => {
    now += days * DAY;
  };
  return { url: server.url, pass, houseKeeping: () => store.trim() };
}

/** A device with one realm, of class Item, which it opens and closes. */
class Device {
  readonly replica: Replica;
  readonly #client: TestClient['client'];
  #session: SyncSession | undefined;

  constructor(mode: Mode, { client, store }: TestClient) {
    this.#client = client;
    if (mode === 'partition') this.replica = store.replica('/shop');
    else {
      const replica = store.flexibleReplica();
      const id = '1'.padStart(24, '0');
      replica.write(SCHEMA);
      const all = { id, name: undefined, table: 'Item', query: 'TRUEPREDICATE', createdAt: 0, updatedAt: 0 };
      replica.flexible.subscribe([all]);
      this.replica = replica;
    }
  }

  /** Connects, and waits until it has everything and the server has everything of it. */
  async sync(): Promise<void> {
    this.#session ??= this.#client.open(this.replica);
    await this.#session.downloadCompletion();
    await this.#session.uploadCompletion();
    await this.#session.downloadCompletion();
  }

  async leave(): Promise<void> {
    if (this.#session !== undefined) await this.#client.closeSession(this.#session);
    this.#session = undefined;
  }

  get items(): Record<string, string> {
    const items = [...this.replica.objects('Item')].map(({ key, state }) => {
      const n = state.fields.get('n');
      return [key.type === 'int' ? key.value : '?', n?.type === 'int' ? String(n.value) : '-'] as const;
    });
    return Object.fromEntries(items.map(([id, n]) => [String(id), n]));
  }
}

/** What the server says to whoever comes with that file. */
async function refusal(url: string, mode: Mode, replica: Replica) {
  const { identity, download, latest } = replica;
  const { accessToken: token } = await new Api(url).anonymous();
  const raw = await RawClient.connect({
    url,
    token,
    ...(mode === 'flexible' && { protocols: flexibleProtocols() }),
  });
  const text = mode === 'flexible' ? '{}' : '"/shop"';
  raw.send(`bind 1 ${text.length} 0 0 0`, text);
  const file = `${identity?.fileIdent} ${identity?.salt}`;
  const query = '{"Item":"(TRUEPREDICATE)"}';
  const cursors = `${download.serverVersion} ${download.clientVersion} ${latest.version} ${latest.salt}`;
  if (mode === 'partition') raw.send(`ident 1 ${file} ${cursors}`);
  else raw.send(`ident 1 ${file} ${cursors} 1 ${query.length}`, query);
  const { fields, body } = await raw.next('json_error');
  return { code: fields[1], ...JSON.parse(body.toString()) };
}

test.each<Mode>(['partition', 'flexible'])('devices of %s sync', async (mode) => {
  const { url, pass, houseKeeping } = await start();
  const device = async (): Promise<Device> => new Device(mode, await connectClient(url));
  const [author, gone, brief] = [await device(), await device(), await device()];
  if (mode === 'partition') author.replica.write(SCHEMA);
  else await author.sync();
  author.replica.write([createItem(1), setItem(1, 1), createItem(2), setItem(2, 2)]);
  for (const each of [author, gone, brief]) await each.sync();
  for (const each of [gone, brief]) await each.leave();
  expect(gone.items).toEqual({ 1: '1', 2: '2' });

  pass(2);
  await brief.sync();
  await brief.leave();
  pass(2);
  // While they are away, everybody writes.
  author.replica.write([setItem(1, 10), createItem(3), setItem(3, 3)]);
  await author.sync();
  author.replica.write([setItem(1, 11)]);
  await author.sync();
  gone.replica.write([setItem(2, 20), createItem(4), setItem(4, 4)]);
  brief.replica.write([createItem(5), setItem(5, 5)]);
  await houseKeeping();

  expect(await refusal(url, mode, gone.replica)).toMatchObject({
    code: '222',
    action: 'ClientReset',
    tryAgain: false,
    shouldClientReset: true,
    isRecoveryModeDisabled: false,
  });
  const files = [gone, brief].map(({ replica }) => replica.identity?.fileIdent);
  await brief.sync();
  await gone.sync();
  const all = { 1: '11', 2: '20', 3: '3', 4: '4', 5: '5' };
  for (const each of [author, brief, gone]) {
    await each.sync();
    expect(each.items).toEqual(all);
  }
  // Only the one that had been given up had to start anew.
  expect(gone.replica.identity?.fileIdent).not.toBe(files[0]);
  expect(brief.replica.identity?.fileIdent).toBe(files[1]);
});
