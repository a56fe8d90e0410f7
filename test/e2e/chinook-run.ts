/** The processes and devices around one Chinook database, and what is done to them. */
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect } from 'vitest';
import { decodeMerged } from '../../src/adapter/cook.ts';
import { keyToken } from '../../src/schema/value.ts';
import { Device, type IsthmusProcess, untilServing } from '../support/isthmus-processes.ts';
import type { Random } from '../support/random.ts';
import {
  type ChinookConnection,
  type ChinookDatabase,
  type ChinookTarget,
  REALM,
} from './chinook-database.ts';
import { differences, readOnce } from './compare.ts';
import { DeviceWorkload } from './device-workload.ts';
import { SqlWorkload } from './sql-workload.ts';

const AGREEMENT_DEADLINE_MILLISECONDS = 90_000;
const STILLNESS_MILLISECONDS = 250;

export class ChinookRun {
  readonly database: ChinookDatabase;
  readonly #seed: number;
  #server: IsthmusProcess;
  #adapter: IsthmusProcess | undefined;
  /** It gave up, or was stopped: nothing will change any more. */
  #adapterEnded = false;
  readonly #devices: Device[] = [];
  /** How often there were workloads; each has keys of its own. */
  #workloads = 0;

  private constructor(database: ChinookDatabase, server: IsthmusProcess, seed: number) {
    this.database = database;
    this.#server = server;
    this.#seed = seed;
  }

  /** Resolves when the object server answers. */
  static async start(target: ChinookTarget, directory: string, seed: number): Promise<ChinookRun> {
    const database = await target.start(directory);
    const server = database.deployment.start('server');
    const run = new ChinookRun(database, server, seed);
    await untilServing(database.deployment, server);
    return run;
  }

  async close(): Promise<void> {
    for (const device of this.#devices) await device.close();
    await this.#adapter?.kill();
    await this.#server.kill();
    await this.database.stop();
  }

  /** Runs the loader to its end. */
  async load(): Promise<void> {
    const loader = this.database.deployment.start('load');
    expect(await loader.exited, loader.log).toBe(0);
  }

  async openDevice(name: string): Promise<Device> {
    const { directory, url } = this.database.deployment;
    const device = await Device.open(url, join(directory, name), REALM);
    this.#devices.push(device);
    return device;
  }

  /** The one that was opened first. */
  get device(): Device {
    const [device] = this.#devices;
    if (device === undefined) throw new Error('no device was opened');
    return device;
  }

  startAdapter(): void {
    const adapter = this.database.deployment.start('adapter');
    this.#adapter = adapter;
    this.#adapterEnded = false;
    void adapter.exited.then(() => {
      this.#adapterEnded = this.#adapter === adapter;
    });
  }

  async killAdapter(): Promise<void> {
    await this.#adapter?.kill();
    this.startAdapter();
  }

  /** Its exit code. */
  async stopAdapter(): Promise<number | undefined> {
    return await this.#adapter?.stop();
  }

  async killServer(): Promise<void> {
    await this.#server.kill();
    this.#server = this.database.deployment.start('server');
  }

  logs(): string {
    const adapter = this.#adapter?.log.slice(-2000) ?? '';
    return `ISTHMUS_TEST_SEED=${this.#seed}\nadapter:\n${adapter}\nserver:\n${this.#server.log.slice(-1000)}`;
  }

  /** What a connection of its own answers. */
  async asked<T>(work: (connection: ChinookConnection) => Promise<T>): Promise<T> {
    const connection = await this.database.connect();
    try {
      return await work(connection);
    } finally {
      await connection.close();
    }
  }

  /** How far either direction has come. */
  async progress(): Promise<{ readonly checkpoint: number; readonly version: bigint | number }> {
    await this.device.session.downloadCompletion();
    return {
      checkpoint: await this.asked((connection) => connection.checkpoint()),
      version: this.device.replica.latest.version,
    };
  }

  /** What tells the tables from the objects of any device, once the devices are up to date. */
  async differences(): Promise<readonly string[]> {
    for (const { session } of this.#devices) {
      await session.uploadCompletion(AbortSignal.timeout(30_000));
      await session.downloadCompletion(AbortSignal.timeout(30_000));
    }
    return this.asked(async (connection) => {
      const tables = readOnce(connection.tables);
      const found: string[] = [];
      for (const device of this.#devices) found.push(...(await differences(tables, device.replica)));
      return found;
    });
  }

  /** Waits until both sides agree; fails with what still differs, and the seed. */
  async expectAgreement(): Promise<void> {
    const deadline = Date.now() + AGREEMENT_DEADLINE_MILLISECONDS;
    for (;;) {
      await this.#stillness(deadline);
      const found = await this.differences();
      if (found.length === 0) return;
      if (Date.now() > deadline || this.#adapterEnded) expect(found.slice(0, 20), this.logs()).toEqual([]);
      await sleep(STILLNESS_MILLISECONDS);
    }
  }

  /** Waits until neither side has moved for a while: comparing everything before would only slow them down. */
  async #stillness(deadline: number): Promise<void> {
    let before = await this.progress();
    while (Date.now() < deadline && !this.#adapterEnded) {
      await sleep(STILLNESS_MILLISECONDS);
      const now = await this.progress();
      if (now.checkpoint === before.checkpoint && now.version === before.version) return;
      before = now;
    }
  }

  /** Changes both sides at the same time; `at` is called with how much is done, for faults in the middle. */
  async change(count: number, random: Random, at: (done: number) => Promise<void>): Promise<void> {
    const first = this.#workloads * 10;
    this.#workloads += 1;
    const apps = this.#devices.map(
      ({ replica }, index) => new DeviceWorkload(replica, random, first + index),
    );
    const sql = new SqlWorkload(random, this.#workloads);
    let connection = await this.database.connect();
    let committed = 0;
    for (let done = 0; done < count; done += 1) {
      await at(done);
      random.pick(apps).step();
      const outcome = await connection.apply(sql.step());
      if (outcome === 'committed') committed += 1;
      if (outcome === 'lost') connection = await this.#reconnected();
      if (done % 10 === 0) await sleep(random.below(10));
    }
    for (const app of apps) app.close();
    await connection.close();
    expect(committed, this.logs()).toBeGreaterThan(count * 0.9); // or it was no load
  }

  /** Tracks whose creation reached the device more than once. Every key of the workloads is used for one creation. */
  tracksMadeTwice(): readonly string[] {
    const seen = new Set<string>();
    const twice: string[] = [];
    for (const { payload } of this.device.replica.queued(0, 1_000_000)) {
      for (const instruction of decodeMerged(payload)) {
        if (instruction.type !== 'INSERT' || instruction.table !== 'Track') continue;
        const token = keyToken(instruction.key);
        if (seen.has(token)) twice.push(token);
        seen.add(token);
      }
    }
    return twice;
  }

  async #reconnected(): Promise<ChinookConnection> {
    for (;;) {
      try {
        return await this.database.connect();
      } catch {
        await sleep(50); // the server is coming back
      }
    }
  }
}
