/** Who waits for whom, who sees what, and who has to die. */
import { beforeEach, expect, test } from 'vitest';
import { SqlFailure } from './contract.ts';
import { type Client, type TestServer, testServer } from './engine-client.ts';

let server: TestServer;
let a: Client;
let b: Client;

beforeEach(async () => {
  server = await testServer();
  a = server.connect();
  b = server.connect();
  await a.run('CREATE TABLE t (id int PRIMARY KEY, v int); INSERT t VALUES (1, 10), (2, 20)');
});

/** Whether the promise is still open after everything that can run has run. */
async function waits(work: Promise<unknown>): Promise<boolean> {
  let settled = false;
  work.then(
    () => {
      settled = true;
    },
    () => {
      settled = true;
    },
  );
  await new Promise((resolve) => setImmediate(resolve));
  await new Promise((resolve) => setImmediate(resolve));
  return !settled;
}

async function numberOf(work: Promise<unknown>): Promise<number | undefined> {
  try {
    await work;
    return undefined;
  } catch (error) {
    if (error instanceof SqlFailure) return error.number;
    throw error;
  }
}

test('a reader waits for what is being written, and sees it once it is committed', async () => {
  await a.run('BEGIN TRAN; UPDATE t SET v = 11 WHERE id = 1');
  const read = b.value('SELECT v FROM t WHERE id = 1');
  expect(await waits(read)).toBe(true);
  expect(await b_other().value('SELECT v FROM t WHERE id = 2')).toBe(20);
  await a.run('COMMIT');
  expect(await read).toBe(11);
});

const b_other = () => server.connect();

test('NOLOCK sees what is not committed, READPAST leaves it out, and READ_COMMITTED_SNAPSHOT sees what was before', async () => {
  await a.run('BEGIN TRAN; UPDATE t SET v = 11 WHERE id = 1');
  expect(await b.value('SELECT v FROM t WITH (NOLOCK) WHERE id = 1')).toBe(11);
  expect(await b.rows('SELECT id FROM t WITH (READPAST)')).toEqual([{ id: 2 }]);
  await a.run('ROLLBACK');
  b.session.close();
  await a.run(
    'ALTER DATABASE test SET READ_COMMITTED_SNAPSHOT ON; BEGIN TRAN; UPDATE t SET v = 11 WHERE id = 1',
  );
  expect(await b_other().value('SELECT v FROM t WHERE id = 1')).toBe(10);
});

test('LOCK_TIMEOUT ends the waiting with 1222 and leaves the transaction open', async () => {
  await a.run('BEGIN TRAN; UPDATE t SET v = 11 WHERE id = 1');
  await b.run('SET LOCK_TIMEOUT 5; BEGIN TRAN');
  expect(await b.failure('SELECT v FROM t WHERE id = 1')).toBe(1222);
  expect(await b.value('SELECT @@TRANCOUNT')).toBe(1);
  await b.run('SET LOCK_TIMEOUT 0');
  expect(await b.failure('UPDATE t SET v = 12 WHERE id = 1')).toBe(1222);
});

test('who gives up waiting is let go at once', async () => {
  await a.run('BEGIN TRAN; UPDATE t SET v = 11 WHERE id = 1');
  const read = b.value('SELECT v FROM t WHERE id = 1');
  expect(await waits(read)).toBe(true);
  b.abort();
  await expect(read).rejects.toThrow();
});

test('of two that wait for each other one dies with 1205 and is rolled back, and the other goes on', async () => {
  await a.run('BEGIN TRAN; UPDATE t SET v = 11 WHERE id = 1');
  await b.run('BEGIN TRAN; UPDATE t SET v = 22 WHERE id = 2');
  const first = a.run('UPDATE t SET v = 12 WHERE id = 2');
  expect(await waits(first)).toBe(true);
  expect(await b.failure('UPDATE t SET v = 21 WHERE id = 1')).toBe(1205);
  await first;
  expect(b.session.transaction).toBeUndefined();
  await a.run('COMMIT');
  expect(await b.rows('SELECT id, v FROM t ORDER BY id')).toEqual([
    { id: 1, v: 11 },
    { id: 2, v: 12 },
  ]);
});

test('DEADLOCK_PRIORITY decides who dies', async () => {
  await a.run('SET DEADLOCK_PRIORITY LOW; BEGIN TRAN; UPDATE t SET v = 11 WHERE id = 1');
  await b.run('BEGIN TRAN; UPDATE t SET v = 22 WHERE id = 2');
  const first = numberOf(a.run('UPDATE t SET v = 12 WHERE id = 2'));
  await b.run('UPDATE t SET v = 21 WHERE id = 1');
  expect(await first).toBe(1205);
});

