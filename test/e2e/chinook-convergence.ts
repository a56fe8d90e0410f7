/**
 * The whole system as its users run it: object server, loader and adapter as processes, a database server, devices on
 * real sockets. Random changes on both sides at once, each process killed in the middle, and then every row must equal
 * its object.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Random, testSeed } from '../support/random.ts';
import type { ChinookTarget } from './chinook-database.ts';
import { ChinookRun } from './chinook-run.ts';
import { DeviceWorkload } from './device-workload.ts';
import { updated } from './sql-workload.ts';

const CHANGES_PER_SIDE = 1000;
/** Each test has the processes of a whole system share two cores with the other suites. */
const TIMEOUT_MILLISECONDS = 300_000;
/** Polls and confirmations that are still to come would have come by then. */
const SILENCE_MILLISECONDS = 1500;

/** Declares the suite for one database. */
export function describeChinook(target: ChinookTarget): void {
  const seed = testSeed();
  let directory: string;
  let run: ChinookRun;

  beforeAll(async () => {
    directory = mkdtempSync(join(tmpdir(), 'isthmus-e2e-'));
    run = await ChinookRun.start(target, directory, seed);
  });

  afterAll(async () => {
    await run?.close();
    rmSync(directory, { recursive: true, force: true });
  });

  describe(`Chinook on ${target.name} (seed ${seed})`, { timeout: TIMEOUT_MILLISECONDS }, () => {
    it('equals its realm row by row after loading, and a second load writes nothing', async () => {
      await run.load();
      const device = await run.openDevice('device-1');
      await run.openDevice('device-2');
      await device.session.downloadCompletion();
      expect(await run.differences()).toEqual([]);
      expect(device.replica.count('PlaylistTrack')).toBe(8715);
      const { version } = device.replica.latest;
      await run.load();
      await device.session.downloadCompletion();
      expect(device.replica.latest.version).toBe(version);
    });

    it('agrees again after random changes on both sides at once', async () => {
      run.startAdapter();
      await run.change(CHANGES_PER_SIDE, new Random(seed), async () => {});
      await run.expectAgreement();
    });

    it.runIf(target.crashesAt.length > 0)(
      'loses and repeats nothing when adapter, object server and database are killed in the middle',
      async () => {
        await run.database.recordCheckpoints();
        await run.change(CHANGES_PER_SIDE, new Random(seed + 1), async (done) => {
          if (done === 150 || done === 650) await run.killAdapter();
          if (done === 300 || done === 800) await run.killServer();
          if (target.crashesAt.includes(done)) await run.database.crash();
        });
        await run.expectAgreement();
        // Every SQL transaction of the adapter moves its checkpoint, so one that was applied twice would show.
        const checkpoints = await run.database.recordedCheckpoints();
        expect(checkpoints.length).toBeGreaterThan(20);
        expect(checkpoints.filter((sequence, at) => sequence <= (checkpoints[at - 1] ?? -1))).toEqual([]);
        expect(checkpoints.at(-1)).toBe(await run.asked((connection) => connection.checkpoint()));
        expect(run.tracksMadeTwice()).toEqual([]);
        expect(await run.asked((connection) => connection.deadLetters())).toBe(0);
      },
    );

    it('settles when both sides write the same row within milliseconds, and then nothing moves any more', async () => {
      const random = new Random(seed + 2);
      const app = new DeviceWorkload(run.device.replica, random, 99);
      const connection = await run.database.connect();
      for (let round = 0; round < 100; round += 1) {
        const write = async (): Promise<void> => {
          const changes = [updated('Artist', 7, { name: `sql ${round}` })];
          expect(await connection.apply(changes)).toBe('committed');
        };
        const first = random.chance(0.5) ? write() : undefined;
        if (random.chance(0.7)) await sleep(random.below(8));
        app.nameArtist(7, `app ${round}`);
        if (random.chance(0.7)) await sleep(random.below(8));
        await (first ?? write());
      }
      app.close();
      await connection.close();
      await run.expectAgreement();
      const before = await run.progress();
      await sleep(SILENCE_MILLISECONDS);
      expect(await run.progress()).toEqual(before);
    });

    it('stops within ten seconds of SIGTERM and goes on where it was', async () => {
      const started = performance.now();
      expect(await run.stopAdapter(), run.logs()).toBe(0);
      expect(performance.now() - started).toBeLessThan(10_000);
      const connection = await run.database.connect();
      await connection.apply([updated('Artist', 1, { name: 'while it was stopped' })]);
      await connection.close();
      expect(await run.differences()).not.toEqual([]); // the comparison sees what is not synced
      run.startAdapter();
      await run.expectAgreement();
    });
  });
}
