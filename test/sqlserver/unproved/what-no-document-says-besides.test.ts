/**
 * What the connector relies on besides change tracking's own questions (change-tracking-where-nothing-is-proved.test.ts), and
 * of which no document says enough. On the simulator it proves nothing.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { simulated, startTestSqlServer, type TestSqlServer } from '../../support/sqlserver.ts';
import { prepareDatabase } from '../feed-harness.ts';

let server: TestSqlServer;
let database: string;

beforeAll(async () => {
  server = await startTestSqlServer();
  database = await server.createDatabase();
  await prepareDatabase(server, database);
});
afterAll(() => server.stop());

const sql = (text: string) => server.query(database, text);

/** What a real server says is what somebody ran this for. */
function answer(question: string, said: string): void {
  if (!simulated) process.stdout.write(`${question}: ${said}\n`);
}

describe('unproved', () => {
  it('Q11 a snapshot that begins after the current version was read shows everything up to that version', async () => {
    await sql('CREATE TABLE dbo.Busy (id int NOT NULL PRIMARY KEY, n int NOT NULL)');
    await sql('ALTER TABLE dbo.Busy ENABLE CHANGE_TRACKING');
    await sql('INSERT dbo.Busy VALUES (1, 0)');
    const writer = await server.connect(database);
    let isOver = false;
    const writing = (async () => {
      while (!isOver) await writer.query('UPDATE dbo.Busy SET n = n + 1');
    })();
    try {
      for (let round = 0; round < 50; round += 1) {
        const [row] = await sql(`
          SET TRANSACTION ISOLATION LEVEL READ COMMITTED;
          DECLARE @current bigint = CHANGE_TRACKING_CURRENT_VERSION(), @before bigint;
          SET @before = @current - 1;
          SET TRANSACTION ISOLATION LEVEL SNAPSHOT;
          BEGIN TRANSACTION;
          SELECT CONVERT(varchar(20), MAX(c.SYS_CHANGE_VERSION)) AS seen, CONVERT(varchar(20), @current) AS [current]
          FROM CHANGETABLE(CHANGES dbo.Busy, @before) AS c;
          COMMIT;
          SET TRANSACTION ISOLATION LEVEL READ COMMITTED;`);
        expect(BigInt(row?.seen ?? 0) >= BigInt(row?.current ?? 1)).toBe(true);
      }
    } finally {
      isOver = true;
      await writing;
      await writer.close();
    }
  });

  it('Q12 keys longer than the 900 bytes of a clustered index can be tracked', async () => {
    await sql(
      'CREATE TABLE dbo.Wide (a nvarchar(128) NOT NULL, b nvarchar(700) NOT NULL, PRIMARY KEY NONCLUSTERED (a, b))',
    );
    await sql('ALTER TABLE dbo.Wide ENABLE CHANGE_TRACKING');
    await sql("INSERT dbo.Wide VALUES (REPLICATE(N'a', 128), REPLICATE(N'b', 700))");
    const rows = await sql('SELECT LEN(c.b) AS length FROM CHANGETABLE(CHANGES dbo.Wide, 0) AS c');
    answer('Q12', `${rows.length} rows`);
    expect(rows).toHaveLength(1);
  });

  it('Q13 a table can be made and tracked in one transaction', async () => {
    await sql(`BEGIN TRANSACTION;
      CREATE TABLE dbo.Fresh (id int NOT NULL PRIMARY KEY);
      ALTER TABLE dbo.Fresh ENABLE CHANGE_TRACKING;
      COMMIT;`);
    await sql('INSERT dbo.Fresh VALUES (1)');
    expect(await sql('SELECT c.id FROM CHANGETABLE(CHANGES dbo.Fresh, 0) AS c')).toHaveLength(1);
  });

  it('Q14 OPENJSON gives texts back as they were, with NUL in them and beyond 4,000 characters', async () => {
    const text = `a\u0000b😀${'x'.repeat(5_000)}`;
    const [row] = await server.query(
      database,
      "SELECT s.c0 AS text FROM OPENJSON(@p1) WITH (c0 nvarchar(max) '$[0]') AS s",
      [JSON.stringify([[text]])],
    );
    expect(row?.text).toBe(text);
  });
});
