/** `ignoreSQLerrors: { Class: false }`: mistakes of that class stop the adapter, those of others are put aside. */
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { ConfigError } from '../../../src/config/config-error.ts';
import { ConnectorStoppedError } from '../../../src/connector/errors.ts';
import { Bench, create, failure, int, text, until } from '../../e2e/bad-input.ts';
import { DeadLetterCommand } from './deadletter-command.ts';

let bench: Bench;

beforeAll(async () => {
  bench = await Bench.start();
});

afterEach(() => bench.closePlaces());
afterAll(() => bench.stop());

const TABLES = `CREATE TABLE item (id integer PRIMARY KEY, name varchar(5) NOT NULL);
  CREATE TABLE bill (id integer PRIMARY KEY, name varchar(5) NOT NULL)`;
const schema = ['item', 'bill'].map((name) => ({
  name,
  primaryKey: 'id',
  properties: { id: 'int', name: 'string' },
}));
const options = { schema, ignoreSQLerrors: { bill: false } };

test('from devices: a precise report, and the adapter goes on there once the table is mended', async () => {
  const place = await bench.place(TABLES);
  const { adapter, device } = await place.synced(options);
  device.replica.write(create(int(1), { name: text('too long') }, 'item'));
  device.replica.write(create(int(1), { name: text('good') }, 'bill'));
  await until(async () => (await place.sql('SELECT * FROM bill')).length === 1);
  expect(await new DeadLetterCommand(place, options).list()).toMatchObject([
    { objects: [{ class: 'item', key: '1' }] },
  ]);
  device.replica.write([
    ...create(int(2), { name: text('good') }, 'item'),
    ...create(int(2), { name: text('good') }, 'bill'),
    ...create(int(3), { name: text('too long') }, 'bill'),
  ]);
  device.replica.write(create(int(4), { name: text('after') }, 'bill'));
  const error = await failure(adapter.done);
  expect(error).toBeInstanceOf(ConnectorStoppedError);
  for (const part of [
    /transaction \d+ of realm \/place\d+/,
    'at bill 3',
    'character varying(5)',
    'INSERT INTO "public"."bill"',
    'too long',
    'mend the data or the table and start again',
  ]) {
    expect(error.message).toMatch(part);
  }
  await adapter.close();
  const again = place.adapter(options);
  expect(await failure(again.done)).toBeInstanceOf(ConnectorStoppedError);
  await again.close();
  await place.sql('ALTER TABLE bill ALTER name TYPE text');
  await place.started(options);
  await place.untilRows(
    [
      { id: '1', name: 'good' },
      { id: '2', name: 'good' },
      { id: '3', name: 'too long' },
      { id: '4', name: 'after' },
    ],
    'bill',
  );
  await place.untilRows([{ id: '2', name: 'good' }]);
});

test('from the database', async () => {
  const place = await bench.place(TABLES.replaceAll(' NOT NULL', ''));
  const { adapter, device } = await place.synced(options);
  await place.sql("INSERT INTO item VALUES (1, NULL); INSERT INTO bill VALUES (1, 'good')");
  await until(() => device.replica.object('bill', int(1)) !== undefined);
  await place.sql('INSERT INTO bill VALUES (2, NULL)');
  const error = await failure(adapter.done);
  expect(error.message).toContain('bill.name is NULL');
  await adapter.close();
  await place.sql("UPDATE bill SET name = 'a' WHERE id = 2");
  await place.started(options);
  await until(() => device.replica.object('bill', int(2)) !== undefined);
});

test('a class that no model has is named', async () => {
  const place = await bench.place(TABLES);
  const mistaken = (): unknown => place.adapter({ ...options, ignoreSQLerrors: { bills: false } });
  expect(mistaken).toThrow(ConfigError);
  expect(mistaken).toThrow(/ignoreSQLerrors: expected names of classes in schema.*bills/s);
});
