/** Settings of a server, and kinds of servers, that change what statements show without refusing them. */
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { schemaGrants } from '../../../connectors/sqlserver/prepare-database.ts';
import type { SqlServerDialect } from '../../../connectors/sqlserver/sqlserver-dialect.ts';
import {
  type Credentials,
  simulated,
  startTestSqlServer,
  type TestSqlServer,
} from '../../support/sqlserver.ts';
import { dialectFor, prepareDatabase, tablesOf } from '../feed-harness.ts';

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
  await prepareDatabase(server, database);
  await server.query(database, 'CREATE TABLE Song (id int PRIMARY KEY, title nvarchar(50))');
});

afterEach(async () => {
  for (const dialect of open.splice(0)) await dialect.close();
});

function dialectAs(login?: Credentials): SqlServerDialect {
  const dialect = dialectFor(server, database, login === undefined ? {} : { login });
  open.push(dialect);
  return dialect;
}

async function loginOfConnector(): Promise<Credentials> {
  await dialectAs().prepare({ createDatabase: false });
  const login = await server.createLogin(database);
  for (const statement of [...schemaGrants('dbo', login.user), ...schemaGrants('isthmus', login.user)])
    await server.query(database, statement);
  return login;
}

/** Prepares, follows, and reads one change; what the feed then says of itself. */
async function followed(login: Credentials): Promise<{ titles: unknown[]; findings: string[] }> {
  const dialect = dialectAs(login);
  await dialect.prepare({ createDatabase: false });
  const tables = await tablesOf(dialect, 'Song');
  const { snapshot, start } = await dialect.prepareFeed(tables, { reset: false });
  await snapshot?.close();
  await dialect.checkSource({ position: start, committed: undefined, source: undefined });
  const stop = new AbortController();
  const feed = await dialect.openFeed(start, stop.signal);
  await server.query(database, "INSERT Song VALUES (1, N'Aria')");
  const titles: unknown[] = [];
  let position = start;
  for await (const events of feed.events) {
    for (const event of events) {
      if (event.kind === 'change' && event.change.kind === 'insert') titles.push(event.change.row);
      if (event.kind === 'commit') position = event.position;
    }
    if (titles.length > 0 && position !== start) break;
  }
  if (position !== undefined) feed.confirm(position);
  await feed.close();
  stop.abort();
  const { findings } = await dialect.feedHealth();
  return { titles, findings: findings.map(({ check, level }) => `${check} ${level}`) };
}

describe.runIf(simulated)('a connector works', () => {
  test('on Azure SQL Database, where DB_ID() is another number than in sys.databases', async () => {
    const login = await loginOfConnector();
    server.faults.engine.azure = true;
    try {
      const { titles, findings } = await followed(login);
      expect(titles).toEqual([['1', 'Aria']]);
      expect(findings).toContain('sqlserver/feed ok');
      expect(findings).toContain('sqlserver/retention ok');
    } finally {
      server.faults.engine.azure = false;
    }
  });

  test('on a server whose sessions begin with NOCOUNT ON', async () => {
    const login = await loginOfConnector();
    server.faults.engine.noCountAtFirst = true;
    try {
      const { titles, findings } = await followed(login);
      expect(titles).toEqual([['1', 'Aria']]);
      expect(findings).toContain('sqlserver/feed ok');
    } finally {
      server.faults.engine.noCountAtFirst = false;
    }
  });
});

test('an index whose filter the login may not see is not taken for one over all rows', async () => {
  await server.query(database, 'ALTER TABLE Song ADD code int NULL, gone bit NOT NULL DEFAULT (0)');
  await server.query(database, 'CREATE UNIQUE INDEX ux_Song_code ON Song (code) WHERE gone = 0');
  await server.query(database, 'CREATE UNIQUE INDEX ux_Song_title ON Song (title) WHERE [title] IS NOT NULL');
  const login = await server.createLogin(database);
  await server.query(database, `GRANT SELECT ON dbo.Song TO [${login.user}]`);
  const [hidden] = await tablesOf(dialectAs(login), 'Song');
  expect(hidden?.uniqueKeys).toEqual([['id']]);
  await server.query(database, `GRANT VIEW DEFINITION ON dbo.Song TO [${login.user}]`);
  const [shown] = await tablesOf(dialectAs(login), 'Song');
  expect(shown?.uniqueKeys).toEqual([['id'], ['title']]);
});
