import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { SqlServerError } from '../../../connectors/sqlserver/errors.ts';
import {
  createSqlServerDialect,
  type SqlServerDialect,
} from '../../../connectors/sqlserver/sqlserver-dialect.ts';
import { silentLogger } from '../../../src/log.ts';
import { type Credentials, startTestSqlServer, type TestSqlServer } from '../../support/sqlserver.ts';
import { dialectFor, prepareDatabase, tablesOf } from '../feed-harness.ts';
import { connectionTo } from '../session-context.ts';

let server: TestSqlServer;
let database: string;
const open: SqlServerDialect[] = [];

beforeAll(async () => {
  server = await startTestSqlServer();
});

afterAll(async () => {
  await server.stop();
});

beforeEach(async () => {
  database = await server.createDatabase();
});

afterEach(async () => {
  for (const dialect of open.splice(0)) await dialect.close();
});

function dialectAs(login?: Credentials, name = database): SqlServerDialect {
  const dialect = dialectFor(server, name, login === undefined ? {} : { login });
  open.push(dialect);
  return dialect;
}

async function failure(promise: Promise<unknown>): Promise<SqlServerError> {
  const error: unknown = await promise.catch((cause: unknown) => cause);
  if (error instanceof SqlServerError) return error;
  throw new Error(`expected a SqlServerError, got ${String(error)}`);
}

test('a database without snapshot isolation and change tracking: one run of the statements mends both', async () => {
  const error = await failure(dialectAs().prepare({ createDatabase: false }));
  expect(error.code).toBe('sqlserver-server');
  expect(error.remedy).toContain(`ALTER DATABASE [${database}] SET ALLOW_SNAPSHOT_ISOLATION ON`);
  expect(error.remedy).toContain(`ALTER DATABASE [${database}] SET CHANGE_TRACKING = ON`);
  expect(error.remedy).toContain('isthmus prepare-database');
  const statements = error.remedy?.replace('run isthmus prepare-database, or ', '').split('; ') ?? [];
  for (const statement of statements) await server.query('master', statement);
  await dialectAs().prepare({ createDatabase: false });
});

test('a compatibility level at which OPENJSON is not known', async () => {
  await prepareDatabase(server, database);
  await server.query('master', `ALTER DATABASE [${database}] SET COMPATIBILITY_LEVEL = 120`);
  const error = await failure(dialectAs().prepare({ createDatabase: false }));
  expect(error.message).toContain('120');
  expect(error.remedy).toContain(`ALTER DATABASE [${database}] SET COMPATIBILITY_LEVEL = 130`);
});

test('a database that is missing is made when that is allowed, ready to be followed', async () => {
  const name = `${database}_new`;
  const error = await failure(dialectAs(undefined, name).prepare({ createDatabase: false }));
  expect(error.remedy).toContain('createSQLServerDB: true');
  const dialect = dialectAs(undefined, name);
  await dialect.prepare({ createDatabase: true });
  await dialect.prepare({ createDatabase: true });
  expect([...(await dialect.catalog()).keys()]).toEqual([]);
  await dialect.close();
  await server.query('master', `ALTER DATABASE [${name}] SET SINGLE_USER WITH ROLLBACK IMMEDIATE`);
  await server.query('master', `DROP DATABASE [${name}]`);
});

test('a login that may make no schema is told what to run', async () => {
  await prepareDatabase(server, database);
  const login = await server.createLogin(database);
  const error = await failure(dialectAs(login).prepare({ createDatabase: false }));
  expect(error.code).toBe('sqlserver-permission');
  expect(error.remedy).toContain('CREATE SCHEMA [isthmus]');
  expect(error.remedy).toContain('CREATE TABLE [isthmus].[checkpoint]');
});

test('a login without rights on the connector’s own tables is told which to grant', async () => {
  await prepareDatabase(server, database);
  await dialectAs().prepare({ createDatabase: false });
  const login = await server.createLogin(database);
  await server.query(database, `GRANT SELECT ON SCHEMA::isthmus TO [${login.user}]`);
  const error = await failure(dialectAs(login).prepare({ createDatabase: false }));
  expect(error.code).toBe('sqlserver-permission');
  for (const statement of error.remedy?.replace('run ', '').split('; ') ?? [])
    await server.query(database, statement);
  await dialectAs(login).prepare({ createDatabase: false });
});

test('a login without rights on a table is told each of them, and what is granted suffices', async () => {
  await prepareDatabase(server, database);
  await server.query(database, 'CREATE TABLE Song (id int PRIMARY KEY, title nvarchar(50))');
  await server.query(database, 'ALTER TABLE Song ENABLE CHANGE_TRACKING');
  await dialectAs().prepare({ createDatabase: false });
  const tables = await tablesOf(dialectAs(), 'Song');
  const login = await server.createLogin(database);
  await server.query(database, `GRANT SELECT, INSERT ON dbo.Song TO [${login.user}]`);
  const dialect = dialectAs(login);
  const error = await failure(dialect.prepareFeed(tables, { reset: false }));
  expect(error).toMatchObject({
    code: 'sqlserver-permission',
    remedy: `run GRANT UPDATE, DELETE, VIEW CHANGE TRACKING ON [dbo].[Song] TO [${login.user}]`,
  });
});

test('a table without a primary key cannot be followed', async () => {
  await prepareDatabase(server, database);
  await server.query(database, 'CREATE TABLE Song (id int, title nvarchar(50))');
  const dialect = dialectAs();
  await dialect.prepare({ createDatabase: false });
  const error = await failure(dialect.prepareFeed(await tablesOf(dialect, 'Song'), { reset: false }));
  expect(error.code).toBe('sqlserver-table');
  expect(error.remedy).toContain('ADD PRIMARY KEY');
});

test('statements of the connector that fail name what was being done', async () => {
  await prepareDatabase(server, database);
  const dialect = createSqlServerDialect({
    connection: { ...connectionTo(server, database), requestTimeoutMilliseconds: 30_000 },
    schema: 'dbo',
    engine: { adapterName: 'a', logger: silentLogger, printCommands: false },
  });
  open.push(dialect);
  await dialect.prepare({ createDatabase: false });
  const table = {
    table: { schema: 'dbo', name: 'Gone' },
    columns: [
      { name: 'id', type: 'int', baseType: 'int', nullable: false, hasDefault: false, readOnly: false },
    ],
    primaryKey: ['id'],
    foreignKeys: [],
  };
  const error = await failure(dialect.fetchRows(table, ['id'], [['1']]));
  expect(error).toMatchObject({ code: 'sqlserver-query', sqlState: '208' });
  expect(error.message).toContain(`reading rows in database ${database} failed`);
});
