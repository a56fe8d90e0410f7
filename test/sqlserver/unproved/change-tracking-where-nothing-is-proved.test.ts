/**
 * Ten questions about change tracking that no document answers (spec/sql-server.md, open questions). Each test asserts
 * what the connector relies on, whatever the answer, and says what the server answered when it is a real one:
 * `ISTHMUS_TEST_SQLSERVER_URL=… npx vitest run test/sqlserver/unproved`. On the simulator they prove nothing about SQL
 * Server, whose answers it can only suppose.
 */
import { Connection, TYPES } from 'tedious';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { isMissingPermission } from '../../../connectors/sqlserver/error-numbers.ts';
import { simulated, startTestSqlServer, type TestSqlServer } from '../../support/sqlserver.ts';
import type { TextRecord } from '../../support/sqlserver-connection.ts';
import { prepareDatabase } from '../feed-harness.ts';

let server: TestSqlServer;
let database: string;
let tables = 0;
let table = '';

beforeAll(async () => {
  server = await startTestSqlServer();
  database = await server.createDatabase();
  await prepareDatabase(server, database);
});
afterAll(() => server.stop());

beforeEach(async () => {
  tables += 1;
  table = `dbo.T${tables}`;
  await sql(`CREATE TABLE ${table} (Id int NOT NULL PRIMARY KEY, A int NULL, B int NULL)`);
  await sql(`ALTER TABLE ${table} ENABLE CHANGE_TRACKING WITH (TRACK_COLUMNS_UPDATED = ON)`);
  await sql(`INSERT ${table} VALUES (1, 0, 0), (2, 0, 0)`);
});

function sql(text: string): Promise<readonly TextRecord[]> {
  return server.query(database, text);
}

async function one(expression: string): Promise<string | null> {
  const [row] = await sql(`SELECT CONVERT(varchar(100), ${expression}) AS answer`);
  return row?.answer ?? null;
}

async function version(): Promise<bigint> {
  return BigInt((await one('CHANGE_TRACKING_CURRENT_VERSION()')) ?? -1);
}

function minValid(of = table): Promise<string | null> {
  return one(`CHANGE_TRACKING_MIN_VALID_VERSION(OBJECT_ID(N'${of}'))`);
}

async function changesSince(since: bigint): Promise<readonly TextRecord[]> {
  return sql(
    `SELECT Id, SYS_CHANGE_OPERATION AS operation, CONVERT(varchar(20), SYS_CHANGE_VERSION) AS version,
       SYS_CHANGE_CONTEXT AS context, SYS_CHANGE_COLUMNS AS columns
     FROM CHANGETABLE(CHANGES ${table}, ${since}) AS c ORDER BY Id`,
  );
}

/** What a real server says is what somebody ran this for. */
function answer(question: string, said: string): void {
  if (!simulated) process.stdout.write(`${question}: ${said}\n`);
}

