/**
 * The whole system as its users run it: object server, loader and adapter as processes, a real PostgreSQL, devices on
 * real sockets. Random changes on both sides at once, each process killed in the middle, and then every row must
 * equal its object.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { decodeMerged } from '../../src/adapter/cook.ts';
import { keyToken } from '../../src/schema/value.ts';
import { type Deployment, Device, type IsthmusProcess, untilServing } from '../support/isthmus-processes.ts';
import { embedded, startTestPostgres, type TestPostgres } from '../support/postgres.ts';
import { Random, testSeed } from '../support/random.ts';
import { deployChinook, REALM, withClient } from './chinook-deployment.ts';
import { differences } from './compare.ts';
import { DeviceWorkload } from './device-workload.ts';
import { postgresTables } from './postgres-tables.ts';
import { SqlWorkload } from './sql-workload.ts';

const CHANGES_PER_SIDE = 1000;
const AGREEMENT_DEADLINE_MILLISECONDS = 90_000;

const seed = testSeed();
let directory: string;
let postgres: TestPostgres;
let deployment: Deployment;
let database: string;
let server: IsthmusProcess;
let adapter: IsthmusProcess;
const devices: Device[] = [];

beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), 'isthmus-e2e-'));
  postgres = await startTestPostgres();
  // A change that the database refuses would be a fault of the test or of ours: it must stop the adapter, not hide.
  ({ deployment, database } = await deployChinook(postgres, directory, 'ignoreSQLerrors: false'));
  server = deployment.start('server');
  await untilServing(deployment, server);
});

afterAll(async () => {
  for (const device of devices) await device.close();
  await adapter?.kill();
  await server?.kill();
  await postgres?.stop();
  rmSync(directory, { recursive: true, force: true });
});

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

async function compareAll(): Promise<string[]> {
  for (const device of devices) {
    await device.session.uploadCompletion(AbortSignal.timeout(30_000));
    await device.session.downloadCompletion(AbortSignal.timeout(30_000));
  }
  return withClient(postgres, database, async (client) => {
    const found: string[] = [];
    for (const device of devices) found.push(...(await differences(postgresTables(client), device.replica)));
    return found;
  });
}

async function count(sql: string): Promise<number> {
  const [row] = await postgres.query(database, sql);
  return Number(row?.count ?? 0);
}

/** Runs both workloads at the same time; `at` is called with how much is done, for faults in the middle. */
async function churn(changes: number, random: Random, at: (done: number) => Promise<void>): Promise<void> {
  const open = async (): Promise<pg.Client> => {
    const client = new pg.Client({ connectionString: postgres.url(database) });
    client.on('error', () => {}); // the server is killed in the middle
    await client.connect();
    return client;
  };
  const workloads = devices.map(
    (device, index) => new DeviceWorkload(device.replica, random, index + churns * 10),
  );
  churns += 1;
  let client = await open();
  let sql = new SqlWorkload(client, random, churns);
  for (let done = 0; done < changes; done += 1) {
    await at(done);
    random.pick(workloads).step();
    try {
      await sql.step();
    } catch (error) {
      if (isConnectionLoss(error)) {
        client = await reconnect(open);
        sql = sql.over(client);
      } else if (!isRefusal(error)) throw error;
    }
    if (done % 10 === 0) await sleep(random.below(10));
  }
  for (const workload of workloads) workload.close();
  await client.end();
}
let churns = 0;

async function reconnect(open: () => Promise<pg.Client>): Promise<pg.Client> {
  for (;;) {
    try {
      return await open();
    } catch {
      await sleep(50); // the server is coming back
    }
  }
}

function isConnectionLoss(error: unknown): boolean {
  const text = error instanceof Error ? error.message : '';
  return /terminat|closed|ECONN|not queryable|shutting down|recovery|starting up/i.test(text);
}

/** The database may refuse a statement of the workload, as it would another application's (a row still referenced). */
function isRefusal(error: unknown): boolean {
  return (
    error instanceof pg.DatabaseError && (error.code?.startsWith('23') === true || error.code === '40P01')
  );
}

/** Tracks whose creation reached the device more than once. Every key of the workloads is used for one creation. */
function tracksMadeTwice(device: Device): string[] {
  const seen = new Set<string>();
  const twice: string[] = [];
  for (const { payload } of device.replica.queued(0, 1_000_000)) {
    for (const instruction of decodeMerged(payload)) {
      if (instruction.type !== 'INSERT' || instruction.table !== 'Track') continue;
      const token = keyToken(instruction.key);
      if (seen.has(token)) twice.push(token);
      seen.add(token);
    }
  }
  return twice;
}

