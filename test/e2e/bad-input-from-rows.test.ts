/** Rows that no realm value can hold: the policy decides in the loader and in the running adapter alike. */
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { Bench, failure, int, text, untilObjects } from './bad-input.ts';

let bench: Bench;

beforeAll(async () => {
  bench = await Bench.start();
});

afterEach(() => bench.closePlaces());
afterAll(() => bench.stop());

const TABLE = 'CREATE TABLE item (id integer PRIMARY KEY, at timestamp, price numeric, name text)';
const MODEL = {
  name: 'item',
  primaryKey: 'id',
  properties: { id: 'int', at: 'date?', price: 'decimal128?', name: 'string' },
};
const schema = [MODEL];
const SIXTY_DIGITS = '1'.repeat(60);
const BAD = `(1, 'infinity', NULL, 'eternal'), (2, NULL, ${SIXTY_DIGITS}, 'precise'), (3, NULL, NULL, NULL)`;
const REASONS = [
  /item\.?at|column at/,
  /price.*1{20}|1{20}.*price/,
  /item\.name is NULL, but property item\.name is required/,
];
const good = (id: number, name: string) => ({ id: String(id), at: null, price: null, name });

describe('ignoreSQLerrors: such rows are left out, counted and logged, and the others come', () => {
  test('in the loader, and they come with the next load once they are mended', async () => {
    const place = await bench.place(`${TABLE}; INSERT INTO item VALUES ${BAD}, (4, NULL, NULL, 'good')`);
    const load = place.command('load', { schema });
    expect(await load.exited).toBe(0);
    expect(load.log).toContain('3 rows were left out because no realm value can hold them');
    for (const reason of REASONS) expect(load.log).toMatch(reason);
    const device = await place.device();
    await untilObjects(device, [good(4, 'good')]);

    await place.sql("UPDATE item SET at = NULL, price = NULL, name = 'mended' WHERE id < 4");
    expect(await place.loader({ schema }).init()).toMatchObject({ rowsLeftOut: 0 });
    await untilObjects(device, [good(1, 'mended'), good(2, 'mended'), good(3, 'mended'), good(4, 'good')]);
  });

  test('in the running adapter, and they come as soon as they are mended', async () => {
    const place = await bench.place(TABLE);
    const { device } = await place.synced({ schema });
    await place.sql(`INSERT INTO item VALUES ${BAD}, (4, NULL, NULL, 'good')`);
    await untilObjects(device, [good(4, 'good')]);
    for (const reason of REASONS) await place.untilLogged(reason);
    await place.sql("UPDATE item SET at = NULL, price = NULL, name = 'mended' WHERE id < 4");
    await untilObjects(device, [good(1, 'mended'), good(2, 'mended'), good(3, 'mended'), good(4, 'good')]);
  });
});

describe('ignoreSQLerrors: false', () => {
  const strict = { schema, ignoreSQLerrors: false };

  test('the loader stops with exit code 4 and goes on where it was once the row is mended', async () => {
    const place = await bench.place(
      `${TABLE}; INSERT INTO item VALUES (3, NULL, NULL, NULL), (4, NULL, NULL, 'good')`,
    );
    const load = place.command('load', strict);
    expect(await load.exited).toBe(4);
    expect(load.log).toContain('a row cannot be loaded');
    expect(load.log).toContain('item.name is NULL');
    expect(load.log).toContain('[connector-stopped]');
    expect(load.log).not.toContain('    at ');
    await place.sql("UPDATE item SET name = 'mended' WHERE id = 3");
    await place.loader(strict).init();
    await untilObjects(await place.device(), [good(3, 'mended'), good(4, 'good')]);
  });

  test('the running adapter stops, and goes on once the row is mended although the log still has the old one', async () => {
    const place = await bench.place(TABLE);
    const { adapter, device } = await place.synced(strict);
    await place.sql("INSERT INTO item VALUES (4, NULL, NULL, 'before')");
    await place.sql(`INSERT INTO item VALUES (1, 'infinity', NULL, 'eternal'), (2, NULL, NULL, 'along')`);
    await place.sql("INSERT INTO item VALUES (5, NULL, NULL, 'after')");
    const error = await failure(adapter.done);
    expect(error.code).toBe('connector-stopped');
    expect(error.message).toMatch(/a row of the database cannot be written to the realm: .*infinity/);
    await adapter.close();

    const second = place.adapter(strict);
    expect((await failure(second.done)).code).toBe('connector-stopped');
    await second.close();
    await place.sql("UPDATE item SET at = NULL, name = 'mended' WHERE id = 1");
    const again = await place.started(strict);
    const all = [good(1, 'mended'), good(2, 'along'), good(4, 'before'), good(5, 'after')];
    await untilObjects(device, all);
    device.replica.write([
      {
        op: 'Update',
        table: 'item',
        key: int(5),
        field: 'name',
        path: [],
        value: text('device'),
        isDefault: false,
      },
    ]);
    await place.untilRows([good(1, 'mended'), good(2, 'along'), good(4, 'before'), good(5, 'device')]);

    // What is mended is not excused for good.
    await place.sql("UPDATE item SET at = '-infinity' WHERE id = 1");
    expect((await failure(again.done)).message).toContain('infinity');
  });
});
