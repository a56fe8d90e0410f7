import { once } from 'node:events';
import { createServer, type Server, Socket } from 'node:net';
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest';
import {
  SqlServerFeedError,
  SqlServerFeedHeldError,
  SqlServerFeedLostError,
} from '../../../connectors/sqlserver/errors.ts';
import { simulated, startTestSqlServer, type TestSqlServer } from '../../support/sqlserver.ts';
import { type BenchOptions, FeedBench, type FeedReading } from './feed-bench.ts';

const SCRIPT = `
CREATE TABLE dbo.Artist (ArtistId int NOT NULL PRIMARY KEY, Name nvarchar(50) NULL, Extra nvarchar(50) NULL);
CREATE TABLE dbo.Album (AlbumId int NOT NULL PRIMARY KEY, Title nvarchar(50) NULL);
GO
`;

let server: TestSqlServer;
let bench: FeedBench;
beforeAll(async () => {
  server = await startTestSqlServer();
});
afterEach(() => bench.close());
afterAll(() => server.stop());

async function follow(...tables: string[]): Promise<FeedReading> {
  bench = await FeedBench.make(server, SCRIPT);
  return bench.follow(...tables);
}

const changesOf = (reading: FeedReading): number =>
  reading.events.filter(({ kind }) => kind === 'change').length;
const looks = (reading: FeedReading): number =>
  reading.events.filter(({ kind }) => kind === 'tablesChanged').length;

/** The tables are looked at once in any case. */
async function firstLook(reading: FeedReading): Promise<number> {
  await reading.until(() => looks(reading) > 0);
  return looks(reading);
}

it.runIf(simulated)(
  'says that the last sync version is outdated when changes were cleaned up meanwhile',
  async () => {
    const reading = await follow('Artist', 'Album');
    await reading.close();
    await bench.sql("INSERT dbo.Artist VALUES (1, N'one', NULL)");
    await bench.sql("INSERT dbo.Artist VALUES (2, N'two', NULL)");
    server.faults.cleanUp(bench.database);
    const error: unknown = await bench.open(reading.known).catch((cause: unknown) => cause);
    expect(error).toBeInstanceOf(SqlServerFeedLostError);
    expect(String(error)).toMatch(
      /Last sync version is outdated! .*dbo\.Artist \(from version \d+ on\).*isthmus load --resume/,
    );
    // A load without --resume is refused, too, before it has done anything.
    await bench.feed.checkSource(reading.known);
    await expect(bench.feed.prepare(await bench.tables('Artist', 'Album'), { reset: false })).rejects.toThrow(
      'Last sync version is outdated!',
    );
    const renewed = await bench.feed.prepare(await bench.tables('Artist', 'Album'), { reset: true });
    expect(renewed.created).toBe(true);
    await renewed.snapshot?.close();
  },
);

it.runIf(simulated)('is never outdated while it runs, however often is cleaned up', async () => {
  const reading = await follow('Artist', 'Album');
  for (let id = 1; id <= 4; id += 1) {
    await bench.sql(`INSERT dbo.Album VALUES (${id}, N'x')`);
    await reading.line(`insert Album ${id}|x`);
    server.faults.cleanUp(bench.database);
  }
  await bench.sql("INSERT dbo.Artist VALUES (1, N'one', NULL)");
  await reading.line('insert Artist 1|one|∅');
});

it.runIf(simulated)('knows that the database was set back to an earlier state', async () => {
  const reading = await follow('Artist');
  for (let id = 1; id <= 3; id += 1) await bench.sql(`INSERT dbo.Artist VALUES (${id}, N'x', NULL)`);
  await reading.line('insert Artist 3|x|∅');
  await reading.close();
  server.faults.setBack(bench.database, 1);
  await expect(bench.open(reading.known)).rejects.toThrow(/was set back, as by restoring a backup/);
  await expect(bench.feed.checkSource(reading.known)).rejects.toThrow(SqlServerFeedLostError);
});

it('knows a restored database by the line of history that it holds', async () => {
  const reading = await follow('Artist');
  await reading.close();
  const again = await bench.open(reading.known);
  await again.close();
  // The replicas may have died before they heard of the line that was opened last.
  const third = await bench.open(reading.known);
  await third.close();
  await bench.sql(
    "UPDATE isthmus.feed SET line = N'00000000-0000-0000-0000-000000000000', previous_line = NULL",
  );
  await expect(bench.open(third.known)).rejects.toThrow(/does not hold what was followed/);
});

it('says so when change tracking of the database is off', async () => {
  const reading = await follow('Artist');
  await reading.close();
  for (const table of ['dbo.Artist', 'isthmus.[checkpoint]'])
    await bench.sql(`ALTER TABLE ${table} DISABLE CHANGE_TRACKING`);
  await server.query('master', `ALTER DATABASE [${bench.database}] SET CHANGE_TRACKING = OFF`);
  await expect(bench.open(reading.known)).rejects.toThrow(
    /change tracking is off for the database .*SET CHANGE_TRACKING = ON.*isthmus load --resume/,
  );
});

it('waits for a table that is no longer tracked until the tables were looked at, and loses nothing of the others', async () => {
  const reading = await follow('Artist', 'Album');
  const before = await firstLook(reading);
  await bench.sql('ALTER TABLE dbo.Artist DISABLE CHANGE_TRACKING');
  await bench.sql("INSERT dbo.Artist VALUES (1, N'unseen', NULL)");
  await bench.sql("INSERT dbo.Album VALUES (1, N'seen')");
  await reading.until(() => looks(reading) > before);
  expect(changesOf(reading)).toBe(0);
  await bench.feed.prepare(await bench.tables('Artist', 'Album'), { reset: false });
  await reading.line('insert Album 1|seen');
  await bench.sql("INSERT dbo.Artist VALUES (2, N'seen again', NULL)");
  await reading.line('insert Artist 2|seen again|∅');
});

