/** Lists whose members a foreign key tells, verified and repaired: the same promises for every database. */
import { describe, expect, test } from 'vitest';
import { RealmList } from '../../src/client/realm/list.ts';
import { ObjectRealm } from '../../src/client/realm/object-realm.ts';
import type { Device } from '../support/isthmus-processes.ts';
import type { Verified, VerifyRequest } from './verify.ts';

type Models = Record<string, unknown>[];

/** A database and a realm of a test. */
export type ListPlace = {
  readonly sql: (text: string) => Promise<readonly Record<string, string | null>[]>;
  readonly device: () => Promise<Device>;
  readonly load: (schema: Models) => Promise<unknown>;
  readonly verify: (schema: Models, request?: VerifyRequest) => Promise<Verified>;
  readonly start: (schema: Models) => Promise<unknown>;
};

export type ListWorld = {
  readonly place: (tables: string) => Promise<ListPlace>;
  readonly listTable: string;
  /** The type of a key that the database makes, as in CREATE TABLE. */
  readonly numbered: string;
};

const repairs = ['realm', 'sql'] as const;

function models(watched: boolean): Models {
  return [
    {
      name: 'line',
      primaryKey: 'id',
      properties: {
        id: 'int',
        name: 'string?',
        stops: { type: 'list', objectType: 'stop', ...(watched ? { watch_table: true } : {}) },
      },
    },
    {
      name: 'stop',
      primaryKey: 'id',
      properties: {
        id: 'int',
        name: 'string?',
        line: { type: 'linkingObjects', objectType: 'line', property: 'stops' },
      },
    },
  ];
}

const numberedModels: Models = [
  {
    name: 'line',
    primaryKey: 'RealmId',
    sqlserverPrimaryKey: 'lineId',
    postgresPrimaryKey: 'lineId',
    properties: {
      RealmId: 'string',
      lineId: 'int?',
      stops: { type: 'list', objectType: 'stop', watch_table: true },
    },
  },
  {
    name: 'stop',
    primaryKey: 'RealmId',
    sqlserverPrimaryKey: 'stopId',
    postgresPrimaryKey: 'stopId',
    properties: {
      RealmId: 'string',
      stopId: 'int?',
      lineId: { type: 'linkingObjects', objectType: 'line', property: 'stops' },
    },
  },
];

/** What an app writes, on the server when it resolves. */
async function write(place: ListPlace, schema: Models, work: (realm: ObjectRealm) => void): Promise<void> {
  const device = await place.device();
  const { replica } = device;
  const realm = new ObjectRealm({
    reader: replica,
    write: (instructions) => replica.write(instructions),
    schema,
  });
  realm.write(() => work(realm));
  await device.session.uploadCompletion();
  await device.close();
}

function stopsOf(realm: ObjectRealm, line: number | string): RealmList {
  const list = realm.objectForPrimaryKey('line', line)?.stops;
  if (list instanceof RealmList) return list;
  throw new Error(`line ${line} has no list of stops`);
}

const names = ({ lines }: Verified): string[] => lines.map((line) => line.replace(/: .*/, ''));

