/** Keys that the application gives: of every type, of several columns, changing their values, and beside generated ones. */
import { ObjectId, UUID } from 'bson';
import { describe, expect, it } from 'vitest';
import { RealmList } from '../../../src/client/realm/list.ts';
import type { ObjectRealm } from '../../../src/client/realm/object-realm.ts';
import { keySuite, MAPPING } from './key-deployment.ts';

const deploy = keySuite();

it('a natural key of any type is a string with the value’s text', async () => {
  const NATURAL: readonly (readonly [column: string, inSql: string, onDevice: string])[] = [
    ['decimal(12, 2)', '12.50', '-0.25'],
    ['decimal(38, 6)', '99999999999999999999.000001', '1.000000'],
    ['date', '2020-02-29', '0044-03-15'],
    ['datetime2(7)', '2020-02-29 12:00:00.1234567', '1999-12-31 23:59:59.0000000'],
    ['time(1)', '12:30:00.0', '00:00:00.5'],
    ['nchar(4)', 'ab', 'abcd'],
    ['nvarchar(20)', 'a-b', 'with blank '],
    ['bit', '1', '0'],
    ['varbinary(8)', '0x0102', '0xFF'],
    ['uniqueidentifier', 'c0ffee00-1111-4222-8333-444455556666', '00000000-1111-4222-8333-444455556666'],
    ['nvarchar(100)', 'тест', 'o\'"key\\'],
    ['money', '12.5000', '-0.2500'],
    ['bigint', '9007199254740993', '-1'],
  ];
  const models = NATURAL.map((_, place) => ({
    name: `thing${place}`,
    primaryKey: 'id',
    properties: { id: 'string', name: 'string?', to: `thing${place}?` },
  }));
  const tables = NATURAL.map(
    ([type], place) =>
      `CREATE TABLE thing${place} (id ${type} NOT NULL PRIMARY KEY, name nvarchar(20) NULL, [to] ${type} NULL REFERENCES thing${place});`,
  );
  const { deployment, sql } = await deploy(tables.join('\n'), models);
  await deployment.start();
  const device = deployment.device();
  const literal = (type: string, text: string): string =>
    type.startsWith('varbinary') ? text : `N'${text}'`;
  await sql(
    NATURAL.map(
      ([type, inSql], place) => `INSERT thing${place} (id, name) VALUES (${literal(type, inSql)}, 'sql');`,
    ).join(''),
  );
  await deployment.settle();
  for (const [place] of NATURAL.entries()) expect(device.shown(`thing${place}`, 'id')).toHaveLength(1);
  const shownKey = (place: number): string => String(device.shown(`thing${place}`, 'id')[0]?.[0]);
  const inSqlKeys = NATURAL.map((_, place) => shownKey(place));
  device.write((realm) => {
    for (const [place, [, , id]] of NATURAL.entries()) {
      const to = realm.objectForPrimaryKey(`thing${place}`, inSqlKeys[place] ?? '');
      realm.create(`thing${place}`, { id, name: 'device', to });
    }
  });
  await deployment.settle();
  expect(await deployment.refusals()).toEqual([]);
  for (const [place, [type]] of NATURAL.entries()) {
    const name = `thing${place}`;
    const shown = device.shown(name, 'name', 'to').toSorted();
    expect(shown, type).toEqual([
      ['device', inSqlKeys[place]],
      ['sql', null],
    ]);
    expect(
      await sql(`SELECT a.name AS a, b.name AS b FROM ${name} a JOIN ${name} b ON b.id = a.[to]`),
      type,
    ).toEqual([['device', 'sql']]);
    await sql(`DELETE ${name} WHERE name = 'device'`);
  }
  await deployment.settle();
  for (const [place, [type]] of NATURAL.entries())
    expect(device.shown(`thing${place}`, 'id'), type).toEqual([[inSqlKeys[place]]]);
}, 60_000);

const track = {
  name: 'track',
  primaryKey: 'id',
  properties: { id: 'int', name: 'string?', album: 'album?' },
};
const album = {
  name: 'album',
  primaryKey: 'id',
  properties: { id: 'int', name: 'string?', tracks: 'track[]', best: 'album[]' },
};
const music = `
  CREATE TABLE album (id int NOT NULL PRIMARY KEY, name nvarchar(20) NULL);
  CREATE TABLE track (id int NOT NULL PRIMARY KEY, name nvarchar(20) NULL,
    album int NULL REFERENCES album ON UPDATE CASCADE);
  CREATE TABLE __album__tracks (oid int NOT NULL, idx int NOT NULL, target int NULL, PRIMARY KEY (oid, idx));
  CREATE TABLE __album__best (oid int NOT NULL, idx int NOT NULL, target int NULL, PRIMARY KEY (oid, idx));`;

function listOf(realm: ObjectRealm, id: number, name: string): RealmList {
  const object = realm.objectForPrimaryKey('album', id);
  const list: unknown = object === null ? undefined : Reflect.get(object, name);
  if (list instanceof RealmList) return list;
  throw new Error(`no list ${name} of ${id}`);
}

