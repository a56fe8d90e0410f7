/** What can flow without anybody's help does, in both directions, while both sides write. */
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { Bench, create, int, objectsOf, set, text, until } from '../../e2e/bad-input.ts';
import { extended, item, MODELS, SchemaBench, tag } from './schema-bench.ts';

let bench: Bench;

beforeAll(async () => {
  bench = await Bench.start();
});

afterEach(() => bench.closePlaces());
afterAll(() => bench.stop());

describe('a column that was added', () => {
  test('brings the values of its DEFAULT, which no log tells, when the classes are made from the tables', async () => {
    const at = await SchemaBench.started(bench, { schema: undefined, initializeRealmFromPostgres: true });
    await at.sql(`ALTER TABLE item ADD stock integer NOT NULL DEFAULT 7`);
    at.device.replica.write(set(int(1), { name: text('device') }));
    await at.sql(`UPDATE item SET amount = 99 WHERE id = 2`);
    await until(() => at.device.replica.schema.get('item')?.columns.has('stock') === true);
    await at.untilSame('item', 'name, amount, stock');
    at.device.replica.write(set(int(3), { stock: int(30) }));
    await at.sql(`UPDATE item SET stock = 40 WHERE id = 4`);
    await at.untilSame('item', 'name, amount, stock');
    expect(await at.sql('SELECT name, stock FROM item WHERE id IN (1, 3) ORDER BY id')).toEqual([
      { name: 'device', stock: '7' },
      { name: 'item 3', stock: '30' },
    ]);
  });

  test('is taken up at the next start when the models name it by then', async () => {
    const at = await SchemaBench.started(bench);
    await at.sql(`ALTER TABLE item ADD stock integer NOT NULL DEFAULT 7`);
    await at.sql(`UPDATE item SET stock = id WHERE id > 10`);
    await at.stop();
    await at.start({ schema: [extended(item, { stock: 'int' }), tag] });
    await until(() => at.device.replica.schema.get('item')?.columns.has('stock') === true);
    await at.untilSame('item', 'name, amount, stock');
    await at.untilSame('tag', 'label');
  });
});

test('a column that was widened goes on, with the values that it got meanwhile', async () => {
  const at = await SchemaBench.started(bench);
  await at.sql(`ALTER TABLE item ALTER amount TYPE bigint, ALTER name TYPE text`);
  await at.sql(`UPDATE item SET amount = 5000000000, name = repeat('x', 100) WHERE id = 1`);
  at.device.replica.write(set(int(2), { amount: int(6_000_000_000) }));
  await at.untilSame('item', 'name, amount');
  expect(await at.sql('SELECT amount FROM item WHERE id IN (1, 2) ORDER BY id')).toEqual([
    { amount: '5000000000' },
    { amount: '6000000000' },
  ]);
});

test('a column whose values were rewritten brings them, though no row was logged', async () => {
  const at = await SchemaBench.started(bench);
  await at.sql(`ALTER TABLE item ALTER amount TYPE bigint USING amount * 1000`);
  await at.untilSame('item', 'name, amount');
  expect(objectsOf(at.device.replica)[0]).toMatchObject({ amount: '1000' });
});

test('a renamed column goes on under the name that the naming function gives it', async () => {
  const at = await SchemaBench.started(bench, {
    mapPostgresColumnName: (_table: string, column: string) => column.replace(/^the_/, ''),
  });
  await at.sql(`ALTER TABLE item RENAME amount TO the_amount`);
  await at.sql(`UPDATE item SET the_amount = 77 WHERE id = 1`);
  at.device.replica.write(set(int(2), { amount: int(88) }));
  await at.untilSame('item', 'name, the_amount AS amount');
});

test('a value that was added to an enum goes both ways', async () => {
  const at = await SchemaBench.started(
    bench,
    { schema: [extended(item, { state: 'string?' })] },
    `CREATE TYPE state AS ENUM ('new', 'old');
     CREATE TABLE item (id integer PRIMARY KEY, name text NOT NULL, amount integer, state state);
     INSERT INTO item VALUES (1, 'a', 1, 'new'), (2, 'b', 2, 'old')`,
  );
  await at.sql(`ALTER TYPE state ADD VALUE 'lost'`);
  await at.sql(`UPDATE item SET state = 'lost' WHERE id = 1`);
  at.device.replica.write(set(int(2), { state: text('lost') }));
  await at.untilSame('item', 'name, state');
  expect(await at.sql('SELECT DISTINCT state FROM item')).toEqual([{ state: 'lost' }]);
});

