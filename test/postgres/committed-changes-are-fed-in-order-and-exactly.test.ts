import pg from 'pg';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { PostgresFeedLostError } from '../../connectors/postgres/errors.ts';
import type { PostgresDialect } from '../../connectors/postgres/postgres-dialect.ts';
import type { Position } from '../../src/connector/dialect.ts';
import { embedded, startTestPostgres, type TestPostgres } from '../support/postgres.ts';
import { dialectFor, FeedReader, tablesOf } from './feed-harness.ts';

let server: TestPostgres;
let database: string;
let dialect: PostgresDialect;
const readers: FeedReader[] = [];

beforeAll(async () => {
  server = await startTestPostgres({ wal_sender_timeout: '3s' });
});

afterAll(async () => {
  await server.stop();
});

beforeEach(async () => {
  database = await server.createDatabase();
  dialect = dialectFor(server, database);
  await dialect.prepare({ createDatabase: false });
});

afterEach(async () => {
  for (const reader of readers.splice(0)) await reader.close();
  await dialect.dropFeed();
  await dialect.close();
});

const sql = (text: string) => server.query(database, text);

async function follow(ddl: string, ...tables: string[]): Promise<FeedReader> {
  await sql(ddl);
  const { snapshot } = await dialect.prepareFeed(await tablesOf(dialect, ...tables), { reset: false });
  await snapshot?.close();
  return open();
}

async function open(after?: Position): Promise<FeedReader> {
  const reader = await FeedReader.open(dialect, after);
  readers.push(reader);
  return reader;
}

async function closed(reader: FeedReader): Promise<void> {
  await reader.close();
  readers.splice(readers.indexOf(reader), 1);
}

test('inserts, updates, deletions and truncations come transaction by transaction', async () => {
  const reader = await follow('CREATE TABLE t (id int PRIMARY KEY, a text, "B c" bool)', 't');
  await sql(
    `BEGIN; INSERT INTO t VALUES (1, 'x', true), (2, NULL, false); UPDATE t SET a = 'ä€😀' WHERE id = 2; COMMIT`,
  );
  await sql('UPDATE t SET id = 3 WHERE id = 1');
  await sql('DELETE FROM t WHERE id = 2');
  await sql('TRUNCATE t');
  expect(await reader.transactions(4)).toEqual([
    ['insert t 1|x|t', 'insert t 2|∅|f', 'update t 2|ä€😀|f'],
    ['update t 3|x|t (was 1|~|~)'],
    ['delete t 2|~|~'],
    ['truncate t'],
  ]);
});

test('what was rolled back, and what other tables see, is not delivered', async () => {
  const reader = await follow('CREATE TABLE t (id int PRIMARY KEY); CREATE TABLE other (id int)', 't');
  await sql('BEGIN; INSERT INTO t VALUES (1); ROLLBACK');
  await sql('INSERT INTO other VALUES (1)');
  await sql('BEGIN; INSERT INTO t VALUES (2); SAVEPOINT s; INSERT INTO t VALUES (3); ROLLBACK TO s; COMMIT');
  const transactions = await reader.transactions(1);
  expect(transactions.filter((lines) => lines.length > 0)).toEqual([['insert t 2']]);
});

test('a large value that did not change is told apart from NULL', async () => {
  const reader = await follow('CREATE TABLE t (id int PRIMARY KEY, big text, n int, gone text)', 't');
  await sql(
    `ALTER TABLE t ALTER big SET STORAGE EXTERNAL; INSERT INTO t VALUES (1, repeat('x', 9000), 1, NULL)`,
  );
  await sql('UPDATE t SET n = 2');
  await sql('UPDATE t SET id = 7');
  expect((await reader.transactions(3)).slice(1)).toEqual([
    ['update t 1|~|2|∅'],
    ['update t 7|~|2|∅ (was 1|~|~|~)'],
  ]);
});

test('with REPLICA IDENTITY FULL the old row is whole and fills unchanged large values', async () => {
  const reader = await follow('CREATE TABLE t (id int PRIMARY KEY, big text, n int)', 't');
  await sql(`ALTER TABLE t ALTER big SET STORAGE EXTERNAL; ALTER TABLE t REPLICA IDENTITY FULL;
    INSERT INTO t VALUES (1, repeat('x', 9000), NULL)`);
  await sql('UPDATE t SET n = 2');
  await sql('DELETE FROM t');
  expect((await reader.transactions(3)).slice(1)).toEqual([
    ['update t 1|9000×|2 (was 1|9000×|∅)'],
    ['delete t 1|9000×|2'],
  ]);
});

test('a column added while streaming shows from the next change on', async () => {
  const reader = await follow('CREATE TABLE t (id int PRIMARY KEY, a int)', 't');
  await sql('INSERT INTO t VALUES (1, 1)');
  await sql('ALTER TABLE t ADD b text; ALTER TABLE t DROP a');
  await sql(`INSERT INTO t VALUES (2, 'new')`);
  const lines = (await reader.transactions(2)).flat();
  await reader.until(() => reader.events.filter(({ kind }) => kind === 'change').length >= 2);
  expect(lines[0]).toBe('insert t 1|1');
  const last = reader.events.findLast((event) => event.kind === 'change');
  expect(last).toMatchObject({ change: { table: { columns: ['id', 'b'] }, row: ['2', 'new'] } });
});

