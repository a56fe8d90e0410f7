/** What `isthmus prepare-database` grants is enough for everything that a connector does (reference, "Running the adapter without a sysadmin"). */
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { examineSqlServer } from '../../../connectors/sqlserver/doctor/examine.ts';
import {
  parseSqlServerOptions,
  type SqlServerConnectorOptions,
} from '../../../connectors/sqlserver/options.ts';
import {
  preparationScript,
  preparationSteps,
  runPreparation,
} from '../../../connectors/sqlserver/prepare-database.ts';
import {
  createSqlServerDialect,
  type SqlServerDialect,
} from '../../../connectors/sqlserver/sqlserver-dialect.ts';
import type { FeedEvent } from '../../../src/connector/dialect.ts';
import type { Finding } from '../../../src/connector/finding.ts';
import { silentLogger } from '../../../src/log.ts';
import {
  batchesOf,
  type Credentials,
  startTestSqlServer,
  type TestSqlServer,
} from '../../support/sqlserver.ts';

let server: TestSqlServer;
let database: string;
let login: Credentials;
const open: SqlServerDialect[] = [];
const never = new AbortController().signal;

beforeAll(async () => {
  server = await startTestSqlServer();
});

afterAll(async () => {
  await server.stop();
});

beforeEach(async () => {
  database = await server.createDatabase();
  await server.script(
    database,
    `CREATE TABLE Artist (ArtistId int PRIMARY KEY, Name nvarchar(120) NULL);
CREATE TABLE Album (AlbumId int IDENTITY(1,1) PRIMARY KEY, Title nvarchar(160) NOT NULL,
  ArtistId int NULL REFERENCES Artist (ArtistId));
CREATE TABLE Secret (id int PRIMARY KEY);`,
  );
  login = await server.createLogin(database);
});

afterEach(async () => {
  for (const dialect of open.splice(0)) await dialect.close();
});

const models = [
  { name: 'Artist', primaryKey: 'ArtistId', properties: { ArtistId: 'int', Name: 'string?' } },
  {
    name: 'Album',
    primaryKey: 'AlbumId',
    properties: { AlbumId: 'int', Title: 'string', ArtistId: 'Artist?' },
  },
];

function optionsAs(credentials: Credentials = server, schema: unknown[] = models): SqlServerConnectorOptions {
  const { options: { encrypt, trustServerCertificate } = {} } = server.driverConfig(database);
  return parseSqlServerOptions({
    realmConfig: { server: 'http://127.0.0.1:1', user: { username: 'a', password: 'b' } },
    dbName: database,
    sqlserverConfig: {
      server: server.host,
      port: server.port,
      user: credentials.user,
      password: credentials.password,
      options: { encrypt, trustServerCertificate, maxRetriesOnTransientErrors: 0 },
    },
    realmRegex: '/music',
    adapterName: 'music',
    changePollInterval: 10,
    schema,
    logger: silentLogger,
  });
}

function dialectOf(options: SqlServerConnectorOptions): SqlServerDialect {
  const dialect = createSqlServerDialect(options);
  open.push(dialect);
  return dialect;
}

async function prepareAll(schema?: unknown[]): Promise<string[]> {
  const options = optionsAs(undefined, schema);
  const ran: string[] = [];
  const steps = await preparationSteps(options, login.user);
  await runPreparation(options, steps, ({ statement }) => ran.push(statement), never);
  return ran;
}

test('the command runs what is missing, once, and grants nothing on other tables', async () => {
  const ran = await prepareAll();
  expect(ran).toEqual(
    expect.arrayContaining([
      `ALTER DATABASE [${database}] SET ALLOW_SNAPSHOT_ISOLATION ON`,
      expect.stringContaining(`ALTER DATABASE [${database}] SET CHANGE_TRACKING = ON`),
      'ALTER TABLE [dbo].[Artist] ENABLE CHANGE_TRACKING',
      'ALTER TABLE [dbo].[Album] ENABLE CHANGE_TRACKING',
      `GRANT SELECT, INSERT, UPDATE, DELETE, ALTER, VIEW CHANGE TRACKING ON [dbo].[Album] TO [${login.user}]`,
    ]),
  );
  expect(ran.join('\n')).not.toContain('Secret');
  const again = await preparationSteps(optionsAs(), undefined);
  expect(again).toEqual([]);
});

test('the script does the same when somebody runs it by hand', async () => {
  const script = preparationScript(await preparationSteps(optionsAs(), login.user)).join('\n');
  expect(script.startsWith(`USE [${database}];\nGO\n`)).toBe(true);
  for (const batch of batchesOf(script)) {
    if (!batch.trim().startsWith('USE ')) await server.query(database, batch);
  }
  await dialectOf(optionsAs(login)).prepare({ createDatabase: false });
});

