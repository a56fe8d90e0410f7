import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { SqlFailure } from './contract.ts';
import type { Statement } from './sql/ast.ts';
import { splitBatches } from './sql/batches.ts';
import { tokenize } from './sql/lexer.ts';
import { parseBatch } from './sql/parse.ts';

function kinds(script: string): readonly string[] {
  return splitBatches(script).flatMap((batch) => parseBatch(batch).map((statement) => statement.kind));
}

function only(text: string): Statement {
  const statements = parseBatch(text);
  expect(statements).toHaveLength(1);
  return statements[0]!;
}

function failure(text: string): SqlFailure {
  try {
    parseBatch(text);
  } catch (error) {
    if (error instanceof SqlFailure) return error;
    throw error;
  }
  throw new Error(`accepted: ${text}`);
}

/** Scripts in the manner of the reference's examples: databases, grants, the four relationships. */
const EXAMPLES = [
  `IF (SELECT db_id('SQLSyncDemo')) IS NULL CREATE DATABASE SQLSyncDemo;
ALTER DATABASE SQLSyncDemo
SET CHANGE_TRACKING = ON
(CHANGE_RETENTION = 2 DAYS, AUTO_CLEANUP = ON)

ALTER DATABASE SQLSyncDemo
SET ALLOW_SNAPSHOT_ISOLATION ON
GO
USE SQLSyncDemo
GO
CREATE TABLE dbo.Address (
    ID int NOT NULL,
    ZipCode varchar(10) NOT NULL
);
ALTER TABLE dbo.Address ADD CONSTRAINT PK_Address PRIMARY KEY (ID);
/* INSERT DATA */
INSERT INTO Address (ID, ZipCode) VALUES
(1,'90101'),
(2,'80100');
ALTER TABLE Address ENABLE CHANGE_TRACKING WITH (TRACK_COLUMNS_UPDATED = ON)
ALTER TABLE Customer ENABLE CHANGE_TRACKING WITH (TRACK_COLUMNS_UPDATED = OFF)`,
  `create login foo with password = 'password';
create user foo for login foo with default_schema = dbo;
go
alter database test set change_tracking = on;
go
grant create database to foo;
grant create table to foo;
grant select on test.dbo.MapTable to foo;
grant alter on test.dbo.MapTable to foo;
grant view change tracking on test.dbo.MapTable to foo;`,
  `CREATE TABLE dbo.Person (
PersonId INT NOT NULL IDENTITY(1,1),
RealmId VARCHAR(255),
Name VARCHAR(255),
PassportId INT FOREIGN KEY REFERENCES Passport(PassportId),
CONSTRAINT PK_Person PRIMARY KEY (PersonId)
);
SET IDENTITY_INSERT Person ON
INSERT INTO dbo.Person (PersonId, Name, PassportId) VALUES
(1, 'Ann', 1),
(2, 'Bo', NULL)
SET IDENTITY_INSERT Person OFF`,
  `CREATE TABLE dbo.EmployeeRoute (
    RouteKey int FOREIGN KEY REFERENCES Route(RouteKey) NOT NULL,
    EmployeeKey int FOREIGN KEY REFERENCES Employee(EmployeeKey) NOT NULL
);
ALTER TABLE dbo.EmployeeRoute ADD CONSTRAINT PK_EMPLOYEE_ROUTE PRIMARY KEY
 (RouteKey, EmployeeKey);
CREATE TABLE MapTest.dbo.MapTable
(
  id INT NOT NULL IDENTITY(1,1),
  RealmId VARCHAR(255),
  age INT,
  CONSTRAINT PK_id PRIMARY KEY (id)
)`,
];

