import { afterAll, afterEach, beforeAll, expect, it } from 'vitest';
import { FollowedTable } from '../../../connectors/sqlserver/feed/followed-table.ts';
import { trackingState } from '../../../connectors/sqlserver/feed/poll.ts';
import { Session } from '../../../connectors/sqlserver/session.ts';
import type { SnapshotReader, SqlText } from '../../../src/connector/dialect.ts';
import { startTestSqlServer, type TestSqlServer } from '../../support/sqlserver.ts';
import { contextFor } from '../session-context.ts';
import { FeedBench } from './feed-bench.ts';

const SCRIPT = `
CREATE TABLE dbo.Artist (ArtistId int NOT NULL PRIMARY KEY, Name nvarchar(50) NULL);
CREATE TABLE dbo.Part (A int NOT NULL, B varchar(10) NOT NULL, C decimal(10,2) NULL, D varbinary(max) NULL,
  E AS A + 1, PRIMARY KEY (B, A));
GO
`;

let server: TestSqlServer;
let bench: FeedBench;
let snapshot: SnapshotReader | undefined;
beforeAll(async () => {
  server = await startTestSqlServer();
});
afterEach(async () => {
  await snapshot?.close();
  snapshot = undefined;
  await bench.close();
});
afterAll(() => server.stop());

async function rows(table: string, columns: string[], after?: string[]): Promise<(readonly SqlText[])[]> {
  const [info] = await bench.tables(table);
  const read: (readonly SqlText[])[] = [];
  for await (const batch of snapshot!.rows(info!, columns, after)) read.push(...batch);
  return read;
}

it('shows one moment, whatever is committed while it is read', async () => {
  bench = await FeedBench.make(server, SCRIPT);
  await bench.sql("INSERT dbo.Artist VALUES (2, N'two'), (1, N'one'), (3, NULL)");
  const reading = await bench.follow('Artist');
  snapshot = await bench.feed.openSnapshot();
  await bench.sql("UPDATE dbo.Artist SET Name = N'later'");
  await bench.sql('DELETE dbo.Artist WHERE ArtistId = 1');
  expect(await rows('Artist', ['ArtistId', 'Name'])).toEqual([
    ['1', 'one'],
    ['2', 'two'],
    ['3', null],
  ]);
  const transactions = await reading.transactions(2);
  expect(transactions.flat()).toContain('delete Artist 1|~');
  const [first] = reading.events.filter(({ kind }) => kind === 'begin');
  const id = first?.kind === 'begin' ? first.transaction : '';
  expect(snapshot.includes(id)).toBe(false);
  expect(bench.dialect.snapshotIncludes(snapshot.visibility, id)).toBe(false);
  const later = await bench.feed.openSnapshot();
  expect(later.includes(id)).toBe(true);
  await later.close();
});

it('goes on after the key that was read last, in whichever order a class has its parts', async () => {
  bench = await FeedBench.make(server, SCRIPT);
  await bench.sql(
    "INSERT dbo.Part (A, B, C, D) VALUES (1, 'x', 1.5, 0x00FF), (2, 'x', NULL, NULL), (1, 'y', 12345678.90, NULL), (3, 'a', 0, 0x)",
  );
  snapshot = await bench.feed.openSnapshot();
  expect(await rows('Part', ['A', 'B', 'C', 'D', 'E'])).toEqual([
    ['1', 'x', '1.50', '0x00FF', '2'],
    ['1', 'y', '12345678.90', null, '2'],
    ['2', 'x', null, null, '3'],
    ['3', 'a', '0.00', '0x', '4'],
  ]);
  expect(await rows('Part', ['A', 'B'], ['1', 'y'])).toEqual([
    ['2', 'x'],
    ['3', 'a'],
  ]);
  expect(await rows('Part', ['B', 'A'], ['x', '1'])).toEqual([
    ['x', '2'],
    ['y', '1'],
  ]);
  const [part] = await bench.tables('Part');
  expect(await snapshot.estimate(part!)).toBe(4);
});

it('asks for metadata in between without losing its moment, whatever was defined since', async () => {
  bench = await FeedBench.make(server, SCRIPT);
  await bench.sql("INSERT dbo.Artist VALUES (1, N'one')");
  snapshot = await bench.feed.openSnapshot();
  await bench.sql("UPDATE dbo.Artist SET Name = N'later'");
  await bench.sql('CREATE TABLE dbo.Staging (id int NOT NULL PRIMARY KEY)');
  const [info] = await bench.tables('Artist');
  expect(await snapshot.estimate(info!)).toBe(1);
  expect(await rows('Artist', ['ArtistId', 'Name'])).toEqual([['1', 'one']]);
});

it('lets a poll see to the end that nothing was cleaned up, whatever was defined since it began', async () => {
  bench = await FeedBench.make(server, SCRIPT);
  const [info] = await bench.tables('Artist');
  const table = new FollowedTable(info!);
  await bench.sql('ALTER TABLE dbo.Artist ENABLE CHANGE_TRACKING');
  const session = await Session.open(contextFor(server, bench.database));
  try {
    await session.begin('snapshot');
    await session.query('SELECT COUNT(*) FROM dbo.Artist');
    await bench.sql('CREATE TABLE dbo.Staging (id int NOT NULL PRIMARY KEY)');
    const signal = AbortSignal.timeout(10_000);
    const state = await trackingState(session, { tables: [table], answerMilliseconds: 10_000, signal });
    expect(state.tables[1]?.begin).toBeDefined();
    await session.commit();
  } finally {
    await session.close();
  }
});

it('holds no more than a batch of a large table, and can be given up in the middle', async () => {
  bench = await FeedBench.make(server, SCRIPT);
  for (let start = 0; start < 5_000; start += 1_000)
    await bench.sql(
      `INSERT dbo.Artist (ArtistId, Name) SELECT j.[value], N'x' FROM OPENJSON(N'[${Array.from({ length: 1_000 }, (_, index) => start + index).join(',')}]') AS j`,
    );
  snapshot = await bench.feed.openSnapshot();
  const [info] = await bench.tables('Artist');
  let count = 0;
  for await (const batch of snapshot.rows(info!, ['ArtistId', 'Name'], undefined)) {
    expect(batch.length <= 1_000).toBe(true);
    count += batch.length;
    if (count > 1_500) break;
  }
  expect(await rows('Artist', ['ArtistId'], ['4997'])).toEqual([['4998'], ['4999']]);
});
