/** Foreign keys that restrict, cascade and go in circles; none of them waits for COMMIT on SQL Server. */
import { describe, expect, it } from 'vitest';
import type { ObjectRealm } from '../../../src/client/realm/object-realm.ts';
import { keySuite } from '../keys/key-deployment.ts';

const deploy = keySuite();

const PARENT = {
  name: 'parent',
  primaryKey: 'id',
  properties: {
    id: 'int',
    children: { type: 'linkingObjects', objectType: 'child', property: 'parent' },
  },
};
const CHILD = { name: 'child', primaryKey: 'id', properties: { id: 'int', parent: 'parent?' } };
const int = (id: number) => ({ type: 'int', value: BigInt(id) }) as const;

function remove(realm: ObjectRealm, className: string, id: number): void {
  const object = realm.objectForPrimaryKey(className, id);
  if (object !== null) realm.delete(object);
}

describe('a foreign key that restricts deletions', () => {
  it('lets a row go whose children may stay without it', async () => {
    const { deployment, sql } = await deploy(
      `CREATE TABLE parent (id int NOT NULL PRIMARY KEY);
       CREATE TABLE child (id int NOT NULL PRIMARY KEY, parent int NULL REFERENCES parent);
       INSERT parent VALUES (1), (2); INSERT child VALUES (10, 1), (20, 2)`,
      [PARENT, CHILD],
    );
    await deployment.load();
    await deployment.start();
    const device = deployment.device();
    await deployment.settle();
    // Not all clients take the links away with their target.
    device.replica.write([{ op: 'EraseObject', table: 'parent', key: int(1) }]);
    await deployment.settle();
    expect(await sql('SELECT id, parent FROM child ORDER BY id')).toEqual([
      ['10', null],
      ['20', '2'],
    ]);
    expect(device.shown('parent', 'id')).toEqual([['2']]);
    expect(device.shown('child', 'id', 'parent')).toEqual([
      ['10', null],
      ['20', '2'],
    ]);
    const children = device.objects.objectForPrimaryKey('parent', 2)?.children;
    expect([...(children as Iterable<{ id: number }>)].map(({ id }) => id)).toEqual([20]);
    await expect(sql('DELETE parent WHERE id = 2')).rejects.toThrow(/child/);
    await sql('DELETE child WHERE parent = 2; DELETE parent WHERE id = 2');
    await deployment.settle();
    expect([device.shown('parent', 'id'), device.shown('child', 'id')]).toEqual([[], [['10']]]);
  });

  it('keeps a row whose children cannot, and says so', { timeout: 60_000 }, async () => {
    const { deployment, sql } = await deploy(
      `CREATE TABLE parent (id int NOT NULL PRIMARY KEY);
       CREATE TABLE child (id int NOT NULL PRIMARY KEY, parent int NOT NULL REFERENCES parent);
       INSERT parent VALUES (1); INSERT child VALUES (10, 1)`,
      [PARENT, CHILD],
      { ignoreSqlErrors: true },
    );
    await deployment.load();
    await deployment.start();
    const device = deployment.device();
    await deployment.settle();
    device.write((realm) => remove(realm, 'parent', 1));
    await deployment.settle();
    expect(await sql('SELECT id FROM parent')).toEqual([['1']]);
    expect((await deployment.refusals()).join()).toMatch(/child/);
    device.write((realm) => {
      remove(realm, 'child', 10);
      realm.create('parent', { id: 3 });
    });
    await deployment.settle();
    expect(await sql('SELECT id FROM child')).toEqual([]);
    expect(await sql('SELECT id FROM parent WHERE id = 3')).toEqual([['3']]);
  });
});

it('rows that the database deletes or changes by itself come along: CASCADE, SET NULL, SET DEFAULT', async () => {
  const line = {
    name: 'line',
    primaryKey: 'id',
    properties: { id: 'int', whole: 'parent?', maybe: 'parent?', usual: 'parent?' },
  };
  const parent = { name: 'parent', primaryKey: 'id', properties: { id: 'int' } };
  const sub = { name: 'sub', primaryKey: 'id', properties: { id: 'int', line: 'line?' } };
  // One cascading path to a table is all that SQL Server takes.
  const { deployment, sql } = await deploy(
    `CREATE TABLE parent (id int NOT NULL PRIMARY KEY);
     CREATE TABLE line (id int NOT NULL PRIMARY KEY, whole int NULL REFERENCES parent ON DELETE CASCADE,
       maybe int NULL REFERENCES parent, usual int NULL DEFAULT 0 REFERENCES parent);
     CREATE TABLE sub (id int NOT NULL PRIMARY KEY, line int NULL REFERENCES line ON DELETE SET NULL);
     INSERT parent VALUES (0), (1), (2); INSERT line VALUES (10, 1, NULL, 2), (20, 2, 1, 0);
     INSERT sub VALUES (100, 10), (200, 20)`,
    [parent, line, sub],
  );
  await deployment.load();
  await deployment.start();
  const device = deployment.device();
  await sql('UPDATE line SET maybe = NULL WHERE id = 20; DELETE parent WHERE id = 1');
  await deployment.settle();
  expect(device.shown('line', 'id', 'whole', 'maybe', 'usual')).toEqual([['20', '2', null, '0']]);
  expect(device.shown('sub', 'id', 'line')).toEqual([
    ['100', null],
    ['200', '20'],
  ]);
  device.write((realm) => remove(realm, 'parent', 2));
  await deployment.settle();
  expect(await sql('SELECT id FROM parent')).toEqual([['0']]);
  // The row went with its parent, whatever the object would have become without a link.
  expect(device.shown('line', 'id')).toEqual(await sql('SELECT id FROM line'));
  expect(device.shown('sub', 'id', 'line')).toEqual(await sql('SELECT id, line FROM sub ORDER BY id'));
});

