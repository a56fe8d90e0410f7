/** The other way round: realms first, tables after. And rows that belong to many realms. */
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import type { ObjectRealm } from '../../src/client/realm/object-realm.ts';
import { AdapterSuite } from '../support/adapter-suite.ts';

const WAIT = { timeout: 15_000, interval: 50 };
const suite = new AdapterSuite();
beforeAll(() => suite.start());
afterEach(() => suite.closeOpened());
afterAll(() => suite.stop());

const note = {
  name: 'note',
  primaryKey: 'id',
  properties: { id: 'int', text: 'string', done: 'bool?', parent: 'note?' },
};

describe('a realm that was there before the database', () => {
  it('gets a database, tables and rows', async () => {
    const { device: phone, realm } = await suite.device('/first', [note]);
    realm.write(() => {
      const parent = realm.create('note', { id: 1, text: 'parent', done: true });
      realm.create('note', { id: 2, text: 'child', parent });
    });
    await phone.session.uploadCompletion();
    const database = `isthmus_made_${process.pid}`;
    await suite.adapter(
      suite.options(database, {
        createPostgresDB: true,
        schema: [note],
        realmRegex: '/first',
        mapPostgresChangeToRealmPath: '/first',
      }),
    );
    await vi.waitFor(async () => {
      expect(await suite.postgres.query(database, 'SELECT * FROM note ORDER BY id')).toEqual([
        { id: '1', text: 'parent', done: 't', parent: null },
        { id: '2', text: 'child', done: null, parent: '1' },
      ]);
    }, WAIT);
    await suite.postgres.query(database, "INSERT INTO note (id, text, parent) VALUES (3, 'from SQL', 2)");
    await vi.waitFor(() => expect(realm.objectForPrimaryKey('note', 3)?.text).toBe('from SQL'), WAIT);
  });

  it('extends the tables when an app extends the classes, where that is allowed', async () => {
    const database = await suite.postgres.createDatabase();
    await suite.adapter(
      suite.options(database, {
        applyRealmSchemaChangesToPostgres: true,
        schema: [note],
        realmRegex: '/growing',
        mapPostgresChangeToRealmPath: '/growing',
      }),
    );
    const grown = { ...note, properties: { ...note.properties, stars: 'int?' } };
    const tag = { name: 'tag', primaryKey: 'name', properties: { name: 'string', note: 'note?' } };
    const { realm } = await suite.device('/growing', [grown, tag]);
    realm.write(() => {
      const made = realm.create('note', { id: 1, text: 'a', stars: 5 });
      realm.create('tag', { name: 'new', note: made });
    });
    await vi.waitFor(async () => {
      expect(await suite.postgres.query(database, 'SELECT id, stars FROM note')).toEqual([
        { id: '1', stars: '5' },
      ]);
      expect(await suite.postgres.query(database, 'SELECT * FROM tag')).toEqual([{ name: 'new', note: '1' }]);
    }, WAIT);
    await suite.postgres.query(database, 'UPDATE note SET stars = 4');
    await vi.waitFor(() => expect(realm.objectForPrimaryKey('note', 1)?.stars).toBe(4), WAIT);
  });
});

