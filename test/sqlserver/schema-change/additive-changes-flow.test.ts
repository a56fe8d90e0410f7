/** Columns and tables that are added while the adapter runs, by the database's people or by apps. */
import { describe, expect, test } from 'vitest';
import type { SQLServerOptions } from '../../../connectors/sqlserver/options.ts';
import type { Instruction } from '../../../src/changeset/instruction.ts';
import { create, failure, int, objectsOf, set, text, until } from '../../e2e/bad-input.ts';
import { benchSuite, POLL, type SqlServerPlace } from '../bench.ts';
import { item, MODELS, TABLES } from './schema-change-tables.ts';

const bench = benchSuite();
const USUAL = {
  createSQLServerSchema: false,
  schema: MODELS,
  schemaCheckInterval: 1,
  ignoreSQLerrors: false,
};

async function running(changes: Partial<SQLServerOptions> = {}, tables = TABLES) {
  const place = await bench().place(tables);
  const options = { ...USUAL, ...changes };
  await place.load({}, options);
  const adapter = await place.started(options);
  const device = await place.device();
  return { place, adapter, device, options };
}

const extended = (model: typeof item, properties: Record<string, string>) => ({
  ...model,
  properties: { ...model.properties, ...properties },
});

test('a column that was added to the model is filled and goes both ways', async () => {
  const { place, adapter, device } = await running({ schema: [item] });
  await adapter.close();
  await place.sql('ALTER TABLE item ADD note nvarchar(50) NULL');
  await place.sql("UPDATE item SET note = CONCAT('note ', id)");
  await place.started({ ...USUAL, schema: [extended(item, { note: 'string?' })] });
  await place.untilSame(device, 'item', 'name, note');
  device.replica.write(set(int(1), { note: text('device') }));
  await place.sql("UPDATE item SET note = 'sql' WHERE id = 2");
  await until(async () => (await place.sql("SELECT id FROM item WHERE note = 'device'")).length === 1);
  await place.untilSame(device, 'item', 'name, note');
});

test('a column that the model knows already is compared when it appears', async () => {
  const { place, device } = await running(
    {
      schema: [extended(item, { note: 'string?' })],
      realmIgnoreProperties: [],
    },
    TABLES.replace('amount int NULL', 'amount int NULL, note nvarchar(50) NULL'),
  );
  await place.sql('ALTER TABLE item DROP COLUMN note');
  device.replica.write(set(int(1), { note: text('kept'), name: text('both') }));
  await place.untilLogged(/A column was dropped.*item\.note/);
  await place.sql("UPDATE item SET name = 'sql' WHERE id = 2");
  await place.untilSame(device, 'item', 'name');
  await place.sql("ALTER TABLE item ADD note nvarchar(50) NULL DEFAULT 'd' WITH VALUES");
  await place.untilSame(device, 'item', 'name, note');
  expect(await place.sql('SELECT note FROM item WHERE id IN (1, 2) ORDER BY id')).toEqual([
    { note: 'kept' },
    { note: 'd' },
  ]);
});

test('a widened type and columns without a property change nothing', async () => {
  const { place, device } = await running();
  await place.sql('ALTER TABLE item ALTER COLUMN name nvarchar(200) NOT NULL');
  await place.sql('ALTER TABLE item ADD extra int NOT NULL DEFAULT 3');
  await place.sql('UPDATE item SET extra = 5');
  device.replica.write(set(int(1), { name: text('x'.repeat(150)) }));
  device.replica.write(create(int(30), { name: text('new') }));
  await until(async () => (await place.sql('SELECT id FROM item WHERE extra = 3')).length === 1);
  await place.untilSame(device, 'item', 'name, amount');
  expect((await place.sql('SELECT name FROM item WHERE id = 1'))[0]?.name).toHaveLength(150);
});

