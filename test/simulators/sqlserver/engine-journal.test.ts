/** What was acknowledged is there again after the process was killed. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { appendFileSync, mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { type TestServer, TRACKED, testServer } from './engine-client.ts';

let directory: string;
const open: TestServer[] = [];

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'isthmus-engine-'));
});

afterEach(() => {
  for (const server of open.splice(0)) server.crash();
  rmSync(directory, { recursive: true, force: true });
});

async function start(): Promise<TestServer> {
  const server = await testServer(directory);
  open.push(server);
  return server;
}

/** Goes down without a farewell and comes up again. */
async function restart(): Promise<TestServer> {
  open.pop()?.crash();
  return start();
}

const EVERY_TYPE = `CREATE TABLE every (id int IDENTITY PRIMARY KEY, b bit, g bigint, d decimal(38,10), m money, f float, r real,
t time(7), dt datetime, d2 datetime2(7), o datetimeoffset(7), day date, s nvarchar(max), x varbinary(max), u uniqueidentifier, rv rowversion);
INSERT every (b, g, d, m, f, r, t, dt, d2, o, day, s, x, u) VALUES (1, 9223372036854775807, 12345678901234567890.0123456789, -922337203685477.5808,
1.7976931348623157E308, 1.5, '23:59:59.9999999', '1753-01-01', '9999-12-31T23:59:59.9999999', '2020-02-29T01:02:03.4567891+05:30', '0001-01-01',
N'naïve 🦀', 0x00FF, '6F9619FF-8B86-D011-B42D-00C04FC964FF'), (0, NULL, NULL, NULL, -0.0, NULL, NULL, NULL, NULL, NULL, NULL, N'', 0x, NULL)`;

test('rows of every type, identity counters and rowversions survive', async () => {
  const before = (await start()).connect();
  await before.run(EVERY_TYPE);
  const rows = await before.rows('SELECT * FROM every ORDER BY id');
  const after = (await restart()).connect();
  expect(await after.rows('SELECT * FROM every ORDER BY id')).toEqual(rows);
  await after.run(`INSERT every (s) VALUES (N'next')`);
  expect(await after.value('SELECT MAX(id) FROM every')).toBe(3);
  expect(await after.value('SELECT COUNT(DISTINCT rv) FROM every')).toBe(3);
});

test('change tracking goes on where it was, also after a second start', async () => {
  const server = await start();
  const db = server.connect();
  await db.run(TRACKED);
  await db.run(
    `WITH CHANGE_TRACKING_CONTEXT (0xAB) INSERT item (id, a, b) VALUES (1, 'x', 1), (2, 'y', 2); UPDATE item SET b = 5 WHERE id = 1; DELETE item WHERE id = 2; INSERT item (id) VALUES (3)`,
  );
  server.faults.cleanUpChangeTracking('test', 1);
  const ask =
    "SELECT ct.*, CHANGE_TRACKING_CURRENT_VERSION() AS now, CHANGE_TRACKING_MIN_VALID_VERSION(OBJECT_ID('item')) AS least FROM CHANGETABLE(CHANGES item, 1) AS ct ORDER BY ct.id";
  const changes = await db.rows(ask);
  expect(changes).toHaveLength(3);
  expect(await (await restart()).connect().rows(ask)).toEqual(changes);
  const again = (await restart()).connect();
  expect(await again.rows(ask)).toEqual(changes);
  await again.run('TRUNCATE TABLE item; INSERT item (id) VALUES (9)');
  const last = (await restart()).connect();
  expect(
    await last.rows('SELECT ct.id, ct.SYS_CHANGE_VERSION AS v FROM CHANGETABLE(CHANGES item, 0) AS ct'),
  ).toEqual([{ id: 9, v: 5 }]);
  expect(await last.value(`SELECT CHANGE_TRACKING_MIN_VALID_VERSION(OBJECT_ID('item'))`)).toBe(4);
});