describe('a key that changes its value', () => {
  async function filled() {
    const made = await deploy(music, [track, album]);
    await made.deployment.start();
    const device = made.deployment.device();
    device.write((realm) => {
      const first = realm.create('album', { id: 1, name: 'one' });
      const second = realm.create('album', { id: 2, name: 'two' });
      const a = realm.create('track', { id: 11, name: 'a', album: first });
      const b = realm.create('track', { id: 12, name: 'b', album: second });
      listOf(realm, 1, 'tracks').push(a, b);
      listOf(realm, 2, 'tracks').push(b);
      listOf(realm, 2, 'best').push(first, second);
    });
    await made.deployment.settle();
    return { ...made, device };
  }

  it('makes the object anew, with its row, the links to it, and no list that only the old one had', async () => {
    const { deployment, sql, device } = await filled();
    await sql('UPDATE album SET id = 5 WHERE id = 1');
    await deployment.settle();
    expect(device.shown('album', 'id', 'name', 'tracks', 'best')).toEqual([
      ['2', 'two', '[12]', '[2]'],
      ['5', 'one', '[]', '[]'],
    ]);
    expect(device.shown('track', 'id', 'album')).toEqual([
      ['11', '5'],
      ['12', '2'],
    ]);
    expect(await sql('SELECT * FROM __album__tracks ORDER BY 1, 2')).toEqual([['2', '0', '12']]);
    device.write((realm) => listOf(realm, 5, 'tracks').push(realm.objectForPrimaryKey('track', 11)));
    await deployment.settle();
    expect(await sql('SELECT * FROM __album__tracks WHERE oid = 5')).toEqual([['5', '0', '11']]);
  });

  it('may belong to what a device changes at the same time', async () => {
    const { deployment, sql, device } = await filled();
    device.write((realm) => {
      const object = realm.objectForPrimaryKey('album', 1);
      if (object) object.name = 'changed';
      realm.create('track', { id: 13, album: object });
    });
    await sql('UPDATE album SET id = 5 WHERE id = 1');
    await deployment.settle();
    const rows = await sql('SELECT id, name FROM album ORDER BY 1');
    expect(device.shown('album', 'id', 'name')).toEqual(rows);
    expect(rows.map(([id]) => id)).toEqual(['2', '5']);
    expect(device.shown('track', 'id', 'album')).toEqual(await sql('SELECT id, album FROM track ORDER BY 1'));
  });
});

describe('a key beside the one that the database makes', () => {
  it('may be a natural one, with the database’s key hidden from the models', async () => {
    const country = { name: 'country', primaryKey: 'code', properties: { code: 'string', name: 'string?' } };
    const city = { name: 'city', primaryKey: 'name', properties: { name: 'string', country: 'country?' } };
    const { deployment, sql } = await deploy(
      `CREATE TABLE country (id int NOT NULL IDENTITY PRIMARY KEY, code char(2) NOT NULL UNIQUE, name nvarchar(50) NULL);
       CREATE TABLE city (id int NOT NULL IDENTITY PRIMARY KEY, name nvarchar(50) NOT NULL UNIQUE,
         country int NULL REFERENCES country);
       INSERT country (code, name) VALUES ('DE', 'Germany'), ('FR', 'France');
       INSERT city (name, country) VALUES ('Berlin', 1), ('Paris', 2)`,
      [country, city],
    );
    await deployment.load();
    await deployment.start();
    const device = deployment.device();
    await deployment.settle();
    expect(device.shown('city', 'name', 'country')).toEqual([
      ['Berlin', 'DE'],
      ['Paris', 'FR'],
    ]);
    device.write((realm) => {
      const spain = realm.create('country', { code: 'ES', name: 'Spain' });
      realm.create('city', { name: 'Madrid', country: spain });
    });
    await sql(`UPDATE country SET code = 'EN' WHERE code = 'FR'; DELETE city WHERE name = 'Berlin'`);
    await deployment.settle();
    expect(device.shown('city', 'name', 'country')).toEqual([
      ['Madrid', 'ES'],
      ['Paris', 'EN'],
    ]);
    expect(
      await sql('SELECT c.name, n.code FROM city c JOIN country n ON n.id = c.country ORDER BY 1'),
    ).toEqual([
      ['Madrid', 'ES'],
      ['Paris', 'EN'],
    ]);
  });

  it('is not made up for a natural key that a row lacks', async () => {
    const country = { name: 'country', primaryKey: 'code', properties: { code: 'string', name: 'string?' } };
    const { deployment, sql } = await deploy(
      `CREATE TABLE country (id int NOT NULL IDENTITY PRIMARY KEY, code nvarchar(20) NULL, name nvarchar(50) NULL);
       CREATE UNIQUE INDEX one_code ON country (code) WHERE code IS NOT NULL`,
      [country],
    );
    await deployment.start();
    await sql(`INSERT country (name) VALUES ('nowhere')`);
    expect(await deployment.stopped()).toMatchObject({ message: expect.stringContaining('has no key') });
    expect(await sql('SELECT code FROM country')).toEqual([[null]]);
  });

  for (const type of ['uuid', 'objectId'] as const) {
    it(`may be a ${type}, and is made for rows that lack it`, async () => {
      const person = {
        name: 'person',
        primaryKey: 'RealmId',
        sqlserverPrimaryKey: 'PersonId',
        properties: { RealmId: type, PersonId: 'int?', name: 'string?', boss: 'person?' },
      };
      const { deployment, sql } = await deploy('', [person], { createTables: true });
      await deployment.start();
      expect(
        await sql(
          "SELECT name, is_identity, is_nullable FROM sys.columns WHERE object_id = OBJECT_ID('person') ORDER BY 1",
        ),
      ).toEqual([
        ['boss', '0', '1'],
        ['name', '0', '1'],
        ['PersonId', '1', '0'],
        ['RealmId', '0', '1'],
      ]);
      await sql("INSERT person (name) VALUES ('sql'); INSERT person (name, boss) VALUES ('under', 1)");
      await deployment.settle();
      const device = deployment.device();
      await deployment.settle();
      expect(device.shown('person', 'name', 'PersonId').toSorted()).toEqual([
        ['sql', '1'],
        ['under', '2'],
      ]);
      const [[first] = [], [second] = []] = await sql(
        'SELECT CONVERT(nvarchar(36), RealmId) AS k FROM person ORDER BY PersonId',
      );
      expect([first, second].every((key) => typeof key === 'string' && key.length >= 24)).toBe(true);
      device.write((realm) => {
        const boss = [...realm.objects('person')].find(({ name }) => name === 'under');
        const RealmId =
          type === 'uuid'
            ? new UUID('c0ffee00-1111-4222-8333-444455556666')
            : ObjectId.createFromHexString('0123456789abcdef01234567');
        realm.create('person', { RealmId, name: 'device', boss });
      });
      await deployment.settle();
      expect(await sql('SELECT PersonId, name, boss FROM person ORDER BY 1')).toEqual([
        ['1', 'sql', null],
        ['2', 'under', '1'],
        ['3', 'device', '2'],
      ]);
      expect(device.shown('person', 'name', 'PersonId').toSorted()).toEqual([
        ['device', '3'],
        ['sql', '1'],
        ['under', '2'],
      ]);
    });
  }
});

