/** Mistakes in a configuration file: all of them are told at once, with exit code 2, before anything is touched. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { IsthmusProcess } from '../support/isthmus-processes.ts';
import { Bench, create, failure, ITEM_MODEL, int, text } from './bad-input.ts';

let bench: Bench;

beforeAll(async () => {
  bench = await Bench.start();
});

afterEach(() => bench.closePlaces());
afterAll(() => bench.stop());

test('unknown names, wrong types and expressions that are none are listed together', async () => {
  const place = await bench.place();
  const wrong = place.command(
    'adapter',
    {
      realmRegexp: '.*',
      loadOnline: 'yes',
      loaderSQLBatchSize: 0,
      realmRegex: '^/(unclosed',
      postgresConfig: { hots: 'localhost', password: 'wrong-secret' },
      schema: [{ name: 'item' }],
    },
    { conector: {} },
  );
  expect(await wrong.exited).toBe(2);
  expect(wrong.log).toContain('[config-invalid]');
  expect(wrong.log).toMatch(/conector: .*did you mean connector\?/);
  expect(wrong.log).toMatch(/connector\.realmRegexp: .*did you mean realmRegex\?/);
  expect(wrong.log).toMatch(/connector\.postgresConfig\.hots: .*did you mean host\?/);
  expect(wrong.log).toMatch(/connector\.loadOnline: expected true or false, found/);
  expect(wrong.log).toMatch(/connector\.loaderSQLBatchSize: expected a whole number of rows from 1/);
  expect(wrong.log).toMatch(/connector\.realmRegex: expected a regular expression \(.*Unterminated group/);
  expect(wrong.log).toMatch(/connector\.schema\[0\]: expected a model/);
  expect(wrong.log).not.toContain('    at ');
  expect(wrong.log).not.toContain('wrong-secret');
});

test('a file that is no configuration says where it breaks off', async () => {
  const place = await bench.place('');
  const file = join(place.directory, 'broken.ts');
  writeFileSync(file, 'export default { connector: {');
  const broken = new IsthmusProcess('broken', place.directory, ['load', '--config', file]);
  expect(await broken.exited).toBe(2);
  expect(broken.log).toContain(file);
  expect(broken.log).toContain('cannot be read');
  expect(broken.log).not.toContain('    at ');
});

test('naming functions that are not each other’s inverse are refused with the name that shows it', async () => {
  const place = await bench.place();
  const error = await failure(
    place
      .adapter({
        createPostgresSchema: false,
        mapPostgresTableName: (table) => table,
        mapRealmClassName: (name) => `${name}s`,
      })
      .start(),
  );
  expect(error.code).toBe('mapping-error');
  expect(error.message).toMatch(/mapRealmClassName.*item/);
  const columns = await failure(
    place
      .adapter({
        createPostgresSchema: false,
        mapPostgresColumnName: (_table, column) => column.toUpperCase(),
        mapRealmPropertyName: (_name, property) => property,
      })
      .start(),
  );
  expect(columns.code).toBe('mapping-error');
  expect(columns.message).toMatch(/mapPostgresColumnName|mapRealmPropertyName/);
});

test('a model that is none names class and property', async () => {
  const place = await bench.place();
  const properties = { ...ITEM_MODEL.properties, amount: 'integre?' };
  const error = await failure(place.adapter({ schema: [{ ...ITEM_MODEL, properties }] }).start());
  expect(error.code).toBe('invalid-schema');
  expect(error.message).toMatch(/item\.amount.*integre/);
  expect(await place.sql('SELECT pubname FROM pg_publication')).toEqual([]);
});

test('a conversion function that returns nonsense costs its own transaction only', async () => {
  const place = await bench.place();
  const { device } = await place.synced({
    convertRealmValueToPostgres: (_class, property, value) =>
      property === 'amount' && value !== null ? 'many' : value,
  });
  device.replica.write(create(int(1), { name: text('a'), amount: int(5) }));
  device.replica.write(create(int(2), { name: text('b') }));
  await place.untilRows([{ id: '2', name: 'b', amount: null }]);
  const [letter] = await place.sql('SELECT reason FROM isthmus.dead_letter');
  expect(letter?.reason).toMatch(
    /convertRealmValueToPostgres\('item', 'amount'\) returned a value that is no int/,
  );
});