test('upserts with UPDLOCK and SERIALIZABLE never insert the same key twice', async () => {
  const upsert = `BEGIN TRAN; UPDATE t WITH (UPDLOCK, SERIALIZABLE) SET v = v + 1 WHERE id = 7;
IF @@ROWCOUNT = 0 INSERT t VALUES (7, 1); `;
  await a.run(upsert);
  const other = b.run(`${upsert} COMMIT`);
  expect(await waits(other)).toBe(true);
  await a.run('COMMIT');
  await other;
  expect(await a.value('SELECT v FROM t WHERE id = 7')).toBe(2);
});

test('a key that was looked for with HOLDLOCK and not found cannot be inserted by others', async () => {
  await a.run('BEGIN TRAN; SELECT * FROM t WITH (HOLDLOCK) WHERE id = 5');
  const insert = b.run('INSERT t VALUES (5, 5)');
  expect(await waits(insert)).toBe(true);
  expect(await numberOf(b_other().run('INSERT t VALUES (6, 6)'))).toBeUndefined();
  await a.run('COMMIT');
  await insert;
});

test('REPEATABLE READ keeps what was read as it is; SERIALIZABLE keeps out new rows', async () => {
  await a.run('SET TRANSACTION ISOLATION LEVEL REPEATABLE READ; BEGIN TRAN; SELECT * FROM t WHERE id = 1');
  expect(await b.run('INSERT t VALUES (3, 30)')).toBeDefined();
  const update = b.run('UPDATE t SET v = 0 WHERE id = 1');
  expect(await waits(update)).toBe(true);
  await a.run('COMMIT; SET TRANSACTION ISOLATION LEVEL SERIALIZABLE; BEGIN TRAN; SELECT COUNT(*) FROM t');
  await update;
  const insert = b.run('INSERT t VALUES (4, 40)');
  expect(await waits(insert)).toBe(true);
  await a.run('COMMIT');
  await insert;
});

test('two inserts of one key: the second waits and then fails with 2627, or succeeds when the first is rolled back', async () => {
  await a.run('BEGIN TRAN; INSERT t VALUES (9, 1)');
  const second = numberOf(b.run('INSERT t VALUES (9, 2)'));
  expect(await waits(second)).toBe(true);
  await a.run('COMMIT');
  expect(await second).toBe(2627);
  await a.run('BEGIN TRAN; INSERT t VALUES (8, 1)');
  const third = numberOf(b.run('INSERT t VALUES (8, 2)'));
  await a.run('ROLLBACK');
  expect(await third).toBeUndefined();
});

test('a parent cannot be deleted under a child that is just being inserted', async () => {
  await a.run(
    'CREATE TABLE child (id int PRIMARY KEY, t int REFERENCES t (id)); BEGIN TRAN; INSERT child VALUES (1, 1)',
  );
  const removal = numberOf(b.run('DELETE t WHERE id = 1'));
  expect(await waits(removal)).toBe(true);
  await a.run('COMMIT');
  expect(await removal).toBe(547);
});

test('SNAPSHOT is refused where it is not allowed (3952), and cannot be turned to within a transaction (3951)', async () => {
  await b.run('SET TRANSACTION ISOLATION LEVEL SNAPSHOT');
  expect(await b.failure('SELECT * FROM t')).toBe(3952);
  expect(await a.failure('BEGIN TRAN; SELECT * FROM t; SET TRANSACTION ISOLATION LEVEL SNAPSHOT')).toBe(3951);
});

test('SNAPSHOT sees one state and waits for nobody; what others changed since cannot be written (3960)', async () => {
  await a.run('ALTER DATABASE test SET ALLOW_SNAPSHOT_ISOLATION ON');
  await b.run('SET TRANSACTION ISOLATION LEVEL SNAPSHOT; BEGIN TRAN; SELECT * FROM t');
  await a.run('UPDATE t SET v = 11 WHERE id = 1; DELETE t WHERE id = 2; INSERT t VALUES (3, 30)');
  await a.run('BEGIN TRAN; UPDATE t SET v = 12 WHERE id = 1');
  expect(await b.rows('SELECT id, v FROM t ORDER BY id')).toEqual([
    { id: 1, v: 10 },
    { id: 2, v: 20 },
  ]);
  expect(await b.rows('SELECT v FROM t WHERE id = 2')).toEqual([{ v: 20 }]);
  await a.run('ROLLBACK');
  expect(await b.failure('UPDATE t SET v = 0 WHERE id = 1')).toBe(3960);
  expect(b.session.transaction).toBeUndefined();
});

test('SNAPSHOT cannot read a table that was redefined since (3961), nor redefine one (3964)', async () => {
  await a.run('ALTER DATABASE test SET ALLOW_SNAPSHOT_ISOLATION ON; CREATE TABLE u (id int)');
  await b.run('SET TRANSACTION ISOLATION LEVEL SNAPSHOT; BEGIN TRAN; SELECT * FROM u');
  await a.run('ALTER TABLE t ADD w int');
  expect(await b.failure('SELECT * FROM t')).toBe(3961);
  expect(await b.failure('BEGIN TRAN; ALTER TABLE t ADD x int')).toBe(3964);
});

