/** What ends a feed, and what mends it: comparing, which wipes nothing of either side. */
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { create, failure, int, set, text, until } from '../../e2e/bad-input.ts';
import { simulated } from '../../support/sqlserver.ts';
import { benchSuite, POLL, type SqlServerPlace } from '../bench.ts';

const bench = benchSuite();

const TABLE = `CREATE TABLE item (id int NOT NULL PRIMARY KEY, name nvarchar(40) NOT NULL, amount int NULL);
  DECLARE @n int = 1; WHILE @n <= 40 BEGIN INSERT item VALUES (@n, CONCAT('item ', @n), @n); SET @n = @n + 1 END`;

/** Loaded, followed for a while and stopped; since then both sides have changed, and a device twice. */
async function interrupted(): Promise<{ place: SqlServerPlace; finish: () => Promise<void> }> {
  const place = await bench().place(TABLE);
  await place.load();
  const { adapter, device } = await place.synced();
  device.replica.write(create(int(100), { name: text('device') }));
  await until(async () => (await place.sql('SELECT id FROM item WHERE id = 100')).length === 1);
  await place.sql('UPDATE item SET amount = 400 WHERE id = 4');
  await place.untilSame(device, 'item', 'amount');
  await adapter.close();
  await place.sql(`UPDATE item SET name = 'sql' WHERE id = 1; DELETE item WHERE id = 2;
    INSERT item VALUES (50, 'sql', 50)`);
  device.replica.write([
    ...set(int(3), { name: text('offline') }),
    ...create(int(101), { name: text('offline') }),
  ]);
  await device.session.uploadCompletion();
  const finish = async (): Promise<void> => {
    await place.started();
    await expect
      .poll(() => place.sql('SELECT name FROM item WHERE id IN (1, 3, 50, 100, 101) ORDER BY id'), POLL)
      .toEqual(['sql', 'offline', 'sql', 'device', 'offline'].map((name) => ({ name })));
    await place.untilSame(device, 'item', 'name, amount');
    expect(device.replica.object('item', int(2))).toBeUndefined();
    expect(device.replica.count('item')).toBe(42);
    const writes = device.replica.download.serverVersion;
    await sleep(200);
    expect(device.replica.download.serverVersion).toBe(writes); // nothing goes round in circles
  };
  return { place, finish };
}

test.runIf(simulated)(
  'a feed whose changes were cleaned up stops with the remedy, which brings both sides together',
  async () => {
    const { place, finish } = await interrupted();
    bench().sqlserver.faults.cleanUp(place.database);
    const error = await failure(place.adapter().start());
    expect(error.message).toContain('Last sync version is outdated!');
    expect(error.message).toContain('isthmus load --resume');
    await place.load({ resume: true });
    await finish();
  },
);

test('tracking of the database that was off for a while is noticed, and mended by the same', async () => {
  const { place, finish } = await interrupted();
  await place.sql(
    'ALTER TABLE item DISABLE CHANGE_TRACKING; ALTER TABLE isthmus.[checkpoint] DISABLE CHANGE_TRACKING',
  );
  await place.sql('ALTER DATABASE CURRENT SET CHANGE_TRACKING = OFF');
  expect((await failure(place.adapter().start())).message).toMatch(/change tracking/i);
  await place.sql('ALTER DATABASE CURRENT SET CHANGE_TRACKING = ON');
  await place.sql("UPDATE item SET name = 'sql' WHERE id = 1");
  expect((await failure(place.adapter().start())).message).toContain('isthmus load --resume');
  await place.load({ resume: true });
  await finish();
});

test.runIf(simulated)(
  'a database that was set back to an earlier state is noticed, and compared by the same',
  async () => {
    const { place, finish } = await interrupted();
    bench().sqlserver.faults.setBack(place.database, 1);
    expect((await failure(place.adapter().start())).message).toMatch(/set back|isthmus load --resume/);
    await place.load({ resume: true });
    await finish();
  },
);

test('an adapter and a loader that are killed at any moment go on where they were', async () => {
  const place = await bench().place(TABLE.replace('<= 40', '<= 3000'));
  for (const life of [600, 1_200]) {
    const loader = place.command('load', { loaderSQLBatchSize: 50 });
    await Promise.race([loader.exited, sleep(life)]);
    await loader.kill();
  }
  await place.load();
  const device = await place.device();
  for (const life of [1_500, 2_500]) {
    const adapter = place.command('adapter');
    await sleep(life / 2);
    device.replica.write(set(int(7), { amount: int(life) }));
    await place.sql(`UPDATE item SET amount = ${life} WHERE id = 8; DELETE item WHERE id = ${life}`);
    await sleep(life / 2);
    await adapter.kill();
  }
  await place.started();
  await expect
    .poll(() => place.sql('SELECT amount FROM item WHERE id IN (7, 8)'), POLL)
    .toEqual([{ amount: '2500' }, { amount: '2500' }]);
  await place.untilSame(device, 'item', 'name, amount');
  expect(device.replica.count('item')).toBe(2998);
}, 90_000);
