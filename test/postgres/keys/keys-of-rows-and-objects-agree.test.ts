/** Keys that the application gives: of every type, changing their values, and beside keys that the database makes. */
import { describe, expect, it } from 'vitest';
import { RealmList } from '../../../src/client/realm/list.ts';
import type { ObjectRealm } from '../../../src/client/realm/object-realm.ts';
import { type KeyDeployment, keySuite } from './key-deployment.ts';

const deploy = keySuite();

describe('a natural key', () => {
  const NATURAL: readonly (readonly [column: string, inSql: string, onDevice: string])[] = [
    ['numeric(12,2)', '12.50', '-0.25'],
    ['numeric', '99999999999999999999.000001', '1'],
    ['date', '2020-02-29', '0044-03-15 BC'],
    ['timestamp with time zone', '2020-02-29 12:00:00.123456+00', 'infinity'],
    ['time', '12:30:00', '00:00:00.5'],
    ['char(4)', 'ab', 'abcd'],
    ['varchar(20)', 'a-b', 'with blank '],
    ['boolean', 't', 'f'],
    ['inet', '10.0.0.1', '::1'],
    ['uuid', 'c0ffee00-1111-4222-8333-444455556666', '00000000-1111-4222-8333-444455556666'],
    ['text', 'тест', 'o\'"key\\'],
  ];
  it('of any type is a string with the value’s text', async () => {
    const models = NATURAL.map((_, place) => ({
      name: `thing${place}`,
      primaryKey: 'id',
      properties: { id: 'string', name: 'string?', to: `thing${place}?` },
    }));
    const tables = NATURAL.map(
      ([type], place) =>
        `CREATE TABLE thing${place} (id ${type} PRIMARY KEY, name text, "to" ${type} REFERENCES thing${place});`,
    );
    const { deployment, sql } = await deploy(tables.join(''), models);
    await deployment.start();
    const device = deployment.device();
    await sql(
      NATURAL.map(([, inSql], place) => `INSERT INTO thing${place} VALUES ('${inSql}', 'sql');`).join(''),
    );
    await deployment.settle();
    device.write((realm) => {
      for (const [place, [, inSql, id]] of NATURAL.entries()) {
        const to = realm.objectForPrimaryKey(`thing${place}`, inSql);
        realm.create(`thing${place}`, { id, name: 'device', to });
      }
    });
    await deployment.settle();
    for (const [place, [type, inSql, onDevice]] of NATURAL.entries()) {
      const name = `thing${place}`;
      const shown = device.shown(name, 'name', 'id', 'to').toSorted();
      expect(shown, type).toEqual([
        ['device', onDevice, inSql],
        ['sql', inSql, null],
      ]);
      expect(await sql(`SELECT a.name, b.name FROM ${name} a JOIN ${name} b ON b.id = a."to"`), type).toEqual(
        [['device', 'sql']],
      );
      await sql(`DELETE FROM ${name} WHERE name = 'device'`);
    }
    await deployment.settle();
    for (const [place, [type, inSql]] of NATURAL.entries())
      expect(device.shown(`thing${place}`, 'id'), type).toEqual([[inSql]]);
  });
});

const track = {
  name: 'track',
  primaryKey: 'id',
  properties: { id: 'int', name: 'string?', album: 'album?' },
};
const album = {
  name: 'album',
  primaryKey: 'id',
  properties: { id: 'int', name: 'string?', mood: 'string?', tracks: 'track[]', best: 'album[]' },
};
const music = `
  CREATE TABLE album (id int PRIMARY KEY, name text);
  CREATE TABLE track (id int PRIMARY KEY, name text, album int REFERENCES album ON UPDATE CASCADE);
  CREATE TABLE album_tracks (oid int, idx int, target int, PRIMARY KEY (oid, idx) DEFERRABLE);
  CREATE TABLE album_best (oid int, idx int, target int, PRIMARY KEY (oid, idx) DEFERRABLE);`;
const ignoresMood = (className: string, property: string): boolean =>
  className === 'album' && property === 'mood';

