/** What apps write that the database refuses: constraints, lengths, ranges and characters. */
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { ConnectorStoppedError } from '../../src/connector/errors.ts';
import type { ScalarValue } from '../../src/schema/value.ts';
import { Bench, create, failure, int, set, text, until } from './bad-input.ts';

let bench: Bench;

beforeAll(async () => {
  bench = await Bench.start();
});

afterEach(() => bench.closePlaces());
afterAll(() => bench.stop());

const TABLE = `CREATE TABLE item (id integer PRIMARY KEY, name varchar(10), amount integer CHECK (amount >= 0),
  note text NOT NULL)`;
const MODEL = {
  name: 'item',
  primaryKey: 'id',
  properties: { id: 'int', name: 'string?', amount: 'int?', note: 'string?' },
};
const note = text('n');

const REFUSED: readonly [what: string, fields: Record<string, ScalarValue>, reason: RegExp][] = [
  ['a text too long for its column', { note, name: text('eleven char') }, /character varying\(10\)/],
  ['nothing for a column that must have something', { name: text('ok') }, /"note" .*not-null/],
  ['a value that a rule of the table forbids', { note, amount: int(-1) }, /item_amount_check/],
  ['a NUL inside a text', { note, name: text('a\0b') }, /item 13, property name/],
  [
    'an integer beyond the range of the column',
    { note, amount: int(2n ** 31n) },
    /item 14, property amount: the value "2147483648" does not fit/,
  ],
];

describe('ignoreSQLerrors: what the database refuses is kept aside, and everything else goes on', () => {
  test('one by one, with reason and content, whatever else arrived with it', async () => {
    const place = await bench.place(TABLE);
    const { device } = await place.synced({ schema: [MODEL] });
    const good = (id: string) => ({ id, name: 'good', amount: null, note: 'n' });
    device.replica.write(create(int(1), { name: text('good'), note }));
    REFUSED.forEach(([, fields], index) => {
      device.replica.write(create(int(10 + index), fields));
    });
    device.replica.write(create(int(20), { name: text('good'), note }));
    await place.untilRows([good('1'), good('20')]);
    const letters = await place.sql(
      'SELECT adapter, realm, reason, payload::text AS payload FROM isthmus.dead_letter ORDER BY sequence',
    );
    expect(letters).toHaveLength(REFUSED.length);
    REFUSED.forEach(([, , reason], index) => {
      expect(letters[index]).toMatchObject({
        adapter: place.database,
        realm: place.path,
        reason: expect.stringMatching(reason),
        payload: expect.stringMatching(new RegExp(`"INSERT".*"${10 + index}"`)),
      });
    });
    expect(place.log.filter((line) => line.startsWith('error Put transaction'))).toHaveLength(REFUSED.length);
    await place.sql("INSERT INTO item VALUES (30, 'sql', 1, 'n')");
    await until(() => device.replica.object('item', int(30)) !== undefined);
    await place.untilRows([good('1'), good('20'), { id: '30', name: 'sql', amount: '1', note: 'n' }]);
  });
});

describe('ignoreSQLerrors: false', () => {
  test('stops the adapter with exit code 4 and the place of the fault; after mending the table a start goes on', async () => {
    const place = await bench.place();
    const { adapter, device } = await place.synced();
    await adapter.close();
    device.replica.write(create(int(1), { name: text('much too long') }));
    device.replica.write(create(int(2), { name: text('short') }));
    await device.session.uploadCompletion();
    const stopped = place.command('adapter', { ignoreSQLerrors: false });
    expect(await stopped.exited).toBe(4);
    expect(stopped.log).toMatch(/transaction \d+ of realm \/place\d+ cannot be written to the database/);
    expect(stopped.log).toContain('public.item');
    expect(stopped.log).toContain('character varying(10)');
    expect(stopped.log).toContain('mend the data or the table and start again');
    expect(stopped.log).toContain('[connector-stopped]');
    expect(stopped.log).not.toContain('    at ');
    expect(await place.sql('SELECT * FROM isthmus.dead_letter')).toEqual([]);

    await place.sql('ALTER TABLE item ALTER name TYPE text');
    await place.started({ ignoreSQLerrors: false });
    await place.untilRows([
      { id: '1', name: 'much too long', amount: null },
      { id: '2', name: 'short', amount: null },
    ]);
  });

  test('tells the program that embeds the adapter', async () => {
    const place = await bench.place();
    const { adapter, device } = await place.synced({ ignoreSQLerrors: false });
    device.replica.write(create(int(1), { name: text('a'), amount: int(-5) }));
    const error = await failure(adapter.done);
    expect(error).toBeInstanceOf(ConnectorStoppedError);
    expect(error.message).toContain('item_amount_check');
    await adapter.close();
    await place.sql('ALTER TABLE item DROP CONSTRAINT item_amount_check');
    await place.started({ ignoreSQLerrors: false });
    await place.untilRows([{ id: '1', name: 'a', amount: '-5' }]);
  });
});

test('an app that corrects its mistake reaches the database', async () => {
  const place = await bench.place();
  const { device } = await place.synced();
  device.replica.write(create(int(1), { name: text('much too long') }));
  await place.untilLogged('Put transaction');
  device.replica.write(set(int(1), { name: text('short') }));
  await place.untilRows([{ id: '1', name: 'short', amount: null }]);
});
