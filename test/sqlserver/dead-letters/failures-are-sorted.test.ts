/** What the database raises, provoked for real, and what becomes of it: another attempt, a dead letter, or a stop. */
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { readCatalog } from '../../../connectors/sqlserver/catalog.ts';
import { sqlServerConcealment } from '../../../connectors/sqlserver/concealment.ts';
import { OWN_TABLES_DDL } from '../../../connectors/sqlserver/own-tables.ts';
import { Session } from '../../../connectors/sqlserver/session.ts';
import { SqlServerWriter } from '../../../connectors/sqlserver/writer/sqlserver-writer.ts';
import type { ApplyStatement, SqlText, SqlWriter, TableInfo } from '../../../src/connector/dialect.ts';
import { ApplyError } from '../../../src/connector/errors.ts';
import { startTestSqlServer, type TestSqlServer } from '../../support/sqlserver.ts';
import { contextFor } from '../session-context.ts';

const DDL = [
  'CREATE TABLE [parent] ([id] int NOT NULL CONSTRAINT [PK_parent] PRIMARY KEY)',
  `CREATE TABLE [t] ([id] int NOT NULL CONSTRAINT [PK_t] PRIMARY KEY, [short] nvarchar(3) NULL, [narrow] varchar(3) NULL,
    [small] smallint NULL, [price] decimal(4,2) NULL, [day] date NULL, [uuid] uniqueidentifier NULL,
    [must] nvarchar(20) NOT NULL CONSTRAINT [df_must] DEFAULT (N''),
    [positive] int NULL CONSTRAINT [CK_positive] CHECK ([positive] > 0),
    [once] int NULL, [parent] int NULL CONSTRAINT [FK_t_parent] FOREIGN KEY REFERENCES [parent] ([id]))`,
  'CREATE UNIQUE INDEX [UQ_once] ON [t] ([once]) WHERE [once] IS NOT NULL',
];

let server: TestSqlServer;
let database: string;
let session: Session;
let writer: SqlWriter;
let tables: ReadonlyMap<string, TableInfo>;
const concealment = sqlServerConcealment();

beforeAll(async () => {
  server = await startTestSqlServer();
});
afterAll(() => server.stop());

beforeEach(async () => {
  database = await server.createDatabase();
  for (const statement of [...OWN_TABLES_DDL, ...DDL]) await server.query(database, statement);
  concealment.use(() => false);
  session = await Session.open({ ...contextFor(server, database), concealment });
  tables = await readCatalog(session, 'dbo');
  writer = new SqlServerWriter(session, 'adapter');
  return () => writer.close();
});

function table(name: string): TableInfo {
  const found = tables.get(`dbo.${name}`);
  if (found === undefined) throw new Error(`no table ${name}`);
  return found;
}

function upsert(name: string, ...rows: Readonly<Record<string, SqlText>>[]): ApplyStatement {
  const { id: _, ...others } = rows[0] ?? {};
  const columns = Object.keys(others);
  return {
    kind: 'upsert',
    table: table(name),
    keyColumns: ['id'],
    columns,
    rows: rows.map((row) => [row.id ?? '1', ...columns.map((column) => row[column] ?? null)]),
  };
}

async function failureOf(...statements: ApplyStatement[]): Promise<ApplyError> {
  const error: unknown = await writer.apply(statements, []).catch((cause: unknown) => cause);
  if (!(error instanceof ApplyError)) throw new Error('it did not fail', { cause: error });
  return error;
}

type Place = { readonly column?: string; readonly constraint?: string };