describe('the parser accepts', () => {
  it('every statement of the Chinook script', () => {
    const all = kinds(readFileSync('data/chinook/Chinook_SqlServer.sql', 'utf8'));
    const count = (kind: string): number => all.filter((each) => each === kind).length;
    expect(all.slice(0, 3)).toEqual(['if', 'createDatabase', 'use']);
    expect([count('createTable'), count('alterTable'), count('createIndex')]).toEqual([11, 11, 11]);
    expect(count('insert')).toBe(24);
  });

  it.each(EXAMPLES)('an example script: %#', (script) => {
    expect(kinds(script).length).toBeGreaterThan(2);
  });

  it('every statement that the connector can send', () => {
    const script = readFileSync('test/sqlserver/statements.golden.sql', 'utf8');
    expect(kinds(script).length).toBeGreaterThan(100);
  });

  it('the statements of tedious at login and reset', () => {
    const text = `set ansi_nulls on
set ansi_null_dflt_on on
set ansi_padding on
set ansi_warnings on
set arithabort on
set concat_null_yields_null on
set cursor_close_on_commit off
set datefirst 7
set dateformat mdy
set implicit_transactions off
set language us_english
set numeric_roundabort off
set quoted_identifier on
set textsize 2147483647
set transaction isolation level read committed`;
    expect(parseBatch(text)).toHaveLength(15);
  });

  it('a set-based upsert with rows in JSON', () => {
    const text = `WITH CHANGE_TRACKING_CONTEXT (@context), source AS (
  SELECT CONVERT(int, j.[c0]) AS [c0], j.[c1] FROM OPENJSON(@rows) WITH ([c0] nvarchar(max) '$[0]', [c1] nvarchar(max) '$[1]') AS j
)
UPDATE t SET t.[Name] = s.[c1] OUTPUT inserted.[Id], deleted.[Name] INTO @done ([id], [name])
FROM [dbo].[Artist] AS t WITH (UPDLOCK, SERIALIZABLE) INNER JOIN source AS s ON t.[Id] = s.[c0]
WHERE t.[Name] <> s.[c1] COLLATE Latin1_General_100_BIN2 OR (t.[Name] IS NULL AND NOT s.[c1] IS NULL)
OPTION (RECOMPILE);`;
    const statement = only(text);
    expect(statement).toMatchObject({
      kind: 'update',
      changeContext: { value: { kind: 'variable', name: '@context' } },
      commonTables: [{ name: 'source' }],
      target: { kind: 'name', name: { name: 't' } },
      from: [{ kind: 'join', join: 'inner', left: { hints: ['UPDLOCK', 'SERIALIZABLE'] } }],
      output: { into: { target: { kind: 'variable', name: '@done' }, columns: ['id', 'name'] } },
    });
  });

  it('changes joined to their table', () => {
    const text = `SELECT c.SYS_CHANGE_VERSION, c.SYS_CHANGE_OPERATION, t.*
FROM CHANGETABLE(CHANGES [dbo].[Artist], @since) AS c
LEFT OUTER JOIN [dbo].[Artist] AS t ON t.[Id] = c.[Id]
CROSS APPLY CHANGETABLE(VERSION [dbo].[Artist], ([Id]), (c.[Id])) AS v
ORDER BY c.SYS_CHANGE_VERSION, c.[Id] DESC OFFSET 5 ROWS FETCH NEXT @n ROWS ONLY`;
    expect(only(text)).toMatchObject({
      kind: 'select',
      query: {
        orderBy: [{ descending: false }, { descending: true }],
        offset: { kind: 'literal', value: 5n },
        fetch: { kind: 'variable' },
        body: {
          from: [{ kind: 'join', join: 'crossApply', right: { kind: 'version', keyColumns: ['Id'] } }],
        },
      },
    });
  });

  it.each([
    `BEGIN TRY
  BEGIN TRAN; SAVE TRAN [a]; COMMIT TRANSACTION
END TRY
BEGIN CATCH
  IF XACT_STATE() <> 0 ROLLBACK;
  THROW
END CATCH`,
    "DECLARE @t TABLE (id int PRIMARY KEY, n nvarchar(10) NULL DEFAULT N'x')",
    "RAISERROR (N'no %s', 16, 1, @name) WITH NOWAIT",
    "IF NOT EXISTS (SELECT 1 FROM sys.schemas WHERE name = N'isthmus') EXEC(N'CREATE SCHEMA [isthmus]'); ELSE PRINT 'there'",
    "EXEC @r = sp_getapplock @Resource = N'a', @LockMode = 'Exclusive', @LockTimeout = -1; SELECT @r",
    'sp_who',
    'CREATE TABLE #t (a int, b AS a + 1 PERSISTED NOT NULL, c nvarchar(5) COLLATE Latin1_General_BIN2 NOT NULL, CHECK (a > 0), INDEX ix (a DESC))',
    "SELECT TOP (1) WITH TIES a = 1, b 'two', COUNT(*) AS n, m FROM t",
    "SELECT STRING_AGG(CONVERT(nvarchar(max), n), N',') WITHIN GROUP (ORDER BY n), ROW_NUMBER() OVER (PARTITION BY a ORDER BY b DESC) FROM t GROUP BY a HAVING COUNT_BIG(DISTINCT n) > 1",
    "SELECT x FROM (VALUES (1, N'a'), (2, N'b')) AS v (x, y) WHERE x IN (1, 2) AND y NOT LIKE N'a!%' ESCAPE N'!' AND x BETWEEN 1 AND 2 UNION ALL SELECT (SELECT MAX(a) FROM t)",
    'SELECT CASE x WHEN 1 THEN 2 END, CASE WHEN (x = 1 OR (y = 2)) THEN 1 ELSE 0 END, IIF((a) > (b), 1, 0), (((1))), a.b.c.d FROM x',
    "SELECT DATEADD(mi, -5, SYSUTCDATETIME()), TRIM('x' FROM 'xax'), d AT TIME ZONE 'UTC' COLLATE Latin1_General_BIN2, LEFT(a, 1), CURRENT_TIMESTAMP",
    'SELECT * FROM a JOIN b JOIN c ON b.x = c.x ON a.x = b.x, (d CROSS JOIN e), ((SELECT 1 AS x) AS f INNER JOIN g ON f.x = g.x)',
    "MERGE_IS_A_PROCEDURE_NAME_HERE 1, N'a', default",
    'ALTER TABLE t WITH NOCHECK ADD c int NOT NULL CONSTRAINT df DEFAULT (0) WITH VALUES',
    'ALTER TABLE t DROP CONSTRAINT IF EXISTS a, COLUMN b, c',
    'ALTER DATABASE CURRENT SET READ_COMMITTED_SNAPSHOT ON, COMPATIBILITY_LEVEL = 130 WITH ROLLBACK IMMEDIATE',
    'insert bulk [dbo].[t] ([a] int, [b] nvarchar(max) COLLATE Latin1_General_BIN2) with (KEEP_NULLS)',
    'SET FMTONLY ON select * from t SET FMTONLY OFF',
    'CREATE UNIQUE NONCLUSTERED INDEX ix ON dbo.t (a, b DESC) INCLUDE (c) WHERE (a IS NOT NULL) WITH (ONLINE = OFF) ON [PRIMARY]',
    'REVOKE GRANT OPTION FOR SELECT, UPDATE (a) ON SCHEMA::[isthmus] FROM a, public CASCADE',
  ])('%s', (text) => {
    expect(parseBatch(text).length).toBeGreaterThan(0);
  });
});

