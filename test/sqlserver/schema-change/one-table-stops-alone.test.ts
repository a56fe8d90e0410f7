/** A table that no longer fits stops alone: nothing of either side is lost, and it goes on when it fits again. */
import { describe, expect, test } from 'vitest';
import type { PrimaryKey } from '../../../src/schema/value.ts';
import { create, int, set, text, until } from '../../e2e/bad-input.ts';
import type { Device } from '../../support/isthmus-processes.ts';
import { benchSuite, POLL, type SqlServerPlace } from '../bench.ts';
import { MODELS, TABLES } from './schema-change-tables.ts';

const bench = benchSuite();
const OPTIONS = {
  createSQLServerSchema: false,
  schema: MODELS,
  schemaCheckInterval: 1,
  ignoreSQLerrors: false,
};
const STOPPED = /A table is not synced any more/;

const erase = (key: PrimaryKey, table = 'item') => ({ op: 'EraseObject', table, key }) as const;

async function running() {
  const place = await bench().place(TABLES);
  await place.load({}, OPTIONS);
  const adapter = await place.started(OPTIONS);
  return { place, adapter, device: await place.device() };
}

/** Both sides write to the stopped table and to the other one. */
async function writeMeanwhile(place: SqlServerPlace, device: Device, sql: string): Promise<void> {
  device.replica.write([
    ...set(int(1), { name: text('held') }),
    ...set(int(1), { label: text('with held') }, 'tag'),
  ]);
  device.replica.write([
    ...create(int(101), { name: text('made while stopped'), amount: int(1) }),
    ...create(int(102), { label: text('refers to nothing new') }, 'tag'),
  ]);
  device.replica.write([erase(int(3))]);
  if (sql !== '') await place.script(sql);
  await place.sql("UPDATE tag SET label = 'sql' WHERE id = 5");
  // The other table goes on, with its part of transactions that touch both.
  await expect
    .poll(() => place.sql('SELECT id, label FROM tag WHERE id IN (1, 102) ORDER BY id'), POLL)
    .toEqual([
      { id: '1', label: 'with held' },
      { id: '102', label: 'refers to nothing new' },
    ]);
  await until(() => {
    const label = device.replica.object('tag', int(5))?.fields.get('label');
    return label?.type === 'string' && label.value === 'sql';
  });
}

async function expectNothingLost(place: SqlServerPlace, device: Device): Promise<void> {
  await expect
    .poll(() => place.sql('SELECT name FROM item WHERE id IN (1, 101) ORDER BY id'), POLL)
    .toEqual([{ name: 'held' }, { name: 'made while stopped' }]);
  await place.untilSame(device, 'item', 'name, amount');
  await place.untilSame(device, 'tag', 'label');
  await expect.poll(() => place.sql('SELECT id FROM item WHERE id = 3'), POLL).toEqual([]);
}

describe('a key column that was renamed', () => {
  test('stops its table until it is renamed back', async () => {
    const { place, device } = await running();
    await place.sql("EXEC sp_rename 'dbo.item.id', 'number', 'COLUMN'");
    const line = await place.untilLogged(STOPPED);
    expect(line).toMatch(/^error/);
    expect(line).toContain('dbo.item');
    expect(line).toContain('column id was dropped or renamed');
    expect(line).toContain('change the table back');
    await writeMeanwhile(
      place,
      device,
      `UPDATE item SET amount = 1000 WHERE number = 2; DELETE tag WHERE item = 4;
       DELETE item WHERE number = 4; INSERT item VALUES (200, 'sql', 200)`,
    );
    await place.sql("EXEC sp_rename 'dbo.item.number', 'id', 'COLUMN'");
    await place.untilLogged(/A table fits again/);
    await expectNothingLost(place, device);
    expect(await place.sql('SELECT amount FROM item WHERE id = 2')).toEqual([{ amount: '1000' }]);
    expect(device.replica.object('item', int(4))).toBeUndefined();
  });

  test('stays stopped over a restart, and is mended while nothing runs', async () => {
    const { place, adapter, device } = await running();
    await place.sql("EXEC sp_rename 'dbo.item.id', 'number', 'COLUMN'");
    await place.untilLogged(STOPPED);
    await writeMeanwhile(place, device, 'UPDATE item SET amount = 1000 WHERE number = 2');
    await adapter.close();
    const again = await place.started(OPTIONS);
    device.replica.write(set(int(6), { name: text('after the restart') }));
    device.replica.write(set(int(6), { label: text('goes on') }, 'tag'));
    await expect
      .poll(() => place.sql('SELECT label FROM tag WHERE id = 6'), POLL)
      .toEqual([{ label: 'goes on' }]);
    await again.close();
    await place.sql("EXEC sp_rename 'dbo.item.number', 'id', 'COLUMN'");
    await place.started(OPTIONS);
    await expectNothingLost(place, device);
    expect(await place.sql('SELECT name FROM item WHERE id = 6')).toEqual([{ name: 'after the restart' }]);
  });
});