it('a key of several columns is linked to in as many columns, both ways', async () => {
  const part = (name: string, type: 'int' | 'string') => ({ property: name, dbColumn: name, type });
  const line = {
    name: 'line',
    primaryKey: 'id',
    properties: { id: 'string', doc: 'int?', no: 'int?', text: 'string?' },
  };
  const note = {
    name: 'note',
    primaryKey: 'id',
    properties: { id: 'int', about: 'line?', next: 'line?', text: 'string?' },
  };
  const { deployment, sql } = await deploy(
    `CREATE TABLE line (doc int NOT NULL, no int NOT NULL, text nvarchar(20) NULL, PRIMARY KEY (doc, no));
     CREATE TABLE note (id int NOT NULL PRIMARY KEY, text nvarchar(20) NULL, about_doc int NULL, about_no int NULL,
       n1 int NULL, n2 int NULL, FOREIGN KEY (about_doc, about_no) REFERENCES line (doc, no),
       CONSTRAINT next FOREIGN KEY (n1, n2) REFERENCES line (doc, no))`,
    [line, note],
    {
      mapping: {
        ...MAPPING,
        compoundPrimaryKeys: new Map([['line', [part('doc', 'int'), part('no', 'int')]]]),
      },
    },
  );
  await sql(`INSERT line VALUES (1, 1, 'a'), (-1, -2, 'b'); INSERT note VALUES (1, 'x', 1, 1, -1, -2)`);
  await deployment.load();
  await deployment.start();
  const device = deployment.device();
  await deployment.settle();
  expect(device.shown('note', 'id', 'about', 'next')).toEqual([['1', '1-1', '-1--2']]);
  device.write((realm) => {
    const made = realm.create('line', { id: '7-8', text: 'made' });
    const first = realm.objectForPrimaryKey('note', 1);
    if (first) first.next = made;
    realm.create('note', { id: 2, about: made });
  });
  await deployment.settle();
  expect(await sql('SELECT id, about_doc, about_no, n1, n2 FROM note ORDER BY 1')).toEqual([
    ['1', '1', '1', '7', '8'],
    ['2', '7', '8', null, null],
  ]);
  await sql('UPDATE note SET about_doc = -1, about_no = -2, n1 = NULL WHERE id = 1');
  await deployment.settle();
  expect(device.shown('note', 'id', 'about', 'next')).toEqual([
    ['1', '-1--2', null],
    ['2', '7-8', null],
  ]);
  device.write((realm) => {
    for (const object of [...realm.objects('line')]) if (object.id === '7-8') realm.delete(object);
  });
  await deployment.settle();
  expect(await sql('SELECT id, about_doc, about_no FROM note ORDER BY 1')).toEqual([
    ['1', '-1', '-2'],
    ['2', null, null],
  ]);
});
