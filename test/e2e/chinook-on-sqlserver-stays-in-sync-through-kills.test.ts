/**
 * The whole system as its users run it, on SQL Server: object server, loader, adapter and the simulator of the database
 * as processes, devices on real sockets. Random changes on both sides at once, each process killed in the middle, and
 * then every row must equal its object.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Deployment, Device, type IsthmusProcess, untilServing } from '../support/isthmus-processes.ts';
import { Random, testSeed } from '../support/random.ts';
import type { TestConnection } from '../support/sqlserver-connection.ts';
import { differences } from './compare.ts';
import { DeviceWorkload } from './device-workload.ts';
import { deployChinook, REALM, SimulatorProcess, sqlServerTables } from './sqlserver-chinook.ts';
import { SqlServerWorkload } from './sqlserver-workload.ts';

/** Fewer than on PostgreSQL: the simulator takes its time. */
const CHANGES = 1000;
const AGREEMENT_DEADLINE_MILLISECONDS = 90_000;
/** Of a test whose processes share a busy machine. */
const TIMEOUT_MILLISECONDS = 180_000;
const FOREIGN_KEY = 547;
const DEADLOCK = 1205;

const seed = testSeed();
let directory: string;
let simulator: SimulatorProcess;
let deployment: Deployment;
let server: IsthmusProcess;
let adapter: IsthmusProcess;
const devices: Device[] = [];

beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), 'isthmus-e2e-'));
  simulator = await SimulatorProcess.start(directory);
  deployment = await deployChinook(simulator, directory);
  server = deployment.start('server');
  await untilServing(deployment, server);
});

afterAll(async () => {
  for (const device of devices) await device.close();
  await adapter?.kill();
  await server?.kill();
  await simulator?.kill();
  rmSync(directory, { recursive: true, force: true });
});

async function compareAll(): Promise<string[]> {
  for (const device of devices) {
    await device.session.uploadCompletion(AbortSignal.timeout(30_000));
    await device.session.downloadCompletion(AbortSignal.timeout(30_000));
  }
  const connection = await simulator.connect();
  try {
    const found: string[] = [];
    for (const device of devices)
      found.push(...(await differences(sqlServerTables(connection), device.replica)));
    return found;
  } finally {
    await connection.close();
  }
}

/** Waits until both sides agree; fails with what still differs, and the seed. */
async function expectAgreement(): Promise<void> {
  const deadline = Date.now() + AGREEMENT_DEADLINE_MILLISECONDS;
  for (;;) {
    const found = await compareAll();
    if (found.length === 0) return;
    if (Date.now() > deadline) {
      const logs = `adapter:\n${adapter.log.slice(-2000)}\nserver:\n${server.log.slice(-1000)}`;
      expect(found.slice(0, 20), `ISTHMUS_TEST_SEED=${seed}\n${logs}`).toEqual([]);
    }
    await sleep(250);
  }
}

/** Runs both workloads at the same time; `at` is called with how much is done, for faults in the middle. */
async function churn(random: Random, at: (done: number) => Promise<void>): Promise<void> {
  const workloads = devices.map((device, index) => new DeviceWorkload(device.replica, random, index));
  let sql = new SqlServerWorkload(await simulator.connect(), random, 1);
  let connection: TestConnection | undefined;
  for (let done = 0; done < CHANGES; done += 1) {
    await at(done);
    random.pick(workloads).step();
    try {
      await sql.step();
    } catch (error) {
      const number = error instanceof Error && 'number' in error ? error.number : undefined;
      if (number === FOREIGN_KEY || number === DEADLOCK) continue;
      if (number !== undefined) throw error;
      connection = await reconnected();
      sql = sql.over(connection);
    }
    if (done % 10 === 0) await sleep(random.below(10));
  }
  for (const workload of workloads) workload.close();
  await connection?.close();
}

async function reconnected(): Promise<TestConnection> {
  for (;;) {
    try {
      return await simulator.connect();
    } catch {
      await sleep(50); // it is coming back
    }
  }
}

describe('Chinook on SQL Server', { timeout: TIMEOUT_MILLISECONDS }, () => {
  it('equals its realm row by row after loading, and a second load writes nothing', async () => {
    const loader = deployment.start('load');
    expect(await loader.exited, loader.log).toBe(0);
    devices.push(await Device.open(deployment.url, join(directory, 'device-1'), REALM));
    devices.push(await Device.open(deployment.url, join(directory, 'device-2'), REALM));
    await devices[0]!.session.downloadCompletion();
    expect(await compareAll()).toEqual([]);
    expect(devices[0]!.replica.count('PlaylistTrack')).toBe(8715);
    const { version } = devices[0]!.replica.latest;
    const again = deployment.start('load');
    expect(await again.exited, again.log).toBe(0);
    await devices[0]!.session.downloadCompletion();
    expect(devices[0]!.replica.latest.version).toBe(version);
  });

  it(`loses nothing when adapter, object server and database are killed amid changes on both sides (seed ${seed})`, async () => {
    adapter = deployment.start('adapter');
    await churn(new Random(seed), async (done) => {
      if (done === 200 || done === 750) {
        await adapter.kill();
        adapter = deployment.start('adapter');
      }
      if (done === 400) {
        await server.kill();
        server = deployment.start('server');
      }
      if (done === 550 || done === 900) {
        await simulator.kill();
        await simulator.start();
      }
    });
    await expectAgreement();
  });
});