test('a table that was dropped takes nothing from the realm, and gets what it missed when it is restored', async () => {
  const { place, device } = await running();
  await place.script('SELECT * INTO backup_of_item FROM item\nGO\nALTER TABLE tag DROP CONSTRAINT tag_item');
  await place.sql('DROP TABLE item');
  await place.untilLogged(/A table is not synced any more.*dbo\.item was dropped or renamed/);
  await writeMeanwhile(place, device, '');
  expect(device.replica.count('item')).toBe(20); // 20 + 1 - 1
  await place.sql(`BEGIN TRANSACTION;
    CREATE TABLE item (id int NOT NULL PRIMARY KEY, name nvarchar(40) NOT NULL, amount int NULL);
    INSERT item SELECT id, name, amount FROM backup_of_item; UPDATE item SET amount = 1000 WHERE id = 2; COMMIT`);
  await expectNothingLost(place, device);
});

test('a column retyped to what the property cannot be stops its table', async () => {
  const { place, device } = await running();
  await place.script('ALTER TABLE item DROP COLUMN amount\nGO\nALTER TABLE item ADD amount date NULL');
  await place.sql("UPDATE item SET amount = '2020-02-02' WHERE id = 2");
  await place.untilLogged(/A table is not synced any more.*column amount was int and is date/);
  await writeMeanwhile(place, device, "UPDATE item SET amount = '2020-03-03' WHERE id = 2");
  await place.script('ALTER TABLE item DROP COLUMN amount\nGO\nALTER TABLE item ADD amount int NULL');
  await expectNothingLost(place, device);
});

test('a required column without a property stops its table until it has a DEFAULT', async () => {
  const { place, device } = await running();
  await place.script(
    "ALTER TABLE item ADD code nvarchar(10) NULL\nGO\nUPDATE item SET code = 'c'\nGO\nALTER TABLE item ALTER COLUMN code nvarchar(10) NOT NULL",
  );
  device.replica.write(create(int(300), { name: text('needs a code') }));
  await place.untilLogged(/A table is not synced any more.*item\.code must be given in every row/);
  await writeMeanwhile(place, device, 'UPDATE item SET amount = 1000 WHERE id = 2');
  await place.sql("ALTER TABLE item ADD CONSTRAINT usual_code DEFAULT 'd' FOR code");
  await expectNothingLost(place, device);
  expect(await place.sql('SELECT name, code FROM item WHERE id = 300')).toEqual([
    { name: 'needs a code', code: 'd' },
  ]);
});

test('a table whose primary key was dropped stops alone, and is followed and compared when it has it again', async () => {
  const { place, device } = await running();
  await place.script(`ALTER TABLE tag DROP CONSTRAINT tag_item
GO
ALTER TABLE item DISABLE CHANGE_TRACKING
GO
ALTER TABLE item DROP CONSTRAINT item_key`);
  await place.untilLogged(STOPPED);
  await writeMeanwhile(place, device, 'UPDATE item SET amount = 1000 WHERE id = 2');
  await place.sql('ALTER TABLE item ADD CONSTRAINT item_key PRIMARY KEY (id)');
  await expectNothingLost(place, device);
});
