/** Tables whose primary key the database makes, beside a key of the objects (`RealmId`). */
import { describe, expect, it } from 'vitest';
import { RealmList } from '../../../src/client/realm/list.ts';
import type { RealmObject } from '../../../src/client/realm/realm-object.ts';
import { keySuite } from './key-deployment.ts';

const deploy = keySuite();

const passport = {
  name: 'Passport',
  primaryKey: 'RealmId',
  sqlserverPrimaryKey: 'PassportId',
  properties: { RealmId: 'string', PassportId: 'int?', Country: 'string?' },
};
const person = {
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
};
function friendsOf(object: RealmObject): RealmList {
  const friends: unknown = Reflect.get(object, 'friends');
  if (friends instanceof RealmList) return friends;
  throw new Error('no list');
}

const people = `
  CREATE TABLE "Passport" (
    "PassportId" int GENERATED ALWAYS AS IDENTITY PRIMARY KEY, "RealmId" varchar(255) UNIQUE, "Country" text);
  CREATE TABLE "Person" (
    "PersonId" serial PRIMARY KEY, "RealmId" varchar(255) UNIQUE, "Name" text,
    "PassportId" int REFERENCES "Passport", boss int REFERENCES "Person" ON UPDATE CASCADE ON DELETE SET NULL);
  CREATE TABLE "Person_friends" (oid int, idx int, target int, PRIMARY KEY (oid, idx) DEFERRABLE);`;

describe('rows that were there first', () => {
  it('get keys from the loader, and every link its object', async () => {
    const { deployment, sql } = await deploy(people, [passport, person]);
    await sql(`INSERT INTO "Passport" ("Country") SELECT 'c' || i FROM generate_series(1, 300) i`);
    await sql(
      `INSERT INTO "Person" ("Name", "PassportId", boss) SELECT 'n' || i, i, 1001 - i FROM generate_series(1, 300) i`.replace(
        '1001',
        '301',
      ),
    );
    await sql(`UPDATE "Person" SET "RealmId" = 'given' WHERE "PersonId" = 7`);
    await sql(`INSERT INTO "Person_friends" VALUES (7, 0, 300), (7, 1, 1)`);
    const report = await deployment.load();
    expect(report.tables.map(({ rowsRead }) => rowsRead)).toEqual([300, 300]);
    await deployment.start();
    const device = deployment.device();
    await deployment.settle();
    const rows = await sql(
      `SELECT p."RealmId", p."PersonId", p."Name", s."RealmId", b."RealmId" FROM "Person" p
       JOIN "Passport" s USING ("PassportId") JOIN "Person" b ON b."PersonId" = p.boss ORDER BY p."PersonId"`,
    );
    const shown = device.shown('Person', 'RealmId', 'PersonId', 'Name', 'PassportId', 'boss');
    expect(rows).toHaveLength(300);
    expect(rows.every(([key]) => key !== null)).toBe(true);
    expect(shown.toSorted((a, b) => Number(a[1]) - Number(b[1]))).toEqual(rows);
    const keyOf = new Map(rows.map(([key, id]) => [id, key]));
    const given = device.shown('Person', 'RealmId', 'friends').find(([key]) => key === 'given');
    expect(given?.[1]).toBe(`[${keyOf.get('300')} ${keyOf.get('1')}]`);
    // The keys that came back through the feed were nothing new.
    expect(deployment.synced).toEqual([]);
  });

  it('come without the loader too, once they change or something refers to them', async () => {
    const { deployment, sql } = await deploy(people, [passport, person]);
    await sql(`INSERT INTO "Person" ("Name") VALUES ('old'), ('other')`);
    await deployment.start();
    const device = deployment.device();
    await sql(`INSERT INTO "Person" ("Name", boss) VALUES ('new', 1)`);
    await deployment.settle();
    await sql(`UPDATE "Person" SET "Name" = 'older' WHERE "PersonId" = 1`);
    await deployment.settle();
    const [[boss] = []] = await sql(`SELECT "RealmId" FROM "Person" WHERE "PersonId" = 1`);
    expect(boss).toBeTruthy();
    expect(device.shown('Person', 'PersonId', 'Name', 'boss')).toEqual(
      expect.arrayContaining([
        ['1', 'older', null],
        ['3', 'new', boss],
      ]),
    );
  });

  it('are 100,000 in seconds', async () => {
    const { deployment, sql } = await deploy(people, [passport, person]);
    await sql(
      `INSERT INTO "Person" ("Name", boss) SELECT 'n', nullif(i - 1, 0) FROM generate_series(1, 100000) i`,
    );
    const started = performance.now();
    const report = await deployment.load();
    console.log(`loaded 100,000 rows without keys in ${Math.round(performance.now() - started)} ms`);
    expect(report.tables.map(({ rowsRead }) => rowsRead)).toEqual([0, 100_000]);
    expect(await sql(`SELECT count(*), count(DISTINCT "RealmId") FROM "Person"`)).toEqual([
      ['100000', '100000'],
    ]);
  });
});

