/** `isthmus deadletter`: what the database refused is brought over after all, and never over what is newer. */
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { Bench, create, int, set, text, until, untilObjects } from '../../e2e/bad-input.ts';
import { DeadLetterCommand } from './deadletter-command.ts';

let bench: Bench;

beforeAll(async () => {
  bench = await Bench.start();
});

afterEach(() => bench.closePlaces());
afterAll(() => bench.stop());

const WIDEN = 'ALTER TABLE item ALTER name TYPE text';
const row = (id: number, name: string, amount: number | null = null) => ({
  id: String(id),
  name,
  amount: amount === null ? null : String(amount),
});

describe.each(['runs', 'is stopped'] as const)('while the adapter %s', (state) => {
  test('a letter is listed, shown whole, still refused until the table is mended, and then applied', async () => {
    const place = await bench.place();
    const { adapter, device } = await place.synced();
    device.replica.write([
      ...create(int(1), { name: text('first') }),
      ...create(int(2), { name: text('much too long'), amount: int(7) }),
    ]);
    await place.untilLogged('Put transaction');
    if (state === 'is stopped') await adapter.close();
    const command = new DeadLetterCommand(place);

    const [letter] = await command.list();
    expect(letter).toMatchObject({
      state: 'waiting',
      direction: 'toSql',
      realmPath: place.path,
      adapter: place.database,
      reason: { sqlState: '22001', message: expect.stringContaining('character varying(10)') },
    });
    expect(letter?.objects).toEqual([
      { class: 'item', key: '2' },
      { class: 'item', key: '1' },
    ]);
    const shown = await command.show(letter!.id);
    expect(shown.payload).toEqual([
      {
        type: 'INSERT',
        table: 'item',
        key: { type: 'int', value: '1' },
        values: { name: { type: 'string', value: 'first' } },
      },
      {
        type: 'INSERT',
        table: 'item',
        key: { type: 'int', value: '2' },
        values: {
          name: { type: 'string', value: 'much too long' },
          amount: { type: 'int', value: '7' },
        },
      },
    ]);
    expect(shown.statements.at(-1)?.sql).toMatch(/^INSERT INTO "public"\."item"/);
    expect(JSON.stringify(shown.statements.at(-1)?.values)).toContain('much too long');

    const refused = await command.retry([letter!.id]);
    expect(refused.error).toMatch(/^dead-letter: 1 of 1 dead letters are still refused/);
    expect(refused.results).toMatchObject([
      { state: 'waiting', outcome: expect.stringContaining('character varying(10)') },
    ]);
    await place.untilRows([]);

    await place.sql(WIDEN);
    expect(await command.retry('all')).toEqual({
      results: [{ id: letter!.id, state: 'retried', outcome: 'applied' }],
      error: undefined,
    });
    await place.untilRows([row(1, 'first'), row(2, 'much too long', 7)]);
    expect(await command.list()).toEqual([]);
    expect(await command.list({ all: true })).toMatchObject([{ state: 'retried' }]);

    if (state === 'is stopped') await place.started();
    device.replica.write(set(int(2), { amount: int(8) }));
    await place.untilRows([row(1, 'first'), row(2, 'much too long', 8)]);
    await untilObjects(device, [row(1, 'first'), row(2, 'much too long', 8)]);
  });
});

test('what devices and the database have changed since is not turned back', async () => {
  const place = await bench.place();
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
  await until(async () => (await place.sql('SELECT * FROM item')).length === 3);
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
  // The database has the last word on the first: its newer row, as it is, is what the realm has by then.
  const expected = [row(1, 'by hand', 1), row(2, 'newer', 2), row(4, 'old', 40)];
  await place.untilRows(expected);
  await place.started();
  await untilObjects(device, expected);
  await place.untilRows(expected);
});

test('an app that corrects its mistake brings along what was refused with it, and the letter is settled', async () => {
  const place = await bench.place();
  const { device } = await place.synced();
  const command = new DeadLetterCommand(place);
  device.replica.write(create(int(1), { name: text('old'), amount: int(1) }));
  await place.untilRows([row(1, 'old', 1)]);
  device.replica.write(set(int(1), { name: text('much too long'), amount: int(2) }));
  await place.untilLogged('Put transaction');
  await place.untilRows([row(1, 'old', 1)]);
  device.replica.write(set(int(1), { name: text('short') }));
  await place.untilRows([row(1, 'short', 2)]);
  await until(async () => (await command.list()).length === 0);
  expect(await command.list({ all: true })).toMatchObject([
    { state: 'retried', outcome: 'a later change of the same objects brought it along' },
  ]);
});

test('what is still refused of an object does not keep later changes of it from the database', async () => {
  const place = await bench.place();
  const { device } = await place.synced();
  device.replica.write(create(int(1), { name: text('old'), amount: int(1) }));
  await place.untilRows([row(1, 'old', 1)]);
  device.replica.write(set(int(1), { name: text('much too long') }));
  await place.untilLogged('Put transaction');
  device.replica.write(set(int(1), { amount: int(3) }));
  await place.untilRows([row(1, 'old', 3)]);
  expect(place.log.filter((line) => line.includes('Put transaction'))).toHaveLength(1);
});

