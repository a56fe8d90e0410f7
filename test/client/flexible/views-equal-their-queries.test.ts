/**
 * Clients write, subscribe anew, stop and start at random. Once all is quiet each of them holds exactly what its query
 * finds among all objects, whatever the server took of their writes.
 */
import { expect, test } from 'vitest';
import type { Live } from '../../../src/client/realm/object-realm.ts';
import { keyToken } from '../../../src/schema/value.ts';
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
        else if (this.#random.chance(0.4)) known.n = n;
        else if (this.#random.chance(0.3)) known.other = this.#someItem();
        else known.text = `text ${this.#random.below(100)}`;
      }
    });
  }

  /** One that is shown here, perhaps; others may not see it. */
  #someItem(): Live<Item> | null {
    return this.opened.realm.objectForPrimaryKey<Item>('Item', this.#random.below(KEYS));
  }

  async settle(): Promise<void> {
    const { realm, session } = this.opened;
    await realm.subscriptions.waitForSynchronization();
    await session.uploadCompletion();
    await session.downloadCompletion();
  }

  /** The stored state of the objects from `least` on, with links to what is not shown. */
  states(least: number): unknown[] {
    const items = this.opened.realm.objects<Item>('Item').filtered('n >= $0', least);
    const replica = this.opened.store.flexibleReplica();
    return items.map(({ _id, n, text }) => {
      const other = replica.object('Item', { type: 'int', value: BigInt(_id) })?.fields.get('other');
      return { _id, n, text, other: other?.type === 'link' ? keyToken(other.key) : null };
    });
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
  for (const [index, device] of devices.entries()) {
    const about = `device ${index}, ISTHMUS_TEST_SEED=${seed}`;
    expect(device.states(0), about).toEqual(all.states(device.least));
  }
});
