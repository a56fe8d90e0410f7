/** Keys that span several columns: their texts, links to them, and join tables over rows that the database numbers. */
import { describe, expect, it } from 'vitest';
import { CompoundKeyText } from '../../../src/connector/mapping/compound-key-text.ts';
import type { ConnectorOptions } from '../../../src/connector/options.ts';
import { sameNames } from '../../support/engine-options.ts';
import { Random, testSeed } from '../../support/random.ts';
import { type KeyDeployment, keySuite } from './key-deployment.ts';

const deployKeys = keySuite();

function deploy(
  tables: string,
  models: ConnectorOptions['models'],
  compound: ConnectorOptions['mapping']['compoundPrimaryKeys'],
  options: Partial<ConnectorOptions> = {},
): Promise<KeyDeployment> {
  const mapping = { ...sameNames, compoundPrimaryKeys: compound };
  return deployKeys(tables, models, { mapping, ...options });
}

const part = (name: string, type: 'int' | 'string' | 'uuid' | 'objectId') => ({
  property: name,
  dbColumn: name,
  type,
});

describe('the text of a compound key', () => {
  it('is its parts joined by hyphens', () => {
    const ints = new CompoundKeyText(['int', 'int']);
    expect(ints.join(['2', '3'])).toBe('2-3');
    expect(ints.join(['-1', '-2'])).toBe('-1--2');
    expect(ints.split('-1--2')).toEqual(['-1', '-2']);
    expect(ints.split('1-x')).toBeUndefined();
    expect(new CompoundKeyText(['int', 'string']).join(['5', 'foo-bar'])).toBe('5-foo-bar');
    expect(new CompoundKeyText(['string', 'string']).join(['', ''])).toBe('-');
  });

  it('is never that of another key', () => {
    const seed = testSeed();
    const random = new Random(seed);
    const types = ['int', 'string'] as const;
    const make = {
      int: () => String(random.below(5) - 2),
      string: () =>
        Array.from({ length: random.below(4) }, () => random.pick(['-', '\\', 'a', '1'])).join(''),
    };
    const seen = new Map<string, string>();
    for (let count = 0; count < 20_000; count += 1) {
      const parts = Array.from({ length: 2 + random.below(2) }, () => random.pick(types));
      const texts = parts.map((type) => make[type]());
      const codec = new CompoundKeyText(parts);
      const joined = codec.join(texts);
      expect(codec.split(joined), `seed ${seed}: ${parts} ${JSON.stringify(texts)}`).toEqual(texts);
      const name = `${parts}\0${joined}`;
      expect(seen.get(name) ?? texts.join('\0')).toBe(texts.join('\0'));
      seen.set(name, texts.join('\0'));
    }
  });
});

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
const compoundLine = new Map([['line', [part('doc', 'int'), part('no', 'int')]]]);

describe('links to classes whose key spans several columns', () => {
  const tables = `
    CREATE TABLE line (doc int, no int, text text, PRIMARY KEY (doc, no));
    CREATE TABLE note (id int PRIMARY KEY, text text, about_doc int, about_no int, n1 int, n2 int,
      FOREIGN KEY (about_doc, about_no) REFERENCES line,
      CONSTRAINT next FOREIGN KEY (n2, n1) REFERENCES line (no, doc))`;

  it('stand in as many columns, both ways', async () => {
    const { deployment, sql } = await deploy(tables, [line, note], compoundLine);
    await sql(
      `INSERT INTO line VALUES (1, 1, 'a'), (-1, -2, 'b'); INSERT INTO note VALUES (1, 'x', 1, 1, -1, -2)`,
    );
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
    expect(deployment.synced.length).toBeGreaterThan(0);
  });

  it('are refused with the statement that says which foreign key is meant', async () => {
    const { deployment } = await deploy(
      `CREATE TABLE line (doc int, no int, text text, PRIMARY KEY (doc, no));
       CREATE TABLE note (id int PRIMARY KEY, text text, a1 int, a2 int, n1 int, n2 int,
         CONSTRAINT one FOREIGN KEY (a1, a2) REFERENCES line, CONSTRAINT two FOREIGN KEY (n1, n2) REFERENCES line)`,
      [line, note],
      compoundLine,
    );
    await expect(deployment.start()).rejects.toMatchObject({
      code: 'mapping-error',
      remedy: expect.stringContaining('RENAME CONSTRAINT "one" TO "about"'),
    });
  });

  it('get their columns and foreign keys when tables are made from the models', async () => {
    const { deployment, sql } = await deploy('', [line, note], compoundLine, { createTables: true });
    await deployment.start();
    const device = deployment.device();
    device.write((realm) => {
      const made = realm.create('line', { id: '7-8', text: 'made' });
      realm.create('note', { id: 2, about: made });
    });
    await deployment.settle();
    expect(await sql('SELECT id, about_doc, about_no, next_doc FROM note')).toEqual([['2', '7', '8', null]]);
    const keys = await sql(
      `SELECT conrelid::regclass::text FROM pg_constraint WHERE contype = 'f' AND array_length(conkey, 1) = 2`,
    );
    expect(keys).toEqual([['note'], ['note']]);
  });

  it('leave columns alone that are the row’s own', async () => {
    const item = {
      name: 'item',
      primaryKey: 'id',
      properties: { id: 'string', doc: 'int?', pos: 'int?', line: 'line?' },
    };
    const { deployment, sql } = await deploy(
      `CREATE TABLE line (doc int, no int, text text, PRIMARY KEY (doc, no));
       CREATE TABLE item (doc int, pos int, line_no int, PRIMARY KEY (doc, pos),
         FOREIGN KEY (doc, line_no) REFERENCES line (doc, no))`,
      [line, item],
      new Map([...compoundLine, ['item', [part('doc', 'int'), part('pos', 'int')]]]),
    );
    await sql(`INSERT INTO line VALUES (1, 1), (1, 2); INSERT INTO item VALUES (1, 1, 1)`);
    await deployment.load();
    await deployment.start();
    const device = deployment.device();
    await deployment.settle();
    device.write((realm) => {
      const object = realm.objectForPrimaryKey('item', '1-1');
      if (object) object.line = realm.objectForPrimaryKey('line', '1-2');
    });
    await deployment.settle();
    expect(await sql('SELECT * FROM item')).toEqual([['1', '1', '2']]);
    device.write((realm) => {
      const object = realm.objectForPrimaryKey('item', '1-1');
      if (object) object.line = null;
    });
    await deployment.settle();
    expect(await sql('SELECT * FROM item')).toEqual([['1', '1', null]]);
    expect(device.shown('item', 'id', 'line')).toEqual([['1-1', null]]);
  });
});

