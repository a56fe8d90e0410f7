/** A table that no longer fits stops alone: nothing of either side is lost, and it goes on when it fits again. */
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import type { PrimaryKey } from '../../../src/schema/value.ts';
import { Bench, create, int, set, text, until } from '../../e2e/bad-input.ts';
import { MODELS, POLL, SchemaBench } from './schema-bench.ts';

let bench: Bench;

beforeAll(async () => {
  bench = await Bench.start();
});

afterEach(() => bench.closePlaces());
afterAll(() => bench.stop());

const erase = (key: PrimaryKey, table = 'item') => ({ op: 'EraseObject', table, key }) as const;
const linkTo = (id: number) => ({ type: 'link', table: 'item', key: int(id) }) as const;

/** Both sides write to the stopped table and to the other one. */
async function writeMeanwhile(at: SchemaBench, sql: string): Promise<void> {
  at.device.replica.write([
    ...set(int(1), { name: text('held') }),
    ...set(int(1), { label: text('with held') }, 'tag'),
  ]);
  at.device.replica.write([
    ...create(int(101), { name: text('made while stopped'), amount: int(1) }),
    ...create(int(101), { label: text('refers to it'), item: linkTo(101) }, 'tag'),
  ]);
  at.device.replica.write([erase(int(3))]);
  await at.sql(sql);
  await at.sql(`UPDATE tag SET label = 'sql' WHERE id = 5`);
  // The other table goes on, with its part of transactions that touch both.
  await expect
    .poll(() => at.sql(`SELECT id, label FROM tag WHERE id IN (1, 101) ORDER BY id`), POLL)
    .toEqual([
      { id: '1', label: 'with held' },
      { id: '101', label: 'refers to it' },
    ]);
  await until(() => {
    const label = at.device.replica.object('tag', int(5))?.fields.get('label');
    return label?.type === 'string' && label.value === 'sql';
  });
}

async function expectNothingLost(at: SchemaBench): Promise<void> {
  await at.untilSame('item', 'name, amount');
  await at.untilSame('tag', 'label');
  expect(await at.sql('SELECT name FROM item WHERE id IN (1, 101) ORDER BY id')).toEqual([
    { name: 'held' },
    { name: 'made while stopped' },
  ]);
  expect(await at.sql('SELECT id FROM item WHERE id = 3')).toEqual([]);
  expect(await at.sql('SELECT item FROM tag WHERE id = 101')).toEqual([{ item: '101' }]);
}

describe('a key column that was renamed', () => {
  test('stops its table until it is renamed back', async () => {
    const at = await SchemaBench.started(bench);
    await at.sql('ALTER TABLE item RENAME id TO number');
    const line = await at.place.untilLogged(/A table is not synced any more/);
    expect(line).toMatch(/^error/);
    expect(line).toContain('public.item');
    expect(line).toContain('column id was dropped or renamed');
    expect(line).toContain('change the table back');
    await writeMeanwhile(
      at,
      `UPDATE item SET amount = 1000 WHERE number = 2; DELETE FROM tag WHERE item = 4;
      DELETE FROM item WHERE number = 4; INSERT INTO item VALUES (200, 'sql', 200)`,
    );
    await at.sql('ALTER TABLE item RENAME number TO id');
    await at.place.untilLogged(/A table fits again/);
    await expectNothingLost(at);
    expect(await at.sql('SELECT amount FROM item WHERE id = 2')).toEqual([{ amount: '1000' }]);
  });

  test('stays stopped over a restart, and is mended while nothing runs', async () => {
    const at = await SchemaBench.started(bench);
    await at.sql('ALTER TABLE item RENAME id TO number');
    await at.place.untilLogged(/A table is not synced any more/);
    await writeMeanwhile(at, `UPDATE item SET amount = 1000 WHERE number = 2`);
    await at.stop();
    expect(at.stopped()).toEqual(['item']);
    await at.start();
    at.device.replica.write(set(int(6), { name: text('after the restart') }));
    at.device.replica.write(set(int(6), { label: text('goes on') }, 'tag'));
    await expect
      .poll(() => at.sql('SELECT label FROM tag WHERE id = 6'), POLL)
      .toEqual([{ label: 'goes on' }]);
    await at.stop();
    await at.sql('ALTER TABLE item RENAME number TO id');
    await at.start();
    await expectNothingLost(at);
    expect(await at.sql('SELECT name FROM item WHERE id = 6')).toEqual([{ name: 'after the restart' }]);
    await at.stop();
    expect(at.stopped()).toEqual([]);
  });
});

