/**
 * Several devices of flexible sync and a server, with random subscriptions, rights and writes, lost connections,
 * restarts and trimming: when all is quiet, every device holds exactly what its subscriptions and its user's rights
 * select of the server's state (spec/server-history.md §11, 5 and 6).
 */
import { setImmediate as nextTurn } from 'node:timers/promises';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { keyToken } from '../../../src/schema/value.ts';
import { openReplicaStore } from '../../../src/store/replica/open-replica-store.ts';
import { temporaryDirectory } from '../../store/server/temporary-directory.ts';
import { Random, testSeed } from '../../support/random.ts';
import { objectText, randomTransaction, TABLES } from './simulated-changes.ts';
import { SimulatedDevice } from './simulated-device.ts';
import { SimulatedServer } from './simulated-server.ts';

const STEPS = 120;
/** Milliseconds between two steps, at most: now and then longer than the server pauses between telling its sessions. */
const LONGEST_STEP = 8;
const SEEDS = Number(process.env.ISTHMUS_TEST_SEEDS ?? 12);
/** Rounds in which everything under way is passed on, after which nothing may be left. */
const MOST_ROUNDS = 2_000;

class Simulation {
  readonly #random: Random;
  readonly #directory = temporaryDirectory();
  readonly #devices: SimulatedDevice[] = [];
  readonly #stores: { close(): void }[] = [];
  #server: SimulatedServer;

  private constructor(random: Random, server: SimulatedServer, directory: string) {
    this.#random = random;
    this.#server = server;
    this.#directory = directory;
    const count = 2 + random.below(3);
    for (let i = 0; i < count; i += 1) {
      const skew = random.below(2_000) - 1_000;
      const store = openReplicaStore(temporaryDirectory(), { now: () => Date.now() + skew });
      this.#stores.push(store);
      this.#devices.push(new SimulatedDevice(`device ${i}`, store, random));
    }
  }

  static async start(random: Random): Promise<Simulation> {
    const directory = temporaryDirectory();
    return new Simulation(random, await SimulatedServer.open(directory, random), directory);
  }

  async run(): Promise<void> {
    for (const device of this.#devices) {
      device.subscribe();
      device.connect(this.#server);
    }
    for (let step = 0; step < STEPS; step += 1) {
      await this.#step();
      this.#check();
    }
    await this.#settle();
    this.#compare();
  }

  async close(): Promise<void> {
    for (const device of this.#devices) await device.close();
    for (const store of this.#stores) store.close();
    await this.#server.close();
  }

  async #step(): Promise<void> {
    const random = this.#random;
    const device = random.pick(this.#devices);
    const drawn = random.below(100);
    if (drawn < 30) device.write();
    else if (drawn < 34) await this.#server.realm.write(randomTransaction(this.#server.realm.now, random));
    else if (drawn < 40) device.subscribe();
    else if (drawn < 43) device.changeRights();
    else if (drawn < 47) device.disconnect();
    else if (drawn < 54) device.connect(this.#server);
    else if (drawn < 55) await this.#restart();
    else if (drawn < 56) await this.#server.realm.trim();
    else device.passOn(random.below(4), random.below(4));
    vi.advanceTimersByTime(random.below(LONGEST_STEP));
    for (let i = random.below(4); i >= 0; i -= 1) await nextTurn();
  }

  async #restart(): Promise<void> {
    for (const device of this.#devices) device.disconnect();
    await nextTurn();
    await this.#server.close();
    this.#server = await SimulatedServer.open(this.#directory, this.#random);
  }

  async #settle(): Promise<void> {
    for (const device of this.#devices) device.connect(this.#server);
    for (let round = 0; this.#devices.some(({ isSettled }) => !isSettled); round += 1) {
      if (round > MOST_ROUNDS) throw new Error('the devices do not come to rest');
      await this.#passAllOn();
    }
    // Now everything that was written is with the server.
    let waiting = this.#devices.length;
    for (const device of this.#devices) {
      device.downloadCompletion().then(
        () => {
          waiting -= 1;
        },
        (error: Error) => {
          device.failure ??= error;
        },
      );
    }
    for (let round = 0; waiting > 0; round += 1) {
      if (round > MOST_ROUNDS) throw new Error('a MARK is not answered');
      await this.#passAllOn();
    }
  }

  async #passAllOn(): Promise<void> {
    for (const device of this.#devices) device.passOn(10, 10);
    vi.advanceTimersByTime(LONGEST_STEP);
    await nextTurn();
    this.#check();
  }

  #check(): void {
    const failure = [...this.#server.faults, ...this.#devices.map((device) => device.failure)].find(Boolean);
    if (failure !== undefined) throw failure;
  }

  #compare(): void {
    const { now, schema } = this.#server.realm;
    for (const device of this.#devices) {
      const view = this.#server.viewOf(device);
      for (const table of TABLES) {
        const shows = (field: string): boolean => view.shows(table, field);
        const wanted = [...now.objects(table)]
          .filter((object) => view.includes(table, object, now))
          .map(({ key, state }) => [keyToken(key), objectText(schema, table, state, shows)]);
        const held = [...device.replica.objects(table)].map(({ key, state }) => {
          return [keyToken(key), objectText(schema, table, state, shows)];
        });
        const what = `${device.name} (${JSON.stringify(device.rights)}), ${device.queries}`;
        expect(Object.fromEntries(held), what).toEqual(Object.fromEntries(wanted));
      }
    }
  }
}

// Nothing depends on how fast the machine is, so that a seed finds again what it found.
beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance', 'Date'] });
});
afterEach(() => {
  vi.useRealTimers();
});

test('every device holds its view once all is quiet', async () => {
  const first = testSeed();
  const failures: Error[] = [];
  for (let seed = first; seed < first + SEEDS; seed += 1) {
    const simulation = await Simulation.start(new Random(seed));
    try {
      await simulation.run();
    } catch (error) {
      failures.push(new Error(`failed with ISTHMUS_TEST_SEED=${seed}: ${error}`, { cause: error }));
    } finally {
      await simulation.close();
    }
  }
  for (const failure of failures) process.stdout.write(`${failure.message.slice(0, 250)}\n`);
  if (failures.length > 0) throw failures[0];
});
