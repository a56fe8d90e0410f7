/** Whole scripts: the Chinook database, and the examples of the reference. */
import { readFileSync } from 'node:fs';
import { beforeEach, expect, test } from 'vitest';
import { type Client, type TestServer, testServer } from './engine-client.ts';

let server: TestServer;
let db: Client;

beforeEach(async () => {
  server = await testServer();
  db = server.connect();
});

test('the Chinook script makes its database with every row', async () => {
  const path = new URL('../../../data/chinook/Chinook_SqlServer.sql', import.meta.url);
  await db.script(readFileSync(path, 'utf8'));
  const tables = [
    'Album',
    'Artist',
    'Customer',
    'Employee',
    'Genre',
    'Invoice',
    'InvoiceLine',
    'MediaType',
    'Playlist',
    'PlaylistTrack',
    'Track',
  ];
  const counts = await db.rows(
    tables.map((name) => `SELECT '${name}' AS name, COUNT(*) AS n FROM [${name}]`).join(' UNION ALL '),
  );
  expect(Object.fromEntries(counts.map(({ name, n }) => [name, n]))).toEqual({
    Album: 347,
    Artist: 275,
    Customer: 59,
    Employee: 8,
    Genre: 25,
    Invoice: 412,
    InvoiceLine: 2240,
    MediaType: 5,
    Playlist: 18,
    PlaylistTrack: 8715,
    Track: 3503,
  });
  expect(await db.value('SELECT COUNT(*) FROM sys.foreign_keys')).toBe(11);
  expect(await db.value('SELECT SUM(Total) FROM Invoice')).toBe(232860);
  expect(await db.failure('DELETE FROM Artist WHERE ArtistId = 1')).toBe(547);
  expect(
    await db.rows(`SELECT TOP (2) ar.Name, COUNT(*) AS tracks FROM Track AS t INNER JOIN Album AS al ON al.AlbumId = t.AlbumId
INNER JOIN Artist AS ar ON ar.ArtistId = al.ArtistId GROUP BY ar.Name ORDER BY tracks DESC`),
  ).toEqual([
    { Name: 'Iron Maiden', tracks: 213 },
    { Name: 'U2', tracks: 135 },
  ]);
  // Once more: it drops what is there first.
  await db.run('USE master');
  await db.script(readFileSync(path, 'utf8'));
  expect(await db.value('SELECT COUNT(*) FROM Track')).toBe(3503);
});

test('a table that refers to another within its columns, filled with IDENTITY_INSERT', async () => {
  await db.script(`CREATE TABLE dbo.Passport
(
  PassportId INT NOT NULL IDENTITY(1,1),
  RealmId VARCHAR(255),
  Country VARCHAR(255) NOT NULL,
  CONSTRAINT PK_Passport PRIMARY KEY (PassportId)
);
CREATE TABLE dbo.Person
(
  PersonId INT NOT NULL IDENTITY(1,1),
  Name VARCHAR(255) NOT NULL,
  RealmId VARCHAR(255),
  PassportId INT FOREIGN KEY REFERENCES Passport(PassportId),
  CONSTRAINT PK_Person PRIMARY KEY (PersonId)
);
GO
SET IDENTITY_INSERT Passport ON
INSERT INTO dbo.Passport (PassportId, Country) VALUES (1, 'USA'), (2, 'Canada');
SET IDENTITY_INSERT Passport OFF
SET IDENTITY_INSERT Person ON
INSERT INTO dbo.Person (PersonId, Name, PassportId) VALUES (1, 'Curly', 1), (2, 'Larry', 1), (3, 'Moe', 2);
SET IDENTITY_INSERT Person OFF`);
  await db.run(`INSERT Person (Name, PassportId) VALUES ('Shemp', 2)`);
  expect(
    await db.rows(
      "SELECT p.PersonId AS id, c.Country AS country FROM Person AS p JOIN Passport AS c ON c.PassportId = p.PassportId WHERE p.Name = 'Shemp'",
    ),
  ).toEqual([{ id: 4, country: 'Canada' }]);
});

