import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { EmbeddedPostgresError } from '../../src/embedded/embedded-postgres-error.ts';
import { type EmbeddedPostgres, startEmbeddedPostgres } from '../../src/embedded/postgres.ts';

let directory: string;
const started: EmbeddedPostgres[] = [];

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'isthmus-embedded-'));
});

afterEach(async () => {
  for (const server of started.splice(0)) await server.stop();
  await rm(directory, { recursive: true, force: true });
});

async function start(options: { directory?: string; user?: string; password?: string } = {}) {
  const server = await startEmbeddedPostgres({ directory, ...options });
  started.push(server);
  return server;
}

async function query(connectionString: string, sql: string): Promise<readonly Record<string, unknown>[]> {
  const client = new pg.Client({ connectionString });
  client.on('error', () => {});
  await client.connect();
  try {
    return (await client.query<Record<string, unknown>>(sql)).rows;
  } finally {
    await client.end();
  }
}

test('a directory keeps its data across an orderly stop and a kill -9', async () => {
  let server = await start();
  await query(server.connectionString, 'CREATE TABLE t (a int); INSERT INTO t VALUES (1)');
  await server.stop();
  server = await start();
  await query(server.connectionString, 'INSERT INTO t VALUES (2)');
  await server.kill();
  server = await start();
  expect(await query(server.connectionString, 'SELECT a FROM t ORDER BY a')).toEqual([{ a: 1 }, { a: 2 }]);
});

test('the server decodes logically, syncs to disk and stores passwords as scram', async () => {
  const server = await start();
  const [settings] = await query(
    server.connectionString,
    `SELECT current_setting('wal_level') AS wal, current_setting('fsync') AS fsync,
       current_setting('unix_socket_directories') AS sockets,
       (SELECT left(rolpassword, 14) FROM pg_authid WHERE rolname = current_user) AS password`,
  );
  expect(settings).toEqual({ wal: 'logical', fsync: 'on', sockets: '', password: 'SCRAM-SHA-256$' });
});

test('a wrong password is refused', async () => {
  const server = await start({ user: 'owner', password: 'a b@c:d' });
  expect(await query(server.connectionString, 'SELECT current_user::text AS u')).toEqual([{ u: 'owner' }]);
  const wrong = `postgres://owner:wrong@${server.host}:${server.port}/postgres`;
  await expect(query(wrong, 'SELECT 1')).rejects.toThrow(/password authentication failed/);
});

test('a directory in use is refused, and its server goes on', async () => {
  const server = await start();
  await expect(startEmbeddedPostgres({ directory })).rejects.toThrow(EmbeddedPostgresError);
  expect(await query(server.connectionString, 'SELECT 1 AS one')).toEqual([{ one: 1 }]);
});

test('another password than the stored one is named as the fault', async () => {
  await (await start({ password: 'first' })).stop();
  await expect(startEmbeddedPostgres({ directory, password: 'second' })).rejects.toThrow(/credentials\.json/);
});

test('a server whose starter was killed is taken over with its data', async () => {
  const script = join(directory, 'starter.ts');
  const module = join(import.meta.dirname, '../../src/embedded/postgres.ts');
  await writeFile(
    script,
    `import { startEmbeddedPostgres } from ${JSON.stringify(module)};
     await startEmbeddedPostgres({ directory: ${JSON.stringify(directory)} });
     process.kill(process.pid, 'SIGKILL');`,
  );
  spawnSync(process.execPath, [script]);
  expect(existsSync(join(directory, 'data', 'postmaster.pid'))).toBe(true);
  const server = await start();
  expect(await query(server.connectionString, 'SELECT 1 AS one')).toEqual([{ one: 1 }]);
});

test.runIf(process.getuid?.() === 0)(
  'root may keep the data below a directory closed to others',
  async () => {
    const closed = join(directory, 'closed');
    await mkdir(closed, { mode: 0o700 });
    const server = await start({ directory: join(closed, 'database') });
    expect(await query(server.connectionString, 'SELECT 1 AS one')).toEqual([{ one: 1 }]);
  },
);