test('a renamed column goes on under the name that the naming function gives it', async () => {
  const { place, device } = await running({
    mapSQLServerColumnName: (_table: string, column: string) => column.replace(/^the_/, ''),
  });
  await place.sql("EXEC sp_rename 'dbo.item.amount', 'the_amount', 'COLUMN'");
  await place.sql('UPDATE item SET the_amount = 77 WHERE id = 1');
  device.replica.write(set(int(2), { amount: int(88) }));
  await place.untilSame(device, 'item', 'name, the_amount AS amount');
});

describe('a table that was added', () => {
  test('to the database comes by itself, when the classes are made from the tables', async () => {
    const { place, device } = await running({ schema: undefined, initializeRealmFromSQLServer: true });
    await place.sql(
      `CREATE TABLE note (id int NOT NULL PRIMARY KEY, item int NULL REFERENCES item, body nvarchar(50) NULL)`,
    );
    await place.sql("INSERT note VALUES (1, 1, 'one'), (2, 2, 'two')");
    await until(() => device.replica.schema.has('note'));
    await place.untilSame(device, 'note', 'body');
    await place.sql("INSERT note VALUES (11, 1, 'more')");
    device.replica.write(create(int(12), { body: text('device') }, 'note'));
    await until(async () => (await place.sql('SELECT id FROM note')).length === 4);
    await place.untilSame(device, 'note', 'body');
  });

  test('to the models is loaded by the adapter itself, while the others go on', async () => {
    const { place, adapter, device } = await running({ schema: [item] });
    await adapter.close();
    device.replica.write(set(int(1), { name: text('while stopped') }));
    await place.sql('UPDATE item SET amount = 50 WHERE id = 2');
    await place.started(USUAL);
    await place.untilLogged(/The table is in sync.*tag/);
    await place.sql("UPDATE tag SET label = 'sql' WHERE id = 1");
    device.replica.write(set(int(2), { label: text('device') }, 'tag'));
    await place.untilSame(device, 'tag', 'label');
    await place.untilSame(device, 'item', 'name, amount');
  });
});

test('a table that was dropped and made anew is compared', async () => {
  const { place, device } = await running({ schema: [item] });
  await place.sql(`BEGIN TRANSACTION; DROP TABLE tag; DROP TABLE item;
    CREATE TABLE item (id int NOT NULL PRIMARY KEY, name nvarchar(40) NOT NULL, amount int NULL);
    INSERT INTO item VALUES (1, 'new', 1), (50, 'newer', 50); COMMIT`);
  await until(() => device.replica.count('item') === 2);
  device.replica.write(create(int(60), { name: text('device') }));
  await place.untilSame(device, 'item', 'name, amount');
  expect(objectsOf(device.replica).map(({ id }) => id)).toEqual(['1', '50', '60']);
});

function newClass(name: string): Instruction[] {
  const label = { type: 'string', nullable: true, collection: 'single' } as const;
  const primaryKey = { field: 'id', type: 'int', nullable: false } as const;
  return [
    { op: 'AddTable', table: name, kind: 'topLevel', primaryKey },
    { op: 'AddColumn', table: name, field: 'label', column: label },
  ];
}
const stars = {
  op: 'AddColumn',
  table: 'item',
  field: 'stars',
  column: { type: 'int', nullable: true, collection: 'single' },
} as const;