describe('what devices do', () => {
  it('reaches rows by the keys that the database made for them', async () => {
    const { deployment, sql } = await deploy(people, [passport, person]);
    await deployment.start();
    const device = deployment.device();
    device.write((realm) => {
      const paper = realm.create('Passport', { RealmId: 'usa', Country: 'USA' });
      const boss = realm.create('Person', { RealmId: 'curly', Name: 'Curly', PassportId: paper });
      const larry = realm.create('Person', { RealmId: 'larry', Name: 'Larry', boss });
      boss.boss = larry; // each refers to the other
      realm.create('Person', { RealmId: 'moe', boss: larry, friends: [larry, boss] });
    });
    await deployment.settle();
    const people0 = `SELECT p."RealmId", p."Name", s."RealmId", b."RealmId" FROM "Person" p
      LEFT JOIN "Passport" s USING ("PassportId") LEFT JOIN "Person" b ON b."PersonId" = p.boss ORDER BY 1`;
    expect(await sql(people0)).toEqual([
      ['curly', 'Curly', 'usa', 'larry'],
      ['larry', 'Larry', null, 'curly'],
      ['moe', null, null, 'larry'],
    ]);
    const friends = `SELECT o."RealmId", l.idx, t."RealmId" FROM "Person_friends" l
      JOIN "Person" o ON o."PersonId" = l.oid LEFT JOIN "Person" t ON t."PersonId" = l.target ORDER BY 1, 2`;
    expect(await sql(friends)).toEqual([
      ['moe', '0', 'larry'],
      ['moe', '1', 'curly'],
    ]);
    const ids = await sql(`SELECT "RealmId", "PersonId" FROM "Person" ORDER BY 1`);
    expect(device.shown('Person', 'RealmId', 'PersonId')).toEqual(ids);

    device.write((realm) => {
      const [curly, larry, moe] = ['curly', 'larry', 'moe'].map((key) =>
        realm.objectForPrimaryKey('Person', key),
      );
      if (!curly || !larry || !moe) throw new Error('an object is missing');
      moe.boss = curly;
      larry.boss = null;
      friendsOf(moe).splice(0, 1);
      friendsOf(curly).push(moe);
    });
    await deployment.settle();
    expect(await sql(people0)).toEqual([
      ['curly', 'Curly', 'usa', 'larry'],
      ['larry', 'Larry', null, null],
      ['moe', null, null, 'curly'],
    ]);
    expect(await sql(friends)).toEqual([
      ['curly', '0', 'moe'],
      ['moe', '0', 'curly'],
    ]);

    device.write((realm) => {
      const curly = realm.objectForPrimaryKey('Person', 'curly');
      if (curly) realm.delete(curly);
    });
    await deployment.settle();
    expect(await sql(people0)).toEqual([
      ['larry', 'Larry', null, null],
      ['moe', null, null, null],
    ]);
    expect(
      await sql('SELECT count(*) FROM "Person_friends" WHERE oid = (SELECT min("PersonId") FROM "Person")'),
    ).toEqual([['0']]);
    expect(device.shown('Person', 'RealmId', 'boss')).toEqual([
      ['larry', null],
      ['moe', null],
    ]);
  });

  it('never sets the keys that are the database’s to make', async () => {
    const { deployment, sql } = await deploy(people, [passport, person]);
    await deployment.start();
    const device = deployment.device();
    device.write((realm) => realm.create('Person', { RealmId: 'a', PersonId: 77 }));
    await deployment.settle();
    expect(await sql('SELECT "PersonId" FROM "Person"')).toEqual([['1']]);
    expect(device.shown('Person', 'RealmId', 'PersonId')).toEqual([['a', '1']]);
    device.write((realm) => {
      const object = realm.objectForPrimaryKey('Person', 'a');
      if (object) object.PersonId = 99;
    });
    await deployment.settle();
    expect(await sql('SELECT "PersonId" FROM "Person"')).toEqual([['1']]);
    expect(device.shown('Person', 'RealmId', 'PersonId')).toEqual([['a', '1']]);
  });

  it('is written to a row whose key was assigned when nothing could be written', async () => {
    const { deployment, sql } = await deploy(people, [passport, person]);
    await sql(`CREATE FUNCTION away() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
        RAISE EXCEPTION 'not now' USING ERRCODE = '40001'; END $$;
      CREATE TRIGGER away BEFORE UPDATE ON "Person" FOR EACH ROW EXECUTE FUNCTION away()`);
    await deployment.start();
    const device = deployment.device();
    await sql(`INSERT INTO "Person" ("Name") VALUES ('made in SQL')`);
    await expect
      .poll(
        async () => {
          await deployment.carryAll();
          return device.shown('Person', 'Name');
        },
        { timeout: 20_000 },
      )
      .toEqual([['made in SQL']]);
    const [[key] = []] = device.shown('Person', 'RealmId');
    device.write((realm) => {
      const object = realm.objectForPrimaryKey('Person', key ?? '');
      if (object) object.Name = 'changed before it had its key';
    });
    await deployment.carryAll();
    await deployment.stop(); // as a kill would leave it: assigned, not written
    expect(await sql('SELECT "RealmId", "Name" FROM "Person"')).toEqual([[null, 'made in SQL']]);
    await sql('DROP TRIGGER away ON "Person"');
    await deployment.start();
    await deployment.settle();
    expect(await sql('SELECT "RealmId", "Name" FROM "Person"')).toEqual([
      [key, 'changed before it had its key'],
    ]);
    expect(device.shown('Person', 'RealmId', 'Name')).toEqual([[key, 'changed before it had its key']]);
  });
});

