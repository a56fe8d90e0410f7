/** What tables demand of their rows, with the numbers of the errors. */
import { beforeEach, describe, expect, test } from 'vitest';
import { type Client, type TestServer, testServer } from './engine-client.ts';

let server: TestServer;
let db: Client;

beforeEach(async () => {
  server = await testServer();
  db = server.connect();
});

describe('keys', () => {
  test('duplicates fail with 2627 for constraints and 2601 for indexes; case does not make keys different by default', async () => {
    await db.run(`CREATE TABLE t (id nvarchar(10) PRIMARY KEY, u int CONSTRAINT uq UNIQUE, x int); CREATE UNIQUE INDEX ux ON t (x);
INSERT t VALUES ('a', 1, 1)`);
    expect(await db.failure(`INSERT t VALUES ('A ', 2, 2)`)).toBe(2627);
    expect(await db.failure(`INSERT t VALUES ('b', 1, 2)`)).toBe(2627);
    expect(await db.failure(`INSERT t VALUES ('b', 2, 1)`)).toBe(2601);
    await expect(db.run(`INSERT t VALUES ('A', 2, 2)`)).rejects.toThrow('The duplicate key value is (A).');
    expect(await db.value('SELECT COUNT(*) FROM t')).toBe(1);
  });

  test('a unique index takes one NULL, a filtered one any number', async () => {
    await db.run(
      'CREATE TABLE t (id int PRIMARY KEY, x int, y int); CREATE UNIQUE INDEX ux ON t (x); CREATE UNIQUE INDEX uy ON t (y) WHERE y IS NOT NULL; INSERT t VALUES (1, NULL, NULL), (2, 2, NULL)',
    );
    expect(await db.failure('INSERT t VALUES (3, NULL, NULL)')).toBe(2601);
    await db.run('INSERT t VALUES (3, 3, NULL), (4, 4, 4)');
    expect(await db.failure('INSERT t VALUES (5, 5, 4)')).toBe(2601);
  });

  test('an update may exchange keys within one statement', async () => {
    await db.run(
      'CREATE TABLE t (id int PRIMARY KEY); INSERT t VALUES (1), (2), (3); UPDATE t SET id = id + 1',
    );
    expect(await db.rows('SELECT id FROM t ORDER BY id')).toEqual([{ id: 2 }, { id: 3 }, { id: 4 }]);
    expect(await db.failure('UPDATE t SET id = 2')).toBe(2627);
  });

  test('an index on rows with duplicates cannot be made (1505), nor a second primary key (1779), nor one on a nullable column (8111)', async () => {
    await db.run('CREATE TABLE t (id int NOT NULL PRIMARY KEY, x int); INSERT t VALUES (1, 1), (2, 1)');
    expect(await db.failure('CREATE UNIQUE INDEX ux ON t (x)')).toBe(1505);
    expect(await db.failure('ALTER TABLE t ADD PRIMARY KEY (x)')).toBe(1779);
    expect(await db.failure('CREATE TABLE u (id int NULL PRIMARY KEY)')).toBe(8111);
  });
});

