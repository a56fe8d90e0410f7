/** Differences of every kind, made behind the adapter's back: named exactly, repaired in either direction, then gone. */
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { Bench, create, int, type Place, set, text } from './bad-input.ts';
import { type Verified, verify } from './verify.ts';

let bench: Bench;

beforeAll(async () => {
  bench = await Bench.start();
});

afterEach(() => bench.closePlaces());
afterAll(() => bench.stop());

const TABLES = `CREATE TABLE author (id integer PRIMARY KEY, name varchar(20) NOT NULL);
  CREATE TABLE book (id integer PRIMARY KEY, title text, price numeric(10,2), author integer REFERENCES author (id));
  CREATE TABLE author_favourites (oid integer NOT NULL, idx integer NOT NULL, target integer, PRIMARY KEY (oid, idx));
  INSERT INTO author SELECT n, 'author ' || n FROM generate_series(1, 20) n;
  INSERT INTO book SELECT n, 'book ' || n, n * 1.5, 1 + n % 20 FROM generate_series(1, 200) n;
  INSERT INTO author_favourites VALUES (1, 0, 10), (1, 1, 20), (2, 0, 30)`;
const schema = [
  { name: 'author', primaryKey: 'id', properties: { id: 'int', name: 'string', favourites: 'book[]' } },
  {
    name: 'book',
    primaryKey: 'id',
    properties: { id: 'int', title: 'string?', price: 'decimal128?', author: 'author' },
  },
];

async function loaded(): Promise<Place> {
  const place = await bench.place(TABLES);
  await place.loader({ schema }).init();
  return place;
}

/** One of each kind, on both sides, with no adapter running. */
async function plant(place: Place): Promise<void> {
  await place.sql(`UPDATE book SET title = 'changed in SQL', price = NULL WHERE id = 7;
    DELETE FROM book WHERE id = 8;
    INSERT INTO author VALUES (300, 'only in SQL');
    INSERT INTO book VALUES (500, 'only in SQL', 1, 300);
    UPDATE author_favourites SET target = 40 WHERE oid = 1 AND idx = 1`);
  const device = await place.device();
  device.replica.write([
    ...set(int(9), { title: text('changed on a device') }, 'book'),
    { op: 'EraseObject', table: 'book', key: int(11) },
    ...create(int(400), { name: text('only on a device') }, 'author'),
    ...create(
      int(600),
      { title: text('only on a device'), author: { type: 'link', table: 'author', key: int(400) } },
      'book',
    ),
  ]);
  await device.session.uploadCompletion();
  await device.close();
}

const PLANTED = [
  'author 1.favourites: row [["0","10"],["1","40"]], object ["10","20"]',
  'author 300: row without object in PATH',
  'author 400: object in PATH without row',
  'book 11: row without object in PATH',
  'book 500: row without object in PATH',
  'book 600: object in PATH without row',
  'book 7.price: row NULL, object "10.50"',
  'book 7.title: row "changed in SQL", object "book 7"',
  'book 8: object in PATH without row',
  'book 9.title: row "book 9", object "changed on a device"',
];

function expectPlanted({ lines, report }: Verified, place: Place): void {
  const unquoted = lines.map((line) =>
    line.replace(/"(\[.*?\])"(?=,|$)/g, (_, json: string) => json.replaceAll('\\"', '"')),
  );
  expect(unquoted).toEqual(PLANTED.map((line) => line.replace('PATH', place.path)).sort());
  expect(report).toMatchObject({ standing: 9, explained: 0, changing: 0 });
}

test('there are none after loading', async () => {
  const place = await loaded();
  const { report, lines } = await verify(place.options({ schema }));
  expect(lines).toEqual([]);
  expect(
    report.classes.map(({ className, rows, objects, equal }) => [className, rows, objects, equal]),
  ).toEqual([
    ['author', 20, 20, 20],
    ['book', 200, 200, 200],
  ]);
});

describe('with no adapter running', () => {
  test('each is named with its class, key, property and both values, and nothing is changed', async () => {
    const place = await loaded();
    await plant(place);
    expectPlanted(await verify(place.options({ schema })), place);
    expectPlanted(await verify(place.options({ schema })), place);
  });

  test('--only compares the classes that it names', async () => {
    const place = await loaded();
    await plant(place);
    const { report, differences } = await verify(place.options({ schema }), { only: ['author'] });
    expect(report.classes.map(({ className }) => className)).toEqual(['author']);
    expect(differences.map(({ className }) => className)).toEqual(['author', 'author', 'author']);
    await expect(verify(place.options({ schema }), { only: ['auther'] })).rejects.toThrow(
      /no class auther .*author, book/,
    );
  });

  test('--repair realm makes the objects what the rows are', async () => {
    const place = await loaded();
    await plant(place);
    const before = await everything(place);
    const { report } = await verify(place.options({ schema }), { repair: 'realm' });
    expect(report.repair).toEqual({ repaired: 9, notRepaired: 0 });
    expect((await verify(place.options({ schema }))).lines).toEqual([]);
    expect(await everything(place)).toEqual(before);
    const again = await verify(place.options({ schema }), { repair: 'realm' });
    expect(again.report.repair).toBeUndefined();
    const { replica } = await place.device();
    expect(replica.object('book', int(7))?.fields.get('title')).toEqual(text('changed in SQL'));
    expect(replica.object('author', int(400))).toBeUndefined();
  });

  test('--repair sql makes the rows what the objects are', async () => {
    const place = await loaded();
    await plant(place);
    const { report, notRepaired } = await verify(place.options({ schema }), { repair: 'sql' });
    expect(notRepaired).toEqual([]);
    expect(report.repair).toEqual({ repaired: 9, notRepaired: 0 });
    expect((await verify(place.options({ schema }))).lines).toEqual([]);
    const rows = await place.sql(
      'SELECT id, title, author FROM book WHERE id IN (7, 8, 9, 11, 500, 600) ORDER BY id',
    );
    expect(rows).toEqual([
      { id: '7', title: 'book 7', author: '8' },
      { id: '8', title: 'book 8', author: '9' },
      { id: '9', title: 'changed on a device', author: '10' },
      { id: '600', title: 'only on a device', author: '400' },
    ]);
  });
});

async function everything(place: Place): Promise<unknown> {
  return [
    await place.sql('SELECT * FROM author ORDER BY id'),
    await place.sql('SELECT * FROM book ORDER BY id'),
    await place.sql('SELECT * FROM author_favourites ORDER BY oid, idx'),
  ];
}