const SEED = Number(process.env.ISTHMUS_TEST_SEED ?? Date.now() % 1_000_000);

describe('damaged statements', () => {
  const batches = EXAMPLES.flatMap((script) => splitBatches(script)).concat(
    splitBatches(readFileSync('test/sqlserver/statements.golden.sql', 'utf8')),
  );
  let state = SEED;
  const random = (limit: number): number => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) & 0x7fffffff;
    return (state >> 8) % limit;
  };

  it(`are refused with a failure, or mean something else (seed ${SEED})`, () => {
    for (let i = 0; i < 1500; i++) {
      const batch = batches[random(batches.length)]!;
      const tokens = tokenize(batch);
      const token = tokens[random(tokens.length - 1)]!;
      const damaged = `${batch.slice(0, token.start)} ${batch.slice(token.end)}`;
      let trees: readonly Statement[];
      try {
        trees = parseBatch(damaged);
      } catch (error) {
        expect(error, damaged).toBeInstanceOf(SqlFailure);
        continue;
      }
      if (token.text === ';' || NOISE.has(token.upper)) continue;
      expect(withoutLines(trees), `${token.text} of ${batch}`).not.toEqual(withoutLines(parseBatch(batch)));
    }
  });

  it(`with a character that means nothing are always refused (seed ${SEED})`, () => {
    for (let i = 0; i < 500; i++) {
      const batch = batches[random(batches.length)]!;
      const tokens = tokenize(batch);
      const { start } = tokens[random(tokens.length - 1)]!;
      expect(() => parseBatch(`${batch.slice(0, start)} ? ${batch.slice(start)}`)).toThrow(
        "Incorrect syntax near '?'.",
      );
    }
  });
});