describe('foreign keys', () => {
  beforeEach(async () => {
    await db.run(`CREATE TABLE p (id int PRIMARY KEY);
CREATE TABLE c (id int PRIMARY KEY, p int CONSTRAINT fk REFERENCES p (id));
CREATE TABLE cascading (id int PRIMARY KEY, p int REFERENCES p ON DELETE CASCADE ON UPDATE CASCADE);
CREATE TABLE emptied (id int PRIMARY KEY, p int REFERENCES p ON DELETE SET NULL);
INSERT p VALUES (1), (2), (3)`);
  });

  test('a child needs its parent, a parent with children stays (547)', async () => {
    await db.run('INSERT c VALUES (1, 1), (2, NULL)');
    expect(await db.failure('INSERT c VALUES (3, 9)')).toBe(547);
    expect(await db.failure('DELETE p WHERE id = 1')).toBe(547);
    expect(await db.failure('UPDATE p SET id = 7 WHERE id = 1')).toBe(547);
    await expect(db.run('DELETE p WHERE id = 1')).rejects.toThrow('REFERENCE constraint "fk"');
    expect(await db.failure('TRUNCATE TABLE p')).toBe(4712);
    expect(await db.failure('DROP TABLE p')).toBe(3726);
  });

  test('CASCADE and SET NULL do what they say', async () => {
    await db.run(
      'INSERT cascading VALUES (1, 1), (2, 2); INSERT emptied VALUES (1, 1); DELETE p WHERE id = 1; UPDATE p SET id = 20 WHERE id = 2',
    );
    expect(await db.rows('SELECT id, p FROM cascading')).toEqual([{ id: 2, p: 20 }]);
    expect(await db.rows('SELECT id, p FROM emptied')).toEqual([{ id: 1, p: null }]);
  });

  test('rows may refer to rows of the same statement and table', async () => {
    await db.run(
      'CREATE TABLE tree (id int PRIMARY KEY, up int REFERENCES tree (id)); INSERT tree VALUES (1, 2), (2, 1)',
    );
    expect(await db.failure('DELETE tree WHERE id = 1')).toBe(547);
    await db.run('DELETE tree');
  });

  test('a disabled constraint lets rows in, and is not trusted afterwards', async () => {
    await db.run(
      'ALTER TABLE c NOCHECK CONSTRAINT fk; INSERT c VALUES (1, 9); ALTER TABLE c CHECK CONSTRAINT fk',
    );
    expect(
      await db.rows(`SELECT is_disabled, is_not_trusted FROM sys.foreign_keys WHERE name = 'fk'`),
    ).toEqual([{ is_disabled: false, is_not_trusted: true }]);
    expect(await db.failure('ALTER TABLE c WITH CHECK CHECK CONSTRAINT fk')).toBe(547);
  });
});

describe('columns', () => {
  test('NOT NULL 515, CHECK 547, too long 2628, out of range 220 or 8115, no number 245', async () => {
    await db.run(
      'CREATE TABLE t (id int NOT NULL, a nvarchar(3), b tinyint, d decimal(4,2), CONSTRAINT ck CHECK (b < 100))',
    );
    expect(await db.failure("INSERT t (a) VALUES (N'x')")).toBe(515);
    expect(await db.failure('INSERT t (id, b) VALUES (1, 100)')).toBe(547);
    expect(await db.failure(`INSERT t (id, a) VALUES (1, N'four')`)).toBe(2628);
    expect(await db.failure('INSERT t (id, b) VALUES (1, 300)')).toBe(220);
    expect(await db.failure('INSERT t (id, d) VALUES (1, 1000)')).toBe(8115);
    expect(await db.failure(`INSERT t (id) VALUES ('x')`)).toBe(245);
    await db.run('INSERT t (id, b) VALUES (1, NULL)');
  });

  test('defaults, computed columns (271) and rowversion (272, 273)', async () => {
    await db.run(
      `CREATE TABLE t (id int PRIMARY KEY, a int NOT NULL CONSTRAINT df DEFAULT (5), twice AS (a * 2), rv rowversion); INSERT t (id) VALUES (1); INSERT t (id, a) VALUES (2, DEFAULT), (3, 7)`,
    );
    expect(await db.rows('SELECT id, a, twice FROM t ORDER BY id')).toEqual([
      { id: 1, a: 5, twice: 10 },
      { id: 2, a: 5, twice: 10 },
      { id: 3, a: 7, twice: 14 },
    ]);
    const before = await db.value('SELECT rv FROM t WHERE id = 1');
    await db.run('UPDATE t SET a = 6 WHERE id = 1');
    expect(await db.rows('SELECT a, twice FROM t WHERE id = 1')).toEqual([{ a: 6, twice: 12 }]);
    expect(String(await db.value('SELECT rv FROM t WHERE id = 1')) > String(before)).toBe(true);
    expect(await db.failure('UPDATE t SET twice = 1')).toBe(271);
    expect(await db.failure('INSERT t (id, twice) VALUES (4, 1)')).toBe(271);
    expect(await db.failure('UPDATE t SET rv = 0x00')).toBe(272);
    expect(await db.failure('INSERT t (id, rv) VALUES (4, 0x00)')).toBe(273);
  });

  test('IDENTITY: values, explicit ones (544, 8101, 545, 8107), no updates (8102), reseeding and gaps', async () => {
    await db.run(
      'CREATE TABLE t (id int IDENTITY (10, 5) PRIMARY KEY, a int); CREATE TABLE u (id int IDENTITY); INSERT t VALUES (1); INSERT t VALUES (2)',
    );
    expect(await db.rows('SELECT id FROM t ORDER BY id')).toEqual([{ id: 10 }, { id: 15 }]);
    expect(await db.value('INSERT t VALUES (3); SELECT SCOPE_IDENTITY()')).toBe(20);
    expect(await db.failure('INSERT t (id, a) VALUES (1, 1)')).toBe(544);
    expect(await db.failure('UPDATE t SET id = 1')).toBe(8102);
    await db.run('SET IDENTITY_INSERT t ON; INSERT t (id, a) VALUES (100, 4)');
    expect(await db.failure('INSERT t VALUES (1, 1)')).toBe(8101);
    expect(await db.failure('INSERT t (a) VALUES (1)')).toBe(545);
    expect(await db.failure('SET IDENTITY_INSERT u ON')).toBe(8107);
    await db.run('SET IDENTITY_INSERT t OFF; BEGIN TRAN; INSERT t VALUES (5); ROLLBACK; INSERT t VALUES (6)');
    expect(await db.value('SELECT MAX(id) FROM t')).toBe(110);
    expect(await db.value(`SELECT IDENT_CURRENT('dbo.t')`)).toBe(110);
  });
});