test('definitions, principals and permissions survive; what was not committed does not', async () => {
  const db = (await start()).connect();
  await db.run('CREATE SCHEMA own');
  await db.run(`CREATE TABLE own.p (id int CONSTRAINT pk PRIMARY KEY, a int CONSTRAINT df DEFAULT 7, twice AS (a * 2), CONSTRAINT ck CHECK (a < 100));
CREATE TABLE own.c (id int PRIMARY KEY, p int CONSTRAINT fk REFERENCES own.p (id) ON DELETE CASCADE, q int); CREATE UNIQUE INDEX ux ON own.c (q) WHERE q IS NOT NULL;
INSERT own.p (id) VALUES (1), (2); INSERT own.c VALUES (1, 1, NULL), (2, 2, NULL), (3, 2, 3);
CREATE LOGIN foo WITH PASSWORD = 'Secret_1'; CREATE USER foo; GRANT SELECT ON own.p TO foo; ALTER DATABASE test SET ALLOW_SNAPSHOT_ISOLATION ON;
ALTER TABLE own.p ADD late int NOT NULL DEFAULT 3; EXEC sp_rename 'own.c', 'child'; DROP TABLE IF EXISTS own.nothing; BEGIN TRAN; INSERT own.p (id) VALUES (3); CREATE TABLE never (id int)`);
  const server = await restart();
  const after = server.connect();
  expect(await after.rows('SELECT id, a, twice, late FROM own.p ORDER BY id')).toEqual([
    { id: 1, a: 7, twice: 14, late: 3 },
    { id: 2, a: 7, twice: 14, late: 3 },
  ]);
  expect(await after.failure('INSERT own.child VALUES (4, 9, NULL)')).toBe(547);
  expect(await after.failure('INSERT own.child VALUES (4, 1, 3)')).toBe(2601);
  expect(await after.failure('INSERT own.p (id, a) VALUES (5, 100)')).toBe(547);
  await after.run('DELETE own.p WHERE id = 2');
  expect(await after.rows('SELECT id FROM own.child')).toEqual([{ id: 1 }]);
  const foo = server.connect('foo');
  expect([
    await foo.value('SELECT COUNT(*) FROM own.p'),
    await foo.failure('SELECT * FROM own.child'),
  ]).toEqual([1, 229]);
  expect(await after.failure('SELECT * FROM never')).toBe(208);
  expect(await after.value(`SELECT snapshot_isolation_state FROM sys.databases WHERE name = 'test'`)).toBe(1);
});

test('a line that was cut off is no commit', async () => {
  const db = (await start()).connect();
  await db.run('CREATE TABLE t (id int PRIMARY KEY); INSERT t VALUES (1)');
  open.pop()?.crash();
  const file = join(directory, 'journal.jsonl');
  appendFileSync(file, '[{"k":"commit","commit":99,"time":0,"vers');
  const size = statSync(file).size;
  const after = (await start()).connect();
  expect(await after.value('SELECT COUNT(*) FROM t')).toBe(1);
  expect(statSync(file).size).toBeLessThan(size);
});

test('a process that is killed in the middle of its work has lost nothing that it acknowledged', async () => {
  const program = fileURLToPath(new URL('./engine-writer.ts', import.meta.url));
  const child: ChildProcess = spawn(process.execPath, [program, directory], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let acknowledged = 0;
  for await (const line of createInterface({ input: child.stdout! })) {
    acknowledged = Number(line);
    if (acknowledged === 40) child.kill('SIGKILL');
  }
  if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
  expect(child.signalCode).toBe('SIGKILL');
  const db = (await start()).connect();
  const [row] = await db.rows(
    'SELECT COUNT(*) AS n, MAX(id) AS last, CHANGE_TRACKING_CURRENT_VERSION() AS version FROM item',
  );
  expect(row!.n).toBeGreaterThanOrEqual(acknowledged);
  expect([row!.last, row!.version]).toEqual([row!.n, row!.n]);
});
