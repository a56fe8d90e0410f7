import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { feedName } from '../../connectors/postgres/feed/feed-name.ts';
import type { PostgresDialect } from '../../connectors/postgres/postgres-dialect.ts';
import { type SnapshotReader, tableId } from '../../src/connector/dialect.ts';
import { embedded, startTestPostgres, type TestPostgres } from '../support/postgres.ts';
import { dialectFor, FeedReader, tablesOf } from './feed-harness.ts';

let server: TestPostgres;
let database: string;
let dialect: PostgresDialect;

beforeAll(async () => {
  server = await startTestPostgres({
    max_slot_wal_keep_size: '1MB',
    min_wal_size: '32MB',
    max_wal_size: '32MB',
  });
});
afterAll(() => server.stop());

beforeEach(async () => {
  database = await server.createDatabase();
  await sql('CREATE TABLE item (id int PRIMARY KEY, name text, big text)');
  dialect = dialectFor(server, database);
  await dialect.prepare({ createDatabase: false });
});
afterEach(async () => {
  await dialect.dropFeed();
  await dialect.close();
});

const sql = (text: string) => server.query(database, text);

async function rowsOf(snapshot: SnapshotReader, ...columns: string[]): Promise<unknown[]> {
  const [table] = await tablesOf(dialect, 'item');
  const rows: unknown[] = [];
  for await (const batch of snapshot.rows(table!, columns, undefined)) rows.push(...batch);
  return rows;
}

async function prepareFeed(
  reset = false,
): Promise<{ created: boolean; snapshot: SnapshotReader | undefined }> {
  return dialect.prepareFeed(await tablesOf(dialect, 'item'), { reset });
}

test('every row is in the snapshot or in the feed, none in both', async () => {
  let next = 0;
  let writing = true;
  const writer = (async () => {
    for (; writing; next += 1) await sql(`INSERT INTO item VALUES (${next}, 'x')`);
  })();
  const { created, snapshot } = await prepareFeed();
  expect(created).toBe(true);
  const seen = (await rowsOf(snapshot!, 'id')).flat();
  writing = false;
  await writer;
  const feed = await FeedReader.open(dialect);
  const fed = (await feed.transactions(next - seen.length)).flat();
  for (const event of feed.events) {
    if (event.kind !== 'begin') continue;
    expect(snapshot!.includes(event.transaction)).toBe(false);
    expect(dialect.snapshotIncludes(snapshot!.visibility, event.transaction)).toBe(false);
  }
  await Promise.all([feed.close(), snapshot!.close()]);
  const all = [...seen.map((id) => `insert item ${id}|x|∅`), ...fed];
  expect(all).toEqual(Array.from({ length: next }, (_, id) => `insert item ${id}|x|∅`));
});

test('a feed that exists is kept, with what was not confirmed; reset makes it anew', async () => {
  await (await prepareFeed()).snapshot?.close();
  await sql("INSERT INTO item VALUES (1, 'a')");
  expect(await prepareFeed()).toEqual({ created: false, snapshot: undefined });
  const feed = await FeedReader.open(dialect);
  expect(await feed.transactions(1)).toEqual([['insert item 1|a|∅']]);
  await feed.close();
  const again = await prepareFeed(true);
  expect(again.created).toBe(true);
  expect(await rowsOf(again.snapshot!, 'id', 'name')).toEqual([['1', 'a']]);
  await again.snapshot?.close();
});

test('a snapshot of later tells what of the feed it shows already', async () => {
  await (await prepareFeed()).snapshot?.close();
  await sql("INSERT INTO item VALUES (1, 'a')");
  const snapshot = await dialect.openSnapshot();
  await sql("INSERT INTO item VALUES (2, 'b')");
  const feed = await FeedReader.open(dialect);
  await feed.transactions(2);
  await feed.close();
  const shown = feed.events.flatMap((event) =>
    event.kind === 'begin' ? [dialect.snapshotIncludes(snapshot.visibility, event.transaction)] : [],
  );
  expect(shown).toEqual([true, false]);
  expect(await rowsOf(snapshot, 'id')).toEqual([['1']]);
  await snapshot.close();
});