describe('definitions', () => {
  test('columns are added, converted, renamed and dropped; what depends on them is named', async () => {
    await db.run(
      `CREATE TABLE t (id int PRIMARY KEY, a nvarchar(10), b int CONSTRAINT df DEFAULT 1); INSERT t (id, a) VALUES (1, '42')`,
    );
    expect(await db.failure('ALTER TABLE t ADD x int NOT NULL')).toBe(4901);
    await db.run(
      `ALTER TABLE t ALTER COLUMN a int; EXEC sp_rename 'dbo.t.a', 'number', 'COLUMN'; ALTER TABLE t ADD d int NOT NULL CONSTRAINT dd DEFAULT 9, e AS (number + 1)`,
    );
    expect(await db.rows('SELECT number, b, d, e FROM t')).toEqual([{ number: 42, b: 1, d: 9, e: 43 }]);
    expect(await db.failure('ALTER TABLE t DROP COLUMN b')).toBe(4922);
    expect(await db.failure('ALTER TABLE t ALTER COLUMN nothing int')).toBe(4924);
    expect(await db.failure('ALTER TABLE t DROP CONSTRAINT nothing')).toBe(3728);
    await db.run('ALTER TABLE t DROP CONSTRAINT df; ALTER TABLE t DROP COLUMN b');
    expect(await db.failure('SELECT b FROM t')).toBe(207);
    await db.run(`EXEC sp_rename 'dbo.t', 'renamed'`);
    expect([await db.failure('SELECT * FROM t'), await db.value('SELECT d FROM renamed')]).toEqual([208, 9]);
  });

  test('definitions are rolled back with their transaction', async () => {
    await db.run(`CREATE TABLE t (id int PRIMARY KEY, a nvarchar(5)); INSERT t VALUES (1, 'x')`);
    await db.run(
      `BEGIN TRAN; ALTER TABLE t ADD b int NOT NULL DEFAULT 1; CREATE INDEX ix ON t (a); CREATE TABLE u (id int); INSERT u VALUES (1); DROP TABLE t; ROLLBACK`,
    );
    expect(await db.rows('SELECT * FROM t')).toEqual([{ id: 1, a: 'x' }]);
    expect(await db.failure('SELECT * FROM u')).toBe(208);
    expect(await db.value(`SELECT COUNT(*) FROM sys.indexes WHERE name = 'ix'`)).toBe(0);
  });

  test('names are taken once (2714, 2705, 1801), schemas must be there (2760)', async () => {
    await db.run('CREATE TABLE t (id int)');
    expect(await db.failure('CREATE TABLE T (id int)')).toBe(2714);
    expect(await db.failure('CREATE TABLE u (id int, ID int)')).toBe(2705);
    expect(await db.failure('CREATE DATABASE test')).toBe(1801);
    expect(await db.failure('CREATE TABLE nowhere.t (id int)')).toBe(2760);
    await db.run('CREATE SCHEMA isthmus');
    await db.run('CREATE TABLE isthmus.t (id int)');
    expect(await db.failure('DROP SCHEMA isthmus')).toBe(3729);
  });
});
