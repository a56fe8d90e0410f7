/** `isthmus deadletter`: what the database refused is brought over after all, and never over what is newer. */
import { expect, test } from 'vitest';
import { ConnectorStoppedError } from '../../../src/connector/errors.ts';
import { create, failure, int, set, text, until, untilObjects } from '../../e2e/bad-input.ts';
import { DeadLetterCommand } from '../../postgres/dead-letters/deadletter-command.ts';
import { benchSuite } from '../bench.ts';

const bench = benchSuite();

const WIDEN = 'ALTER TABLE item ALTER COLUMN name nvarchar(max) NOT NULL';
const row = (id: number, name: string, amount: number | null = null) => ({
  id: String(id),
  name,
  amount: amount === null ? null : String(amount),
});

test('a letter is listed, shown whole, still refused until the table is mended, and then applied', async () => {
  const place = await bench().place();
  const { adapter, device } = await place.synced();
  device.replica.write([
    ...create(int(1), { name: text('first') }),
    ...create(int(2), { name: text('second'), amount: int(-7) }),
  ]);
  await place.untilLogged('Put transaction');
  const command = new DeadLetterCommand(place);
  const [letter] = await command.list();
  expect(letter).toMatchObject({
    state: 'waiting',
    direction: 'toSql',
    realmPath: place.path,
    adapter: place.database,
    reason: { message: expect.stringContaining('not_negative') },
  });
  expect(letter?.objects).toEqual([
    { class: 'item', key: '2' },
    { class: 'item', key: '1' },
  ]);
  const shown = await command.show(letter!.id);
  expect(shown.payload).toMatchObject([
    { type: 'INSERT', table: 'item', values: { name: { type: 'string', value: 'first' } } },
    { type: 'INSERT', table: 'item', values: { amount: { type: 'int', value: '-7' } } },
  ]);
  expect(shown.statements.at(-1)?.sql).toContain('INSERT INTO [dbo].[item]');
  expect(JSON.stringify(shown.statements.at(-1)?.values)).toContain('second');

  const refused = await command.retry([letter!.id]);
  expect(refused.error).toMatch(/^dead-letter: 1 of 1 dead letters are still refused/);
  await place.untilRows([]);

  await place.sql('ALTER TABLE item DROP CONSTRAINT not_negative');
  expect(await command.retry('all')).toEqual({
    results: [{ id: letter!.id, state: 'retried', outcome: 'applied' }],
    error: undefined,
  });
  await place.untilRows([row(1, 'first'), row(2, 'second', -7)]);
  expect(await command.list()).toEqual([]);
  expect(await command.list({ all: true })).toMatchObject([{ state: 'retried' }]);
  device.replica.write(set(int(2), { amount: int(8) }));
  await place.untilRows([row(1, 'first'), row(2, 'second', 8)]);
  await untilObjects(device, [row(1, 'first'), row(2, 'second', 8)]);

  device.replica.write(create(int(3), { name: text('much too long') }));
  await until(async () => (await command.list()).length === 1);
  await adapter.close();
  expect((await command.retry('all')).error).toMatch(/still refused/);
  const [second] = await command.list();
  expect(await command.discard([second!.id])).toEqual([
    { id: second!.id, state: 'discarded', outcome: 'kept for the record' },
  ]);
  expect(await command.discard('all', { purge: true })).toHaveLength(2);
  expect(await command.list({ all: true })).toEqual([]);
});

test('what devices and the database have changed since is not turned back', async () => {
  const place = await bench().place();
  const { adapter, device } = await place.synced();
  device.replica.write([1, 2, 3, 4].flatMap((id) => create(int(id), { name: text('old'), amount: int(1) })));
  await place.untilRows([1, 2, 3, 4].map((id) => row(id, 'old', 1)));
  device.replica.write([
    ...set(int(1), { name: text('refused for its length'), amount: int(2) }),
    ...set(int(2), { name: text('refused as well'), amount: int(2) }),
    ...set(int(3), { name: text('refused with them'), amount: int(2) }),
    ...set(int(4), { amount: int(2) }),
  ]);
  await place.untilLogged('Put transaction');
  // A device has another name for the second; the third is gone; the database has another amount for the fourth.
  device.replica.write(set(int(2), { name: text('newer') }));
  device.replica.write([{ op: 'EraseObject', table: 'item', key: int(3) }]);
  await until(async () => (await place.sql('SELECT id FROM item')).length === 3);
  await place.sql('UPDATE item SET amount = 40 WHERE id = 4');
  await until(() => {
    const amount = device.replica.object('item', int(4))?.fields.get('amount');
    return amount?.type === 'int' && amount.value === 40n;
  });
  // While the adapter is away, the database gets a newer name, which the realm does not know yet.
  await adapter.close();
  await place.sql(`${WIDEN}; UPDATE item SET name = 'by hand' WHERE id = 1`);
  const command = new DeadLetterCommand(place);
  expect(await command.retry('all')).toMatchObject({ error: undefined, results: [{ state: 'retried' }] });
  const expected = [row(1, 'by hand', 1), row(2, 'newer', 2), row(4, 'old', 40)];
  await place.untilRows(expected);
  await place.started();
  await untilObjects(device, expected);
  await place.untilRows(expected);
});

