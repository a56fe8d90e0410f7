/** The other way round: realms first, tables after. And rows that belong to many realms. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { PostgresAdapter } from '../../connectors/postgres/adapter.ts';
import { PostgresRealmLoader } from '../../connectors/postgres/loader.ts';
import type { PostgresOptions } from '../../connectors/postgres/options.ts';
import { ObjectRealm } from '../../src/client/realm/object-realm.ts';
import type { RunningServer } from '../../src/server/server-options.ts';
import { startServer } from '../../src/server/start-server.ts';
import { ADMIN, Device } from '../support/isthmus-processes.ts';
import { startTestPostgres, type TestPostgres } from '../support/postgres.ts';

const WAIT = { timeout: 15_000, interval: 50 };
let directory: string;
let postgres: TestPostgres;
let server: RunningServer;
const open: { close(): Promise<void> }[] = [];
let names = 0;

beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), 'isthmus-models-'));
  postgres = await startTestPostgres();
  server = await startServer({
    dataDirectory: join(directory, 'server'),
    port: 0,
    development: true,
    adminUser: ADMIN.username,
    adminPassword: ADMIN.password,
  });
});

afterEach(async () => {
  for (const one of open.splice(0).reverse()) await one.close();
});

afterAll(async () => {
  await server?.close();
  await postgres?.stop();
  rmSync(directory, { recursive: true, force: true });
});

const note = {
  name: 'note',
  primaryKey: 'id',
  properties: { id: 'int', text: 'string', done: 'bool?', parent: 'note?' },
};

function options(
  database: string,
  more: Partial<PostgresOptions> & Pick<PostgresOptions, 'realmRegex'>,
): PostgresOptions {
  names += 1;
  return {
    realmConfig: { server: server.url, user: { ...ADMIN } },
    dbName: database,
    postgresConfig: {
      host: postgres.host,
      port: postgres.port,
      user: postgres.user,
      password: postgres.password,
    },
    localPath: join(directory, `replica-${names}`),
    adapterName: `test_${names}`,
    logLevel: 'error',
    ignoreSQLerrors: false,
    ...more,
  };
}

async function adapterWith(given: PostgresOptions): Promise<PostgresAdapter> {
  const adapter = new PostgresAdapter(given);
  await adapter.start();
  open.push(adapter);
  return adapter;
}

async function device(
  path: string,
  models: readonly unknown[],
): Promise<{ device: Device; realm: ObjectRealm }> {
  const opened = await Device.open(server.url, mkdtempSync(join(directory, 'device-')), path);
  open.push(opened);
  await opened.session.downloadCompletion();
  const write = (instructions: Parameters<typeof opened.replica.write>[0]): number =>
    opened.replica.write(instructions);
  return { device: opened, realm: new ObjectRealm({ reader: opened.replica, write, schema: models }) };
}

describe('a realm that was there before the database', () => {
  it('gets a database, tables and rows', async () => {
    const { device: phone, realm } = await device('/first', [note]);
    realm.write(() => {
      const parent = realm.create('note', { id: 1, text: 'parent', done: true });
      realm.create('note', { id: 2, text: 'child', parent });
    });
    await phone.session.uploadCompletion();
    const database = `isthmus_made_${process.pid}`;
    await adapterWith(
      options(database, {
        createPostgresDB: true,
        schema: [note],
        realmRegex: '/first',
        mapPostgresChangeToRealmPath: '/first',
      }),
    );
    await vi.waitFor(async () => {
      expect(await postgres.query(database, 'SELECT * FROM note ORDER BY id')).toEqual([
        { id: '1', text: 'parent', done: 't', parent: null },
        { id: '2', text: 'child', done: null, parent: '1' },
      ]);
    }, WAIT);
    await postgres.query(database, "INSERT INTO note (id, text, parent) VALUES (3, 'from SQL', 2)");
    await vi.waitFor(() => expect(realm.objectForPrimaryKey('note', 3)?.text).toBe('from SQL'), WAIT);
  });

  it('extends the tables when an app extends the classes, where that is allowed', async () => {
    const database = await postgres.createDatabase();
    await adapterWith(
      options(database, {
        applyRealmSchemaChangesToPostgres: true,
        schema: [note],
        realmRegex: '/growing',
        mapPostgresChangeToRealmPath: '/growing',
      }),
    );
    const grown = { ...note, properties: { ...note.properties, stars: 'int?' } };
    const tag = { name: 'tag', primaryKey: 'name', properties: { name: 'string', note: 'note?' } };
    const { realm } = await device('/growing', [grown, tag]);
    realm.write(() => {
      const made = realm.create('note', { id: 1, text: 'a', stars: 5 });
      realm.create('tag', { name: 'new', note: made });
    });
    await vi.waitFor(async () => {
      expect(await postgres.query(database, 'SELECT id, stars FROM note')).toEqual([{ id: '1', stars: '5' }]);
      expect(await postgres.query(database, 'SELECT * FROM tag')).toEqual([{ name: 'new', note: '1' }]);
    }, WAIT);
    await postgres.query(database, 'UPDATE note SET stars = 4');
    await vi.waitFor(() => expect(realm.objectForPrimaryKey('note', 1)?.stars).toBe(4), WAIT);
  });
});

describe('a database that was there before the realm', () => {
  it('needs no models: classes are made from its tables', async () => {
    const database = await postgres.createDatabase();
    await postgres.query(
      database,
      `CREATE TABLE shop (id int PRIMARY KEY, name text NOT NULL, opened date);
       CREATE TABLE item (sku uuid PRIMARY KEY, shop int REFERENCES shop, price numeric(8,2));
       INSERT INTO shop VALUES (1, 'Corner', '2020-02-29');
       INSERT INTO item VALUES ('01234567-89ab-4def-8123-456789abcdef', 1, 9.95)`,
    );
    const given = options(database, {
      initializeRealmFromPostgres: true,
      realmRegex: '/mirror',
      mapPostgresChangeToRealmPath: '/mirror',
    });
    const loader = new PostgresRealmLoader(given);
    const report = await loader.init();
    await loader.close();
    expect(report.tables.map(({ rowsRead }) => rowsRead)).toEqual([1, 1]);
    const { device: phone } = await device('/mirror', []);
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
    const database = await postgres.createDatabase();
    await postgres.query(
      database,
      'CREATE TABLE note (id bigint PRIMARY KEY, text text NOT NULL, done boolean, parent bigint REFERENCES note)',
    );
    await postgres.query(
      database,
      "INSERT INTO note SELECT i, 'n' || i, NULL, nullif(i - 1, 0) FROM generate_series(1, 50) AS i",
    );
    const given = options(database, {
      loadOnline: false,
      schema: [note],
      realmRegex: '/offline',
      mapPostgresChangeToRealmPath: '/offline',
    });
    const loader = new PostgresRealmLoader(given);
    expect((await loader.init()).uploaded).toBe(false);
    await loader.close();
    await adapterWith(given);
    const { device: phone } = await device('/offline', [note]);
    await vi.waitFor(() => expect(phone.replica.count('note')).toBe(50), WAIT);
  });

  it('spreads one table over the realms of its owners', async () => {
    const database = await postgres.createDatabase();
    await postgres.query(database, 'CREATE TABLE task (id int PRIMARY KEY, owner text NOT NULL, title text)');
    await postgres.query(database, "INSERT INTO task VALUES (1, 'ann', 'a'), (2, 'bob', 'b')");
    const task = { name: 'task', primaryKey: 'id', properties: { id: 'int', title: 'string?' } };
    const given = options(database, {
      schema: [task],
      realmRegex: '^/[a-z]+/tasks$',
      mapPostgresChangeToRealmPath: (_table: string, props: Record<string, unknown>) =>
        `/${String(props.owner)}/tasks`,
      mapRealmChangeToPostgresTable: (path) => ({ extraProperties: { owner: path.split('/')[1] } }),
    });
    const loader = new PostgresRealmLoader(given);
    await loader.init();
    await loader.close();
    await adapterWith(given);
    const { realm: ann } = await device('/ann/tasks', [task]);
    const { realm: bob } = await device('/bob/tasks', [task]);
    const titles = (realm: ObjectRealm): unknown[] =>
      [...realm.objects('task')].map((object) => object.title);
    await vi.waitFor(() => expect([titles(ann), titles(bob)]).toEqual([['a'], ['b']]), WAIT);
    ann.write(() => ann.create('task', { id: 3, title: 'c' }));
    await vi.waitFor(async () => {
      expect(await postgres.query(database, 'SELECT * FROM task WHERE id = 3')).toEqual([
        { id: '3', owner: 'ann', title: 'c' },
      ]);
    }, WAIT);
    await postgres.query(database, "INSERT INTO task VALUES (4, 'bob', 'd'); DELETE FROM task WHERE id = 1");
    await vi.waitFor(() => expect([titles(ann), titles(bob)]).toEqual([['c'], ['b', 'd']]), WAIT);
    await postgres.query(database, "UPDATE task SET owner = 'ann' WHERE id = 4");
    await vi.waitFor(() => expect([titles(ann), titles(bob)]).toEqual([['c', 'd'], ['b']]), WAIT);
  });
});

describe('properties that no column can hold', () => {
  it('are named at the start, and the rest is synced', async () => {
    const database = await postgres.createDatabase();
    const tagged = { ...note, properties: { ...note.properties, labels: 'string[]', extra: 'mixed' } };
    const said: unknown[] = [];
    const logger = {
      error: () => {},
      warn: (message: string, fields?: Record<string, unknown>) => said.push([message, fields]),
      info: () => {},
    };
    await adapterWith(
      options(database, {
        schema: [tagged],
        realmRegex: '/tagged',
        mapPostgresChangeToRealmPath: '/tagged',
        logger,
      }),
    );
    expect(JSON.stringify(said)).toContain('"properties":["labels","extra"]');
    const { realm } = await device('/tagged', [tagged]);
    realm.write(() => realm.create('note', { id: 1, text: 'a', labels: ['x'], extra: 5 }));
    await vi.waitFor(async () => {
      expect(await postgres.query(database, 'SELECT id, text FROM note')).toEqual([{ id: '1', text: 'a' }]);
    }, WAIT);
  });
});