test('our own transactions are marked before their first change, those of others are not', async () => {
  const reader = await follow('CREATE TABLE t (id int PRIMARY KEY, a int)', 't');
  const [table] = await tablesOf(dialect, 't');
  const statement = { kind: 'upsert', table: table!, keyColumns: ['id'], columns: ['a'] } as const;
  const writer = await dialect.openWriter();
  await writer.apply([{ ...statement, rows: [['1', '10']] }], [{ realmPath: '/r', sequence: 5 }]);
  await writer.close();
  const stranger = dialectFor(server, database, { adapterName: 'stranger' });
  const theirs = await stranger.openWriter();
  await theirs.apply([{ ...statement, rows: [['1', '11']] }], [{ realmPath: '/r', sequence: 9 }]);
  await theirs.close();
  await stranger.close();
  expect(await reader.transactions(2)).toEqual([['own /r 5', 'insert t 1|10'], ['update t 1|11']]);
});

test('two transactions that commit back to back survive a restart between them', async () => {
  let reader = await follow('CREATE TABLE t (id int PRIMARY KEY)', 't');
  const [a, b] = [new pg.Client(server.url(database)), new pg.Client(server.url(database))];
  await Promise.all([a.connect(), b.connect()]);
  for (const [client, id] of [
    [a, 1],
    [b, 2],
  ] as const) {
    await client.query('SET synchronous_commit TO off');
    await client.query('BEGIN');
    await client.query(`INSERT INTO t VALUES (${id})`);
  }
  await a.query('COMMIT');
  await b.query('COMMIT');
  await Promise.all([a.end(), b.end()]);
  await sql('INSERT INTO t VALUES (3)'); // commits synchronously and so flushes the two before it
  await reader.transactions(3);
  const [first] = reader.commits();
  reader.feed.confirm(first!);
  await closed(reader);
  const status = await dialect.slotStatus();
  expect(status).toMatchObject({ state: 'ok', confirmed: first });
  reader = await open(first);
  expect(await reader.transactions(2)).toEqual([['insert t 2'], ['insert t 3']]);
});

test('what was delivered but not confirmed comes again, what the caller holds does not', async () => {
  let reader = await follow('CREATE TABLE t (id int PRIMARY KEY)', 't');
  for (const id of [1, 2, 3]) await sql(`INSERT INTO t VALUES (${id})`);
  await reader.transactions(3);
  const [, second] = reader.commits();
  await closed(reader);
  reader = await open();
  expect(await reader.transactions(3)).toHaveLength(3);
  await closed(reader);
  reader = await open(second);
  expect(await reader.transactions(1)).toEqual([['insert t 3']]);
});

test('a quiet feed reports how far everything is delivered, and a confirmation of that moves the slot', async () => {
  const reader = await follow('CREATE TABLE t (id int PRIMARY KEY); CREATE TABLE other (id int)', 't');
  await sql('INSERT INTO other SELECT generate_series(1, 1000)');
  const target = (await sql('SELECT pg_current_wal_lsn() AS lsn'))[0]?.lsn as Position;
  const reached = () =>
    reader.events.findLast(
      (event) => event.kind === 'idle' && dialect.comparePositions(event.position, target) >= 0,
    );
  await reader.until(() => reached() !== undefined);
  const idle = reached();
  if (idle?.kind !== 'idle') throw new Error('unreachable');
  reader.feed.confirm(idle.position);
  await closed(reader);
  expect(await dialect.slotStatus()).toMatchObject({ confirmed: idle.position });
});

test('a consumer slower than wal_sender_timeout keeps its connection', async () => {
  await sql('CREATE TABLE t (id int PRIMARY KEY, a text)');
  const { snapshot } = await dialect.prepareFeed(await tablesOf(dialect, 't'), { reset: false });
  await snapshot?.close();
  await sql(`INSERT INTO t SELECT n, repeat('x', 500) FROM generate_series(1, 20000) n`);
  const abort = new AbortController();
  const feed = await dialect.openFeed(undefined, abort.signal);
  let changes = 0;
  let waited = false;
  for await (const events of feed.events) {
    changes += events.filter(({ kind }) => kind === 'change').length;
    if (!waited) {
      waited = true;
      await new Promise((resolve) => setTimeout(resolve, 5000));
    }
    if (events.some(({ kind }) => kind === 'commit') && changes === 20000) break;
  }
  await feed.close();
  expect(changes).toBe(20000);
});

test('the end of a connection is passing, the loss of the slot is not', async () => {
  const reader = await follow('CREATE TABLE t (id int PRIMARY KEY)', 't');
  await sql(
    `SELECT pg_terminate_backend(active_pid) FROM pg_replication_slots WHERE slot_name = '${dialect.feedName}'`,
  );
  const error = await reader.done;
  expect(dialect.isTransient(error)).toBe(true);
  await closed(reader);
  await dialect.dropFeed();
  await expect(FeedReader.open(dialect)).rejects.toThrow(PostgresFeedLostError);
  await expect(FeedReader.open(dialect)).rejects.toThrow(/isthmus load/);
});

test('a second reader waits for the slot until the first has gone', async () => {
  const reader = await follow('CREATE TABLE t (id int PRIMARY KEY)', 't');
  const second = open();
  await new Promise((resolve) => setTimeout(resolve, 300));
  await closed(reader);
  await sql('INSERT INTO t VALUES (1)');
  expect(await (await second).transactions(1)).toEqual([['insert t 1']]);
});

test.runIf(embedded)('after a kill -9 of the server nothing is missing', async () => {
  let reader = await follow('CREATE TABLE t (id int PRIMARY KEY)', 't');
  await sql('INSERT INTO t VALUES (1)');
  await reader.transactions(1);
  const [first] = reader.commits();
  reader.feed.confirm(first!);
  await sql('INSERT INTO t VALUES (2)');
  await server.crashAndRestart();
  expect(dialect.isTransient(await reader.done)).toBe(true);
  await closed(reader);
  await sql('INSERT INTO t VALUES (3)');
  reader = await open(first);
  expect(await reader.transactions(2)).toEqual([['insert t 2'], ['insert t 3']]);
});
