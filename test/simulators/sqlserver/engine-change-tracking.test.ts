/** The facts of spec/sql-server.md §2, each by its number. */
import { beforeEach, describe, expect, test } from 'vitest';
import { type Client, type PlainRow, type TestServer, TRACKED, testServer } from './engine-client.ts';

let server: TestServer;
let db: Client;

beforeEach(async () => {
  server = await testServer();
  db = server.connect();
  await db.run(TRACKED);
});

const changes = (since: number | null, table = 'item'): Promise<readonly PlainRow[]> =>
  db.rows(`DECLARE @since bigint = ${since ?? 'NULL'};
SELECT ct.SYS_CHANGE_VERSION AS v, ct.SYS_CHANGE_CREATION_VERSION AS created, ct.SYS_CHANGE_OPERATION AS op,
  ct.SYS_CHANGE_COLUMNS AS mask, ct.SYS_CHANGE_CONTEXT AS context, ct.id
FROM CHANGETABLE(CHANGES ${table}, @since) AS ct ORDER BY ct.SYS_CHANGE_VERSION, ct.id`);
const current = () => db.value('SELECT CHANGE_TRACKING_CURRENT_VERSION()');
const minValid = (table = 'item') =>
  db.value(`SELECT CHANGE_TRACKING_MIN_VALID_VERSION(OBJECT_ID('${table}'))`);

describe('versions', () => {
  test('1: every committed transaction that changed tracked tables gets one version, autocommit statements one each', async () => {
    await db.run('INSERT item (id) VALUES (1); INSERT item (id) VALUES (2)');
    await db.run('BEGIN TRAN; INSERT item (id) VALUES (3); INSERT item (id) VALUES (4); COMMIT');
    expect((await changes(0)).map(({ v, id }) => [id, v])).toEqual([
      [1, 1],
      [2, 2],
      [3, 3],
      [4, 3],
    ]);
  });

  test('2: the current version is 0 after enabling and NULL where tracking is off', async () => {
    expect(await current()).toBe(0);
    await db.run('INSERT item (id) VALUES (1)');
    expect(await current()).toBe(1);
    expect(await server.connect('sa', 'master').value('SELECT CHANGE_TRACKING_CURRENT_VERSION()')).toBeNull();
  });

  test('3: uncommitted work has no version, and what was rolled back never gets one', async () => {
    await db.run('BEGIN TRAN; INSERT item (id) VALUES (1)');
    expect(await changes(0)).toEqual([]);
    await db.run('ROLLBACK');
    expect([await changes(0), await current()]).toEqual([[], 0]);
  });

  test('4: CHANGES gives versions strictly above; NULL gives all; the version is a constant or variable; an alias is needed', async () => {
    await db.run('INSERT item (id) VALUES (1); INSERT item (id) VALUES (2)');
    expect((await changes(1)).map(({ id }) => id)).toEqual([2]);
    expect((await changes(null)).map(({ id }) => id)).toEqual([1, 2]);
    expect(await db.failure('SELECT * FROM CHANGETABLE(CHANGES item, 1 + 1) AS ct')).toBe(102);
    expect(await db.failure('SELECT * FROM CHANGETABLE(CHANGES item, 0)')).toBe(22104);
  });

  test('5: the columns of CHANGES are the five of change tracking and those of the primary key', async () => {
    const { parts } = await db.run('SELECT * FROM CHANGETABLE(CHANGES item, 0) AS ct');
    const columns = parts.flatMap((part) => (part.kind === 'columns' ? part.columns : []));
    expect(columns.map(({ name, type }) => [name, type])).toEqual([
      ['SYS_CHANGE_VERSION', { kind: 'bigint' }],
      ['SYS_CHANGE_CREATION_VERSION', { kind: 'bigint' }],
      ['SYS_CHANGE_OPERATION', { kind: 'nchar', length: 1 }],
      ['SYS_CHANGE_COLUMNS', { kind: 'varbinary', length: 4100 }],
      ['SYS_CHANGE_CONTEXT', { kind: 'varbinary', length: 128 }],
      ['id', { kind: 'int' }],
    ]);
  });
});

