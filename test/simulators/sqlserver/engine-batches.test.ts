/** Batches: errors and what becomes of the transaction, control flow, procedures, temporary tables, permissions. */
import { beforeEach, describe, expect, test } from 'vitest';
import { type Client, type TestServer, testServer } from './engine-client.ts';

let server: TestServer;
let db: Client;

beforeEach(async () => {
  server = await testServer();
  db = server.connect();
  await db.run("CREATE TABLE t (id int PRIMARY KEY, v nvarchar(10)); INSERT t VALUES (1, N'one')");
});

describe('errors and transactions', () => {
  test('a failed statement leaves nothing behind, and the batch and the transaction go on', async () => {
    const parts: unknown[] = [];
    for await (const part of db.session.execute(
      'BEGIN TRAN; INSERT t VALUES (2, NULL), (1, NULL); INSERT t VALUES (3, NULL); COMMIT',
      [],
      new AbortController().signal,
    )) {
      parts.push(part);
    }
    expect(parts).toContainEqual(
      expect.objectContaining({
        kind: 'message',
        message: expect.objectContaining({ number: 2627, severity: 14 }),
      }),
    );
    expect(await db.rows('SELECT id FROM t ORDER BY id')).toEqual([{ id: 1 }, { id: 3 }]);
  });

  test('with XACT_ABORT every error rolls back and ends the batch', async () => {
    expect(
      await db.failure(
        'SET XACT_ABORT ON; BEGIN TRAN; INSERT t VALUES (2, NULL); INSERT t VALUES (1, NULL); INSERT t VALUES (3, NULL)',
      ),
    ).toBe(2627);
    expect([db.session.transaction, await db.value('SELECT COUNT(*) FROM t')]).toEqual([undefined, 1]);
  });

  test('a conversion error rolls back also without XACT_ABORT', async () => {
    expect(await db.failure(`BEGIN TRAN; INSERT t VALUES (2, NULL); INSERT t VALUES ('x', NULL)`)).toBe(245);
    expect(db.session.transaction).toBeUndefined();
  });

  test('TRY and CATCH: the error is known inside, and is thrown again by THROW', async () => {
    expect(
      await db.rows(`BEGIN TRY INSERT t VALUES (1, NULL) END TRY BEGIN CATCH
SELECT ERROR_NUMBER() AS number, ERROR_SEVERITY() AS severity, XACT_STATE() AS state, @@TRANCOUNT AS depth END CATCH`),
    ).toEqual([{ number: 2627, severity: 14, state: 0, depth: 0 }]);
    expect(await db.failure('BEGIN TRY SELECT 1/0 END TRY BEGIN CATCH; THROW END CATCH')).toBe(8134);
    expect(await db.failure(`BEGIN TRY THROW 50001, N'own', 3 END TRY BEGIN CATCH; THROW END CATCH`)).toBe(
      50001,
    );
    expect(await db.value('SELECT ERROR_NUMBER()')).toBeNull();
  });

  test('a doomed transaction can only be rolled back: 3930, and 3998 at the end of the batch', async () => {
    const doom = `SET XACT_ABORT ON; BEGIN TRAN; INSERT t VALUES (5, NULL); BEGIN TRY INSERT t VALUES (1, NULL) END TRY BEGIN CATCH `;
    expect(await db.value(`${doom} SELECT XACT_STATE(); ROLLBACK END CATCH`)).toBe(-1);
    expect(await db.failure(`${doom} INSERT t VALUES (6, NULL) END CATCH`)).toBe(3930);
    expect(await db.failure(`${doom} COMMIT END CATCH`)).toBe(3930);
    expect(await db.failure(`${doom} SELECT 1 END CATCH`)).toBe(3998);
    expect([db.session.transaction, await db.value('SELECT COUNT(*) FROM t')]).toEqual([undefined, 1]);
  });

  test('savepoints, nested transactions, and the errors of those that are not there', async () => {
    await db.run(
      `BEGIN TRAN; INSERT t VALUES (2, NULL); SAVE TRAN here; INSERT t VALUES (3, NULL); ROLLBACK TRAN here; BEGIN TRAN; INSERT t VALUES (4, NULL); COMMIT`,
    );
    expect(await db.value('SELECT @@TRANCOUNT')).toBe(1);
    await db.run('COMMIT');
    expect(await db.rows('SELECT id FROM t ORDER BY id')).toEqual([{ id: 1 }, { id: 2 }, { id: 4 }]);
    expect(await db.failure('COMMIT')).toBe(3902);
    expect(await db.failure('ROLLBACK')).toBe(3903);
    expect(await db.failure('BEGIN TRAN; ROLLBACK TRAN nowhere')).toBe(6401);
  });

  test('unknown things are errors', async () => {
    expect(await db.failure('SELECT * FROM nothing')).toBe(208);
    expect(await db.failure('SELECT nothing FROM t')).toBe(207);
    expect(await db.failure('SELECT x.id FROM t')).toBe(4104);
    expect(await db.failure('SELECT a.id FROM t AS a JOIN t AS b ON id = 1')).toBe(209);
    expect(await db.failure('EXEC nothing')).toBe(2812);
    expect(await db.failure('SELECT @nothing')).toBe(137);
    expect(await db.failure('SELECT 1; FROB t')).toBe(102);
    expect(await db.failure('SELECT * FROM sys.nothing')).toBe(208);
    expect(await db.failure('SELECT v, COUNT(*) FROM t')).toBe(8120);
    expect(await db.failure('WITH n AS (SELECT 1 AS i UNION ALL SELECT i + 1 FROM n) SELECT * FROM n')).toBe(
      50900,
    );
    expect(await db.failure('USE nowhere')).toBe(911);
  });
});