function listOf(realm: ObjectRealm, id: number, name: string): RealmList {
  const object = realm.objectForPrimaryKey('album', id);
  const list: unknown = object === null ? undefined : Reflect.get(object, name);
  if (list instanceof RealmList) return list;
  throw new Error(`no list ${name} of ${id}`);
}

describe('a key that changes its value', () => {
  async function filled(): Promise<
    KeyDeployment & { device: ReturnType<KeyDeployment['deployment']['device']> }
  > {
    const { sameNames } = await import('../../support/engine-options.ts');
    const made = await deploy(music, [track, album], { mapping: { ...sameNames, ignores: ignoresMood } });
    await made.deployment.start();
    const device = made.deployment.device();
    device.write((realm) => {
      const first = realm.create('album', { id: 1, name: 'one', mood: 'calm' });
      const second = realm.create('album', { id: 2, name: 'two', mood: 'loud' });
      const a = realm.create('track', { id: 11, name: 'a', album: first });
      const b = realm.create('track', { id: 12, name: 'b', album: second });
      listOf(realm, 1, 'tracks').push(a, b);
      listOf(realm, 2, 'tracks').push(b);
      listOf(realm, 2, 'best').push(first, second);
    });
    await made.deployment.settle();
    return { ...made, device };
  }

  it('takes along lists, what only the realm holds, and the lists that it stands in', async () => {
    const { deployment, sql, device } = await filled();
    await sql('UPDATE album SET id = 5 WHERE id = 1');
    await deployment.settle();
    expect(device.shown('album', 'id', 'name', 'mood', 'tracks', 'best')).toEqual([
      ['2', 'two', 'loud', '[12]', '[5 2]'],
      ['5', 'one', 'calm', '[11 12]', '[]'],
    ]);
    expect(device.shown('track', 'id', 'album')).toEqual([
      ['11', '5'],
      ['12', '2'],
    ]);
    expect(await sql('SELECT * FROM album_tracks ORDER BY 1, 2')).toEqual([
      ['2', '0', '12'],
      ['5', '0', '11'],
      ['5', '1', '12'],
    ]);
    expect(await sql('SELECT * FROM album_best ORDER BY 1, 2')).toEqual([
      ['2', '0', '5'],
      ['2', '1', '2'],
    ]);
    device.write((realm) => listOf(realm, 5, 'tracks').splice(0, 1));
    await deployment.settle();
    expect(await sql('SELECT * FROM album_tracks WHERE oid = 5')).toEqual([['5', '0', '12']]);
  });

  it('may be swapped with another in one transaction', async () => {
    const { deployment, sql, device } = await filled();
    await sql(`BEGIN; UPDATE album SET id = -1 WHERE id = 1; UPDATE album SET id = 1 WHERE id = 2;
      UPDATE album SET id = 2 WHERE id = -1; COMMIT`);
    await deployment.settle();
    expect(device.shown('album', 'id', 'name', 'mood', 'tracks', 'best')).toEqual([
      ['1', 'two', 'loud', '[12]', '[2 1]'],
      ['2', 'one', 'calm', '[11 12]', '[]'],
    ]);
    expect(await sql('SELECT * FROM album_tracks ORDER BY 1, 2')).toEqual([
      ['1', '0', '12'],
      ['2', '0', '11'],
      ['2', '1', '12'],
    ]);
    expect(await sql('SELECT * FROM album_best ORDER BY 1, 2')).toEqual([
      ['1', '0', '2'],
      ['1', '1', '1'],
    ]);
    expect(device.shown('track', 'id', 'album')).toEqual([
      ['11', '2'],
      ['12', '1'],
    ]);
  });

  it('may be that of a row deleted in the same transaction', async () => {
    const { deployment, sql, device } = await filled();
    await sql(`BEGIN; UPDATE track SET album = NULL WHERE album = 2; DELETE FROM album WHERE id = 2;
      UPDATE album SET id = 2 WHERE id = 1; COMMIT`);
    await deployment.settle();
    expect(device.shown('album', 'id', 'name', 'mood', 'tracks', 'best')).toEqual([
      ['2', 'one', 'calm', '[11 12]', '[]'],
    ]);
    expect(await sql('SELECT * FROM album_tracks ORDER BY 1, 2')).toEqual([
      ['2', '0', '11'],
      ['2', '1', '12'],
    ]);
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
      `CREATE TABLE country (id serial PRIMARY KEY, code char(2) NOT NULL UNIQUE, name text);
       CREATE TABLE city (id serial PRIMARY KEY, name text NOT NULL UNIQUE, country int REFERENCES country);
       INSERT INTO country (code, name) VALUES ('DE', 'Germany'), ('FR', 'France');
       INSERT INTO city (name, country) VALUES ('Berlin', 1), ('Paris', 2)`,
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
    await sql(`UPDATE country SET code = 'EN' WHERE code = 'FR'; DELETE FROM city WHERE name = 'Berlin'`);
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
      'CREATE TABLE country (id serial PRIMARY KEY, code text UNIQUE, name text)',
      [country],
    );
    await deployment.start();
    await sql(`INSERT INTO country (name) VALUES ('nowhere')`);
    expect(await deployment.stopped()).toMatchObject({ message: expect.stringContaining('has no key') });
    expect(await sql('SELECT code FROM country')).toEqual([[null]]);
  });

  for (const type of ['uuid', 'objectId'] as const) {
    it(`may be a ${type}, and is made for rows that lack it`, async () => {
      const person = {
        name: 'person',
        primaryKey: 'RealmId',
        properties: { RealmId: type, PersonId: 'int?', name: 'string?', boss: 'person?' },
      };
      const { deployment, sql } = await deploy('', [{ ...person, postgresPrimaryKey: 'PersonId' }], {
        createTables: true,
      });
      await deployment.start();
      expect(
        await sql(
          `SELECT column_name, is_identity, is_nullable FROM information_schema.columns WHERE table_name = 'person' ORDER BY 1`,
        ),
      ).toEqual([
        ['PersonId', 'YES', 'NO'],
        ['RealmId', 'NO', 'YES'],
        ['boss', 'NO', 'YES'],
        ['name', 'NO', 'YES'],
      ]);
      const device = deployment.device();
      await sql(`ALTER TABLE person REPLICA IDENTITY FULL; INSERT INTO person (name) VALUES ('a');
        INSERT INTO person (name, boss) VALUES ('b', 1)`);
      await deployment.settle();
      const rows = await sql(`SELECT p."RealmId", p."PersonId", p.name, b."RealmId" FROM person p
        LEFT JOIN person b ON b."PersonId" = p.boss ORDER BY 1`);
      expect(rows.every(([key]) => key !== null)).toBe(true);
      expect(device.shown('person', 'RealmId', 'PersonId', 'name', 'boss')).toEqual(rows);
      await sql(`DELETE FROM person WHERE name = 'b'`);
      device.write((realm) => {
        for (const object of realm.objects('person')) object.name = 'changed';
      });
      await deployment.settle();
      expect(await sql('SELECT "PersonId", name FROM person')).toEqual([['1', 'changed']]);
      expect(device.shown('person', 'PersonId', 'name')).toEqual([['1', 'changed']]);
    });
  }

  it('gets its column where the option to extend tables stands', async () => {
    const person = {
      name: 'person',
      primaryKey: 'RealmId',
      sqlserverPrimaryKey: 'id',
      properties: { RealmId: 'string', id: 'int?', name: 'string?' },
    };
    const { deployment, sql } = await deploy(
      `CREATE TABLE person (id serial PRIMARY KEY, name text); INSERT INTO person (name) VALUES ('a'), ('b')`,
      [person],
      { createTables: true },
    );
    await deployment.load();
    await deployment.start();
    const device = deployment.device();
    await deployment.settle();
    expect(device.shown('person', 'RealmId', 'id', 'name')).toEqual(
      await sql('SELECT "RealmId", id, name FROM person ORDER BY 1'),
    );
    expect(device.shown('person', 'RealmId')).toHaveLength(2);
  });
});