describe('unproved', () => {
  it('Q1 TRUNCATE shows in begin_version, also to a client that is exactly up to date', async () => {
    const begin = (): Promise<string | null> =>
      one(`(SELECT begin_version FROM sys.change_tracking_tables WHERE object_id = OBJECT_ID(N'${table}'))`);
    const [before, cursor] = [await begin(), await version()];
    await sql(`TRUNCATE TABLE ${table}`);
    const after = await begin();
    answer(
      'Q1',
      `cursor ${cursor}, begin_version ${before} → ${after}, min valid ${await minValid()}, current ${await version()}`,
    );
    expect(after).not.toBe(before);
    expect(BigInt(after ?? 0) >= cursor).toBe(true);
  });

  it('Q2 a row that was deleted and inserted again is U or I', async () => {
    const since = await version();
    await sql(`DELETE ${table} WHERE Id = 1`);
    await sql(`INSERT ${table} VALUES (1, 5, 5)`);
    const [change] = await changesSince(since);
    answer('Q2', `operation ${change?.operation}`);
    expect(['U', 'I']).toContain(change?.operation?.trim());
  });

  it('Q3 the context of a row that several have changed is that of one of them', async () => {
    const since = await version();
    const write = (context: string): Promise<unknown> =>
      sql(
        `DECLARE @context varbinary(128) = ${context}; WITH CHANGE_TRACKING_CONTEXT (@context) UPDATE ${table} SET A = A + 1 WHERE Id = 1`,
      );
    await write('0x01');
    await write('0x02');
    const [change] = await changesSince(since);
    answer('Q3', `first wrote 01, then 02: context ${change?.context}`);
    expect(['01', '02', null]).toContain(change?.context);
  });

  it('Q4 versions only grow, whether or not a rollback leaves a gap', async () => {
    const before = await version();
    await sql(`BEGIN TRANSACTION; UPDATE ${table} SET A = 1; ROLLBACK TRANSACTION`);
    const between = await version();
    await sql(`UPDATE ${table} SET A = 2 WHERE Id = 1`);
    const after = await version();
    answer('Q4', `before ${before}, after the rollback ${between}, after the next commit ${after}`);
    expect(between >= before && after > before).toBe(true);
    expect(await changesSince(before)).toHaveLength(1);
  });

  it('Q5 a table that is not tracked has no row in sys.change_tracking_tables', async () => {
    await sql(`ALTER TABLE ${table} DISABLE CHANGE_TRACKING`);
    answer('Q5', `CHANGE_TRACKING_MIN_VALID_VERSION is ${await minValid()}`);
    expect(
      await one(`(SELECT COUNT(*) FROM sys.change_tracking_tables WHERE object_id = OBJECT_ID(N'${table}'))`),
    ).toBe('0');
  });

  it('Q6 a login without VIEW CHANGE TRACKING is told by one of the errors about permissions', async () => {
    const login = await server.createLogin(database);
    await sql(`GRANT SELECT ON ${table} TO [${login.user}]`);
    const connection = await server.connect(database, login);
    try {
      const error: unknown = await connection
        .query(`SELECT Id FROM CHANGETABLE(CHANGES ${table}, 0) AS c`)
        .catch((cause: unknown) => cause);
      answer('Q6', String(error instanceof Error && 'number' in error ? error.number : error));
      expect(isMissingPermission(error)).toBe(true);
      const [row] = await connection.query(
        `SELECT CONVERT(varchar(20), CHANGE_TRACKING_MIN_VALID_VERSION(OBJECT_ID(N'${table}'))) AS answer`,
      );
      expect(row?.answer).toBeNull();
    } finally {
      await connection.close();
    }
  });

  it('Q7 a version before the oldest valid one shows as such, whatever CHANGETABLE makes of it', async () => {
    const since = await version();
    await sql(`TRUNCATE TABLE ${table}`);
    await sql(`INSERT ${table} VALUES (7, 0, 0)`);
    await sql(`TRUNCATE TABLE ${table}`);
    const said = await changesSince(since - 1n).then(
      (rows) => `${rows.length} rows`,
      (error: unknown) => String(error),
    );
    answer('Q7', said);
    expect(BigInt((await minValid()) ?? 0) > since - 1n).toBe(true);
  });

  it('Q8 a row that was changed in two columns comes, whatever its mask says', async () => {
    const since = await version();
    await sql(`UPDATE ${table} SET A = 9 WHERE Id = 1`);
    await sql(`UPDATE ${table} SET B = 9 WHERE Id = 1`);
    const inMask = (column: string): string =>
      `CHANGE_TRACKING_IS_COLUMN_IN_MASK(COLUMNPROPERTY(OBJECT_ID(N'${table}'), N'${column}', 'ColumnId'), c.SYS_CHANGE_COLUMNS)`;
    const [row] = await sql(
      `SELECT CONVERT(varchar(5), ${inMask('A')}) AS a, CONVERT(varchar(5), ${inMask('B')}) AS b FROM CHANGETABLE(CHANGES ${table}, ${since}) AS c`,
    );
    answer('Q8', `in the mask: A ${row?.a}, B ${row?.b}`);
    expect(await changesSince(since)).toHaveLength(1);
  });

  it('Q9 an UPDATE of no row shows no change, whether or not it takes a version', async () => {
    const before = await version();
    await sql(`UPDATE ${table} SET A = 1 WHERE Id = 999`);
    const after = await version();
    answer('Q9', `${before} → ${after}`);
    expect(after >= before).toBe(true);
    expect(await changesSince(before)).toEqual([]);
  });

  it('Q10 rows of a bulk load are tracked', async () => {
    const since = await version();
    const connection = new Connection(server.driverConfig(database));
    connection.on('error', () => {});
    await new Promise<void>((resolve, reject) => {
      connection.connect((error) => (error ? reject(error) : resolve()));
    });
    await new Promise<void>((resolve, reject) => {
      const load = connection.newBulkLoad(table, (error) => (error ? reject(error) : resolve()));
      load.addColumn('Id', TYPES.Int, { nullable: false });
      load.addColumn('A', TYPES.Int, { nullable: true });
      load.addColumn('B', TYPES.Int, { nullable: true });
      connection.execBulkLoad(
        load,
        Array.from({ length: 50 }, (_, index) => [100 + index, 1, 1]),
      );
    });
    const ended = new Promise((resolve) => connection.once('end', resolve));
    connection.close();
    await ended;
    const changes = await changesSince(since);
    answer('Q10', `${changes.length} changes in ${new Set(changes.map((row) => row.version)).size} versions`);
    expect(changes).toHaveLength(50);
    expect(new Set(changes.map(({ operation }) => operation?.trim()))).toEqual(new Set(['I']));
  });
});