/** Words that may be left out. */
const NOISE: ReadonlySet<string> = new Set([
  'EXEC',
  'EXECUTE',
  'TRANSACTION',
  'TRAN',
  'INTO',
  'AS',
  'INNER',
  'OUTER',
  'ASC',
  'FROM',
  'ALL',
  'TO',
  'FOREIGN',
  'KEY',
  'NULL',
  'WORK',
  'CONSTRAINT',
  'NONCLUSTERED',
  'ROWS',
  ',',
]);

function withoutLines(trees: readonly Statement[]): unknown {
  return JSON.parse(
    JSON.stringify(trees, (name, value: unknown) =>
      name === 'line' || name === 'text' ? undefined : typeof value === 'bigint' ? String(value) : value,
    ),
  );
}

describe('what it reads', () => {
  it('gives constants the types of their notation', () => {
    const text = "SELECT 1, 2147483648, 1.50, .5, 1e3, N'a''b', 'é', 0x0aF, $1.23456,-7, NULL";
    const statement = only(text);
    if (statement.kind !== 'select' || statement.query.body.kind !== 'specification')
      throw new Error('a query');
    const found = statement.query.body.items.map((item) =>
      item.kind === 'expression' ? item.expression : undefined,
    );
    expect(found).toMatchObject([
      { type: { kind: 'int' }, value: 1n },
      { type: { kind: 'decimal', precision: 10, scale: 0 }, value: 2_147_483_648n },
      { type: { kind: 'decimal', precision: 3, scale: 2 }, value: 150n },
      { type: { kind: 'decimal', precision: 1, scale: 1 }, value: 5n },
      { type: { kind: 'float' }, value: 1000 },
      { type: { kind: 'nvarchar', length: 3 }, value: "a'b" },
      { type: { kind: 'varchar', length: 1 }, value: 'é' },
      { type: { kind: 'varbinary', length: 2 }, value: Uint8Array.of(0, 0xaf) },
      { type: { kind: 'money' }, value: 12_346n },
      { kind: 'unary', operand: { value: 7n } },
      { kind: 'null' },
    ]);
  });

  it('binds operators as T-SQL does', () => {
    const statement = only('SELECT 1 WHERE NOT a = 1 + 2 * 3 AND b = 1 OR c = -2 % 3 & 4');
    if (statement.kind !== 'select' || statement.query.body.kind !== 'specification')
      throw new Error('a query');
    expect(statement.query.body.where).toMatchObject({
      kind: 'or',
      left: {
        kind: 'and',
        left: {
          kind: 'not',
          operand: { kind: 'comparison', right: { operator: '+', right: { operator: '*' } } },
        },
      },
      right: { right: { operator: '&', left: { operator: '%', left: { kind: 'unary' } } } },
    });
  });

  it('keeps the source of defaults, checks and computed columns', () => {
    expect(only('CREATE TABLE t (a int DEFAULT ( 0 ), b AS a  + 1, CHECK (a>0 AND  a < 9))')).toMatchObject({
      columns: [{ constraints: [{ body: { text: '( 0 )' } }] }, { computed: { text: 'a  + 1' } }],
      constraints: [{ body: { text: 'a>0 AND  a < 9' } }],
    });
  });

  it('reads comments inside comments, and GO only on a line of its own outside of them', () => {
    expect(splitBatches("SELECT 1 /* a /* b */\nGO\n*/\nGO 2\nSELECT 'x\nGO\n'\n go -- done\n")).toEqual([
      'SELECT 1 /* a /* b */\nGO\n*/',
      'SELECT 1 /* a /* b */\nGO\n*/',
      "SELECT 'x\nGO\n'",
    ]);
    expect(parseBatch('SELECT 1 /* a /* b */ c */ -- d\n;')).toHaveLength(1);
  });
});