describe('net changes', () => {
  test('7: one row for each changed key, however many changes', async () => {
    await db.run('INSERT item (id) VALUES (1); UPDATE item SET b = 1; UPDATE item SET b = 2');
    expect(await changes(0)).toHaveLength(1);
  });

  test('8: inserted and updated is I with the creation version when both are new, and U when only the update is', async () => {
    await db.run('INSERT item (id) VALUES (1); UPDATE item SET b = 1');
    expect(await changes(0)).toMatchObject([{ op: 'I', v: 2, created: 1 }]);
    expect(await changes(1)).toMatchObject([{ op: 'U', v: 2 }]);
  });

  test('9: inserted, updated and deleted is one D', async () => {
    await db.run('INSERT item (id) VALUES (1); UPDATE item SET b = 1; DELETE item');
    expect(await changes(0)).toMatchObject([{ op: 'D', v: 3, id: 1 }]);
  });

  test('10: updated and deleted is D', async () => {
    await db.run('INSERT item (id) VALUES (1); UPDATE item SET b = 1; DELETE item');
    expect(await changes(1)).toMatchObject([{ op: 'D', v: 3 }]);
  });

  test('11: deleted and inserted again is U of all columns, or I where that is asked for (unproved, Q2)', async () => {
    await db.run('INSERT item (id) VALUES (1); DELETE item; INSERT item (id, b) VALUES (1, 5)');
    expect(await changes(1)).toMatchObject([{ op: 'U', v: 3, mask: null }]);
    server.faults.behaviour.reinsertedAs = 'I';
    expect(await changes(1)).toMatchObject([{ op: 'I', v: 3, created: 3, mask: null }]);
  });

  test('12 and 14: a changed key is D of the old and I of the new one in the same version', async () => {
    await db.run('INSERT item (id) VALUES (1); UPDATE item SET id = 2');
    expect(await changes(1)).toMatchObject([
      { op: 'D', v: 2, id: 1 },
      { op: 'I', v: 2, id: 2 },
    ]);
  });

  test('13: an update that writes the same values is tracked', async () => {
    await db.run('INSERT item (id, b) VALUES (1, 1); UPDATE item SET b = 1');
    expect(await changes(1)).toMatchObject([{ op: 'U', v: 2 }]);
  });

  test('16: the mask says which columns updates set; it is NULL for I, D, and when all were set', async () => {
    await db.run(`INSERT item (id, a, b) VALUES (1, 'x', 1), (2, 'y', 2); UPDATE item SET b = 9 WHERE id = 1;
UPDATE item SET a = 'z', b = 9 WHERE id = 2`);
    const inMask = (name: string) =>
      `CHANGE_TRACKING_IS_COLUMN_IN_MASK(COLUMNPROPERTY(OBJECT_ID('item'), '${name}', 'ColumnId'), SYS_CHANGE_COLUMNS)`;
    expect(
      await db.rows(
        `SELECT id, ${inMask('a')} AS a, ${inMask('b')} AS b FROM CHANGETABLE(CHANGES item, 1) AS ct ORDER BY id`,
      ),
    ).toEqual([
      { id: 1, a: false, b: true },
      { id: 2, a: true, b: true },
    ]);
    expect((await changes(1))[1]).toMatchObject({ mask: null });
    expect((await changes(0))[0]).toMatchObject({ op: 'I', mask: null });
  });

  test('16: the mask of several updates is their union (unproved, Q8), and computed columns never appear', async () => {
    await db.run(`CREATE TABLE wide (id int PRIMARY KEY, a int, b int, c int);
ALTER TABLE wide ENABLE CHANGE_TRACKING WITH (TRACK_COLUMNS_UPDATED = ON);
INSERT wide VALUES (1, 1, 1, 1); UPDATE wide SET a = 2; UPDATE wide SET b = 2`);
    const [row] = await db.rows(`SELECT CHANGE_TRACKING_IS_COLUMN_IN_MASK(2, ct.SYS_CHANGE_COLUMNS) AS a,
CHANGE_TRACKING_IS_COLUMN_IN_MASK(3, ct.SYS_CHANGE_COLUMNS) AS b, CHANGE_TRACKING_IS_COLUMN_IN_MASK(4, ct.SYS_CHANGE_COLUMNS) AS c
FROM CHANGETABLE(CHANGES wide, 1) AS ct`);
    expect(row).toEqual({ a: true, b: true, c: false });
  });

  test('16: without column tracking the mask is NULL', async () => {
    await db.run(`CREATE TABLE plain (id int PRIMARY KEY, a int, b int); ALTER TABLE plain ENABLE CHANGE_TRACKING;
INSERT plain VALUES (1, 1, 1); UPDATE plain SET a = 2`);
    expect(await changes(1, 'plain')).toMatchObject([{ op: 'U', mask: null }]);
  });

  test('17: the context is that of the last writer (unproved, Q3), not allowed on SELECT, varbinary and not NULL', async () => {
    await db.run(`DECLARE @x varbinary(128) = 0xAB; WITH CHANGE_TRACKING_CONTEXT (@x) INSERT item (id) VALUES (1);
WITH CHANGE_TRACKING_CONTEXT (0xCD), one AS (SELECT 1 AS id) UPDATE i SET b = 1 FROM item AS i JOIN one ON one.id = i.id`);
    expect(await changes(0)).toMatchObject([{ context: 'cd' }]);
    await db.run('UPDATE item SET b = 2');
    expect(await changes(0)).toMatchObject([{ context: null }]);
    expect(await db.failure('WITH CHANGE_TRACKING_CONTEXT (0xCD) SELECT 1')).toBe(22108);
    expect(await db.failure(`WITH CHANGE_TRACKING_CONTEXT ('a') DELETE item`)).toBe(22109);
    expect(await db.failure('DECLARE @n varbinary(128); WITH CHANGE_TRACKING_CONTEXT (@n) DELETE item')).toBe(
      22109,
    );
  });

  test('18: VERSION gives one row with the last version, NULL when never changed, and none for a missing key', async () => {
    await db.run(`CREATE TABLE late (id int PRIMARY KEY); INSERT late VALUES (1), (2); ALTER TABLE late ENABLE CHANGE_TRACKING;
UPDATE late SET id = id WHERE id = 2`);
    const version = (id: number) =>
      db.rows(`SELECT ct.SYS_CHANGE_VERSION AS v FROM CHANGETABLE(VERSION late, (id), (${id})) AS ct`);
    expect([await version(1), await version(2), await version(3)]).toEqual([[{ v: null }], [{ v: 1 }], []]);
    expect(
      await db.value(
        'SELECT SUM(ct.SYS_CHANGE_VERSION) FROM late AS l CROSS APPLY CHANGETABLE(VERSION late, (id), (l.id)) AS ct',
      ),
    ).toBe(1);
  });
});

