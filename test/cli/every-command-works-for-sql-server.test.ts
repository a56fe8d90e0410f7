/** load, adapter, verify, doctor and deadletter with a configuration of SQL Server, as its users run them. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { silentLogger } from '../../src/log.ts';
import type { RunningServer } from '../../src/server/server-options.ts';
import { startServer } from '../../src/server/start-server.ts';
import { startTestSqlServer, type TestSqlServer } from '../support/sqlserver.ts';

const ROOT = join(import.meta.dirname, '../..');

let sql: TestSqlServer;
let database: string;
let directory: string;
let objects: RunningServer;
const running = new Set<ChildProcess>();

beforeAll(async () => {
  sql = await startTestSqlServer();
  database = await sql.createDatabase();
  await sql.script(
    database,
    `CREATE TABLE Song (id int PRIMARY KEY, title nvarchar(20) NOT NULL);
INSERT INTO Song (id, title) VALUES (1, N'So What'), (2, N'Blue in Green');`,
  );
  directory = await mkdtemp(join(tmpdir(), 'isthmus-sqlserver-cli-'));
  objects = await startServer({
    dataDirectory: join(directory, 'server'),
    port: 0,
    adminUser: 'admin',
    adminPassword: 'admin-password',
    logger: silentLogger,
  });
  await writeFile(
    join(directory, 'config.json'),
    JSON.stringify({
      database_name: database,
      database_schema: 'dbo',
      realm_object_server_url: objects.url,
      admin_username: 'admin',
      admin_password: 'admin-password',
      target_realm_path: '/music',
      sqlserver_config: { options: { encrypt: false } },
      connector: {
        adapterName: 'music',
        localPath: './adapter',
        changePollInterval: 20,
        schema: [{ name: 'Song', primaryKey: 'id', properties: { id: 'int', title: 'string' } }],
      },
    }),
  );
});

afterAll(async () => {
  for (const child of running) child.kill('SIGKILL');
  await objects?.close();
  await sql?.stop();
  await rm(directory, { recursive: true, force: true });
});

function begin(...args: string[]) {
  const child = spawn(process.execPath, [join(ROOT, 'bin/isthmus.js'), ...args], {
    cwd: directory,
    env: { ...process.env, ISTHMUS_SQLSERVER_URL: sql.url(database) },
  });
  running.add(child);
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => {
      output += text;
    });
  }
  const ended = once(child, 'close').then(([code]: unknown[]) => {
    running.delete(child);
    return { code, output };
  });
  return { child, ended, output: () => output };
}

const isthmus = (...args: string[]) => begin(...args).ended;

test('from preparing to verifying, with the config.js of the reference as JSON', async () => {
  expect(await isthmus('prepare-database')).toMatchObject({ code: 0 });
  const loaded = await isthmus('load');
  expect(loaded).toMatchObject({ code: 0 });

  const adapter = begin('adapter');
  await expect.poll(adapter.output, { timeout: 60_000, interval: 50 }).toContain('The adapter runs');
  await sql.query(database, "UPDATE Song SET title = N'Freddie Freeloader' WHERE id = 2");
  const verified = await isthmus('verify', '--json', '--settle', '1');
  expect(verified).toMatchObject({ code: 0 });

  const letters = await isthmus('deadletter', 'list');
  expect(letters).toEqual({ code: 0, output: 'No dead letter waits.\n' });
  const doctor = await isthmus('doctor', '--json');
  const findings = doctor.output
    .trim()
    .split('\n')
    .map((line): unknown => JSON.parse(line));
  expect(
    findings.filter(
      (found) => JSON.stringify(found).includes('"error"') && !JSON.stringify(found).includes('summary'),
    ),
  ).toEqual([]);
  expect(findings).toContainEqual(
    expect.objectContaining({ check: 'sqlserver/change-tracking', level: 'ok' }),
  );
  expect(doctor.code).toBe(0);

  adapter.child.kill('SIGTERM');
  expect(await adapter.ended).toMatchObject({ code: 0 });
}, 180_000);