test('a join table whose two foreign keys are its primary key, made with a trailing comma and altered afterwards', async () => {
  await db.script(`CREATE TABLE dbo.Route (
  RouteKey int NOT NULL IDENTITY(1,1),
  RouteName nvarchar(32),
  RealmID nvarchar(128),
  CONSTRAINT PK_Route PRIMARY KEY (RouteKey),
)
CREATE TABLE dbo.Employee (
  EmployeeKey int NOT NULL IDENTITY(1,1),
  EmployeeName nvarchar(64),
  RealmID nvarchar(128),
  CONSTRAINT PK_Employee PRIMARY KEY (EmployeeKey)
)
CREATE TABLE dbo.EmployeeRoute (
  RouteKey int FOREIGN KEY REFERENCES Route(RouteKey) NOT NULL,
  EmployeeKey int FOREIGN KEY REFERENCES Employee(EmployeeKey) NOT NULL
)
ALTER TABLE dbo.EmployeeRoute ADD CONSTRAINT PK_EMPLOYEE_ROUTE PRIMARY KEY (EmployeeKey, RouteKey)
GO
INSERT INTO Employee (EmployeeName) VALUES ('Tom'), ('David'), ('Nathan');
INSERT INTO Route (RouteName) VALUES ('East'), ('West'), ('North');
INSERT INTO dbo.EmployeeRoute (EmployeeKey, RouteKey) VALUES (1, 1), (2, 1), (3, 1), (2, 3);`);
  expect(await db.failure('INSERT EmployeeRoute VALUES (1, 1)')).toBe(2627);
  expect(
    await db.rows(`SELECT c.name FROM sys.index_columns AS ic JOIN sys.indexes AS i ON i.object_id = ic.object_id AND i.index_id = ic.index_id
JOIN sys.columns AS c ON c.object_id = ic.object_id AND c.column_id = ic.column_id
WHERE i.is_primary_key = 1 AND i.object_id = OBJECT_ID('dbo.EmployeeRoute') ORDER BY ic.key_ordinal`),
  ).toEqual([{ name: 'EmployeeKey' }, { name: 'RouteKey' }]);
});

test('a database is set up for change tracking, with a login that may do only what is needed', async () => {
  await db.script(`USE master
GO
IF (SELECT db_id('SQLSyncDemo')) IS NULL CREATE DATABASE SQLSyncDemo;
GO
ALTER DATABASE SQLSyncDemo SET CHANGE_TRACKING = ON (CHANGE_RETENTION = 7 DAYS, AUTO_CLEANUP = ON)
ALTER DATABASE SQLSyncDemo SET ALLOW_SNAPSHOT_ISOLATION ON
GO
USE SQLSyncDemo
GO
CREATE TABLE dbo.Address ( ID int NOT NULL, ZipCode varchar(10) NOT NULL );
ALTER TABLE dbo.Address ADD CONSTRAINT PK_Address PRIMARY KEY (ID);
INSERT INTO Address (ID, ZipCode) VALUES (1,'90101'), (2,'80100');
ALTER TABLE Address ENABLE CHANGE_TRACKING WITH (TRACK_COLUMNS_UPDATED = OFF)
GO
create login foo with password = 'Secret_1';
create user foo for login foo with default_schema = dbo;
grant create table to foo;
grant select on SQLSyncDemo.dbo.Address to foo;
grant insert on SQLSyncDemo.dbo.Address to foo;
grant alter on SQLSyncDemo.dbo.Address to foo;
grant delete on SQLSyncDemo.dbo.Address to foo;
grant update on SQLSyncDemo.dbo.Address to foo;
grant view change tracking on SQLSyncDemo.dbo.Address to foo;`);
  const foo = server.connect('foo', 'SQLSyncDemo');
  await foo.run(
    `SET TRANSACTION ISOLATION LEVEL SNAPSHOT; UPDATE Address SET ZipCode = '11111' WHERE ID = 1`,
  );
  expect(
    await foo.rows(
      'SELECT ct.ID, a.ZipCode FROM CHANGETABLE(CHANGES Address, 0) AS ct JOIN Address AS a ON a.ID = ct.ID',
    ),
  ).toEqual([{ ID: 1, ZipCode: '11111' }]);
});