test('a table that was dropped takes nothing from the realm, and gets what it missed when it is restored', async () => {
  const at = await SchemaBench.started(bench);
  await at.sql(`CREATE TABLE backup AS TABLE item; DROP TABLE item CASCADE`);
  await at.place.untilLogged(/A table is not synced any more.*public\.item was dropped or renamed/);
  await writeMeanwhile(at, `SELECT 1`);
  expect(at.device.replica.count('item')).toBe(20);
  await at.sql(`BEGIN; CREATE TABLE item (id integer PRIMARY KEY, name varchar(40) NOT NULL, amount integer);
    INSERT INTO item TABLE backup; UPDATE item SET amount = 1000 WHERE id = 2; COMMIT`);
  await expectNothingLost(at);
});

test('a column retyped to what the property cannot be stops its table', async () => {
  const at = await SchemaBench.started(bench);
  await at.sql(`ALTER TABLE item ALTER amount TYPE date USING date '2000-01-01' + amount`);
  await at.sql(`UPDATE item SET amount = '2020-02-02' WHERE id = 2`);
  await at.place.untilLogged(/A table is not synced any more.*column amount was integer and is date/);
  await writeMeanwhile(at, `UPDATE item SET amount = '2020-03-03' WHERE id = 2`);
  await at.sql(`ALTER TABLE item ALTER amount TYPE integer USING amount - date '2000-01-01'`);
  await expectNothingLost(at);
});

test('a required column without a property stops its table until it has a DEFAULT', async () => {
  const at = await SchemaBench.started(bench);
  await at.sql(
    `ALTER TABLE item ADD code text; UPDATE item SET code = 'c'; ALTER TABLE item ALTER code SET NOT NULL`,
  );
  at.device.replica.write(create(int(300), { name: text('needs a code') }));
  await at.place.untilLogged(/A table is not synced any more.*item\.code must be given in every row/);
  await writeMeanwhile(at, `UPDATE item SET amount = 1000 WHERE id = 2`);
  await at.sql(`ALTER TABLE item ALTER code SET DEFAULT 'd'`);
  await expectNothingLost(at);
  expect(await at.sql('SELECT name, code FROM item WHERE id = 300')).toEqual([
    { name: 'needs a code', code: 'd' },
  ]);
});

test('a column of an optional property that was dropped leaves it in the realm; what changes there waits', async () => {
  const at = await SchemaBench.started(bench);
  await at.sql('ALTER TABLE item DROP amount');
  at.device.replica.write(set(int(1), { amount: int(11), name: text('both') }));
  await at.place.untilLogged(/A column was dropped.*item\.amount/);
  await at.sql(`UPDATE item SET name = 'sql' WHERE id = 2`);
  await at.untilSame('item', 'name');
  at.device.replica.write(create(int(102), { name: text('new'), amount: int(12) }));
  await at.untilSame('item', 'name');
  expect(at.device.replica.object('item', int(5))?.fields.get('amount')).toEqual(int(5));
  await at.sql('ALTER TABLE item ADD amount integer DEFAULT 1');
  await at.untilSame('item', 'name, amount');
  expect(await at.sql('SELECT id, amount FROM item WHERE id IN (1, 5, 102) ORDER BY id')).toEqual([
    { id: '1', amount: '11' },
    { id: '5', amount: '1' },
    { id: '102', amount: '12' },
  ]);
});

describe('a publication that somebody altered', () => {
  test('regains the table, whose rows are compared', async () => {
    const at = await SchemaBench.started(bench);
    await at.sql(
      `BEGIN; ALTER PUBLICATION "${at.place.slot}" DROP TABLE item; UPDATE item SET amount = -1; COMMIT`,
    );
    at.device.replica.write(set(int(1), { name: text('device') }));
    await at.place.untilLogged(/The table is in sync.*item/);
    await at.untilSame('item', 'name, amount');
    expect(await at.sql('SELECT DISTINCT amount FROM item')).toEqual([{ amount: '-1' }]);
  });

  test('while nothing ran, and mended again, is noticed too', async () => {
    const at = await SchemaBench.started(bench);
    await at.stop();
    await at.sql(`ALTER PUBLICATION "${at.place.slot}" DROP TABLE item`);
    await at.sql(
      `UPDATE item SET amount = -1 WHERE id < 10; DELETE FROM tag WHERE id = 20; DELETE FROM item WHERE id = 20`,
    );
    await at.sql(`ALTER PUBLICATION "${at.place.slot}" ADD TABLE item`);
    await at.start();
    await at.untilSame('item', 'name, amount');
    await at.untilSame('tag', 'label');
  });
});

test('a table whose changes are not logged any more stops alone', async () => {
  const at = await SchemaBench.started(bench, { schema: MODELS });
  await at.sql('ALTER TABLE item REPLICA IDENTITY NOTHING');
  await at.place.untilLogged(/A table is not synced any more.*REPLICA IDENTITY NOTHING/);
  await writeMeanwhile(at, `UPDATE item SET amount = 1000 WHERE id = 2`);
  await at.sql('ALTER TABLE item REPLICA IDENTITY DEFAULT');
  await expectNothingLost(at);
});
