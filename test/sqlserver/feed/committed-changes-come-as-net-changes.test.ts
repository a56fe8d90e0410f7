import { afterAll, afterEach, beforeAll, expect, it } from 'vitest';
import type { ApplyStatement } from '../../../src/connector/dialect.ts';
import { startTestSqlServer, type TestSqlServer } from '../../support/sqlserver.ts';
import { type BenchOptions, FeedBench } from './feed-bench.ts';

const SCRIPT = `
CREATE TABLE dbo.Artist (ArtistId int NOT NULL PRIMARY KEY, Name nvarchar(50) NULL);
CREATE TABLE dbo.Album (AlbumId int NOT NULL PRIMARY KEY, Title nvarchar(50) NULL,
  ArtistId int NULL REFERENCES dbo.Artist (ArtistId));
GO
`;

let server: TestSqlServer;
let bench: FeedBench;
beforeAll(async () => {
  server = await startTestSqlServer();
});
afterEach(() => bench.close());
afterAll(() => server.stop());

async function make(options: BenchOptions = {}): Promise<FeedBench> {
  bench = await FeedBench.make(server, SCRIPT, options);
  return bench;
}

it('delivers what was committed together together, in the order of commits', async () => {
  const reading = await (await make()).follow('Artist', 'Album');
  await bench.transaction(
    "INSERT dbo.Artist VALUES (1, N'AC/DC'), (2, N'Accept')",
    "INSERT dbo.Album VALUES (10, N'Highway', 1)",
  );
  await reading.line('insert Album 10|Highway|1');
  await bench.sql("UPDATE dbo.Artist SET Name = N'Accept!' WHERE ArtistId = 2");
  await bench.sql('DELETE dbo.Album WHERE AlbumId = 10');
  expect(await reading.line('delete Album 10|~|~')).toEqual([
    ['insert Artist 1|AC/DC', 'insert Artist 2|Accept', 'insert Album 10|Highway|1'],
    ['update Artist 2|Accept!'],
    ['delete Album 10|~|~'],
  ]);
});

/** What was committed while nobody read comes with one poll. */
async function whileNobodyReads(work: () => Promise<void>, options: BenchOptions = {}): Promise<string[][]> {
  await make(options);
  await bench.sql("INSERT dbo.Artist VALUES (1, N'one'), (2, N'two'), (3, N'three')");
  const before = await bench.follow('Artist', 'Album');
  await before.close();
  await work();
  await bench.sql("INSERT dbo.Artist VALUES (99, N'last')");
  const reading = await bench.open(before.known);
  const all = await reading.line('insert Artist 99|last');
  return all.slice(0, -1);
}

it('shows a row once, as it is now, however often it was changed', async () => {
  const seen = await whileNobodyReads(async () => {
    await bench.sql("UPDATE dbo.Artist SET Name = N'a' WHERE ArtistId = 1");
    await bench.sql("UPDATE dbo.Artist SET Name = N'b' WHERE ArtistId = 1");
    await bench.sql("INSERT dbo.Artist VALUES (4, N'four')");
    await bench.sql("UPDATE dbo.Artist SET Name = N'vier' WHERE ArtistId = 4");
    await bench.sql('DELETE dbo.Artist WHERE ArtistId = 2');
  });
  expect(seen).toEqual([['update Artist 1|b'], ['insert Artist 4|vier'], ['delete Artist 2|~']]);
});

it('shows rows that came and went as deletions, which is nothing to those who never saw them', async () => {
  const seen = await whileNobodyReads(async () => {
    await bench.sql("INSERT dbo.Artist VALUES (5, N'five')");
    await bench.sql('DELETE dbo.Artist WHERE ArtistId = 5');
  });
  expect(seen).toEqual([['delete Artist 5|~']]);
});

it('shows a changed key as a deletion and a row, together', async () => {
  const seen = await whileNobodyReads(() =>
    bench.sql('UPDATE dbo.Artist SET ArtistId = 30 WHERE ArtistId = 3').then(() => {}),
  );
  expect(seen).toEqual([['delete Artist 3|~', 'insert Artist 30|three']]);
});

it('shows a row that was deleted and inserted again as it is now', async () => {
  const seen = await whileNobodyReads(async () => {
    await bench.sql('DELETE dbo.Artist WHERE ArtistId = 1');
    await bench.sql("INSERT dbo.Artist VALUES (1, N'again')");
  });
  expect(seen).toHaveLength(1);
  expect(seen[0]?.[0]).toMatch(/^(update|insert) Artist 1\|again$/);
});