describe('what apps add', () => {
  test('is made in the database where that is allowed, and synced after a restart too', async () => {
    const applied = { applyRealmSchemaChangesToSQLServer: true };
    const { place, adapter, device } = await running(applied);
    device.replica.write([
      ...newClass('note'),
      ...create(int(1), { label: text('device') }, 'note'),
      stars,
      ...set(int(1), { stars: int(5) }),
    ]);
    await place.untilSame(device, 'item', 'name, stars');
    await place.untilSame(device, 'note', 'label');
    await adapter.close();
    device.replica.write([
      ...create(int(2), { label: text('while stopped') }, 'note'),
      ...set(int(2), { stars: int(4) }),
    ]);
    await place.sql("INSERT note VALUES (3, 'sql while stopped'); UPDATE item SET stars = 3 WHERE id = 3");
    await place.started({ ...USUAL, ...applied });
    await until(async () => (await place.sql('SELECT id FROM note')).length === 3);
    await place.untilSame(device, 'note', 'label');
    await place.untilSame(device, 'item', 'name, stars');
    expect(await place.sql('SELECT stars FROM item WHERE id IN (1, 2, 3) ORDER BY id')).toEqual([
      { stars: '5' },
      { stars: '4' },
      { stars: '3' },
    ]);
  });

  test('and the database cannot take is named, and stops nothing', async () => {
    const { place, device } = await running({ applyRealmSchemaChangesToSQLServer: true });
    await place.sql('CREATE TABLE note (id int NOT NULL PRIMARY KEY, label varbinary(10) NULL)');
    device.replica.write([...newClass('note'), ...create(int(1), { label: text('x') }, 'note')]);
    device.replica.write([...newClass('other'), ...create(int(1), { label: text('y') }, 'other')]);
    device.replica.write(set(int(1), { name: text('goes on') }));
    await expect
      .poll(() => place.sql('SELECT name FROM item WHERE id = 1'), POLL)
      .toEqual([{ name: 'goes on' }]);
    await place.untilLogged(/note/);
  });

  test('stays in the realm and is named where that is not allowed', async () => {
    const { place, device } = await running();
    device.replica.write([
      ...newClass('note'),
      ...create(int(1), { label: text('device') }, 'note'),
      stars,
      ...set(int(1), { stars: int(5), name: text('goes on') }),
    ]);
    const line = await place.untilLogged(/have no place in the database and stay in the realm/);
    expect(line).toContain('note');
    await expect
      .poll(() => place.sql('SELECT name FROM item WHERE id = 1'), POLL)
      .toEqual([{ name: 'goes on' }]);
  });
});

describe('loading', () => {
  async function loaded(changes: Partial<SQLServerOptions> = {}): Promise<SqlServerPlace> {
    const place = await bench().place(TABLES);
    await place.load({}, { ...USUAL, ...changes });
    return place;
  }

  test('brings a class that was added alone; a further load compares all, or what it is told', async () => {
    const place = await loaded({ schema: [item] });
    expect(await place.load({}, USUAL)).toEqual(['tag']);
    expect(place.log.join('\n')).toContain('Loading a part of the tables');
    expect(await place.load({}, USUAL)).toEqual(['item', 'tag']);
    expect(await place.load({ only: ['item'] }, USUAL)).toEqual(['item']);
    expect((await failure(place.load({ only: ['items'] }, USUAL))).message).toContain('did you mean item?');
  });

  test('compares all on demand, whatever is new', async () => {
    const place = await loaded({ schema: [item] });
    expect(await place.load({ compare: true }, USUAL)).toEqual(['item', 'tag']);
  });

  test('leaves out a table that does not fit, and brings it when it does', async () => {
    const place = await loaded();
    await place.sql("EXEC sp_rename 'dbo.item.name', 'other', 'COLUMN'");
    expect(await place.load({ compare: true }, USUAL)).toEqual(['tag']);
    expect(place.log.join('\n')).toContain('A table is not synced any more');
    await place.sql("EXEC sp_rename 'dbo.item.other', 'name', 'COLUMN'");
    await place.sql('UPDATE item SET amount = 7 WHERE id = 7');
    expect(await place.load({}, USUAL)).toEqual(['item']);
    const device = await place.device();
    await place.untilSame(device, 'item', 'name, amount');
  });

  test('alone brings a table that was not followed for a while', async () => {
    const place = await loaded();
    await place.sql('ALTER TABLE item DISABLE CHANGE_TRACKING');
    await place.sql('UPDATE item SET amount = 0 WHERE id < 10');
    expect(await place.load({}, USUAL)).toEqual(['item']);
    await place.started(USUAL);
    const device = await place.device();
    await place.untilSame(device, 'item', 'name, amount');
  });
});
