/** Verifying while both sides are written: what is under way is no difference, and a repair disturbs nothing. */
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import type { Device } from '../support/isthmus-processes.ts';
import { Random, testSeed } from '../support/random.ts';
import { Bench, create, int, type Place, set, text } from './bad-input.ts';
import { verify } from './verify.ts';

const seed = testSeed();
let bench: Bench;

beforeAll(async () => {
  bench = await Bench.start();
});

afterEach(() => bench.closePlaces());
afterAll(() => bench.stop());

const ROWS = 400;
const TABLE = `CREATE TABLE item (id integer PRIMARY KEY, name varchar(40) NOT NULL, amount integer);
  INSERT INTO item SELECT n, 'item ' || n, n FROM generate_series(1, ${ROWS}) n`;

/** Writes as fast as it can until it is stopped, on both sides and often to the same rows. */
function churn(place: Place, device: Device, random: Random): { stop(): Promise<number> } {
  let writes = 0;
  let isOver = false;
  const key = (): number => 1 + random.below(random.chance(0.3) ? 3 : ROWS);
  const onDevice = async (): Promise<void> => {
    while (!isOver) {
      const id = int(key());
      const exists = device.replica.object('item', id) !== undefined;
      const name = text(`device ${writes}`);
      if (!exists) device.replica.write(create(id, { name, amount: int(writes) }));
      else if (random.chance(0.1)) device.replica.write([{ op: 'EraseObject', table: 'item', key: id }]);
      else device.replica.write(set(id, random.chance(0.5) ? { name } : { amount: int(writes) }));
      writes += 1;
      await sleep(random.below(4));
    }
  };
  const inSql = async (): Promise<void> => {
    const client = new pg.Client({ connectionString: bench.postgres.url(place.database) });
    await client.connect();
    while (!isOver) {
      if (random.chance(0.1)) await client.query('DELETE FROM item WHERE id = $1', [key()]);
      else {
        await client.query(
          `INSERT INTO item VALUES ($1, $2, $3) ON CONFLICT (id) DO UPDATE SET amount = excluded.amount`,
          [key(), `sql ${writes}`, writes],
        );
      }
      writes += 1;
      await sleep(random.below(4));
    }
    await client.end();
  };
  const running = Promise.all([onDevice(), inSql()]);
  return {
    stop: async () => {
      isOver = true;
      await running;
      return writes;
    },
  };
}

test(`reports nothing while both sides are written, and agreement afterwards (seed ${seed})`, async () => {
  const place = await bench.place(TABLE);
  await place.loader().init();
  const { device } = await place.synced();
  const work = churn(place, device, new Random(seed));
  for (let run = 0; run < 5; run += 1) {
    const { report, lines } = await verify(place.options(), { settleMilliseconds: 1_500 });
    expect(
      lines.filter((line) => !line.endsWith('[changing]')),
      `seed ${seed}`,
    ).toEqual([]);
    expect(report).toMatchObject({ standing: 0, explained: 0 });
  }
  expect(await work.stop()).toBeGreaterThan(200);
  const { lines } = await verify(place.options(), { settleMilliseconds: 1_500 });
  expect(lines, `seed ${seed}`).toEqual([]);
}, 120_000);

/** The database keeps these rows as they are and says nothing: the adapter believes that its changes took. */
const VETO = `CREATE FUNCTION veto() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NULL; END $$;
  CREATE TRIGGER veto BEFORE UPDATE ON item FOR EACH ROW WHEN (NEW.id > ${ROWS}) EXECUTE FUNCTION veto()`;

test(`finds what stands among all that moves, and repairs it while the adapter runs (seed ${seed})`, async () => {
  const place = await bench.place(
    `${TABLE}; INSERT INTO item VALUES (1001, 'one', 1), (1002, 'two', 2); ${VETO}`,
  );
  await place.loader().init();
  const { device } = await place.synced();
  device.replica.write([...set(int(1001), { name: text('one!') }), ...set(int(1002), { amount: int(22) })]);
  const work = churn(place, device, new Random(seed));
  const standing = ['item 1001.name: row "one", object "one!"', 'item 1002.amount: row "2", object "22"'];
  const options = { settleMilliseconds: 1_500 };
  const found = await verify(place.options(), options);
  expect(found.lines.filter((line) => !line.endsWith('[changing]'))).toEqual(standing);

  const realm = await verify(place.options(), { ...options, repair: 'realm' });
  expect(realm.report.repair).toEqual({ repaired: 2, notRepaired: 0 });
  expect((await verify(place.options(), options)).report.standing).toBe(0);

  device.replica.write(set(int(1001), { name: text('one?') }));
  await expect
    .poll(async () => (await verify(place.options(), options)).report.standing, { timeout: 40_000 })
    .toBe(1);
  await place.sql('DROP TRIGGER veto ON item');
  const sql = await verify(place.options(), { ...options, repair: 'sql' });
  expect(sql.report.repair).toEqual({ repaired: 1, notRepaired: 0 });
  await work.stop();
  const after = await verify(place.options(), options);
  expect(after.lines, `seed ${seed}`).toEqual([]);
  expect(await place.sql('SELECT name, amount FROM item WHERE id > 1000 ORDER BY id')).toEqual([
    { name: 'one?', amount: '1' },
    { name: 'two', amount: '2' },
  ]);
}, 120_000);

test.each(['SIGINT', 'SIGTERM'] as const)(
  'leaves nothing behind when %s interrupts it',
  async (signal) => {
    const place = await bench.place(TABLE);
    await place.loader().init();
    await place.sql("UPDATE item SET name = 'behind its back' WHERE id = 1");
    const before = readdirSync(join(place.directory, 'replica'));
    const command = place.command('verify', {}, {}, ['--settle', '60']);
    await expect.poll(() => command.log, { timeout: 30_000 }).toContain('Looking again at what differs');
    process.kill(command.pid, signal);
    expect(await command.exited).toBe(130);
    expect(readdirSync(join(place.directory, 'replica'))).toEqual(before);
  },
  60_000,
);

test('what a killed verification left is removed by the next one', async () => {
  const place = await bench.place(TABLE);
  await place.loader().init();
  await place.sql("UPDATE item SET name = 'behind its back' WHERE id = 1");
  const before = readdirSync(join(place.directory, 'replica'));
  const command = place.command('verify', {}, {}, ['--settle', '60']);
  await expect.poll(() => command.log, { timeout: 30_000 }).toContain('Looking again at what differs');
  await command.kill();
  expect(readdirSync(join(place.directory, 'replica')).length).toBe(before.length + 1);
  await verify(place.options());
  expect(readdirSync(join(place.directory, 'replica'))).toEqual(before);
}, 60_000);

test('takes what waits behind an adapter that is busy for changes under way', async () => {
  const place = await bench.place(TABLE);
  await place.loader().init();
  const adapter = place.command('adapter');
  await expect.poll(() => adapter.log, { timeout: 40_000 }).toContain('The adapter runs');
  process.kill(adapter.pid, 'SIGSTOP'); // it holds the feed, and nothing gets through
  await place.sql("UPDATE item SET name = 'changed' WHERE id <= 100");
  const { report } = await verify(place.options(), { settleMilliseconds: 500 });
  expect(report).toMatchObject({ standing: 0, changing: 100 });
  process.kill(adapter.pid, 'SIGCONT');
  const after = await verify(place.options(), { settleMilliseconds: 3_000 });
  expect(after.lines).toEqual([]);
}, 120_000);