describe('the parser refuses', () => {
  it.each<[string, number, number, string]>([
    ['SELECT 1\nSELEC 1', 102, 2, "near '1'"],
    ['SELECT 1\nFROM', 156, 2, "keyword 'FROM'"],
    ['SELECT 1,\nFROM t', 156, 2, "keyword 'FROM'"],
    ["SELECT 'abc", 105, 1, "'abc'"],
    ['SELECT 1 /* x', 113, 1, '*/'],
    ['SELECT a FROM t WHERE a', 4145, 1, "near 'a'"],
    ['SELECT 1 = 1', 102, 1, "near '='"],
    ['SELECT (1 = 1)', 102, 1, ''],
    ['UPDATE t WHERE a = 1', 156, 1, "'WHERE'"],
    ['UPDATE t SET a = 1 WHERE (a = 1', 102, 1, "near '1'"],
    ['DELETE FROM', 156, 1, "'FROM'"],
    ['INSERT INTO t (a, b) VALUES (1)', 109, 1, 'more columns'],
    ['INSERT INTO t (a) VALUES (1, 2)', 110, 1, 'fewer columns'],
    ['INSERT INTO t VALUES (1), (1, 2)', 10709, 1, 'must be the same'],
    ['SELECT 1 WITH x AS (SELECT 1) SELECT * FROM x', 319, 1, 'semicolon'],
    ['DECLARE @a int\nWITH x AS (SELECT 1 AS a) SELECT * FROM x', 319, 2, 'semicolon'],
    ['DECLARE @a int THROW', 102, 1, "near 'THROW'"],
    ['WITH CHANGE_TRACKING_CONTEXT (0x01) SELECT 1', 22108, 1, 'SELECT'],
    ['SELECT * FROM CHANGETABLE(CHANGES t, 1)', 22104, 1, 'aliased'],
    ['SELECT * FROM CHANGETABLE(CHANGES t, @v + 1) AS c', 102, 1, "near ')'"],
    ['SELECT * FROM t WITH (FASTPLEASE)', 321, 1, 'FASTPLEASE'],
    ['SELECT * FROM (SELECT 1 AS a)', 102, 1, "near ')'"],
    ['SELECT DATEADD(fortnight, 1, x)', 155, 1, 'dateadd option'],
    ['SELECT 1\nCREATE SCHEMA x', 111, 2, 'first statement'],
    ['IF 1 = 1 CREATE SCHEMA x', 111, 1, 'CREATE SCHEMA'],
    ['BEGIN END', 156, 1, "'END'"],
    ['BEGIN TRY SELECT 1 END TRY', 102, 1, "near 'TRY'"],
    ['SELECT * FROM t FOR XML PATH', 156, 1, "'FOR'"],
    ['MERGE t USING s ON 1 = 1 WHEN MATCHED THEN DELETE;', 156, 1, "'MERGE'"],
    ['CREATE TABLE t (a int NULL NOT NULL)', 102, 1, ''],
    ['CREATE TRIGGER x ON t AFTER INSERT AS SELECT 1', 156, 1, "'TRIGGER'"],
    ['SET NOSUCHTHING ON', 102, 1, 'NOSUCHTHING'],
    ['SELECT ?', 102, 1, "near '?'"],
    ['SELECT [a', 105, 1, "'a'"],
    ['SELECT 1 AS []', 1038, 1, 'missing or empty'],
    ['ALTER DATABASE x SET FANCY ON', 102, 1, "near 'FANCY'"],
    ['GRANT FLY TO foo', 102, 1, "near 'FLY'"],
    ['EXEC sp_x 1 + 1', 102, 1, "near '+'"],
    ['SELECT a FROM t ORDER BY a FETCH NEXT 1 ROWS ONLY', 156, 1, "'FETCH'"],
    ['WITH a AS (SELECT 1 AS x), a AS (SELECT 2 AS x) SELECT * FROM a', 239, 1, 'Duplicate'],
    [
      'WITH a AS (SELECT 1 AS x UNION ALL SELECT x + 1 FROM a) SELECT * FROM a',
      50_900,
      1,
      'not supported by the simulator',
    ],
    ['WITH a AS (SELECT x FROM a) SELECT * FROM a', 252, 1, 'UNION ALL'],
    ['SELECT 123456789012345678901234567890123456789', 1007, 1, 'precision 38'],
  ])('%s', (text, number, line, part) => {
    const found = failure(text);
    expect({ number: found.number, line: found.line, message: found.message }).toEqual({
      number,
      line,
      message: expect.stringContaining(part),
    });
    expect(found.severity).toBeGreaterThanOrEqual(15);
  });

  it('more rows than one INSERT may have', () => {
    const rows = Array.from({ length: 1001 }, (_, i) => `(${i})`).join(', ');
    expect(failure(`INSERT INTO t VALUES ${rows}`).number).toBe(10738);
  });
});
