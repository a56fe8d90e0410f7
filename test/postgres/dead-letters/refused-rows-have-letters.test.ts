/** Rows that no realm value can hold have dead letters until they are mended. */
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { Bench, int, until, untilObjects } from '../../e2e/bad-input.ts';
import { DeadLetterCommand } from './deadletter-command.ts';

let bench: Bench;

beforeAll(async () => {
  bench = await Bench.start();
});

afterEach(() => bench.closePlaces());
afterAll(() => bench.stop());

const TABLE = 'CREATE TABLE item (id integer PRIMARY KEY, at timestamp, name text)';
const model = (name: string) => ({
  name: 'item',
  primaryKey: 'id',
  properties: { id: 'int', at: 'date?', name },
});
const schema = [model('string')];
const item = (id: number, name: string | null) => ({ id: String(id), at: null, name });

test('the letter names table, key and reason, and goes when the row is mended or gone', async () => {
  const place = await bench.place(TABLE);
  const { device } = await place.synced({ schema });
  const command = new DeadLetterCommand(place, { schema });
  await place.sql("INSERT INTO item VALUES (1, NULL, NULL), (2, NULL, NULL), (3, NULL, 'good')");
  await untilObjects(device, [item(3, 'good')]);
  await until(async () => (await command.list()).length === 2);
  expect(await command.list()).toMatchObject([
    {
      state: 'waiting',
      direction: 'toRealm',
      objects: [{ class: 'item', key: '1' }],
      reason: { table: 'public.item', message: expect.stringContaining('item.name is NULL') },
    },
    { objects: [{ class: 'item', key: '2' }] },
  ]);
  await place.sql("UPDATE item SET name = 'mended' WHERE id = 1; DELETE FROM item WHERE id = 2");
  await untilObjects(device, [item(1, 'mended'), item(3, 'good')]);
  await until(async () => (await command.list({ all: true })).length === 0);
});

test('the loader leaves letters too, and the adapter and a later load take them away', async () => {
  const place = await bench.place(`${TABLE}; INSERT INTO item VALUES (1, NULL, NULL), (2, NULL, NULL)`);
  const command = new DeadLetterCommand(place, { schema });
  expect(await place.loader({ schema }).init()).toMatchObject({ rowsLeftOut: 2 });
  expect(await command.list()).toHaveLength(2);
  await place.sql("UPDATE item SET name = 'mended' WHERE id = 1");
  expect(await place.loader({ schema }).init()).toMatchObject({ rowsLeftOut: 1 });
  expect(await command.list()).toMatchObject([{ objects: [{ key: '2' }] }]);
  await place.sql("UPDATE item SET name = 'mended' WHERE id = 2");
  await place.synced({ schema });
  await until(async () => (await command.list()).length === 0);
});

test('when the models are corrected instead of the row, a retry brings it', async () => {
  const place = await bench.place(TABLE);
  const { adapter, device } = await place.synced({ schema });
  await place.sql("INSERT INTO item VALUES (1, 'infinity', 'eternal')");
  await place.untilLogged('Left a row');
  await adapter.close();
  const corrected = { schema, realmIgnoreProperties: ['item.at'] };
  const command = new DeadLetterCommand(place, corrected);
  expect((await command.retry('all')).results).toMatchObject([
    { state: 'retried', outcome: 'the row is in the realm' },
  ]);
  await place.started(corrected);
  await until(() => device.replica.object('item', int(1)) !== undefined);
  await until(async () => (await command.list()).length === 0);
});

test('a retry of a row that is as it was says why it is refused', async () => {
  const place = await bench.place(TABLE);
  await place.synced({ schema });
  const command = new DeadLetterCommand(place, { schema });
  await place.sql('INSERT INTO item VALUES (1, NULL, NULL)');
  await until(async () => (await command.list()).length === 1);
  const { results, error } = await command.retry('all');
  expect(error).toMatch(/^dead-letter/);
  expect(results).toMatchObject([
    { state: 'waiting', outcome: expect.stringContaining('item.name is NULL') },
  ]);
});