describe('validity', () => {
  test('19 and 21: cleanup raises the minimum and leaves gaps without an error', async () => {
    await db.run('INSERT item (id) VALUES (1); INSERT item (id) VALUES (2)');
    server.faults.cleanUpChangeTracking('test', 1);
    expect(await minValid()).toBe(1);
    expect((await changes(0)).map(({ id }) => id)).toEqual([2]);
  });

  test('20: the minimum is NULL for what is not tracked or unknown, and otherwise where tracking began', async () => {
    await db.run(
      'INSERT item (id) VALUES (1); CREATE TABLE later (id int PRIMARY KEY); ALTER TABLE later ENABLE CHANGE_TRACKING',
    );
    expect([await minValid('later'), await minValid('nothing'), await minValid('item')]).toEqual([
      1,
      null,
      0,
    ]);
    await db.run('CREATE TABLE free (id int PRIMARY KEY)');
    expect(await minValid('free')).toBeNull();
  });

  test('22: the cleanup version moves for tables without changes, too', async () => {
    await db.run(
      'CREATE TABLE quiet (id int PRIMARY KEY); ALTER TABLE quiet ENABLE CHANGE_TRACKING; INSERT item (id) VALUES (1); INSERT item (id) VALUES (2)',
    );
    server.faults.cleanUpChangeTracking('test', 2);
    expect(await minValid('quiet')).toBe(2);
  });

  test('23: TRUNCATE tracks no row, forgets what there was and begins anew (unproved, Q1: at the current version)', async () => {
    await db.run('INSERT item (id) VALUES (1); INSERT item (id) VALUES (2); TRUNCATE TABLE item');
    expect([await changes(null), await minValid(), await db.value('SELECT COUNT(*) FROM item')]).toEqual([
      [],
      2,
      0,
    ]);
    server.faults.behaviour.truncateRaisesBy = 1;
    await db.run('TRUNCATE TABLE item');
    expect(await minValid()).toBe(3);
  });

  test('24: a restore sets the counter back', async () => {
    await db.run('INSERT item (id) VALUES (1); INSERT item (id) VALUES (2)');
    server.faults.restoreChangeTracking('test', 1);
    expect([await current(), (await changes(0)).map(({ id }) => id)]).toEqual([1, [1]]);
  });

  test('25: disabling and enabling forgets; a table made again has another object id', async () => {
    await db.run('INSERT item (id) VALUES (1)');
    const id = await db.value(`SELECT OBJECT_ID('item')`);
    await db.run('ALTER TABLE item DISABLE CHANGE_TRACKING; ALTER TABLE item ENABLE CHANGE_TRACKING');
    expect([await changes(null), await minValid()]).toEqual([[], 1]);
    await db.run(
      'DROP TABLE item; CREATE TABLE item (id int PRIMARY KEY); ALTER TABLE item ENABLE CHANGE_TRACKING',
    );
    expect(await db.value(`SELECT OBJECT_ID('item')`)).not.toBe(id);
  });
});

