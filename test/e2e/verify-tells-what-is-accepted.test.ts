/** Rows spread over many realms, and divergence that a policy accepted. */
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { Bench, create, int, set, text } from './bad-input.ts';
import { verify } from './verify.ts';

let bench: Bench;

beforeAll(async () => {
  bench = await Bench.start();
});

afterEach(() => bench.closePlaces());
afterAll(() => bench.stop());

describe('with a function that gives each row its realm', () => {
  const TABLE = `CREATE TABLE item (id integer PRIMARY KEY, name text, owner text);
    INSERT INTO item SELECT n, 'item ' || n, CASE WHEN n <= 10 THEN 'ann' WHEN n <= 20 THEN 'bob' END
      FROM generate_series(1, 25) n`;
  const schema = [
    { name: 'item', primaryKey: 'id', properties: { id: 'int', name: 'string?', owner: 'string?' } },
  ];
  const place = async () => {
    const here = await bench.place(TABLE);
    const pathOf = (owner: unknown): string => `${here.path}/${owner}`;
    const options = {
      schema,
      realmRegex: `^${here.path}/`,
      mapPostgresChangeToRealmPath: (_table: string, props: Readonly<Record<string, unknown>>) =>
        props.owner === null ? null : pathOf(props.owner),
    };
    await here.loader(options).init();
    return { here, options: here.options(options), pathOf };
  };

  test('there are no differences after loading, and rows of no realm are counted as such', async () => {
    const { options } = await place();
    const { lines, report } = await verify(options);
    expect(lines).toEqual([]);
    expect(report.classes[0]).toMatchObject({ rows: 25, rowsOutside: 5, objects: 20, equal: 20 });
  });

  const plant = async () => {
    const placed = await place();
    const { here, pathOf } = placed;
    await here.sql(`UPDATE item SET owner = 'bob' WHERE id = 1; UPDATE item SET owner = 'carl' WHERE id = 2;
      UPDATE item SET owner = NULL WHERE id = 3`);
    const device = await here.device(pathOf('bob'));
    device.replica.write(create(int(21), { name: text('item 21') }));
    await device.session.uploadCompletion();
    return placed;
  };

  test('an object in a realm to which its row does not belong is found and named', async () => {
    const { options, pathOf } = await plant();
    const { lines } = await verify(options);
    expect(lines).toEqual([
      `item 1: object in ${pathOf('ann')}, to which its row does not belong`,
      `item 1: row without object in ${pathOf('bob')}`,
      `item 21: object in ${pathOf('bob')}, to which its row does not belong`,
      `item 2: object in ${pathOf('ann')}, to which its row does not belong`,
      `item 2: row without object in ${pathOf('carl')}`,
      `item 3: object in ${pathOf('ann')}, to which its row does not belong`,
    ]);
  });

  test('--repair realm moves it to the realm of its row, which is made when it is new', async () => {
    const { here, options, pathOf } = await plant();
    const { report, notRepaired } = await verify(options, { repair: 'realm' });
    expect(notRepaired).toEqual([]);
    expect(report.repair).toEqual({ repaired: 4, notRepaired: 0 });
    expect((await verify(options)).lines).toEqual([]);
    const { replica } = await here.device(pathOf('carl'));
    expect(replica.object('item', int(2))?.fields.get('name')).toEqual(text('item 2'));
  });

  test('--repair sql gives the row to the realm of its object where the object says so, and refuses to guess elsewhere', async () => {
    const { here, options } = await plant();
    const { report, notRepaired } = await verify(options, { repair: 'sql' });
    expect(await here.sql('SELECT id, owner FROM item WHERE id IN (1, 2, 3, 21) ORDER BY id')).toEqual([
      { id: '1', owner: 'ann' },
      { id: '2', owner: 'ann' },
      { id: '3', owner: 'ann' },
      { id: '21', owner: null },
    ]);
    expect(report.repair).toEqual({ repaired: 3, notRepaired: 1 });
    expect(notRepaired).toMatchObject([{ className: 'item', key: '21' }]);
  });

  test('collections in tables of their own are compared in the realm of their row', async () => {
    const here = await bench.place(`${TABLE}; DELETE FROM item WHERE owner IS NULL;
      CREATE TABLE item_links (oid integer, idx integer, target integer, PRIMARY KEY (oid, idx));
      INSERT INTO item_links VALUES (1, 0, 2), (1, 1, 3), (11, 0, 12)`);
    const options = {
      schema: [
        { name: 'item', primaryKey: 'id', properties: { id: 'int', owner: 'string?', links: 'item[]' } },
      ],
      realmRegex: `^${here.path}/`,
      mapPostgresChangeToRealmPath: (_table: string, props: Readonly<Record<string, unknown>>) =>
        `${here.path}/${props.owner}`,
    };
    await here.loader(options).init();
    expect((await verify(here.options(options))).lines).toEqual([]);
    await here.sql('UPDATE item_links SET target = 4 WHERE idx = 1; DELETE FROM item_links WHERE oid = 11');
    await here.sql('INSERT INTO item_links VALUES (5, 0, 6)');
    const { lines, report } = await verify(here.options(options), { repair: 'realm' });
    expect(lines.map((line) => line.replace(/:.*/, ''))).toEqual([
      'item 1.links',
      'item 11.links',
      'item 5.links',
    ]);
    expect(report.repair).toEqual({ repaired: 3, notRepaired: 0 });
    expect((await verify(here.options(options))).lines).toEqual([]);
  });
});