test('a table added to the feed is followed from then on', async () => {
  await (await prepareFeed()).snapshot?.close();
  const feed = await FeedReader.open(dialect);
  await sql('CREATE TABLE late (id int PRIMARY KEY); INSERT INTO late VALUES (1)');
  await dialect.prepareFeed(await tablesOf(dialect, 'item', 'late'), { reset: false });
  await sql('INSERT INTO late VALUES (2); INSERT INTO item VALUES (1)');
  await feed.until(() => feed.events.filter((event) => event.kind === 'change').length === 2);
  const changes = feed.events.flatMap((event) =>
    event.kind === 'change' && event.change.kind === 'insert' ? [tableId(event.change.table.table)] : [],
  );
  expect(changes).toEqual(['public.late', 'public.item']);
  await feed.close();
});

test('rows are fetched by their keys, and known by the keys asked for although the table pads them', async () => {
  await sql(`CREATE TABLE padded (code char(6) PRIMARY KEY, note text); INSERT INTO padded VALUES ('ab', 'x'), ('cd', NULL);
    CREATE TABLE pair (a int, b text, note text, PRIMARY KEY (a, b)); INSERT INTO pair VALUES (1, 'x', 'n'), (2, 'x', 'm')`);
  const [padded, pair] = await tablesOf(dialect, 'padded', 'pair');
  expect(await dialect.fetchRows(padded!, ['code', 'note'], [['cd'], ['zz'], ['ab']])).toEqual(
    expect.arrayContaining([
      ['ab', 'x'],
      ['cd', null],
    ]),
  );
  expect(await dialect.fetchRows(padded!, ['code'], [['ab'], ['zz']])).toEqual([['ab']]);
  expect(await dialect.fetchRows(pair!, ['b', 'a', 'note'], [['x', '2']])).toEqual([['x', '2', 'm']]);
  expect(await dialect.fetchRows(pair!, ['note'], [])).toEqual([]);
});

test('a slot that somebody else made anew or moved on is not taken for the one followed so far', async () => {
  await (await prepareFeed()).snapshot?.close();
  await sql("INSERT INTO item VALUES (1, 'a')");
  const feed = await FeedReader.open(dialect);
  await feed.transactions(1);
  const [known] = feed.commits();
  await feed.close();
  await sql("INSERT INTO item VALUES (2, 'b')");
  await sql(`SELECT pg_drop_replication_slot('${dialect.feedName}')`);
  await sql(`SELECT pg_create_logical_replication_slot('${dialect.feedName}', 'pgoutput')`);
  const failure: unknown = await FeedReader.open(dialect, known).catch((error: unknown) => error);
  expect(failure).toMatchObject({ code: 'postgres-feed-lost' });
  expect(String(failure)).toContain('resetPostgresReplicationSlot');
});

test.runIf(embedded)(
  'a slot that the server gave up stops the feed with the way out, and is made anew',
  async () => {
    await (await prepareFeed()).snapshot?.close();
    for (let round = 0; round < 6; round += 1) {
      await sql(
        'SELECT pg_logical_emit_message(false, $$x$$, repeat($$y$$, 9000000)); SELECT pg_switch_wal(); CHECKPOINT',
      );
    }
    expect(await dialect.slotStatus()).toMatchObject({ state: 'lost' });
    const failure: unknown = await FeedReader.open(dialect).catch((error: unknown) => error);
    expect(failure).toMatchObject({ code: 'postgres-feed-lost' });
    expect(String(failure)).toContain('isthmus load');
    expect(dialect.isTransient(failure)).toBe(false);
    const { created, snapshot } = await prepareFeed();
    expect(created).toBe(true);
    await snapshot?.close();
    await sql("INSERT INTO item VALUES (1, 'a')");
    const feed = await FeedReader.open(dialect);
    expect(await feed.transactions(1)).toEqual([['insert item 1|a|∅']]);
    await feed.close();
  },
);

test('slots of different adapters have different names that PostgreSQL takes', () => {
  const names = [
    'isthmus_shop',
    'Shop',
    'shop',
    'my-shop',
    'my_shop',
    'ä',
    'ö',
    'x'.repeat(70),
    `${'x'.repeat(70)}y`,
  ].map(feedName);
  expect(new Set(names.slice(1)).size).toBe(names.length - 1);
  for (const name of names) expect(name).toMatch(/^isthmus_[a-z0-9_]{1,55}$/);
  expect(feedName('isthmus_shop')).toBe('isthmus_shop');
});
