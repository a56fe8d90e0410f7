/**
 * Clients write, subscribe anew, stop and start at random. Once all is quiet each of them holds exactly what its query
 * finds among all objects, whatever the server took of their writes.
 */
import { expect, test } from 'vitest';
import { ADMIN, startTestServer } from '../../server/support/test-server.ts';
import { temporaryDirectory } from '../../store/server/temporary-directory.ts';
import { Random, testSeed } from '../../support/random.ts';
import { type Item, openFlexible } from './flexible-realm.ts';

const STEPS = 120;
const KEYS = 25;
const LARGEST = 9;

type Opened = Awaited<ReturnType<typeof openFlexible>>;

class Device {
  readonly #url: string;
  readonly #random: Random;
  readonly #directory = temporaryDirectory();
  #opened: Opened | undefined;
  /** It shows objects from this `n` on. */
  least = LARGEST;

  constructor(url: string, random: Random) {
    this.#url = url;
    this.#random = random;
  }

  get opened(): Opened {
    if (this.#opened === undefined) throw new Error('the device is not started');
    return this.#opened;
  }

  async start(): Promise<void> {
    // The same user again, to whom the client file belongs.
    const credentials = {
      provider: 'local-userpass',
      username: ADMIN.user,
      password: ADMIN.password,
    } as const;
    this.#opened = await openFlexible(this.#url, { directory: this.#directory, credentials });
  }

  async stop(): Promise<void> {
    await this.opened.close();
    await this.opened.client.close();
    this.opened.store.close();
  }

  subscribe(least: number): void {
    this.least = least;
    const { realm } = this.opened;
    realm.subscriptions.updateNoWait((subs) =>
      subs.add(realm.objects('Item').filtered('n >= $0', least), { name: 'mine' }),
    );
  }

  write(): void {
    const { realm } = this.opened;
    if (realm.subscriptions.isEmpty) return;
    realm.write(() => {
      for (let count = this.#random.below(3); count >= 0; count--) {
        const _id = this.#random.below(KEYS);
        const known = realm.objectForPrimaryKey<Item>('Item', _id);
        const n = this.#random.below(LARGEST + 1);
        if (known === null) realm.create('Item', { _id, n, text: `made by ${this.#random.below(100)}` });
        else if (this.#random.chance(0.2)) realm.delete(known);
        else if (this.#random.chance(0.5)) known.n = n;
        else known.text = `text ${this.#random.below(100)}`;
      }
    });
  }

  async settle(): Promise<void> {
    const { realm, session } = this.opened;
    await realm.subscriptions.waitForSynchronization();
    await session.uploadCompletion();
    await session.downloadCompletion();
  }

  shown(): unknown[] {
    return this.opened.realm.objects<Item>('Item').map(({ _id, n, text }) => ({ _id, n, text }));
  }
}

test('every client ends with what its query finds', { timeout: 120_000 }, async () => {
  const seed = testSeed();
  const random = new Random(seed);
  const server = await startTestServer({ development: true, flexibleSync: {} });
  const all = new Device(server.url, random);
  await all.start();
  all.subscribe(0);
  await all.settle();
  const devices = Array.from({ length: 3 }, () => new Device(server.url, random));
  for (const device of devices) {
    await device.start();
    device.subscribe(random.below(LARGEST));
  }
  for (let step = 0; step < STEPS; step++) {
    const device = random.pick([...devices, all]);
    const action = random.below(12);
    if (action < 7) device.write();
    else if (action < 8 && device !== all) device.subscribe(random.below(LARGEST));
    else if (action < 10) await device.opened.session.downloadCompletion();
    else if (action < 11) await new Promise((resolve) => setImmediate(resolve));
    else {
      await device.stop();
      await device.start();
    }
  }
  // What one settles may change what the others see.
  for (let round = 0; round < 2; round++) for (const device of [all, ...devices]) await device.settle();
  const everything = all.opened.realm.objects<Item>('Item');
  for (const [index, device] of devices.entries()) {
    const expected = everything
      .filtered('n >= $0', device.least)
      .map(({ _id, n, text }) => ({ _id, n, text }));
    expect(device.shown(), `device ${index}, ISTHMUS_TEST_SEED=${seed}`).toEqual(expected);
  }
});