describe('sessions', () => {
  test('settings that the engine does not keep to are refused', async () => {
    await db.run('SET ANSI_NULLS ON; SET QUOTED_IDENTIFIER ON; SET ARITHABORT OFF');
    expect(await db.failure('SET ANSI_NULLS OFF')).toBe(50900);
    expect(await db.failure('SET NOEXEC ON')).toBe(50900);
  });

  test('with FMTONLY only the columns of results are told, and nothing is done', async () => {
    const { parts, sets } = await db.run('SET FMTONLY ON; SELECT * FROM t; DELETE t; SET FMTONLY OFF');
    expect(parts.some((part) => part.kind === 'columns' && part.columns.length === 2)).toBe(true);
    expect(sets).toEqual([[]]);
    expect(await db.value('SELECT COUNT(*) FROM t')).toBe(1);
  });

  test('with IMPLICIT_TRANSACTIONS a statement begins a transaction', async () => {
    await db.run('SET IMPLICIT_TRANSACTIONS ON; DELETE t; ROLLBACK');
    expect(await db.value('SELECT COUNT(*) FROM t')).toBe(1);
  });

  test('a session that is killed while it waits executes nothing more', async () => {
    const other = server.connect();
    await db.run('BEGIN TRAN; UPDATE t SET v = NULL');
    const waiting = other.failure('DELETE t');
    await new Promise((resolve) => setImmediate(resolve));
    await server.connect().run(`KILL ${other.session.id}`);
    expect(await waiting).toBe(596);
    await db.run('COMMIT');
    expect(await db.value('SELECT COUNT(*) FROM t')).toBe(1);
  });

  test('the catalog waits for what somebody else is just defining', async () => {
    const other = server.connect();
    await db.run('BEGIN TRAN; CREATE TABLE fresh (id int)');
    await other.run('SET LOCK_TIMEOUT 0');
    expect(await other.failure(`SELECT OBJECT_ID('dbo.fresh')`)).toBe(1222);
    await db.run('COMMIT');
    expect(await other.value(`SELECT OBJECT_ID('dbo.fresh')`)).not.toBeNull();
  });
});