describe('consistency', () => {
  test('26 and 29: a snapshot begins at the first access to data, and then sees one state of changes, version and minimum', async () => {
    const reader = server.connect();
    await db.run('INSERT item (id) VALUES (1)');
    await reader.run('SET TRANSACTION ISOLATION LEVEL SNAPSHOT; BEGIN TRAN');
    await db.run('INSERT item (id) VALUES (2)');
    expect(await reader.value('SELECT CHANGE_TRACKING_CURRENT_VERSION()')).toBe(2);
    await db.run('INSERT item (id) VALUES (3)');
    server.faults.cleanUpChangeTracking('test', 3);
    expect(
      await reader.rows(
        `SELECT ct.id, i.id AS present FROM CHANGETABLE(CHANGES item, 0) AS ct LEFT JOIN item AS i ON i.id = ct.id ORDER BY ct.id`,
      ),
    ).toEqual([
      { id: 1, present: 1 },
      { id: 2, present: 2 },
    ]);
    expect(await reader.value(`SELECT CHANGE_TRACKING_MIN_VALID_VERSION(OBJECT_ID('item'))`)).toBe(0);
    await reader.run('COMMIT');
    expect(await minValid()).toBe(3);
    expect(await changes(0)).toEqual([]);
  });

  test('28: a row that was deleted joins to NULL', async () => {
    await db.run('INSERT item (id, b) VALUES (1, 7); DELETE item');
    expect(
      await db.rows(
        'SELECT ct.id, i.b FROM CHANGETABLE(CHANGES item, 0) AS ct LEFT OUTER JOIN item AS i ON i.id = ct.id',
      ),
    ).toEqual([{ id: 1, b: null }]);
  });
});