test('definitions wait for those who write, and readers wait for definitions', async () => {
  await a.run('BEGIN TRAN; UPDATE t SET v = 0 WHERE id = 1');
  const altering = b.run('ALTER TABLE t ADD w int');
  expect(await waits(altering)).toBe(true);
  await a.run('COMMIT');
  await altering;
  await a.run('BEGIN TRAN; ALTER TABLE t ADD x int');
  const read = b.rows('SELECT * FROM t WHERE id = 2');
  expect(await waits(read)).toBe(true);
  await a.run('ROLLBACK');
  expect(await read).toEqual([{ id: 2, v: 20, w: null }]);
});

test('application locks exclude one another, for transactions and for sessions', async () => {
  const take = (owner: string, timeout = -1) =>
    `DECLARE @r int; EXEC @r = sp_getapplock @Resource = 'x', @LockMode = 'Exclusive', @LockOwner = '${owner}', @LockTimeout = ${timeout}; SELECT @r AS r`;
  expect(await a.value(`BEGIN TRAN; ${take('Transaction')}`)).toBe(0);
  expect(await b.value(take('Session', 0))).toBe(-1);
  expect(await b.value(`SELECT APPLOCK_TEST('public', 'x', 'Exclusive', 'Session')`)).toBe(0);
  const waiting = b.value(take('Session'));
  expect(await waits(waiting)).toBe(true);
  await a.run('COMMIT');
  expect(await waiting).toBe(1);
  await b.run('BEGIN TRAN; COMMIT');
  const again = a.value(`BEGIN TRAN; ${take('Transaction', 0)}`);
  expect(await again).toBe(-1);
  await b.run(`EXEC sp_releaseapplock @Resource = 'x', @LockOwner = 'Session'`);
  expect(await a.value(take('Transaction', 0))).toBe(0);
});

test('faults that are ordered come: a deadlock on the n-th statement that writes, conflicts of snapshots', async () => {
  server.faults.deadlockOn(2);
  await a.run('UPDATE t SET v = 1');
  expect(await a.failure('UPDATE t SET v = 2')).toBe(1205);
  await a.run('UPDATE t SET v = 3; ALTER DATABASE test SET ALLOW_SNAPSHOT_ISOLATION ON');
  await b.run('SET TRANSACTION ISOLATION LEVEL SNAPSHOT');
  server.faults.conflictOn(1);
  expect(await b.failure('UPDATE t SET v = 4')).toBe(3960);
  server.faults.conflictOnCommits(1);
  expect(await b.failure('BEGIN TRAN; UPDATE t SET v = 5; COMMIT')).toBe(3960);
  expect(await a.value('SELECT MAX(v) FROM t')).toBe(3);
});

test('a SNAPSHOT transaction that asks the catalog after a definition must do so as READ COMMITTED, and may go back', async () => {
  await a.run('ALTER DATABASE test SET ALLOW_SNAPSHOT_ISOLATION ON');
  const view = `SET TRANSACTION ISOLATION LEVEL SNAPSHOT; BEGIN TRAN; SELECT v FROM t WHERE id = 1`;
  await a.run(view);
  await b.run('UPDATE t SET v = 99; CREATE TABLE other (id int)');
  expect(await a.failure('SELECT COUNT(*) FROM sys.tables')).toBe(3961);
  expect(await a.value('SELECT @@TRANCOUNT')).toBe(0);
  await a.run(view);
  await b.run('UPDATE t SET v = 100; CREATE TABLE another (id int)');
  expect(
    await a.value('SET TRANSACTION ISOLATION LEVEL READ COMMITTED; SELECT COUNT(*) FROM sys.tables'),
  ).toBe(3);
  expect(await a.value('SELECT v FROM t WHERE id = 1')).toBe(100);
  expect(await a.value('SET TRANSACTION ISOLATION LEVEL SNAPSHOT; SELECT v FROM t WHERE id = 1')).toBe(99);
  await a.run('COMMIT');
});

test('what SET changes within sp_executesql ends with it', async () => {
  await a.run('ALTER DATABASE test SET ALLOW_SNAPSHOT_ISOLATION ON');
  await a.run('SET TRANSACTION ISOLATION LEVEL SNAPSHOT; BEGIN TRAN; SELECT v FROM t WHERE id = 1');
  await b.run('UPDATE t SET v = 99');
  const inner = 'SET TRANSACTION ISOLATION LEVEL READ COMMITTED; SELECT v FROM t WHERE id = 1';
  expect(await a.value(`EXEC sp_executesql N'${inner}'`)).toBe(99);
  expect(await a.value('SELECT v FROM t WHERE id = 1')).toBe(10);
  for await (const _ of a.session.execute(inner, [], new AbortController().signal, 'inner'));
  expect(await a.value('SELECT v FROM t WHERE id = 1')).toBe(10);
  await a.run('COMMIT');
});