describe('what a policy accepted is shown apart, and is not repaired', () => {
  const TABLE = `CREATE TABLE item (id integer PRIMARY KEY, name text, at timestamp, note text);
    INSERT INTO item VALUES (1, 'one', NULL, 'x'), (2, 'two', 'infinity', 'x'), (3, 'three', NULL, 'x')`;
  const schema = [
    {
      name: 'item',
      primaryKey: 'id',
      properties: { id: 'int', name: 'string?', at: 'date?', note: 'string?' },
    },
  ];

  test('rows that no realm value can hold', async () => {
    const place = await bench.place(TABLE);
    const options = place.options({ schema });
    await place.loader({ schema }).init();
    for (const repair of [undefined, 'realm', 'sql'] as const) {
      const { differences, report } = await verify(options, repair === undefined ? {} : { repair });
      expect(differences).toMatchObject([
        { kind: 'rowWithoutObject', state: 'explained', className: 'item', key: '2' },
      ]);
      expect(differences[0]?.reason).toMatch(/infinity/);
      expect(report).toMatchObject({ standing: 0, explained: 1 });
      expect(report.repair).toBeUndefined();
    }
    // A row that was changed to such a value leaves the object as it was.
    await place.sql(`UPDATE item SET at = '-infinity' WHERE id = 3`);
    const { differences } = await verify(options);
    expect(differences.map(({ kind, state, key }) => [kind, state, key])).toEqual([
      ['rowWithoutObject', 'explained', '2'],
      ['different', 'explained', '3'],
    ]);
  });

  test('where the configuration does not accept such rows they stand, and are not deleted for it', async () => {
    const place = await bench.place(`${TABLE}; UPDATE item SET at = NULL`);
    const strict = { schema, ignoreSQLerrors: false };
    await place.loader(strict).init();
    await place.sql(
      `UPDATE item SET at = 'infinity' WHERE id = 1; INSERT INTO item (id, at) VALUES (4, 'infinity')`,
    );
    const { report, notRepaired } = await verify(place.options(strict), { repair: 'sql' });
    expect(report).toMatchObject({ standing: 2, explained: 0, repair: { repaired: 1, notRepaired: 1 } });
    expect(notRepaired).toMatchObject([{ key: '4', reason: expect.stringContaining('infinity') }]);
    expect(await place.sql('SELECT id, name, at FROM item WHERE id IN (1, 4) ORDER BY id')).toEqual([
      { id: '1', name: 'one', at: null },
      { id: '4', name: null, at: 'infinity' },
    ]);
  });

  test('properties that the configuration ignores', async () => {
    const place = await bench.place(TABLE);
    const changes = { schema, realmIgnoreProperties: ['note', 'at'] };
    await place.loader(changes).init();
    await place.sql(`UPDATE item SET note = 'y'`);
    const { lines, report } = await verify(place.options(changes));
    expect(lines).toEqual([]);
    expect(report.classes[0]?.notCompared.toSorted()).toEqual(['at', 'note']);
  });

  test('transactions of a realm that the database refused', async () => {
    const place = await bench.place(
      `${TABLE}; ALTER TABLE item ADD CHECK (name <> 'bad'); DELETE FROM item WHERE id = 2`,
    );
    await place.loader({ schema }).init();
    const { device } = await place.synced({ schema });
    device.replica.write(set(int(1), { name: text('bad') }));
    device.replica.write(create(int(9), { name: text('bad') }));
    device.replica.write(set(int(3), { name: text('good') }));
    await expect
      .poll(() => place.sql(`SELECT name FROM item WHERE id = 3`), { timeout: 20_000 })
      .toEqual([{ name: 'good' }]);
    const { differences, report } = await verify(place.options({ schema }));
    expect(differences.map(({ kind, state, key }) => [kind, state, key])).toEqual([
      ['different', 'explained', '1'],
      ['objectWithoutRow', 'explained', '9'],
    ]);
    for (const { reason } of differences) expect(reason).toMatch(/dead letter \d+: .*item_name_check/);
    expect(report).toMatchObject({ standing: 0, explained: 2 });
  });

  test('a table that was changed so that it does not fit any more; the others are compared', async () => {
    const place = await bench.place(`${TABLE}; DELETE FROM item WHERE id = 2;
      CREATE TABLE other (id integer PRIMARY KEY, n integer); INSERT INTO other VALUES (1, 1)`);
    const other = { name: 'other', primaryKey: 'id', properties: { id: 'int', n: 'int?' } };
    const models = { schema: [...schema, other] };
    await place.loader(models).init();
    await (await place.started(models)).close();
    await place.sql('ALTER TABLE item ALTER COLUMN at TYPE boolean USING true');
    const { report, lines } = await verify(place.options(models));
    expect(lines).toEqual([]);
    expect(report.classes.map(({ className }) => className)).toEqual(['other']);
    expect([...report.classesLeftOut.keys()]).toEqual(['item']);
    expect((await verify(place.options(models), { only: ['item'] })).report.classes).toEqual([]);
  });
});