describe('a database that was there before the realm', () => {
  it('needs no models: classes are made from its tables', async () => {
    const database = await suite.postgres.createDatabase();
    await suite.postgres.query(
      database,
      `CREATE TABLE shop (id int PRIMARY KEY, name text NOT NULL, opened date);
       CREATE TABLE item (sku uuid PRIMARY KEY, shop int REFERENCES shop, price numeric(8,2));
       INSERT INTO shop VALUES (1, 'Corner', '2020-02-29');
       INSERT INTO item VALUES ('01234567-89ab-4def-8123-456789abcdef', 1, 9.95)`,
    );
    const given = suite.options(database, {
      initializeRealmFromPostgres: true,
      realmRegex: '/mirror',
      mapPostgresChangeToRealmPath: '/mirror',
    });
    const report = await suite.load(given);
    expect(report.tables.map(({ rowsRead }) => rowsRead)).toEqual([1, 1]);
    const { device: phone } = await suite.device('/mirror', []);
    const item = { type: 'uuid', value: '01234567-89ab-4def-8123-456789abcdef' } as const;
    expect(phone.replica.object('item', item)?.fields.get('shop')).toMatchObject({
      type: 'link',
      table: 'shop',
    });
    expect(phone.replica.object('shop', { type: 'int', value: 1n })?.fields.get('opened')).toMatchObject({
      type: 'date',
    });
  });

  it('is loaded without the server, and uploaded when the adapter starts', async () => {
    const database = await suite.postgres.createDatabase();
    await suite.postgres.query(
      database,
      'CREATE TABLE note (id bigint PRIMARY KEY, text text NOT NULL, done boolean, parent bigint REFERENCES note)',
    );
    await suite.postgres.query(
      database,
      "INSERT INTO note SELECT i, 'n' || i, NULL, nullif(i - 1, 0) FROM generate_series(1, 50) AS i",
    );
    const given = suite.options(database, {
      loadOnline: false,
      schema: [note],
      realmRegex: '/offline',
      mapPostgresChangeToRealmPath: '/offline',
    });
    expect((await suite.load(given)).uploaded).toBe(false);
    await suite.adapter(given);
    const { device: phone } = await suite.device('/offline', [note]);
    await vi.waitFor(() => expect(phone.replica.count('note')).toBe(50), WAIT);
  });

  it('spreads one table over the realms of its owners', async () => {
    const database = await suite.postgres.createDatabase();
    await suite.postgres.query(
      database,
      'CREATE TABLE task (id int PRIMARY KEY, owner text NOT NULL, title text)',
    );
    await suite.postgres.query(database, "INSERT INTO task VALUES (1, 'ann', 'a'), (2, 'bob', 'b')");
    const task = { name: 'task', primaryKey: 'id', properties: { id: 'int', title: 'string?' } };
    const given = suite.options(database, {
      schema: [task],
      realmRegex: '^/[a-z]+/tasks$',
      mapPostgresChangeToRealmPath: (_table: string, props: Record<string, unknown>) =>
        `/${String(props.owner)}/tasks`,
      mapRealmChangeToPostgresTable: (path) => ({ extraProperties: { owner: path.split('/')[1] } }),
    });
    await suite.load(given);
    await suite.adapter(given);
    const { realm: ann } = await suite.device('/ann/tasks', [task]);
    const { realm: bob } = await suite.device('/bob/tasks', [task]);
    const titles = (realm: ObjectRealm): unknown[] =>
      [...realm.objects('task')].map((object) => object.title);
    await vi.waitFor(() => expect([titles(ann), titles(bob)]).toEqual([['a'], ['b']]), WAIT);
    ann.write(() => ann.create('task', { id: 3, title: 'c' }));
    await vi.waitFor(async () => {
      expect(await suite.postgres.query(database, 'SELECT * FROM task WHERE id = 3')).toEqual([
        { id: '3', owner: 'ann', title: 'c' },
      ]);
    }, WAIT);
    await suite.postgres.query(
      database,
      "INSERT INTO task VALUES (4, 'bob', 'd'); DELETE FROM task WHERE id = 1",
    );
    await vi.waitFor(() => expect([titles(ann), titles(bob)]).toEqual([['c'], ['b', 'd']]), WAIT);
    await suite.postgres.query(database, "UPDATE task SET owner = 'ann' WHERE id = 4");
    await vi.waitFor(() => expect([titles(ann), titles(bob)]).toEqual([['c', 'd'], ['b']]), WAIT);
  });
});

describe('properties without a place in the database', () => {
  it('are named at the start, and the rest is synced', async () => {
    const database = await suite.postgres.createDatabase();
    await suite.postgres.query(
      database,
      'CREATE TABLE note (id int PRIMARY KEY, text text, done boolean, parent int)',
    );
    const tagged = { ...note, properties: { ...note.properties, labels: 'string[]', extra: 'mixed' } };
    const said: unknown[] = [];
    const logger = {
      error: () => {},
      warn: (message: string, fields?: Record<string, unknown>) => said.push([message, fields]),
      info: () => {},
    };
    await suite.adapter(
      suite.options(database, {
        createPostgresSchema: false,
        schema: [tagged],
        realmRegex: '/tagged',
        mapPostgresChangeToRealmPath: '/tagged',
        logger,
      }),
    );
    expect(JSON.stringify(said)).toContain('"properties":["labels","extra"]');
    const { realm } = await suite.device('/tagged', [tagged]);
    realm.write(() => realm.create('note', { id: 1, text: 'a', labels: ['x'], extra: 5 }));
    await vi.waitFor(async () => {
      expect(await suite.postgres.query(database, 'SELECT id, text FROM note')).toEqual([
        { id: '1', text: 'a' },
      ]);
    }, WAIT);
  });

  it('get one where the tables may be extended', async () => {
    const database = await suite.postgres.createDatabase();
    const tagged = {
      ...note,
      properties: { ...note.properties, labels: 'string[]', extra: 'mixed', who: 'person?' },
    };
    const person = { name: 'person', embedded: true, properties: { name: 'string?', phones: 'string[]' } };
    const given = suite.options(database, {
      schema: [tagged, person],
      realmRegex: '/extended',
      mapPostgresChangeToRealmPath: '/extended',
      collectionTables: ['note.labels'],
    });
    await suite.adapter(given);
    const { realm } = await suite.device('/extended', [tagged, person]);
    realm.write(() =>
      realm.create('note', { id: 1, text: 'a', labels: ['x'], extra: 5, who: { name: 'n', phones: ['1'] } }),
    );
    await vi.waitFor(async () => {
      expect(
        await suite.postgres.query(
          database,
          `SELECT text, who->>'name' AS name, who->'phones' AS phones, target AS label
           FROM note JOIN note_labels ON oid = id`,
        ),
      ).toEqual([{ text: 'a', name: 'n', phones: '["1"]', label: 'x' }]);
    }, WAIT);
    await suite.postgres.query(database, `UPDATE note SET who = '{"name": "m", "phones": ["1", "2"]}'`);
    const name = (): unknown =>
      (realm.objectForPrimaryKey('note', 1)?.who as { name?: unknown } | null)?.name;
    await vi.waitFor(() => expect(name()).toBe('m'), WAIT);
  });
});
