import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import type { SqlServerDialect } from '../../../connectors/sqlserver/sqlserver-dialect.ts';
import type { WantedTable } from '../../../src/connector/dialect.ts';
import type { ValueType } from '../../../src/schema/value.ts';
import { startTestSqlServer, type TestSqlServer } from '../../support/sqlserver.ts';
import { dialectFor, prepareDatabase, tablesOf } from '../feed-harness.ts';

let server: TestSqlServer;
let database: string;
let dialect: SqlServerDialect;

beforeAll(async () => {
  server = await startTestSqlServer();
});

afterAll(async () => {
  await dialect?.close();
  await server.stop();
});

beforeEach(async () => {
  await dialect?.close();
  database = await server.createDatabase();
  await prepareDatabase(server, database);
  dialect = dialectFor(server, database);
  await dialect.prepare({ createDatabase: false });
});

test('columns tell type, base type, nullability, defaults, and what only the database writes', async () => {
  await server.script(
    database,
    `CREATE TABLE [Mixed Case] (
  id int IDENTITY(1,1) NOT NULL, stamp rowversion NOT NULL,
  amount decimal(10, 2) NOT NULL DEFAULT 0, tag sysname NOT NULL, name nvarchar(50) NULL, memo varchar(max) NULL,
  fixed char(3) NULL, at datetime2(3) NULL, zone datetimeoffset NULL, bytes varbinary(16) NULL, ratio real NULL, shown AS (name),
  PRIMARY KEY (amount, id))`,
  );
  const [table] = await tablesOf(dialect, 'Mixed Case');
  expect(table?.primaryKey).toEqual(['amount', 'id']);
  const shown = table?.columns.map(({ name, type, baseType, nullable, hasDefault, readOnly }) =>
    [name, type, baseType, nullable ? 'null' : '', hasDefault ? 'default' : '', readOnly ? 'read-only' : '']
      .filter((part) => part !== '')
      .join(' | '),
  );
  expect(shown).toEqual([
    'id | int | int | default | read-only',
    'stamp | timestamp | timestamp | read-only',
    'amount | decimal(10,2) | decimal | default',
    'tag | nvarchar(128) | nvarchar',
    'name | nvarchar(50) | nvarchar | null',
    'memo | varchar(max) | varchar | null',
    'fixed | char(3) | char | null',
    'at | datetime2(3) | datetime2 | null',
    'zone | datetimeoffset(7) | datetimeoffset | null',
    'bytes | varbinary(16) | varbinary | null',
    'ratio | real | real | null',
    'shown | nvarchar(50) | nvarchar | null | read-only',
  ]);
});

test('texts say in which collation they are, and of which code page', async () => {
  await server.query(
    database,
    'CREATE TABLE t (id int PRIMARY KEY, a varchar(10) COLLATE Latin1_General_100_CI_AS_SC_UTF8, b nvarchar(10))',
  );
  const [table] = await tablesOf(dialect, 't');
  const [id, a, b] = table?.columns ?? [];
  expect(a?.storage?.structure).toEqual({
    kind: 'characters',
    collation: 'Latin1_General_100_CI_AS_SC_UTF8',
    codePage: 65001,
  });
  expect(b?.storage?.structure).toMatchObject({ kind: 'characters', codePage: expect.any(Number) });
  expect(id?.storage).toBeUndefined();
});

test('foreign keys of several columns keep their order, and only the tables of the schema are read', async () => {
  await server.script(
    database,
    `CREATE TABLE parent (a int NOT NULL, b int NOT NULL, PRIMARY KEY (b, a));
CREATE TABLE child (id int PRIMARY KEY, x int, y int, CONSTRAINT fk_parent FOREIGN KEY (x, y) REFERENCES parent (b, a));
GO
CREATE VIEW seen AS SELECT id FROM child;
GO
CREATE SCHEMA other;
GO
CREATE TABLE other.elsewhere (id int PRIMARY KEY);`,
  );
  const catalog = await dialect.catalog();
  expect([...catalog.keys()].sort()).toEqual(['dbo.child', 'dbo.parent']);
  expect(catalog.get('dbo.child')?.foreignKeys).toEqual([
    {
      name: 'fk_parent',
      columns: ['x', 'y'],
      referenced: { schema: 'dbo', name: 'parent' },
      referencedColumns: ['b', 'a'],
    },
  ]);
});

test('unique keys are those that hold for every row that has a value', async () => {
  await server.script(
    database,
    `CREATE TABLE t (id int PRIMARY KEY, a int NOT NULL UNIQUE, b int NULL, c int NULL, d int NULL);
CREATE UNIQUE INDEX ux_b ON t (b) WHERE b is not null;
CREATE UNIQUE INDEX ux_c ON t (c) WHERE [d] > (3);
CREATE INDEX ix_d ON t (d);`,
  );
  const [table] = await tablesOf(dialect, 't');
  expect(table?.uniqueKeys).toEqual([['id'], ['a'], ['b']]);
});