it('goes on without a table that is no longer to be followed', async () => {
  const reading = await follow('Artist', 'Album');
  const before = await firstLook(reading);
  await bench.sql('DROP TABLE dbo.Artist');
  await reading.until(() => looks(reading) > before);
  await bench.feed.prepare(await bench.tables('Album'), { reset: false });
  await bench.sql("INSERT dbo.Album VALUES (1, N'seen')");
  await reading.line('insert Album 1|seen');
});

it('asks again until the tables were looked at when a column is gone', async () => {
  const reading = await follow('Artist');
  const before = await firstLook(reading);
  await bench.sql('ALTER TABLE dbo.Artist DROP COLUMN Extra');
  await bench.sql("INSERT dbo.Artist VALUES (1, N'one')");
  await reading.until(() => looks(reading) > before);
  await bench.feed.prepare(await bench.tables('Artist'), { reset: false });
  await reading.line('insert Artist 1|one');
});

it('has a truncated table looked at, whose rows change tracking says nothing of', async () => {
  const reading = await follow('Artist', 'Album');
  const before = await firstLook(reading);
  const followed = (await bench.dialect.catalogWatch.tableVersions()).get('dbo.Artist')?.followed;
  await bench.sql("INSERT dbo.Artist VALUES (1, N'one', NULL)");
  await reading.line('insert Artist 1|one|∅');
  await bench.sql('TRUNCATE TABLE dbo.Artist');
  await reading.until(() => looks(reading) > before);
  expect((await bench.dialect.catalogWatch.tableVersions()).get('dbo.Artist')?.followed).not.toBe(followed);
  await bench.sql("INSERT dbo.Artist VALUES (2, N'two', NULL)");
  await reading.line('insert Artist 2|two|∅');
});

it('is not read by two at once, and says who reads it', async () => {
  const reading = await follow('Artist');
  expect(await bench.feed.holder()).toMatch(new RegExp(`^process ${process.pid} on .* \\(since `));
  const error: unknown = await bench.open(reading.known).catch((cause: unknown) => cause);
  expect(error).toBeInstanceOf(SqlServerFeedHeldError);
  expect(String(error)).toContain(`process ${process.pid} on `);
  await reading.close();
  expect(await bench.feed.holder()).toBeUndefined();
  await (await bench.open(reading.known)).close();
});

it('can be opened anew after snapshot isolation was off for a while', async () => {
  const reading = await follow('Artist');
  await server.query('master', `ALTER DATABASE [${bench.database}] SET ALLOW_SNAPSHOT_ISOLATION OFF`);
  await bench.sql("INSERT dbo.Artist VALUES (1, N'one', NULL)");
  const error = await reading.ended;
  expect(error).toBeInstanceOf(SqlServerFeedError);
  expect(bench.dialect.isTransient(error)).toBe(true);
  expect(String(error)).toMatch(/snapshot isolation was switched off .*SET ALLOW_SNAPSHOT_ISOLATION ON/);
  await reading.close();
  await server.query('master', `ALTER DATABASE [${bench.database}] SET ALLOW_SNAPSHOT_ISOLATION ON`);
  await (await bench.open(reading.known)).line('insert Artist 1|one|∅');
});

it.runIf(simulated)('breaks off when the connection is cut, and repeats what was not taken', async () => {
  const reading = await follow('Artist');
  await bench.sql("INSERT dbo.Artist VALUES (1, N'one', NULL)");
  await reading.line('insert Artist 1|one|∅');
  server.cutConnections();
  const error = await reading.ended;
  expect(bench.dialect.isTransient(error), String(error)).toBe(true);
  await reading.close();
  // The test's own connection was cut, too.
  await bench.sql('SELECT 1').catch(() => {});
  await bench.sql("INSERT dbo.Artist VALUES (2, N'two', NULL)");
  const again = await bench.open(reading.known);
  expect(await again.transactions(1)).toEqual([['insert Artist 2|two|∅']]);
});

it('notices a server that says nothing any more', async () => {
  await using wire = await Wire.to(server);
  bench = await FeedBench.make(server, SCRIPT);
  const options: BenchOptions = { answerMilliseconds: 300 };
  const through = new FeedBench(
    { ...server, port: wire.port, faults: undefined as never },
    bench.database,
    options,
  );
  const reading = await through.follow('Artist');
  wire.freeze();
  const error = await reading.ended;
  expect(bench.dialect.isTransient(error), String(error)).toBe(true);
  wire.cut();
  await reading.close();
  await through.close();
});

/** A way to the server that can be made to swallow everything. */
class Wire implements AsyncDisposable {
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  readonly port: number;

  private constructor(listening: Server, port: number, sockets: Set<Socket>) {
    this.#server = listening;
    this.port = port;
    this.#sockets = sockets;
  }

  static async to({ host, port }: TestSqlServer): Promise<Wire> {
    const sockets = new Set<Socket>();
    const listening = createServer((client) => {
      const upstream = new Socket();
      upstream.connect(port, host);
      for (const socket of [client, upstream]) {
        sockets.add(socket);
        socket.on('error', () => {});
      }
      client.pipe(upstream).pipe(client);
    });
    listening.listen(0, '127.0.0.1');
    await once(listening, 'listening');
    const address = listening.address();
    return new Wire(listening, typeof address === 'object' && address !== null ? address.port : 0, sockets);
  }

  freeze(): void {
    for (const socket of this.#sockets) {
      socket.unpipe();
      socket.pause();
    }
  }

  cut(): void {
    for (const socket of this.#sockets) socket.destroy();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.cut();
    this.#server.close();
    await once(this.#server, 'close').catch(() => {});
  }
}
