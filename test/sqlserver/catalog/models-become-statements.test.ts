/** The DDL for what the models want and the database does not have, as text. */
import { expect, test } from 'vitest';
import { missingStatements } from '../../../connectors/sqlserver/ddl.ts';
import { sqlServerMending } from '../../../connectors/sqlserver/mending.ts';
import type { Catalog, TableInfo, TableName, WantedTable } from '../../../src/connector/dialect.ts';

const named = (name: string, schema = 'dbo'): TableName => ({ schema, name });
const wanted = (name: string, more: Partial<WantedTable> = {}): WantedTable => ({
  table: named(name),
  kind: 'object',
  columns: [{ name: 'id', type: 'bigint', nullable: false }],
  primaryKey: ['id'],
  foreignKeys: [],
  ...more,
});
const existing = (name: string, ...columns: string[]): [string, TableInfo] => [
  `dbo.${name}`,
  {
    table: named(name),
    columns: columns.map((column) => ({
      name: column,
      type: 'nvarchar(200)',
      baseType: 'nvarchar',
      nullable: false,
      hasDefault: false,
      readOnly: false,
    })),
    primaryKey: columns.slice(0, 1),
    foreignKeys: [],
  },
];
const nothing: Catalog = new Map();

test('a table is made with its key, its unique columns, and its changes tracked', () => {
  const song = wanted('Song', {
    columns: [
      { name: 'Id', type: 'int', nullable: false, generated: true },
      { name: 'RealmId', type: 'nvarchar(max)', nullable: true, unique: true },
      { name: 'Isrc', type: 'nvarchar(max)', nullable: false, unique: true },
      { name: 'Title', type: 'nvarchar(max)', nullable: false },
    ],
    primaryKey: ['Id'],
  });
  expect(missingStatements([song], nothing)).toEqual([
    'CREATE TABLE [dbo].[Song] ([Id] int IDENTITY(1,1) NOT NULL, [RealmId] nvarchar(200) COLLATE Latin1_General_100_BIN2 NULL, ' +
      '[Isrc] nvarchar(200) COLLATE Latin1_General_100_BIN2 NOT NULL, [Title] nvarchar(max) NOT NULL, PRIMARY KEY ([Id]))',
    'CREATE UNIQUE INDEX [ux_RealmId] ON [dbo].[Song] ([RealmId]) WHERE [RealmId] IS NOT NULL',
    'CREATE UNIQUE INDEX [ux_Isrc] ON [dbo].[Song] ([Isrc])',
    'ALTER TABLE [dbo].[Song] ENABLE CHANGE_TRACKING',
  ]);
});

test('foreign keys come last, since tables may refer to one another in circles', () => {
  const link = (name: string) => [{ columns: ['other'], referenced: named(name), referencedColumns: ['id'] }];
  const columns = [
    { name: 'id', type: 'bigint', nullable: false },
    { name: 'other', type: 'bigint', nullable: true },
  ];
  const statements = missingStatements(
    [wanted('A', { columns, foreignKeys: link('B') }), wanted('B', { columns, foreignKeys: link('A') })],
    nothing,
  );
  expect(statements.map((statement) => statement.replace(/ \(.*/, ''))).toEqual([
    'CREATE TABLE [dbo].[A]',
    'ALTER TABLE [dbo].[A] ENABLE CHANGE_TRACKING',
    'CREATE TABLE [dbo].[B]',
    'ALTER TABLE [dbo].[B] ENABLE CHANGE_TRACKING',
    'ALTER TABLE [dbo].[A] ADD FOREIGN KEY',
    'ALTER TABLE [dbo].[B] ADD FOREIGN KEY',
  ]);
});

test('a reference has the collation of the key that it refers to, where that is there already', () => {
  const track = wanted('Track', {
    columns: [
      { name: 'id', type: 'bigint', nullable: false },
      { name: 'album', type: 'nvarchar(200)', nullable: true },
    ],
    foreignKeys: [{ columns: ['album'], referenced: named('Album'), referencedColumns: ['id'] }],
  });
  const collations = new Map([[JSON.stringify(['dbo', 'Album', 'id']), 'Finnish_Swedish_CI_AS']]);
  const [create] = missingStatements([track], new Map([existing('Album', 'id')]), collations);
  expect(create).toContain('[album] nvarchar(200) COLLATE Finnish_Swedish_CI_AS NULL');
});

test('a column is added with the value that a realm gives to rows that are there', () => {
  const album = wanted('Album', {
    columns: [
      { name: 'id', type: 'nvarchar(200)', nullable: false },
      { name: 'title', type: 'nvarchar(max)', nullable: false },
      { name: 'year', type: 'bigint', nullable: true },
      { name: 'live', type: 'bit', nullable: false },
    ],
  });
  expect(missingStatements([album], new Map([existing('Album', 'id')]))).toEqual([
    "ALTER TABLE [dbo].[Album] ADD [title] nvarchar(max) NOT NULL DEFAULT (N'')",
    'ALTER TABLE [dbo].[Album] ADD [year] bigint NULL',
    'ALTER TABLE [dbo].[Album] ADD [live] bit NOT NULL DEFAULT (0)',
  ]);
});

test('nothing is made when everything is there, and a schema only with its first table', () => {
  expect(missingStatements([wanted('Album')], new Map([existing('Album', 'id')]))).toEqual([]);
  const table = named('Album', "o'neil]");
  expect(missingStatements([wanted('Album', { table })], nothing)[0]).toBe(
    "IF SCHEMA_ID(N'o''neil]') IS NULL EXEC (N'CREATE SCHEMA [o''neil]]]')",
  );
});

test('statements in remedies are those of SQL Server', () => {
  const album = named('Album');
  expect(sqlServerMending.addUniqueColumn(album, 'RealmId', 'nvarchar(200)')).toBe(
    'ALTER TABLE [dbo].[Album] ADD [RealmId] nvarchar(200) NULL; CREATE UNIQUE INDEX [ux_RealmId] ON [dbo].[Album] ([RealmId]) WHERE [RealmId] IS NOT NULL',
  );
  expect(sqlServerMending.widen(album, 'k', 36)).toBe(
    'ALTER TABLE [dbo].[Album] ALTER COLUMN [k] nvarchar(36)',
  );
  expect(sqlServerMending.renameConstraint(album, 'FK__A', 'artist')).toBe(
    "EXEC sp_rename N'[dbo].[FK__A]', N'artist', N'OBJECT'",
  );
  expect(sqlServerMending.makeGenerated(album, 'id')).toBeUndefined();
});