it('brings parents no later than rows that refer to them, also when they were changed since', async () => {
  const seen = await whileNobodyReads(async () => {
    await bench.sql("INSERT dbo.Artist VALUES (7, N'seven')");
    await bench.sql("INSERT dbo.Album VALUES (70, N'of seven', 7)");
    await bench.sql("UPDATE dbo.Artist SET Name = N'sieben' WHERE ArtistId = 7");
    await bench.sql("INSERT dbo.Album VALUES (71, N'of one', 1)");
  });
  expect(seen).toEqual([
    ['insert Artist 7|sieben', 'insert Album 70|of seven|7'],
    ['insert Album 71|of one|1'],
  ]);
});

it('delivers everything in polls of any size, and a transaction of any size whole', async () => {
  const seen = await whileNobodyReads(
    async () => {
      for (let id = 10; id < 30; id += 1) await bench.sql(`INSERT dbo.Artist VALUES (${id}, N'x')`);
      const rows = Array.from({ length: 40 }, (_, index) => `(${100 + index}, N'y')`);
      await bench.sql(`INSERT dbo.Artist VALUES ${rows.join(', ')}`);
    },
    { mostChanges: 7 },
  );
  expect(seen.slice(0, 20).flat()).toEqual(
    Array.from({ length: 20 }, (_, index) => `insert Artist ${10 + index}|x`),
  );
  expect(seen[20]).toHaveLength(40);
  expect(seen).toHaveLength(21);
});

const upsert = (table: ApplyStatement['table'], name: string): ApplyStatement => ({
  kind: 'upsert',
  table,
  keyColumns: ['ArtistId'],
  columns: ['Name'],
  rows: [['1', name]],
});

it('tells our own transactions, and rows as others have left them, in whichever order they wrote', async () => {
  await make();
  const [artist] = await bench.tables('Artist');
  const before = await bench.follow('Artist', 'Album');
  await before.close();
  const writer = await bench.dialect.openWriter();
  try {
    await writer.apply([upsert(artist!, 'ours')], [{ realmPath: '/shop', sequence: 5 }]);
    await bench.sql("UPDATE dbo.Artist SET Name = N'theirs' WHERE ArtistId = 1");
    const reading = await bench.open(before.known);
    expect((await reading.line('insert Artist 1|theirs'))[0]).toEqual([
      'own /shop 5',
      'insert Artist 1|theirs',
    ]);
    await reading.close();
    await bench.sql("UPDATE dbo.Artist SET Name = N'theirs again' WHERE ArtistId = 1");
    await writer.apply([upsert(artist!, 'ours again')], [{ realmPath: '/shop', sequence: 6 }]);
    await bench.sql("INSERT dbo.Artist VALUES (2, N'other')");
    const next = await bench.open(reading.known);
    expect(await next.line('insert Artist 2|other')).toEqual([
      ['own /shop 6', 'update Artist 1|ours again'],
      ['insert Artist 2|other'],
    ]);
    // A checkpoint alone comes, too: somebody may wait for it.
    await writer.apply([], [{ realmPath: 'barrier', sequence: 9 }]);
    await next.until(() => next.events.some((e) => e.kind === 'own' && e.checkpoint.realmPath === 'barrier'));
  } finally {
    await writer.close();
  }
});

it('moves on while others change other tables, so that a quiet feed never expires', async () => {
  await make();
  await bench.sql('CREATE TABLE dbo.Elsewhere (Id int NOT NULL PRIMARY KEY)');
  await bench.sql('ALTER TABLE dbo.Elsewhere ENABLE CHANGE_TRACKING');
  const reading = await bench.follow('Artist');
  const start = BigInt(reading.position ?? 0);
  for (let id = 1; id <= 3; id += 1) await bench.sql(`INSERT dbo.Elsewhere VALUES (${id})`);
  await reading.until(() => BigInt(reading.position ?? 0) >= start + 3n);
  expect(reading.events.every(({ kind }) => kind !== 'change')).toBe(true);
  await reading.close();
  const [row] = await bench.sql('SELECT CONVERT(varchar(20), position) AS p FROM isthmus.feed');
  expect(row?.p).toBe(reading.position);
  expect((await bench.feed.standing()).held).toBe(false);
});

it('goes on where it was told to, and repeats what was not confirmed', async () => {
  await make();
  const reading = await bench.follow('Artist');
  await bench.sql("INSERT dbo.Artist VALUES (1, N'one')");
  await reading.line('insert Artist 1|one');
  const { known } = reading;
  await bench.sql("INSERT dbo.Artist VALUES (2, N'two')");
  await reading.line('insert Artist 2|two');
  await reading.close();
  const again = await bench.open({ ...known, source: reading.feed.source });
  expect(await again.transactions(1)).toEqual([['insert Artist 2|two']]);
});