describe('a join table over rows that the database numbers', () => {
  const employee = {
    name: 'Employee',
    primaryKey: 'RealmID',
    sqlserverPrimaryKey: 'EmployeeKey',
    properties: { RealmID: 'string', EmployeeKey: 'int?', EmployeeName: 'string?' },
  };
  const route = {
    name: 'Route',
    primaryKey: 'RealmID',
    sqlserverPrimaryKey: 'RouteKey',
    properties: { RealmID: 'string', RouteKey: 'int?', RouteName: 'string?' },
  };
  const join = {
    name: 'EmployeeRoute',
    primaryKey: 'PK',
    properties: { PK: 'string', EmployeeKey: 'Employee?', RouteKey: 'Route?' },
  };

  it('is keyed by the numbers and links to the objects', async () => {
    const { deployment, sql } = await deploy(
      `CREATE TABLE "Route" ("RouteKey" int GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY, "RouteName" varchar(32), "RealmID" varchar(128) UNIQUE);
       CREATE TABLE "Employee" ("EmployeeKey" int GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY, "EmployeeName" varchar(64), "RealmID" varchar(128) UNIQUE);
       CREATE TABLE "EmployeeRoute" ("RouteKey" int NOT NULL REFERENCES "Route", "EmployeeKey" int NOT NULL REFERENCES "Employee",
         PRIMARY KEY ("EmployeeKey", "RouteKey"));
       INSERT INTO "Employee" ("EmployeeName") VALUES ('Tom'), ('David'), ('Nathan');
       INSERT INTO "Route" ("RouteName") VALUES ('East'), ('West'), ('North');
       INSERT INTO "EmployeeRoute" ("EmployeeKey", "RouteKey") VALUES (1, 1), (2, 1), (3, 1), (2, 3)`,
      [route, join, employee],
      new Map([['EmployeeRoute', [part('EmployeeKey', 'int'), part('RouteKey', 'int')]]]),
    );
    await deployment.load();
    await deployment.start();
    const device = deployment.device();
    await deployment.settle();
    const employees = new Map(device.shown('Employee', 'EmployeeName', 'RealmID').map(([a, b]) => [a, b]));
    const routes = new Map(device.shown('Route', 'RouteName', 'RealmID').map(([a, b]) => [a, b]));
    const keysOf = (name: string, way: string) => [employees.get(name), routes.get(way)];
    const joined = () => device.shown('EmployeeRoute', 'PK', 'EmployeeKey', 'RouteKey').toSorted();
    expect(joined()).toEqual([
      ['1-1', ...keysOf('Tom', 'East')],
      ['2-1', ...keysOf('David', 'East')],
      ['2-3', ...keysOf('David', 'North')],
      ['3-1', ...keysOf('Nathan', 'East')],
    ]);
    device.write((realm) => {
      const object = (name: string, key: string | null | undefined) =>
        realm.objectForPrimaryKey(name, key ?? '');
      realm.create('EmployeeRoute', {
        PK: '3-2',
        EmployeeKey: object('Employee', employees.get('Nathan')),
        RouteKey: object('Route', routes.get('West')),
      });
      realm.create('EmployeeRoute', { PK: '1-2' });
      const gone = object('EmployeeRoute', '2-3');
      if (gone) realm.delete(gone);
    });
    await sql(`DELETE FROM "EmployeeRoute" WHERE "EmployeeKey" = 3 AND "RouteKey" = 1;
      INSERT INTO "EmployeeRoute" ("EmployeeKey", "RouteKey") VALUES (2, 2)`);
    await deployment.settle();
    expect(await sql('SELECT "EmployeeKey", "RouteKey" FROM "EmployeeRoute" ORDER BY 1, 2')).toEqual([
      ['1', '1'],
      ['1', '2'],
      ['2', '1'],
      ['2', '2'],
      ['3', '2'],
    ]);
    expect(joined()).toEqual([
      ['1-1', ...keysOf('Tom', 'East')],
      ['1-2', ...keysOf('Tom', 'West')],
      ['2-1', ...keysOf('David', 'East')],
      ['2-2', ...keysOf('David', 'West')],
      ['3-2', ...keysOf('Nathan', 'West')],
    ]);
  });
});