test('an app that corrects its mistake brings along what was refused with it', async () => {
  const place = await bench().place();
  const { device } = await place.synced();
  const command = new DeadLetterCommand(place);
  device.replica.write(create(int(1), { name: text('old'), amount: int(1) }));
  await place.untilRows([row(1, 'old', 1)]);
  device.replica.write(set(int(1), { name: text('much too long'), amount: int(2) }));
  await place.untilLogged('Put transaction');
  device.replica.write(set(int(1), { name: text('short') }));
  await place.untilRows([row(1, 'short', 2)]);
  await until(async () => (await command.list()).length === 0);
  expect(await command.list({ all: true })).toMatchObject([
    { state: 'retried', outcome: 'a later change of the same objects brought it along' },
  ]);
});

test('lists become what they are by now', async () => {
  const place = await bench().place(
    'CREATE TABLE item (id int NOT NULL PRIMARY KEY, name nvarchar(10) NOT NULL)',
  );
  const schema = [
    { name: 'item', primaryKey: 'id', properties: { id: 'int', name: 'string', next: 'item[]' } },
  ];
  const { device } = await place.synced({ schema });
  device.replica.write([1, 2, 3].flatMap((id) => create(int(id), { name: text('ok') })));
  await until(async () => (await place.sql('SELECT id FROM item')).length === 3);
  const insert = (index: number, target: number, priorSize: number) =>
    ({
      op: 'ArrayInsert',
      table: 'item',
      key: int(1),
      field: 'next',
      path: [index],
      value: { type: 'link', table: 'item', key: int(target) },
      priorSize,
    }) as const;
  device.replica.write([insert(0, 2, 0), insert(1, 3, 1), ...set(int(1), { name: text('much too long') })]);
  await place.untilLogged('Put transaction');
  const items = () => place.sql('SELECT target FROM __item__next ORDER BY idx');
  expect(await items()).toEqual([]);
  await place.sql(WIDEN);
  const retried = await new DeadLetterCommand(place, { schema }).retry('all');
  expect(retried).toMatchObject({ error: undefined, results: [{ state: 'retried' }] });
  expect(await items()).toEqual([{ target: '2' }, { target: '3' }]);
  device.replica.write([insert(0, 3, 2)]);
  await until(async () => (await items()).length === 3);
  expect(await items()).toEqual([{ target: '3' }, { target: '2' }, { target: '3' }]);
});

test('`ignoreSQLerrors` of a class stops the adapter with a precise report, and it goes on once the table is mended', async () => {
  const place = await bench().place(`CREATE TABLE item (id int NOT NULL PRIMARY KEY, name nvarchar(5) NULL);
    CREATE TABLE bill (id int NOT NULL PRIMARY KEY, name nvarchar(5) NULL)`);
  const schema = ['item', 'bill'].map((name) => ({
    name,
    primaryKey: 'id',
    properties: { id: 'int', name: 'string' },
  }));
  const options = { schema, ignoreSQLerrors: { bill: false } };
  const { adapter, device } = await place.synced(options);
  device.replica.write(create(int(1), { name: text('too long') }, 'item'));
  device.replica.write(create(int(1), { name: text('good') }, 'bill'));
  await until(async () => (await place.sql('SELECT id FROM bill')).length === 1);
  expect(await new DeadLetterCommand(place, options).list()).toMatchObject([
    { objects: [{ class: 'item', key: '1' }] },
  ]);
  device.replica.write([
    ...create(int(2), { name: text('good') }, 'item'),
    ...create(int(2), { name: text('good') }, 'bill'),
    ...create(int(3), { name: text('too long') }, 'bill'),
  ]);
  const error = await failure(adapter.done);
  expect(error).toBeInstanceOf(ConnectorStoppedError);
  for (const part of [
    /transaction \d+ of realm \/place\d+/,
    'at bill 3',
    'it has 8 characters',
    'too long',
    'mend the data or the table and start again',
  ]) {
    if (typeof part === 'string') expect(error.message).toContain(part);
    else expect(error.message).toMatch(part);
  }
  await adapter.close();
  await place.sql('ALTER TABLE bill ALTER COLUMN name nvarchar(max) NULL');
  const again = await place.started(options);
  await until(async () => (await place.sql('SELECT id FROM bill')).length === 3);
  await place.untilRows([{ id: '2', name: 'good' }]);
  // From the database: a NULL that the property cannot be.
  await place.sql("INSERT INTO item VALUES (9, NULL); INSERT INTO bill VALUES (9, 'good')");
  await until(() => device.replica.object('bill', int(9)) !== undefined);
  await place.sql('INSERT INTO bill VALUES (10, NULL)');
  expect((await failure(again.done)).message).toContain('bill.name is NULL');
});