describe('circles', () => {
  const a = { name: 'a', primaryKey: 'id', properties: { id: 'int', b: 'b?', self: 'a?' } };
  const b = { name: 'b', primaryKey: 'id', properties: { id: 'int', c: 'c?' } };
  const c = { name: 'c', primaryKey: 'id', properties: { id: 'int', a: 'a?' } };
  const TABLES = `
    CREATE TABLE a (id int NOT NULL PRIMARY KEY, b int NULL, self int NULL REFERENCES a);
    CREATE TABLE b (id int NOT NULL PRIMARY KEY, c int NULL);
    CREATE TABLE c (id int NOT NULL PRIMARY KEY, a int NULL REFERENCES a);
    ALTER TABLE a ADD FOREIGN KEY (b) REFERENCES b; ALTER TABLE b ADD FOREIGN KEY (c) REFERENCES c`;

  it('of tables are written in one transaction, changed and deleted again', async () => {
    const { deployment, sql } = await deploy(TABLES, [a, b, c]);
    await deployment.start();
    const device = deployment.device();
    await deployment.settle();
    device.write((realm) => {
      for (const id of [1, 2, 3]) {
        const first = realm.create('a', { id });
        const third = realm.create('c', { id, a: first });
        first.b = realm.create('b', { id, c: third });
        first.self = first;
      }
    });
    await deployment.settle();
    const joined = `SELECT a.id, a.self, b.id, c.id, c.a FROM a JOIN b ON b.id = a.b JOIN c ON c.id = b.c ORDER BY a.id`;
    expect(
      await sql(joined.replace('b.id,', 'b.id AS bid,').replace(' c.id, c.a', ' c.id AS cid, c.a AS ca')),
    ).toEqual([1, 2, 3].map((id) => [id, id, id, id, id].map(String)));
    device.write((realm) => {
      // The circle turns the other way, and one of three goes.
      const [one, two] = [1, 2].map((id) => realm.objectForPrimaryKey('a', id));
      if (one && two) {
        one.b = realm.objectForPrimaryKey('b', 2);
        two.b = realm.objectForPrimaryKey('b', 1);
        one.self = two;
        two.self = one;
      }
      for (const name of ['a', 'b', 'c']) remove(realm, name, 3);
    });
    await deployment.settle();
    expect(await sql('SELECT id, b, self FROM a ORDER BY id')).toEqual([
      ['1', '2', '2'],
      ['2', '1', '1'],
    ]);
    device.write((realm) => {
      for (const name of ['a', 'b', 'c']) for (const id of [1, 2]) remove(realm, name, id);
    });
    await deployment.settle();
    for (const name of ['a', 'b', 'c']) expect(await sql(`SELECT id FROM ${name}`)).toEqual([]);
    expect(await deployment.refusals()).toEqual([]);
  });

  it('of tables come from the database whole', async () => {
    const { deployment, sql } = await deploy(
      `${TABLES};
       INSERT a (id) VALUES (1), (2); INSERT c VALUES (1, 1), (2, 2); INSERT b VALUES (1, 1), (2, 2);
       UPDATE a SET b = id, self = 3 - id`,
      [a, b, c],
    );
    await deployment.load();
    await deployment.start();
    const device = deployment.device();
    await deployment.settle();
    expect(device.shown('a', 'id', 'b', 'self')).toEqual([
      ['1', '1', '2'],
      ['2', '2', '1'],
    ]);
    await sql('BEGIN TRANSACTION; UPDATE a SET b = NULL, self = NULL; DELETE b; DELETE c; DELETE a; COMMIT');
    await deployment.settle();
    expect(['a', 'b', 'c'].map((name) => device.shown(name, 'id'))).toEqual([[], [], []]);
  });

  it('of rows of one table whose reference must be there are written, too', async () => {
    const node = { name: 'node', primaryKey: 'id', properties: { id: 'int', next: 'node' } };
    const { deployment, sql } = await deploy(
      'CREATE TABLE node (id int NOT NULL PRIMARY KEY, next int NOT NULL REFERENCES node)',
      [node],
    );
    await deployment.start();
    const device = deployment.device();
    await deployment.settle();
    device.write((realm) => {
      const nodes = [1, 2, 3].map((id) => realm.create('node', { id }));
      nodes.forEach((one, place) => {
        one.next = nodes[(place + 1) % 3];
      });
    });
    await deployment.settle();
    expect(await sql('SELECT id, next FROM node ORDER BY id')).toEqual([
      ['1', '2'],
      ['2', '3'],
      ['3', '1'],
    ]);
    device.write((realm) => {
      for (const id of [1, 2, 3]) remove(realm, 'node', id);
    });
    await deployment.settle();
    expect(await sql('SELECT id FROM node')).toEqual([]);
  });
});