describe('a table that was added', () => {
  test('to the database comes by itself, when the classes are made from the tables', async () => {
    const at = await SchemaBench.started(bench, { schema: undefined, initializeRealmFromPostgres: true });
    await at.sql(`CREATE TABLE note (id integer PRIMARY KEY, item integer REFERENCES item, body text);
      INSERT INTO note SELECT i, i, 'note ' || i FROM generate_series(1, 10) i`);
    await until(() => at.device.replica.schema.has('note'));
    await at.untilSame('note', 'body');
    await at.sql(`INSERT INTO note VALUES (11, 1, 'more')`);
    at.device.replica.write(create(int(12), { body: text('device') }, 'note'));
    await at.untilSame('note', 'body');
  });

  test('to the models is loaded by the adapter itself, while the others go on', async () => {
    const at = await SchemaBench.started(bench, { schema: [item] });
    await at.stop();
    at.device.replica.write(set(int(1), { name: text('while stopped') }));
    await at.sql(`UPDATE item SET amount = 50 WHERE id = 2`);
    await at.start({ schema: MODELS });
    await at.place.untilLogged(/The table is in sync.*tag/);
    await at.sql(`UPDATE tag SET label = 'sql' WHERE id = 1`);
    at.device.replica.write(set(int(2), { label: text('device') }, 'tag'));
    await at.untilSame('tag', 'label');
    await at.untilSame('item', 'name, amount');
  });

  test('to the models keeps the objects that devices had made of that class', async () => {
    const at = await SchemaBench.started(bench, { schema: [item] });
    const before = await at.place.device();
    before.replica.write([
      {
        op: 'AddTable',
        table: 'tag',
        kind: 'topLevel',
        primaryKey: { field: 'id', type: 'int', nullable: false },
      },
      {
        op: 'AddColumn',
        table: 'tag',
        field: 'label',
        column: { type: 'string', nullable: true, collection: 'single' },
      },
      ...create(int(100), { label: text('made before') }, 'tag'),
    ]);
    await at.place.untilLogged(/have no place in the database and stay in the realm.*tag/);
    await at.stop();
    await at.start({ schema: MODELS });
    await at.untilSame('tag', 'label');
    expect(await at.sql('SELECT label FROM tag WHERE id = 100')).toEqual([{ label: 'made before' }]);
    expect(await at.sql('SELECT count(*) FROM tag')).toEqual([{ count: '21' }]);
  });
});

test('a partition that was attached with its rows, or detached, is noticed', async () => {
  const at = await SchemaBench.started(
    bench,
    { schema: [item] },
    `CREATE TABLE item (id integer PRIMARY KEY, name text NOT NULL, amount integer) PARTITION BY RANGE (id);
     CREATE TABLE item_1 PARTITION OF item FOR VALUES FROM (1) TO (100);
     INSERT INTO item SELECT i, 'item ' || i, i FROM generate_series(1, 10) i;
     CREATE TABLE item_2 (id integer PRIMARY KEY, name text NOT NULL, amount integer);
     INSERT INTO item_2 SELECT i, 'item ' || i, i FROM generate_series(100, 110) i`,
  );
  await at.sql(`ALTER TABLE item ATTACH PARTITION item_2 FOR VALUES FROM (100) TO (200)`);
  await until(() => at.device.replica.count('item') === 21);
  await at.untilSame('item', 'name, amount');
  await at.sql(`ALTER TABLE item DETACH PARTITION item_1`);
  await until(() => at.device.replica.count('item') === 11);
  at.device.replica.write(set(int(101), { name: text('device') }));
  await at.untilSame('item', 'name, amount');
});

test('a table that was dropped and made anew is compared', async () => {
  const at = await SchemaBench.started(bench, { schema: [item] });
  await at.sql(`BEGIN; DROP TABLE item CASCADE;
    CREATE TABLE item (id integer PRIMARY KEY, name text NOT NULL, amount integer);
    INSERT INTO item VALUES (1, 'new', 1), (50, 'newer', 50); COMMIT`);
  await until(() => at.device.replica.count('item') === 2);
  at.device.replica.write(create(int(60), { name: text('device') }));
  await at.untilSame('item', 'name, amount');
});