describe('statements', () => {
  test('rows as JSON are upserted set by set, as the connector does', async () => {
    const rows = {
      name: '@rows',
      type: { kind: 'nvarchar', length: 'max' },
      value: '[["1","eins"],["2","zwei"],["3",null]]',
    } as const;
    const source = `OPENJSON(@rows) WITH ([c0] nvarchar(max) '$[0]', [c1] nvarchar(max) '$[1]')`;
    const outcome = await db.run(
      `WITH CHANGE_TRACKING_CONTEXT (0x01), s AS (SELECT CONVERT(int, [c0]) AS [id], [c1] AS [v] FROM ${source})
UPDATE t SET [v] = s.[v] FROM [t] AS t WITH (UPDLOCK, SERIALIZABLE) INNER JOIN s ON t.[id] = s.[id];
WITH s AS (SELECT CONVERT(int, [c0]) AS [id], [c1] AS [v] FROM ${source})
INSERT INTO [t] ([id], [v]) SELECT s.[id], s.[v] FROM s WHERE NOT EXISTS (SELECT 1 FROM [t] AS t WITH (UPDLOCK, SERIALIZABLE) WHERE t.[id] = s.[id])`,
      [rows],
    );
    expect(outcome.counts).toEqual([1, 2]);
    expect(await db.rows('SELECT * FROM t ORDER BY id')).toEqual([
      { id: 1, v: 'eins' },
      { id: 2, v: 'zwei' },
      { id: 3, v: null },
    ]);
  });

  test('common tables can be deleted and updated through, with TOP and ORDER BY', async () => {
    await db.run(
      `INSERT t VALUES (2, N'two'), (3, N'three'); WITH first AS (SELECT TOP (2) * FROM t ORDER BY id DESC) DELETE FROM first`,
    );
    expect(await db.rows('SELECT id FROM t')).toEqual([{ id: 1 }]);
    await db.run(
      `WITH renamed AS (SELECT id AS k, v AS text FROM t) UPDATE renamed SET text = N'new' WHERE k = 1`,
    );
    expect(await db.value('SELECT v FROM t')).toBe('new');
  });

  test('OUTPUT gives what was inserted and deleted, also into tables', async () => {
    expect(
      await db.rows(`UPDATE t SET v = N'two' OUTPUT inserted.id, deleted.v AS old, inserted.v AS new`),
    ).toEqual([{ id: 1, old: 'one', new: 'two' }]);
    expect(
      await db.rows(
        `DECLARE @gone table (id int, v nvarchar(10)); DELETE t OUTPUT deleted.id, deleted.v INTO @gone; SELECT * FROM @gone`,
      ),
    ).toEqual([{ id: 1, v: 'two' }]);
  });

  test('joins of every kind', async () => {
    await db.run(
      'CREATE TABLE l (a int); CREATE TABLE r (b int); INSERT l VALUES (1), (2), (NULL); INSERT r VALUES (2), (3), (NULL)',
    );
    const joined = (join: string) => db.rows(`SELECT a, b FROM l ${join} ORDER BY a, b`);
    expect(await joined('JOIN r ON a = b')).toEqual([{ a: 2, b: 2 }]);
    expect(await joined('LEFT JOIN r ON a = b')).toEqual([
      { a: null, b: null },
      { a: 1, b: null },
      { a: 2, b: 2 },
    ]);
    expect(await joined('RIGHT JOIN r ON a = b')).toEqual([
      { a: null, b: null },
      { a: null, b: 3 },
      { a: 2, b: 2 },
    ]);
    expect(await joined('FULL JOIN r ON a = b')).toHaveLength(5);
    expect(await joined('CROSS JOIN r')).toHaveLength(9);
    expect(await joined('LEFT JOIN r ON a = b AND b > 2')).toEqual([
      { a: null, b: null },
      { a: 1, b: null },
      { a: 2, b: null },
    ]);
    expect(await joined('LEFT JOIN r ON a = b WHERE b IS NULL')).toHaveLength(2);
    expect(await joined('OUTER APPLY (SELECT TOP (1) b FROM r WHERE b > a ORDER BY b) AS x')).toEqual([
      { a: null, b: null },
      { a: 1, b: 2 },
      { a: 2, b: 3 },
    ]);
  });

  test('groups, sets, pages and subqueries', async () => {
    await db.run(`INSERT t VALUES (2, N'two'), (3, N'two')`);
    expect(
      await db.rows(`SELECT v, COUNT(*) AS n, MAX(id) AS last FROM t GROUP BY v HAVING COUNT(*) > 1`),
    ).toEqual([{ v: 'two', n: 2, last: 3 }]);
    expect(await db.rows('SELECT id FROM t UNION ALL SELECT 9 EXCEPT SELECT 1 ORDER BY id DESC')).toEqual([
      { id: 9 },
      { id: 3 },
      { id: 2 },
    ]);
    expect(await db.rows('SELECT id FROM t ORDER BY id OFFSET 1 ROWS FETCH NEXT 1 ROWS ONLY')).toEqual([
      { id: 2 },
    ]);
    expect(await db.rows('SELECT DISTINCT v FROM t ORDER BY v')).toEqual([{ v: 'one' }, { v: 'two' }]);
    expect(
      await db.rows(
        'SELECT id, (SELECT COUNT(*) FROM t AS o WHERE o.v = t.v) AS same FROM t WHERE id IN (SELECT MAX(id) FROM t)',
      ),
    ).toEqual([{ id: 3, same: 2 }]);
    expect(
      await db.rows('SELECT id, ROW_NUMBER() OVER (PARTITION BY v ORDER BY id DESC) AS n FROM t ORDER BY id'),
    ).toEqual([
      { id: 1, n: 1 },
      { id: 2, n: 2 },
      { id: 3, n: 1 },
    ]);
    expect(await db.value(`SELECT STRING_AGG(v, ',') WITHIN GROUP (ORDER BY id DESC) FROM t`)).toBe(
      'two,two,one',
    );
  });

  test('variables, loops and conditions', async () => {
    expect(
      await db.value(
        `DECLARE @n int = 0, @s nvarchar(20) = N''; WHILE 1 = 1 BEGIN SET @n += 1; IF @n = 2 CONTINUE; IF @n > 4 BREAK; SET @s = @s + CAST(@n AS nvarchar(5)) END; SELECT @s`,
      ),
    ).toBe('134');
    expect(await db.value('DECLARE @v nvarchar(10); SELECT @v = v FROM t; SELECT @v')).toBe('one');
  });

  test('sp_executesql has variables of its own and gives OUTPUT back', async () => {
    expect(
      await db.value(
        `DECLARE @out int; EXEC sp_executesql N'SET @x = @y * 2', N'@y int, @x int OUTPUT', @y = 21, @x = @out OUTPUT; SELECT @out`,
      ),
    ).toBe(42);
    const parts: unknown[] = [];
    const parameters = [
      { name: '', type: { kind: 'nvarchar', length: 'max' }, value: 'SET @x = 7' },
      { name: '', type: { kind: 'nvarchar', length: 'max' }, value: '@x int OUTPUT' },
      { name: '@x', type: { kind: 'int' }, value: null, output: true },
    ] as const;
    for await (const part of db.session.call('sp_executesql', parameters, new AbortController().signal))
      parts.push(part);
    expect(parts).toContainEqual({ kind: 'output', name: '@x', type: { kind: 'int' }, value: 7n });
    expect(parts.at(-1)).toEqual({ kind: 'returnStatus', value: 0 });
  });

  test('table variables keep what they hold through a rollback', async () => {
    expect(
      await db.rows(`DECLARE @t table (id int PRIMARY KEY); BEGIN TRAN; INSERT @t VALUES (1), (2); INSERT t VALUES (7, NULL); ROLLBACK
INSERT @t VALUES (3); DELETE @t WHERE id = 1; SELECT v.id, t.id AS other FROM @t AS v LEFT JOIN t ON t.id = 7 ORDER BY v.id`),
    ).toEqual([
      { id: 2, other: null },
      { id: 3, other: null },
    ]);
  });

  test('temporary tables are the session’s own, and gone after a reset', async () => {
    await db.run('CREATE TABLE #x (id int PRIMARY KEY); INSERT #x VALUES (1); SELECT id INTO #y FROM t');
    expect(await db.value('SELECT COUNT(*) FROM #x JOIN #y ON #x.id = #y.id')).toBe(1);
    expect(await server.connect().failure('SELECT * FROM #x')).toBe(208);
    db.session.reset();
    expect(await db.failure('SELECT * FROM #x')).toBe(208);
  });

  test('bulk loads are one statement, tracked, and keep to constraints (unproved, Q10: one version)', async () => {
    await db.run('ALTER DATABASE test SET CHANGE_TRACKING = ON; ALTER TABLE t ENABLE CHANGE_TRACKING');
    const load = async (rows: readonly (readonly [bigint, string])[]) => {
      await db.run('INSERT BULK t ([id] int, [v] nvarchar(10)) WITH (CHECK_CONSTRAINTS)');
      const columns = [
        { name: 'id', type: { kind: 'int' } },
        { name: 'v', type: { kind: 'nvarchar', length: 10 } },
      ] as const;
      return db.session.bulkLoad(
        columns,
        (async function* () {
          yield rows;
        })(),
        new AbortController().signal,
      );
    };
    expect(
      await load([
        [2n, 'b'],
        [3n, 'c'],
      ]),
    ).toBe(2);
    expect(await db.value('SELECT CHANGE_TRACKING_CURRENT_VERSION()')).toBe(1);
    await expect(
      load([
        [4n, 'd'],
        [3n, 'c'],
      ]),
    ).rejects.toMatchObject({ number: 2627 });
    expect(await db.value('SELECT COUNT(*) FROM t')).toBe(3);
  });
});