describe('is a data error that names table and place', () => {
  test.each<[what: string, number: string, values: Record<string, SqlText>, place: Place]>([
    ['a text that is too long', '2628', { short: 'four' }, { column: 'short' }],
    ['a text that is too long in its code page', '2628', { narrow: 'four' }, { column: 'narrow' }],
    ['an integer out of range', '244', { must: 'x', small: '40000' }, { column: 'small' }],
    ['a number with too many digits', '8115', { price: '123.45' }, { column: 'price' }],
    ['what is no number', '245', { must: 'x', positive: 'many' }, { column: 'positive' }],
    ['what is no date', '241', { day: 'yesterday' }, { column: 'day' }],
    ['what is no uniqueidentifier', '8169', { uuid: 'none' }, { column: 'uuid' }],
    ['a NULL where one must not be', '515', { must: null }, { column: 'must' }],
    [
      'a value that a rule forbids',
      '547',
      { positive: '-1' },
      { constraint: 'CK_positive', column: 'positive' },
    ],
    ['a reference to nothing', '547', { parent: '404' }, { constraint: 'FK_t_parent', column: 'parent' }],
  ])('%s', async (_, number, values, place) => {
    const failure = await failureOf(upsert('t', values));
    expect(failure).toMatchObject({ errorClass: 'data', sqlState: number, place: { table: 't', ...place } });
    expect(failure.message).toContain('dbo.t');
  });

  test('a value that must be there once only', async () => {
    const failure = await failureOf(upsert('t', { id: '1', once: '5' }, { id: '2', once: '5' }));
    expect(failure).toMatchObject({
      errorClass: 'data',
      sqlState: '2601',
      violation: 'unique',
      place: { table: 't', constraint: 'UQ_once' },
    });
  });

  test('a deletion that a reference restricts', async () => {
    await writer.apply([upsert('parent', { id: '1' }), upsert('t', { parent: '1' })], []);
    const failure = await failureOf({
      kind: 'delete',
      table: table('parent'),
      keyColumns: ['id'],
      rows: [['1']],
    });
    expect(failure).toMatchObject({ errorClass: 'data', sqlState: '547', violation: 'reference' });
  });
});

test('a check is no reference that time may mend', async () => {
  expect((await failureOf(upsert('t', { positive: '-1' }))).violation).toBeUndefined();
  expect((await failureOf(upsert('t', { parent: '404' }))).violation).toBe('reference');
});

test('a table that is gone ends the connector, and the error says what to do', async () => {
  const statement = upsert('t', { must: 'x' });
  await server.query(database, 'DROP TABLE [t]');
  const failure = await failureOf(statement);
  expect(failure).toMatchObject({ errorClass: 'fatal', sqlState: '208' });
  expect(failure.remedy).toContain('the table was changed while the connector ran');
});

describe('a rehearsal', () => {
  test('names the row at fault among many, and takes everything back', async () => {
    const rows = Array.from({ length: 40 }, (_, place) => ({
      id: String(place),
      positive: place === 23 ? '-1' : '1',
    }));
    const rehearsal = await writer.rehearse([upsert('parent', { id: '1' }), upsert('t', ...rows)]);
    expect(rehearsal.failed).toMatchObject({ table: { schema: 'dbo', name: 't' }, key: ['23'] });
    expect(rehearsal.failed?.statement.values).toEqual(['23', '-1']);
    expect(rehearsal.statements.at(-1)).toEqual(rehearsal.failed?.statement);
    expect(await session.query('SELECT [id] FROM [t] UNION ALL SELECT [id] FROM [parent]')).toEqual([]);
  });

  test('blames no row when nothing is wrong', async () => {
    const rehearsal = await writer.rehearse([upsert('parent', { id: '1' }), upsert('t', { parent: '1' })]);
    expect(rehearsal.failed).toBeUndefined();
    expect(rehearsal.statements).toHaveLength(2);
    expect(await session.query('SELECT [id] FROM [t]')).toEqual([]);
  });

  test('names the list at fault', async () => {
    await server.query(
      database,
      'CREATE TABLE [list] ([oid] int NOT NULL, [idx] int NOT NULL, [target] int NOT NULL REFERENCES [parent] ([id]), PRIMARY KEY ([oid], [idx]))',
    );
    const list = (await readCatalog(session, 'dbo')).get('dbo.list');
    if (list === undefined) throw new Error('no table list');
    const insert = (oid: string, target: string): ApplyStatement => ({
      kind: 'listInsert',
      table: list,
      oid,
      index: 0,
      target,
    });
    const rehearsal = await writer.rehearse([
      upsert('parent', { id: '1' }),
      insert('7', '1'),
      insert('8', '404'),
      insert('9', '1'),
    ]);
    expect(rehearsal.failed).toMatchObject({ table: { name: 'list' }, key: ['8'] });
  });
});

test('secrets are shown neither in errors nor in what was sent', async () => {
  concealment.use((of, column) => of.name === 't' && ['short', 'once', 'must', 'positive'].includes(column));
  const secret = 'shh-1234';
  const statements = [
    upsert('t', { short: secret }),
    upsert('t', { id: '1', once: '987654' }, { id: '2', once: '987654' }),
    upsert('t', { must: 'x', positive: secret }),
  ];
  for (const statement of statements) {
    const failure = await failureOf(statement);
    const rehearsal = await writer.rehearse([statement]);
    const shown = JSON.stringify([failure.message, failure.remedy, String(failure.cause), rehearsal]);
    expect(shown).not.toMatch(/shh-1234|shh|987654/);
    expect(shown).toContain('[secret]');
  }
});
