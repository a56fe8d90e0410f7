/** `isthmus prepare-database` as its users see it. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { startTestSqlServer, type TestSqlServer } from '../support/sqlserver.ts';

const ROOT = join(import.meta.dirname, '../..');

let server: TestSqlServer;
let database: string;
let directory: string;
beforeAll(async () => {
  server = await startTestSqlServer();
});
afterAll(async () => {
  await server.stop();
});
beforeEach(async () => {
  database = await server.createDatabase();
  await server.query(database, 'CREATE TABLE Song (id int PRIMARY KEY, title nvarchar(50) NULL)');
  directory = await mkdtemp(join(tmpdir(), 'isthmus-prepare-'));
  await writeFile(
    join(directory, 'config.json'),
    JSON.stringify({
      connector: {
        realmConfig: { server: 'http://127.0.0.1:1', user: { username: 'a', password: 'b' } },
        dbName: database,
        dbSchema: 'dbo',
        realmRegex: '/music',
        schema: [{ name: 'Song', primaryKey: 'id', properties: { id: 'int', title: 'string?' } }],
      },
    }),
  );
});
afterEach(async () => {
  await rm(directory, { recursive: true, force: true });
});

type Ended = { readonly code: unknown; readonly stdout: string; readonly stderr: string };

async function isthmus(environment: Readonly<Record<string, string>>, ...args: string[]): Promise<Ended> {
  const child = spawn(process.execPath, [join(ROOT, 'bin/isthmus.js'), ...args], {
    cwd: directory,
    env: { ...process.env, ...environment },
  });
  let stdout = '';
  let stderr = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    stdout += text;
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr += text;
  });
  const [code] = await once(child, 'close');
  return { code, stdout, stderr };
}

test('--print shows the script and changes nothing; without it the script is run, and run again does nothing', async () => {
  const environment = { ISTHMUS_SQLSERVER_URL: server.url(database) };
  const { user } = await server.createLogin(database);
  const printed = await isthmus(environment, 'prepare-database', '--print', '--login', user);
  expect(printed).toMatchObject({ code: 0, stderr: '' });
  expect(printed.stdout).toContain(`USE [${database}];\nGO\n`);
  expect(printed.stdout).toContain('ALTER TABLE [dbo].[Song] ENABLE CHANGE_TRACKING;\nGO\n');
  expect(printed.stdout).toContain(`ON [dbo].[Song] TO [${user}];`);
  const tracked = 'SELECT COUNT(*) AS n FROM sys.change_tracking_tables';
  expect(await server.query(database, tracked)).toMatchObject([{ n: '0' }]);

  const ran = await isthmus(environment, 'prepare-database', '--login', user);
  expect(ran).toMatchObject({ code: 0 });
  expect(ran.stdout).toContain(`The database ${database} is ready.`);
  expect(await server.query(database, tracked)).toMatchObject([{ n: '2' }]);
  const again = await isthmus(environment, 'prepare-database');
  expect(again.stdout).toBe(`The database ${database} is ready; there was nothing to do.\n`);
});

test('a login that may not is told who may', async () => {
  const { user, password } = await server.createLogin(database);
  const url = new URL(server.url(database));
  url.username = user;
  url.password = password;
  const { code, stderr } = await isthmus({ ISTHMUS_SQLSERVER_URL: url.href }, 'prepare-database');
  expect(code).toBe(3);
  expect(stderr).toContain('[sqlserver-permission]');
  expect(stderr).toContain('isthmus prepare-database --print');
  expect(stderr).not.toContain(password);
});

test('is refused for PostgreSQL, which needs no such thing', async () => {
  await writeFile(
    join(directory, 'config.json'),
    JSON.stringify({
      connector: {
        realmConfig: { server: 'http://127.0.0.1:1', user: { username: 'a', password: 'b' } },
        dbName: database,
        postgresConfig: {},
        realmRegex: '/music',
        schema: [],
      },
    }),
  );
  const { code, stderr } = await isthmus({}, 'prepare-database');
  expect(code).toBe(2);
  expect(stderr).toContain('is for SQL Server');
});