describe('what SQL does', () => {
  it('finds the objects of deleted rows by their bare primary keys', async () => {
    const { deployment, sql } = await deploy(people, [passport, person]);
    await deployment.start();
    const device = deployment.device();
    await sql(`INSERT INTO "Person" ("Name", boss) VALUES ('a', NULL), ('b', 1), ('c', 2)`);
    await deployment.settle();
    device.write((realm) => {
      const [a, b] = [...realm.objects('Person')];
      if (a && b) friendsOf(b).push(a);
    });
    await deployment.settle();
    expect(await sql('SELECT count(*) FROM "Person_friends"')).toEqual([['1']]);
    const [[owner] = []] = await sql('SELECT oid FROM "Person_friends"');
    await sql(`UPDATE "Person" SET boss = NULL; DELETE FROM "Person" WHERE "PersonId" = ${owner}`);
    await deployment.settle();
    expect(device.shown('Person', 'PersonId')).toHaveLength(2);
    expect(await sql('SELECT count(*) FROM "Person_friends"')).toEqual([['0']]);
    await sql('TRUNCATE "Person"');
    await deployment.settle();
    expect(device.shown('Person', 'RealmId')).toEqual([]);
    await sql(`INSERT INTO "Person" ("PersonId", "Name") VALUES (2, 'again')`);
    await deployment.settle();
    expect(device.shown('Person', 'PersonId', 'Name')).toEqual([['2', 'again']]);
  });

  it('gives a row its key back that somebody took from it', async () => {
    const { deployment, sql } = await deploy(people, [passport, person]);
    await deployment.start();
    const device = deployment.device();
    device.write((realm) => realm.create('Person', { RealmId: 'a', Name: 'x' }));
    await deployment.settle();
    await sql(`UPDATE "Person" SET "RealmId" = NULL, "Name" = 'y'`);
    await deployment.settle();
    expect(await sql('SELECT "RealmId", "Name" FROM "Person"')).toEqual([['a', 'y']]);
    expect(device.shown('Person', 'RealmId', 'Name')).toEqual([['a', 'y']]);
  });

  it('moves objects to other keys, with their lists and whatever links to them', async () => {
    const { deployment, sql } = await deploy(people, [passport, person]);
    await deployment.start();
    const device = deployment.device();
    device.write((realm) => {
      const a = realm.create('Person', { RealmId: 'a', Name: 'A' });
      const b = realm.create('Person', { RealmId: 'b', Name: 'B', boss: a, friends: [a] });
      friendsOf(a).push(b);
    });
    await deployment.settle();
    const lists = await sql('SELECT * FROM "Person_friends" ORDER BY 1');
    await sql(`UPDATE "Person" SET "RealmId" = 'z' WHERE "RealmId" = 'a'`);
    await deployment.settle();
    expect(device.shown('Person', 'RealmId', 'Name', 'boss', 'friends')).toEqual([
      ['b', 'B', 'z', '[z]'],
      ['z', 'A', null, '[b]'],
    ]);
    expect(await sql('SELECT * FROM "Person_friends" ORDER BY 1')).toEqual(lists);
    await sql(`UPDATE "Person" SET "PersonId" = 500 WHERE "RealmId" = 'z'`);
    await deployment.settle();
    expect(device.shown('Person', 'RealmId', 'PersonId', 'boss', 'friends')).toEqual([
      ['b', '2', 'z', '[z]'],
      ['z', '500', null, '[b]'],
    ]);
    expect(await sql('SELECT oid, target FROM "Person_friends" ORDER BY 1')).toEqual([
      ['2', '500'],
      ['500', '2'],
    ]);
  });
});