test('a connector with that login prepares, loads, follows and writes', async () => {
  await prepareAll();
  await server.query(database, "INSERT INTO Artist (ArtistId, Name) VALUES (1, N'Miles Davis')");
  const dialect = dialectOf(optionsAs(login));
  await dialect.prepare({ createDatabase: false });
  const catalog = await dialect.catalog();
  expect([...catalog.keys()].sort()).toEqual(['dbo.Album', 'dbo.Artist']);
  const artist = catalog.get('dbo.Artist');
  const album = catalog.get('dbo.Album');
  if (artist === undefined || album === undefined) throw new Error('tables are missing');

  const { created, snapshot } = await dialect.prepareFeed([artist, album], { reset: false });
  expect(created).toBe(true);
  const loaded: unknown[] = [];
  for await (const rows of snapshot?.rows(artist, ['ArtistId', 'Name'], undefined) ?? [])
    loaded.push(...rows);
  await snapshot?.close();
  expect(loaded).toEqual([['1', 'Miles Davis']]);

  const writer = await dialect.openWriter();
  await writer.apply(
    [
      {
        kind: 'upsert',
        table: artist,
        keyColumns: ['ArtistId'],
        columns: ['Name'],
        rows: [
          ['1', 'Miles Dewey Davis'],
          ['2', 'John Coltrane'],
        ],
      },
      {
        kind: 'upsert',
        table: album,
        keyColumns: ['AlbumId'],
        columns: ['Title', 'ArtistId'],
        rows: [['77', 'Blue Train', '2']],
      },
    ],
    [{ realmPath: '/music', sequence: 1 }],
  );
  expect(await writer.checkpoints()).toEqual(new Map([['/music', 1]]));
  await writer.close();
  expect(await dialect.fetchRows(album, ['AlbumId', 'Title'], [['77']])).toEqual([['77', 'Blue Train']]);

  await server.query(database, "UPDATE Artist SET Name = N'Trane' WHERE ArtistId = 2");
  const stop = new AbortController();
  const feed = await dialect.openFeed(undefined, stop.signal);
  const names = new Map<unknown, unknown>();
  for await (const events of feed.events) {
    for (const event of events) note(event, names);
    if (names.get('2') === 'Trane') break;
  }
  stop.abort();
  await feed.close();
  expect(names.get('1')).toBe('Miles Dewey Davis');
  expect((await dialect.feedHealth()).findings.filter(({ level }) => level === 'error')).toEqual([]);
  expect(await dialect.catalogWatch.faults([artist, album])).toEqual(new Map());
  const letters = dialect.deadLetters();
  await letters.prepare();
  expect(await letters.list({ limit: 10 })).toEqual([]);
});

function note(event: FeedEvent, names: Map<unknown, unknown>): void {
  if (event.kind !== 'change' || event.change.kind === 'truncate') return;
  const { change } = event;
  if (change.table.table.name !== 'Artist' || change.kind === 'delete') return;
  const at = (column: string): unknown => change.row[change.table.columns.indexOf(column)];
  names.set(at('ArtistId'), at('Name'));
}

test('a login that is to make tables is given what that takes', async () => {
  const more = [
    ...models,
    { name: 'Track', primaryKey: 'id', properties: { id: 'string', name: 'string?', album: 'Album?' } },
  ];
  const ran = await prepareAll(more);
  expect(ran).toContain(`GRANT CREATE TABLE TO [${login.user}]`);
  const dialect = dialectOf(optionsAs(login, more));
  await dialect.prepare({ createDatabase: false });
  const statements = await dialect.createMissing([
    {
      table: { schema: 'dbo', name: 'Track' },
      kind: 'object',
      columns: [
        { name: 'id', type: 'nvarchar(max)', nullable: false },
        { name: 'album', type: 'int', nullable: true },
      ],
      primaryKey: ['id'],
      foreignKeys: [
        {
          columns: ['album'],
          referenced: { schema: 'dbo', name: 'Album' },
          referencedColumns: ['AlbumId'],
        },
      ],
    },
  ]);
  expect(statements).toContain('ALTER TABLE [dbo].[Track] ENABLE CHANGE_TRACKING');
  const track = (await dialect.catalog()).get('dbo.Track');
  if (track === undefined) throw new Error('the table is missing');
  await dialect.prepareFeed([track], { reset: true }).then(({ snapshot }) => snapshot?.close());
});

test('the doctor finds nothing wrong with that login, and names what others lack', async () => {
  await prepareAll();
  const errors = async (credentials: Credentials): Promise<readonly Finding[]> => {
    const found: Finding[] = [];
    for await (const { subject, findings } of examineSqlServer(optionsAs(credentials), never))
      if (subject !== 'the object server') found.push(...findings);
    return found.filter(({ level }) => level === 'error');
  };
  expect(await errors(login)).toEqual([]);
  await server.query(database, `REVOKE UPDATE ON dbo.Artist FROM [${login.user}]`);
  await server.query(database, 'ALTER TABLE dbo.Album DISABLE CHANGE_TRACKING');
  await server.query(database, `REVOKE ALTER ON dbo.Album FROM [${login.user}]`);
  const found = await errors(login);
  expect(found.map(({ check }) => check)).toEqual(
    expect.arrayContaining(['tables/permissions', 'sqlserver/tracked-tables']),
  );
  expect(found.find(({ check }) => check === 'tables/permissions')?.remedy).toContain(
    `GRANT UPDATE ON [dbo].[Artist] TO [${login.user}]`,
  );
});