describe('Chinook', () => {
  it('equals its realm row by row after loading, and a second load writes nothing', async () => {
    const loader = deployment.start('load');
    expect(await loader.exited, loader.log).toBe(0);
    devices.push(await Device.open(deployment.url, join(directory, 'device-1'), REALM));
    devices.push(await Device.open(deployment.url, join(directory, 'device-2'), REALM));
    await devices[0]!.session.downloadCompletion();
    expect(await compareAll()).toEqual([]);
    expect(devices[0]!.replica.count('PlaylistTrack')).toBe(8715);
    const version = devices[0]!.replica.latest.version;
    const again = deployment.start('load');
    expect(await again.exited, again.log).toBe(0);
    await devices[0]!.session.downloadCompletion();
    expect(devices[0]!.replica.latest.version).toBe(version);
  });

  it(`agrees again after random changes on both sides at once (seed ${seed})`, async () => {
    adapter = deployment.start('adapter');
    await churn(CHANGES_PER_SIDE, new Random(seed), async () => {});
    await expectAgreement();
  });

  it.runIf(embedded)(
    `loses and repeats nothing when adapter, server and PostgreSQL are killed in the middle (seed ${seed})`,
    async () => {
      const random = new Random(seed + 1);
      // Every SQL transaction of ours moves the checkpoint: the log shows whether one was committed twice.
      await withClient(postgres, database, async (client) => {
        await client.query('CREATE TABLE checkpoint_log (id bigserial, sequence bigint)');
        await client.query(`CREATE FUNCTION log_checkpoint() RETURNS trigger LANGUAGE plpgsql AS
          $$ BEGIN INSERT INTO checkpoint_log (sequence) VALUES (NEW.sequence); RETURN NEW; END $$`);
        await client.query(`CREATE TRIGGER log AFTER INSERT OR UPDATE ON isthmus.checkpoint
          FOR EACH ROW EXECUTE FUNCTION log_checkpoint()`);
      });
      await churn(CHANGES_PER_SIDE, random, async (done) => {
        if (done === 150 || done === 650) {
          await adapter.kill();
          adapter = deployment.start('adapter');
        }
        if (done === 300 || done === 800) {
          await server.kill();
          server = deployment.start('server');
        }
        if (done === 450) await postgres.crashAndRestart();
      });
      await expectAgreement();
      expect(await count('SELECT count(*) FROM checkpoint_log')).toBeGreaterThan(20);
      const backwards = `SELECT count(*) FROM checkpoint_log AS a JOIN checkpoint_log AS b ON b.id > a.id AND b.sequence <= a.sequence`;
      expect(await count(backwards)).toBe(0);
      expect(tracksMadeTwice(devices[0]!)).toEqual([]);
      expect(await count('SELECT count(*) FROM isthmus.dead_letter')).toBe(0);
    },
    180_000,
  );

  it('settles when both sides write the same row within milliseconds, and then nothing moves any more', async () => {
    const random = new Random(seed + 2);
    const realm = new DeviceWorkload(devices[0]!.replica, random, 99);
    await withClient(postgres, database, async (client) => {
      for (let round = 0; round < 100; round += 1) {
        const write = async (): Promise<void> => {
          await client.query('UPDATE artist SET name = $1 WHERE artist_id = 7', [`sql ${round}`]);
        };
        const first = random.chance(0.5) ? write() : undefined;
        if (random.chance(0.7)) await sleep(random.below(8));
        realm.nameArtist(7, `app ${round}`);
        if (random.chance(0.7)) await sleep(random.below(8));
        await (first ?? write());
      }
    });
    realm.close();
    await expectAgreement();
    const before = [
      await count('SELECT sequence AS count FROM isthmus.checkpoint'),
      devices[0]!.replica.latest.version,
    ];
    await sleep(1500);
    await devices[0]!.session.downloadCompletion();
    const after = [
      await count('SELECT sequence AS count FROM isthmus.checkpoint'),
      devices[0]!.replica.latest.version,
    ];
    expect(after).toEqual(before);
  });

  it('stops within ten seconds of SIGTERM and goes on where it was', async () => {
    const started = performance.now();
    expect(await adapter.stop(), adapter.log).toBe(0);
    expect(performance.now() - started).toBeLessThan(10_000);
    await postgres.query(database, "UPDATE artist SET name = 'while it was stopped' WHERE artist_id = 1");
    expect(await compareAll()).not.toEqual([]); // the comparison sees what is not synced
    adapter = deployment.start('adapter');
    await expectAgreement();
  });
});