describe('configuration, definitions and permissions', () => {
  test('31: the database first, then tables with a primary key, and tables off before the database', async () => {
    expect(await db.failure('ALTER DATABASE test SET CHANGE_TRACKING = ON')).toBe(5088);
    expect(await db.failure('ALTER TABLE item ENABLE CHANGE_TRACKING')).toBe(4996);
    expect(
      await db.failure('CREATE TABLE keyless (id int); ALTER TABLE keyless ENABLE CHANGE_TRACKING'),
    ).toBe(4997);
    expect(await db.failure('ALTER DATABASE test SET CHANGE_TRACKING = OFF')).toBe(22115);
    expect(
      await db.failure('CREATE TABLE free (id int PRIMARY KEY); ALTER TABLE free DISABLE CHANGE_TRACKING'),
    ).toBe(4998);
    await db.run('ALTER TABLE item DISABLE CHANGE_TRACKING; ALTER DATABASE test SET CHANGE_TRACKING = OFF');
    expect(await db.failure('ALTER DATABASE test SET CHANGE_TRACKING = OFF')).toBe(5089);
    expect(await db.failure('SELECT * FROM CHANGETABLE(CHANGES item, 0) AS ct')).toBe(22105);
    expect(await db.failure('ALTER DATABASE master SET CHANGE_TRACKING = ON')).toBe(5090);
  });

  test('32: a tracked primary key stays; other columns come and go without changes of rows', async () => {
    await db.run(
      'CREATE TABLE kept (id int CONSTRAINT pk_kept PRIMARY KEY, a int); ALTER TABLE kept ENABLE CHANGE_TRACKING; INSERT kept VALUES (1, 1)',
    );
    expect(await db.failure('ALTER TABLE kept DROP CONSTRAINT pk_kept')).toBe(22113);
    await db.run(
      'ALTER TABLE kept ADD d int NOT NULL DEFAULT 5; ALTER TABLE kept ALTER COLUMN a bigint; ALTER TABLE kept DROP COLUMN a',
    );
    expect([await changes(1, 'kept'), await db.rows('SELECT * FROM kept')]).toEqual([[], [{ id: 1, d: 5 }]]);
  });

  test('33: SELECT alone does not suffice: VIEW CHANGE TRACKING is needed (unproved, Q6: 229)', async () => {
    await db.run(
      `CREATE LOGIN reader WITH PASSWORD = 'Secret_1'; CREATE USER reader; GRANT SELECT ON item TO reader`,
    );
    const reader = server.connect('reader');
    expect(await reader.failure('SELECT * FROM CHANGETABLE(CHANGES item, 0) AS ct')).toBe(229);
    expect(await reader.value(`SELECT CHANGE_TRACKING_MIN_VALID_VERSION(OBJECT_ID('item'))`)).toBeNull();
    await db.run('GRANT VIEW CHANGE TRACKING ON OBJECT::dbo.item TO reader');
    expect(await reader.rows('SELECT * FROM CHANGETABLE(CHANGES item, 0) AS ct')).toEqual([]);
    expect(await reader.value(`SELECT CHANGE_TRACKING_MIN_VALID_VERSION(OBJECT_ID('item'))`)).toBe(0);
  });

  test('34: the catalog shows databases and tables that are tracked', async () => {
    expect(
      await db.rows(
        `SELECT OBJECT_NAME(object_id) AS name, is_track_columns_updated_on AS cols, begin_version, cleanup_version, min_valid_version FROM sys.change_tracking_tables`,
      ),
    ).toEqual([{ name: 'item', cols: true, begin_version: 0, cleanup_version: 0, min_valid_version: 0 }]);
    expect(
      await db.rows(
        'SELECT DB_NAME(database_id) AS name, is_auto_cleanup_on AS auto, retention_period AS period, retention_period_units_desc AS unit FROM sys.change_tracking_databases',
      ),
    ).toEqual([{ name: 'test', auto: 1, period: 2, unit: 'DAYS' }]);
  });

  test('unproved answers can be switched: Q4 gaps after a rollback, Q9 updates of no rows take no version', async () => {
    await db.run('UPDATE item SET b = 1');
    expect(await current()).toBe(0);
    server.faults.behaviour.gapsAfterRollback = true;
    await db.run('BEGIN TRAN; INSERT item (id) VALUES (1); ROLLBACK; INSERT item (id) VALUES (2)');
    expect(await current()).toBe(2);
  });
});