test('a deletion that was refused is made when it is retried', async () => {
  const place =
    await bench.place(`CREATE TABLE item (id integer PRIMARY KEY, name text NOT NULL, amount integer);
    CREATE TABLE kept (item integer PRIMARY KEY REFERENCES item)`);
  const { device } = await place.synced();
  device.replica.write(create(int(1), { name: text('kept') }));
  await place.untilRows([row(1, 'kept')]);
  await place.sql(`CREATE FUNCTION no() RETURNS trigger LANGUAGE plpgsql AS
      $$ BEGIN RAISE 'items stay' USING TABLE = 'item'; END $$;
    CREATE TRIGGER no BEFORE DELETE ON item FOR EACH ROW EXECUTE FUNCTION no()`);
  device.replica.write([{ op: 'EraseObject', table: 'item', key: int(1) }]);
  await place.untilLogged('items stay');
  const command = new DeadLetterCommand(place);
  expect(await command.list()).toMatchObject([{ reason: { sqlState: 'P0001' } }]);
  await place.sql('DROP TRIGGER no ON item');
  expect((await command.retry('all')).error).toBeUndefined();
  await place.untilRows([]);
});

test('lists become what they are by now, item by item, and links to what is there', async () => {
  const place = await bench.place(`CREATE TABLE item (id integer PRIMARY KEY, name varchar(10) NOT NULL)`);
  const schema = [
    { name: 'item', primaryKey: 'id', properties: { id: 'int', name: 'string', next: 'item[]' } },
  ];
  const { device } = await place.synced({ schema });
  device.replica.write([1, 2, 3].flatMap((id) => create(int(id), { name: text('ok') })));
  await until(async () => (await place.sql('SELECT * FROM item')).length === 3);
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
  const [{ table } = {}] = await place.sql(
    "SELECT quote_ident(table_name) AS table FROM information_schema.columns WHERE column_name = 'idx' AND table_schema = 'public'",
  );
  const items = () => place.sql(`SELECT target FROM ${table} ORDER BY idx`);
  expect(await items()).toEqual([]);
  await place.sql('ALTER TABLE item ALTER name TYPE text');
  const command = new DeadLetterCommand(place, { schema });
  const retried = await command.retry('all');
  expect(retried).toMatchObject({ error: undefined, results: [{ state: 'retried' }] });
  expect(await items()).toEqual([{ target: '2' }, { target: '3' }]);
  device.replica.write([insert(0, 3, 2)]);
  await until(async () => (await items()).length === 3);
  expect(await items()).toEqual([{ target: '3' }, { target: '2' }, { target: '3' }]);
});

test('a letter that was discarded is not retried, is kept for the record, and is removed on demand', async () => {
  const place = await bench.place();
  const { device } = await place.synced();
  device.replica.write(create(int(1), { name: text('much too long') }));
  device.replica.write(create(int(2), { name: text('much too long') }));
  await until(async () => (await place.sql('SELECT * FROM isthmus.dead_letter')).length === 2);
  const command = new DeadLetterCommand(place);
  const [first, second] = await command.list();
  expect(await command.discard([first!.id])).toEqual([
    { id: first!.id, state: 'discarded', outcome: 'kept for the record' },
  ]);
  await place.sql(WIDEN);
  expect((await command.retry([first!.id, second!.id])).results).toMatchObject([
    { id: first!.id, state: 'discarded' },
    { id: second!.id, state: 'retried' },
  ]);
  await place.untilRows([row(2, 'much too long')]);
  expect(await command.list()).toEqual([]);
  expect(await command.list({ all: true })).toMatchObject([{ state: 'discarded' }, { state: 'retried' }]);
  expect(await command.discard('all', { purge: true })).toMatchObject([
    { id: first!.id, state: 'removed' },
    { id: second!.id, state: 'removed' },
  ]);
  expect(await command.list({ all: true })).toEqual([]);
  expect((await command.retry(['777'])).error).toMatch(/^dead-letter: this adapter has no dead letter 777/);
});

test('letters of an earlier version of the table are read and retried', async () => {
  const place = await bench.place();
  const { adapter, device } = await place.synced();
  device.replica.write(create(int(1), { name: text('much too long') }));
  await place.untilLogged('Put transaction');
  await adapter.close();
  await place.sql(`CREATE TABLE isthmus.earlier AS
      SELECT id, adapter, realm, sequence, reason, payload, created_at FROM isthmus.dead_letter;
    DROP TABLE isthmus.dead_letter;
    CREATE TABLE isthmus.dead_letter (id bigserial PRIMARY KEY, adapter text NOT NULL, realm text NOT NULL,
      sequence bigint NOT NULL, reason text NOT NULL, payload text NOT NULL,
      created_at timestamp with time zone NOT NULL DEFAULT now());
    INSERT INTO isthmus.dead_letter SELECT * FROM isthmus.earlier; ${WIDEN}`);
  const command = new DeadLetterCommand(place);
  expect(await command.list()).toMatchObject([{ state: 'waiting', objects: [] }]);
  expect((await command.retry('all')).error).toBeUndefined();
  await place.untilRows([row(1, 'much too long')]);
});