export function describeListsAreVerified({ place, listTable, numbered }: ListWorld): void {
  const tables = (member: 'NULL' | 'NOT NULL', withListTable: boolean): string => `
    CREATE TABLE line (id int NOT NULL PRIMARY KEY, name varchar(20) NULL);
    CREATE TABLE stop (id int NOT NULL PRIMARY KEY, name varchar(20) NULL, line int ${member} REFERENCES line (id));
    ${withListTable ? `CREATE TABLE ${listTable} (oid int NOT NULL, idx int NOT NULL, target int NULL, PRIMARY KEY (oid, idx));` : ''}
    INSERT INTO line VALUES (1, 'one'), (2, 'two'), (3, 'three'), (4, 'four');
    INSERT INTO stop VALUES (1, 'a', 1), (2, 'b', 1), (3, 'c', 1), (4, 'd', 2), (5, 'e', 3), (6, 'f', 3), (7, 'g', 3);
    ${withListTable ? `INSERT INTO ${listTable} VALUES (3, 0, 7), (3, 1, 5), (3, 2, 6)` : ''}`;
  const members = (at: ListPlace) =>
    at.sql('SELECT id, line FROM stop WHERE line IS NOT NULL ORDER BY line, id');

  test('lists in order: members and places that differ are found, and nothing else', async () => {
    const schema = models(true);
    const at = await place(tables('NULL', true));
    await at.load(schema);
    const { lines, report } = await at.verify(schema);
    expect(lines).toEqual([]);
    expect(report.classes.map(({ notCompared }) => notCompared)).toEqual([[], []]);
    await at.sql(`UPDATE stop SET line = 2 WHERE id = 3;
      UPDATE ${listTable} SET target = CASE idx WHEN 0 THEN 5 ELSE 7 END WHERE oid = 3 AND idx < 2`);
    expect((await at.verify(schema)).lines).toEqual([
      'line 1.stops: row "[\\"1\\",\\"2\\"]", object "[\\"1\\",\\"2\\",\\"3\\"]"',
      'line 2.stops: row "[\\"4\\",\\"3\\"]", object "[\\"4\\"]"',
      'line 3.stops: row "[\\"5\\",\\"7\\",\\"6\\"]", object "[\\"7\\",\\"5\\",\\"6\\"]"',
    ]);
  });

  test.each(repairs)('lists in order are repaired with --repair %s, the adapter agrees', async (repair) => {
    const schema = models(true);
    const at = await place(tables('NULL', true));
    await at.load(schema);
    await at.sql(`UPDATE stop SET line = 2 WHERE id = 3; UPDATE stop SET line = NULL WHERE id = 2;
      INSERT INTO line VALUES (10, 'SQL'); INSERT INTO stop VALUES (10, 'new', 10), (11, 'new', 2)`);
    await write(at, schema, (realm) => {
      realm.create('stop', { id: 20, name: 'device' });
      stopsOf(realm, 3).splice(1, 1, realm.objectForPrimaryKey('stop', 20));
      realm.create('line', { id: 20, stops: [realm.objectForPrimaryKey('stop', 4)] });
      stopsOf(realm, 2).remove(0);
    });
    const { report, notRepaired, ...found } = await at.verify(schema, { repair });
    expect(names({ report, notRepaired, ...found })).toEqual([
      'line 1.stops',
      'line 10',
      'line 2.stops',
      'line 20',
      'line 3.stops',
      'stop 10',
      'stop 11',
      'stop 20',
    ]);
    expect(notRepaired).toEqual([]);
    expect(report.repair).toMatchObject({ notRepaired: 0 });
    expect((await at.verify(schema)).lines).toEqual([]);
    const byRows = '11:2 3:2 4:2 5:3 6:3 7:3 10:10'.split(' ');
    const byObjects = ['2:1', '3:1', '6:3', '7:3', '20:3', '4:20'];
    const kept = (await members(at)).map(({ id, line }) => `${id}:${line}`).sort();
    expect(kept).toEqual([...(repair === 'realm' ? ['1:1', ...byRows] : ['1:1', ...byObjects])].sort());
    await at.start(schema);
    const ordered = () => at.sql(`SELECT target FROM ${listTable} WHERE oid = 3 ORDER BY idx`);
    await expect
      .poll(async () => (await ordered()).map(({ target }) => target).join(' '), { timeout: 20_000 })
      .toBe(repair === 'realm' ? '7 5 6' : '7 20 6');
    await expect.poll(async () => (await at.verify(schema)).lines, { timeout: 20_000 }).toEqual([]);
    expect((await members(at)).map(({ id, line }) => `${id}:${line}`).sort()).toEqual(kept);
  });

  test.each(repairs)(
    'without a list table only the members count, repaired with --repair %s',
    async (repair) => {
      const schema = models(false);
      const at = await place(tables('NULL', false));
      await at.load(schema);
      await write(at, schema, (realm) => stopsOf(realm, 1).move(0, 2));
      expect((await at.verify(schema)).lines).toEqual([]);
      await at.sql('UPDATE stop SET line = 1 WHERE id = 4');
      await write(at, schema, (realm) => stopsOf(realm, 3).remove(0));
      const verified = await at.verify(schema, { repair });
      expect(verified.lines).toEqual([
        'line 1.stops: row "[\\"1\\",\\"2\\",\\"3\\",\\"4\\"]", object "[\\"2\\",\\"3\\",\\"1\\"]"',
        'line 2.stops: row "[]", object "[\\"4\\"]"',
        'line 3.stops: row "[\\"5\\",\\"6\\",\\"7\\"]", object "[\\"6\\",\\"7\\"]"',
      ]);
      expect(verified.report.repair).toEqual({ repaired: 3, notRepaired: 0 });
      expect((await at.verify(schema)).lines).toEqual([]);
      expect(await at.sql('SELECT line FROM stop WHERE id IN (4, 5) ORDER BY id')).toEqual(
        repair === 'realm' ? [{ line: '1' }, { line: '3' }] : [{ line: '2' }, { line: null }],
      );
    },
  );

  describe('where the foreign key must be given', () => {
    test('rows come in with it, and one that cannot lose it is named', async () => {
      const schema = models(true);
      const at = await place(tables('NOT NULL', true));
      await at.load(schema);
      await write(at, schema, (realm) => {
        const stops = stopsOf(realm, 1);
        stops.remove(0);
        stops.push(realm.create('stop', { id: 20 }));
        realm.create('line', { id: 20, stops: [realm.create('stop', { id: 21 })] });
        stopsOf(realm, 4).push(realm.objectForPrimaryKey('stop', 4));
        stopsOf(realm, 2).remove(0);
      });
      const { notRepaired } = await at.verify(schema, { repair: 'sql' });
      expect(notRepaired).toEqual([
        {
          className: 'line',
          key: '1',
          reason: expect.stringMatching(/^stop 1 cannot leave line.stops of 1: .*stop\.line requires/),
        },
      ]);
      expect((await members(at)).map(({ id, line }) => `${id}:${line}`).sort()).toEqual(
        ['1:1', '2:1', '20:1', '21:20', '3:1', '4:4', '5:3', '6:3', '7:3'].sort(),
      );
    });
  });

  test.each(repairs)('keys that the database makes are followed with --repair %s', async (repair) => {
    const at =
      await place(`CREATE TABLE line (${'"lineId"'} ${numbered} PRIMARY KEY, ${'"RealmId"'} varchar(100) UNIQUE);
      CREATE TABLE stop ("stopId" ${numbered} PRIMARY KEY, "RealmId" varchar(100) UNIQUE,
        "lineId" int REFERENCES line ("lineId"));
      CREATE TABLE ${listTable} (oid int NOT NULL, idx int NOT NULL, target int NULL, PRIMARY KEY (oid, idx));
      INSERT INTO line ("RealmId") VALUES ('x'), ('l1'), ('l2');
      INSERT INTO stop ("RealmId", "lineId") VALUES ('s1', 2), ('s2', 2), ('s3', 3)`);
    await at.load(numberedModels);
    expect((await at.verify(numberedModels)).lines).toEqual([]);
    await at.sql(`UPDATE stop SET "lineId" = 3 WHERE "RealmId" = 's1'`);
    await write(at, numberedModels, (realm) => {
      const made = realm.create('stop', { RealmId: 'made' });
      stopsOf(realm, 'l2').splice(0, 0, made);
      realm.create('line', { RealmId: 'l3', stops: [realm.create('stop', { RealmId: 'other' })] });
    });
    const verified = await at.verify(numberedModels, { repair });
    expect(names(verified)).toEqual(['line l1.stops', 'line l2.stops', 'line l3', 'stop made', 'stop other']);
    // The numbers of rows that come in are the adapter's to pass on.
    expect(verified.notRepaired.map(({ key }) => key)).toEqual(
      repair === 'realm' ? [] : ['l3', 'made', 'other'],
    );
    await at.start(numberedModels);
    await expect.poll(async () => (await at.verify(numberedModels)).lines, { timeout: 20_000 }).toEqual([]);
    const rows = await at.sql(`SELECT stop."RealmId" AS stop, line."RealmId" AS line
      FROM stop JOIN line ON line."lineId" = stop."lineId" ORDER BY 2, 1`);
    expect(rows.map(({ stop, line }) => `${stop}:${line}`)).toEqual(
      repair === 'realm' ? ['s2:l1', 's1:l2', 's3:l2'] : ['s1:l1', 's2:l1', 'made:l2', 's3:l2', 'other:l3'],
    );
  });
}