describe('permissions', () => {
  test('a login with only the grants of the reference can do just that', async () => {
    await db.run(`CREATE LOGIN foo WITH PASSWORD = 'Secret_1'`);
    expect(() => server.connect('foo')).toThrow('Cannot open database "test"');
    await db.run('CREATE USER foo FOR LOGIN foo WITH DEFAULT_SCHEMA = dbo; CREATE TABLE hidden (id int)');
    const foo = server.connect('foo');
    for (const statement of [
      'SELECT * FROM t',
      'INSERT t VALUES (2, NULL)',
      'UPDATE t SET v = NULL',
      'DELETE t',
    ])
      expect(await foo.failure(statement)).toBe(229);
    expect(await foo.value('SELECT COUNT(*) FROM sys.tables')).toBe(0);
    expect(await foo.failure('CREATE TABLE mine (id int)')).toBe(262);
    await db.run('GRANT SELECT, INSERT, UPDATE, DELETE ON dbo.t TO foo');
    expect(await foo.failure('ALTER TABLE t ADD x int')).toBe(1088);
    await db.run('GRANT ALTER ON dbo.t TO foo');
    await foo.run(
      'ALTER TABLE t ADD x int; INSERT t VALUES (2, NULL, 1); UPDATE t SET x = 2; DELETE t WHERE id = 2',
    );
    expect(await foo.rows('SELECT name FROM sys.tables')).toEqual([{ name: 't' }]);
    expect(
      await foo.rows(
        `SELECT HAS_PERMS_BY_NAME('dbo.t', 'OBJECT', 'SELECT') AS s, HAS_PERMS_BY_NAME('dbo.t', 'OBJECT', 'VIEW CHANGE TRACKING') AS c, HAS_PERMS_BY_NAME(DB_NAME(), 'DATABASE', 'CREATE TABLE') AS d`,
      ),
    ).toEqual([{ s: 1, c: 0, d: 0 }]);
    await db.run('DENY UPDATE ON t TO foo');
    expect(await foo.failure('UPDATE t SET x = 3')).toBe(229);
    await db.run('ALTER ROLE db_owner ADD MEMBER foo');
    await foo.run('CREATE TABLE mine (id int); ALTER DATABASE CURRENT SET ALLOW_SNAPSHOT_ISOLATION ON');
  });

  test('wrong passwords fail with 18456', () => {
    expect(() =>
      server.engine.login({ user: 'sa', password: 'wrong', database: undefined, host: '', program: '' }),
    ).toThrow("Login failed for user 'sa'.");
  });
});