test('missing tables, columns and foreign keys are made once, and followed', async () => {
  const types: ValueType[] = [
    'string',
    'int',
    'bool',
    'float',
    'double',
    'decimal128',
    'date',
    'data',
    'objectId',
    'uuid',
    'mixed',
  ];
  const column = (type: ValueType) => dialect.columnTypeFor({ type, nullable: true, collection: 'single' });
  const wanted: WantedTable[] = [
    {
      table: { schema: 'dbo', name: 'Every' },
      kind: 'object',
      columns: [
        { name: 'Id', type: column('int'), nullable: false, generated: true },
        { name: 'RealmId', type: column('string'), nullable: true, unique: true },
        ...types.map((type) => ({ name: type, type: column(type), nullable: true })),
        { name: 'owner', type: column('string'), nullable: true },
      ],
      primaryKey: ['Id'],
      foreignKeys: [
        {
          columns: ['owner'],
          referenced: { schema: 'dbo', name: 'Owner' },
          referencedColumns: ['name'],
        },
      ],
    },
    {
      table: { schema: 'dbo', name: 'Owner' },
      kind: 'object',
      columns: [{ name: 'name', type: column('string'), nullable: false }],
      primaryKey: ['name'],
      foreignKeys: [],
    },
  ];
  const statements = await dialect.createMissing(wanted);
  expect(statements.length).toBeGreaterThan(4);
  expect(await dialect.createMissing(wanted)).toEqual([]);
  const [every] = await tablesOf(dialect, 'Every');
  expect(every?.columns.map(({ name, type }) => `${name} ${type}`)).toEqual([
    'Id bigint',
    'RealmId nvarchar(200)',
    'string nvarchar(max)',
    'int bigint',
    'bool bit',
    'float real',
    'double float',
    'decimal128 decimal(38,10)',
    'date datetime2(7)',
    'data varbinary(max)',
    'objectId char(24)',
    'uuid uniqueidentifier',
    'mixed nvarchar(max)',
    'owner nvarchar(200)',
  ]);
  expect(every?.uniqueKeys).toEqual([['Id'], ['RealmId']]);
  expect(every?.foreignKeys).toMatchObject([{ columns: ['owner'], referencedColumns: ['name'] }]);
  const tracked = await server.query(
    database,
    "SELECT o.name FROM sys.change_tracking_tables AS c INNER JOIN sys.tables AS o ON o.object_id = c.object_id WHERE o.schema_id = SCHEMA_ID(N'dbo') ORDER BY o.name",
  );
  expect(tracked.map(({ name }) => name)).toEqual(['Every', 'Owner']);
});

test('a class that is added later may refer to the text key of a table that was made before', async () => {
  const text = dialect.columnTypeFor({ type: 'string', nullable: false, collection: 'single' });
  const owner: WantedTable = {
    table: { schema: 'dbo', name: 'Owner' },
    kind: 'object',
    columns: [{ name: 'name', type: text, nullable: false }],
    primaryKey: ['name'],
    foreignKeys: [],
  };
  await dialect.createMissing([owner]);
  const references = {
    columns: ['owner'],
    referenced: owner.table,
    referencedColumns: ['name'],
  };
  const pet: WantedTable = {
    ...owner,
    table: { schema: 'dbo', name: 'Pet' },
    columns: [...owner.columns, { name: 'owner', type: text, nullable: true }],
    foreignKeys: [references],
  };
  await dialect.createMissing([owner, pet]);
  const [made] = await tablesOf(dialect, 'Pet');
  expect(made?.foreignKeys).toMatchObject([{ columns: ['owner'] }]);
});

test('texts that differ in case only are two keys in tables that were made from models', async () => {
  const text = dialect.columnTypeFor({ type: 'string', nullable: false, collection: 'single' });
  await dialect.createMissing([
    {
      table: { schema: 'dbo', name: 'Word' },
      kind: 'object',
      columns: [{ name: 'word', type: text, nullable: false }],
      primaryKey: ['word'],
      foreignKeys: [],
    },
  ]);
  await server.query(database, "INSERT INTO Word (word) VALUES (N'a'), (N'A')");
  expect(await server.query(database, 'SELECT word FROM Word')).toHaveLength(2);
});

test('DDL that fails names its statement and leaves nothing half made', async () => {
  const bad: WantedTable = {
    table: { schema: 'dbo', name: 'Bad' },
    kind: 'object',
    columns: [
      { name: 'id', type: 'bigint', nullable: false },
      { name: 'x', type: 'no_such_type', nullable: true },
    ],
    primaryKey: ['id'],
    foreignKeys: [],
  };
  const good: WantedTable = {
    ...bad,
    table: { schema: 'dbo', name: 'Good' },
    columns: bad.columns.slice(0, 1),
  };
  await expect(dialect.createMissing([good, bad])).rejects.toMatchObject({
    code: 'sqlserver-query',
    message: expect.stringContaining('CREATE TABLE [dbo].[Bad]'),
  });
  expect([...(await dialect.catalog()).keys()]).toEqual([]);
});
