/** Keys that the database makes, links by them, and properties that are more than a scalar. */
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { Bench, type Place, set, text } from './bad-input.ts';
import { verify } from './verify.ts';

let bench: Bench;

beforeAll(async () => {
  bench = await Bench.start();
});

afterEach(() => bench.closePlaces());
afterAll(() => bench.stop());

const repairs = ['realm', 'sql'] as const;

describe('rows that the database numbers', () => {
  const TABLES = `CREATE TABLE "Passport" ("PassportId" int GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
      "RealmId" varchar(255) UNIQUE, "Country" text);
    CREATE TABLE "Person" ("PersonId" serial PRIMARY KEY, "RealmId" varchar(255) UNIQUE, "Name" text,
      "PassportId" int REFERENCES "Passport", boss int REFERENCES "Person");
    CREATE TABLE "Person_friends" (oid int, idx int, target int, PRIMARY KEY (oid, idx) DEFERRABLE);
    INSERT INTO "Passport" ("RealmId", "Country") SELECT 'p' || n, 'country ' || n FROM generate_series(1, 30) n;
    INSERT INTO "Person" ("RealmId", "Name", "PassportId", boss)
      SELECT 'r' || n, 'name ' || n, n, 31 - n FROM generate_series(1, 30) n;
    INSERT INTO "Person_friends" VALUES (1, 0, 2), (1, 1, 3), (2, 0, 1)`;
  const schema = [
    {
      name: 'Passport',
      primaryKey: 'RealmId',
      postgresPrimaryKey: 'PassportId',
      properties: { RealmId: 'string', PassportId: 'int?', Country: 'string?' },
    },
    {
      name: 'Person',
      primaryKey: 'RealmId',
      postgresPrimaryKey: 'PersonId',
      properties: {
        RealmId: 'string',
        PersonId: 'int?',
        Name: 'string?',
        PassportId: 'Passport?',
        boss: 'Person?',
        friends: 'Person[]',
      },
    },
  ];
  const loaded = async (): Promise<Place> => {
    const place = await bench.place(TABLES);
    await place.loader({ schema }).init();
    return place;
  };

  test('agree after loading', async () => {
    const place = await loaded();
    const { lines, report } = await verify(place.options({ schema }));
    expect(lines).toEqual([]);
    expect(report.classes.map(({ equal }) => equal)).toEqual([30, 30]);
  });

  test('a row that has no key yet is left to the adapter', async () => {
    const place = await loaded();
    await place.sql(`INSERT INTO "Passport" ("Country") VALUES ('nowhere')`);
    for (const repair of repairs) {
      const { lines, report, notRepaired } = await verify(place.options({ schema }), { repair });
      expect(lines).toEqual([expect.stringMatching(/^Passport 31: row without object in .*no RealmId yet/)]);
      expect(report.repair).toEqual({ repaired: 0, notRepaired: 1 });
      expect(notRepaired).toHaveLength(1);
    }
    await place.started({ schema });
    await expect
      .poll(async () => (await verify(place.options({ schema }))).lines, { timeout: 30_000 })
      .toEqual([]);
  });

  test.each(repairs)('links, lists and rows that differ are repaired with --repair %s', async (repair) => {
    const place = await loaded();
    await place.sql(`UPDATE "Person" SET boss = 5 WHERE "PersonId" = 10;
      UPDATE "Person_friends" SET target = 7 WHERE oid = 1 AND idx = 0;
      DELETE FROM "Person_friends" WHERE oid = 2;
      INSERT INTO "Passport" ("RealmId", "Country") VALUES ('new', 'new');
      UPDATE "Person" SET "PassportId" = 31 WHERE "PersonId" = 11`);
    const device = await place.device();
    device.replica.write(set(text('r20'), { Name: text('changed on a device') }, 'Person'));
    await device.session.uploadCompletion();
    const { lines, report, notRepaired } = await verify(place.options({ schema }), { repair });
    expect(lines.map((line) => line.replace(/: .*/, ''))).toEqual([
      'Passport new',
      'Person r1.friends',
      'Person r10.boss',
      'Person r11.PassportId',
      'Person r2.friends',
      'Person r20.Name',
    ]);
    expect(notRepaired).toEqual([]);
    expect(report.repair).toEqual({ repaired: 6, notRepaired: 0 });
    expect((await verify(place.options({ schema }))).lines).toEqual([]);
  });
});

describe('properties that are more than a scalar', () => {
  const TABLES = `CREATE TABLE thing (id integer PRIMARY KEY, tags text[], address jsonb, extra jsonb);
    CREATE TABLE thing_scores (oid integer, key text, target integer, PRIMARY KEY (oid, key));
    CREATE TABLE thing_colours (oid integer, target text, PRIMARY KEY (oid, target));
    INSERT INTO thing SELECT n, ARRAY['a', 'b', 'tag ' || n], jsonb_build_object('street', 'street ' || n, 'number', n),
      to_jsonb(n) FROM generate_series(1, 30) n;
    INSERT INTO thing_scores SELECT n, k, n FROM generate_series(1, 10) n, unnest(ARRAY['x', 'y']) k;
    INSERT INTO thing_colours SELECT n, c FROM generate_series(1, 10) n, unnest(ARRAY['red', 'blue']) c`;
  const schema = [
    { name: 'Address', embedded: true, properties: { street: 'string?', number: 'int?' } },
    {
      name: 'thing',
      primaryKey: 'id',
      properties: {
        id: 'int',
        tags: 'string[]',
        address: 'Address?',
        extra: 'mixed',
        scores: 'int{}',
        colours: 'string<>',
      },
    },
  ];

  test('agree after loading', async () => {
    const place = await bench.place(TABLES);
    await place.loader({ schema }).init();
    const { lines, report } = await verify(place.options({ schema }));
    expect(lines).toEqual([]);
    expect(report.classes[0]).toMatchObject({ equal: 30, notCompared: [] });
  });

  test.each(repairs)('what differs inside of them is found and repaired with --repair %s', async (repair) => {
    const place = await bench.place(TABLES);
    await place.loader({ schema }).init();
    await place.sql(`UPDATE thing SET tags = '{a,c}' WHERE id = 1;
      UPDATE thing SET address = jsonb_set(address, '{number}', '99') WHERE id = 2;
      UPDATE thing SET extra = '"text"' WHERE id = 3;
      UPDATE thing_scores SET target = 77 WHERE oid = 4 AND key = 'x';
      DELETE FROM thing_scores WHERE oid = 5;
      INSERT INTO thing_colours VALUES (6, 'green'), (20, 'green')`);
    const { lines, report, notRepaired } = await verify(place.options({ schema }), { repair });
    expect(lines.map((line) => line.replace(/: .*/, ''))).toEqual([
      'thing 1.tags',
      'thing 2.address',
      'thing 20.colours',
      'thing 3.extra',
      'thing 4.scores',
      'thing 5.scores',
      'thing 6.colours',
    ]);
    expect(notRepaired).toEqual([]);
    expect(report.repair).toEqual({ repaired: 7, notRepaired: 0 });
    expect((await verify(place.options({ schema }))).lines).toEqual([]);
    const [row] = await place.sql(`SELECT count(*)::int AS n FROM thing_colours WHERE target = 'green'`);
    expect(row).toEqual({ n: repair === 'realm' ? '2' : '0' });
  });
});
