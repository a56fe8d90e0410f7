import { afterAll, beforeAll, expect, test } from 'vitest';
import type { ColumnInfo, TableInfo } from '../../../src/connector/dialect.ts';
import { definitionsFromCatalog } from '../../../src/connector/mapping/models-from-catalog.ts';
import { FeedReader } from '../../support/feed-reader.ts';
import { DEFINITIONS, propertyOf } from '../../support/typed-properties.ts';
import { TypeBench } from './type-bench.ts';

let bench: TypeBench;
let zoo: TableInfo;

const TABLE = `CREATE TABLE [zoo] (
  [id] int IDENTITY(1,1) NOT NULL PRIMARY KEY, [amount] decimal(10,2) NOT NULL, [doubled] AS ([amount] * 2),
  [kept] AS ([amount] + 1) PERSISTED, [stamp] rowversion, [price] money NULL, [brief] nvarchar(7) NULL,
  [long] nvarchar(max) NULL, [latin] varchar(9) NULL, [greek] varchar(9) COLLATE Greek_CI_AS NULL,
  [fixed] char(4) NULL, [seconds] datetime2(3) NULL, [zoned] datetimeoffset NULL, [clock] time(0) NULL,
  [single] float(20) NULL, [wide] float NULL, [bytes] varbinary(5) NULL, [guid] uniqueidentifier NULL,
  [any] sql_variant NULL, [doc] xml NULL, [node] hierarchyid NULL, [flag] bit NOT NULL DEFAULT (0),
  [old] datetime NULL, [minute] smalldatetime NULL, [picture] image NULL, [essay] ntext NULL)`;

beforeAll(async () => {
  bench = await TypeBench.open();
  await bench.server.query(bench.database, TABLE);
  await bench.server.query(bench.database, 'ALTER TABLE [zoo] ENABLE CHANGE_TRACKING');
  zoo = await bench.table('zoo');
}, 60_000);

afterAll(() => bench.close());

function column(name: string): ColumnInfo {
  const found = zoo.columns.find((candidate) => candidate.name === name);
  if (found === undefined) throw new Error(`no column ${name}`);
  return found;
}

test.each([
  ['amount', 'decimal(10,2)', 'decimal128!'],
  ['price', 'money', 'decimal128'],
  ['brief', 'nvarchar(7)', 'string'],
  ['long', 'nvarchar(max)', 'string'],
  ['fixed', 'char(4)', 'string'],
  ['seconds', 'datetime2(3)', 'date'],
  ['zoned', 'datetimeoffset(7)', 'date'],
  ['clock', 'time(0)', 'string'],
  ['single', 'real', 'float'],
  ['wide', 'float', 'double'],
  ['bytes', 'varbinary(5)', 'data'],
  ['guid', 'uniqueidentifier', 'uuid'],
  ['any', 'sql_variant', 'mixed'],
  ['doc', 'xml', 'string'],
  ['node', 'hierarchyid', 'string'],
  ['flag', 'bit', 'bool!'],
  ['stamp', 'timestamp', 'data!'],
  ['old', 'datetime', 'date'],
  ['minute', 'smalldatetime', 'date'],
  ['picture', 'image', 'data'],
  ['essay', 'ntext', 'string'],
])('%s is of type %s and a %s by default', (name, type, property) => {
  expect(column(name).type).toBe(type);
  expect(bench.dialect.naturalDefinition(column(name))).toEqual(propertyOf(property));
});

test('what the database makes itself is not written', () => {
  const readOnly = zoo.columns.filter((candidate) => candidate.readOnly).map(({ name }) => name);
  expect(readOnly).toEqual(['id', 'doubled', 'kept', 'stamp']);
});

test('the collation of a column says what it holds', () => {
  const write = (name: string, value: string): unknown =>
    bench.dialect.codec(column(name), propertyOf('string')).toSql({ type: 'string', value });
  expect(write('greek', 'Ω')).toBe('Ω');
  expect(() => write('latin', 'Ω')).toThrow(/column latin .*has not the character "Ω"/);
  expect(() => write('greek', 'ß')).toThrow(/collation Greek_CI_AS \(code page 1253\)/);
});

test('without models every column becomes a property', () => {
  const catalog = new Map([['dbo.zoo', zoo]]);
  const options = { compoundPrimaryKeys: new Map() } as never;
  const place = { ...zoo.columns[1]!, name: 'place', type: 'geography', baseType: 'geography' };
  const withPlace = new Map([['dbo.zoo', { ...zoo, columns: [...zoo.columns, place] }]]);
  const made = definitionsFromCatalog({ catalog, schema: 'dbo', options, dialect: bench.dialect });
  expect(made.get('zoo')?.columns.size).toBe(zoo.columns.length - 1);
  // No property can be a place on the globe: models do without it, and one that wants it is told so.
  const others = definitionsFromCatalog({
    catalog: withPlace,
    schema: 'dbo',
    options,
    dialect: bench.dialect,
  });
  expect(others).toEqual(made);
  expect(() => bench.dialect.codec(place, propertyOf('string'))).toThrow(/column place is of type geography/);
  expect(() => bench.dialect.stateCodec(place, propertyOf('mixed'), DEFINITIONS)).toThrow(/geography/);
});

test('computed columns and the row version come with every change', async () => {
  const { snapshot, start } = await bench.dialect.prepareFeed([zoo], { reset: false });
  await snapshot?.close();
  const reader = await FeedReader.open(bench.dialect, start);
  const seen = (): (readonly unknown[])[] =>
    reader.events.flatMap((event) =>
      event.kind === 'change' && event.change.kind !== 'truncate' && event.change.kind !== 'delete'
        ? [shown(event.change.table.columns, event.change.row)]
        : [],
    );
  const shown = (columns: readonly string[], row: readonly unknown[]): unknown[] =>
    ['amount', 'doubled', 'kept', 'stamp'].map((name) => row[columns.indexOf(name)]);
  try {
    await bench.server.query(bench.database, 'INSERT INTO [zoo] ([amount]) VALUES (1.25)');
    await reader.until(() => seen().length >= 1);
    await bench.server.query(bench.database, 'UPDATE [zoo] SET [amount] = 2');
    await reader.until(() => seen().length >= 2);
  } finally {
    await reader.close();
  }
  const [first, second] = seen();
  expect(first?.slice(0, 3)).toEqual(['1.25', '2.50', '2.25']);
  expect(second?.slice(0, 3)).toEqual(['2.00', '4.00', '3.00']);
  expect(first?.[3]).toMatch(/^0x[0-9A-F]{16}$/);
  expect(String(second?.[3]) > String(first?.[3])).toBe(true);
});

test('what a type itself refuses is a data error of the server, or known before it is asked', async () => {
  const writer = await bench.dialect.openWriter();
  try {
    const write = (name: string, value: string): Promise<void> => {
      const text = bench.dialect.codec(column(name), propertyOf('string')).toSql({ type: 'string', value });
      return writer.apply(
        [{ kind: 'update', table: zoo, keyColumns: ['id'], columns: [name], rows: [['1', text]] }],
        [{ realmPath: '/refused', sequence: 1 }],
      );
    };
    const failure: unknown = await write('doc', '<a>').catch((error: unknown) => error);
    expect(failure).toMatchObject({ errorClass: 'data', place: { table: 'zoo' } });
    expect(String(failure)).toMatch(/XML parsing/);
    expect(() => write('node', '/1/x/')).toThrow(/value .* does not fit column node/);
  } finally {
    await writer.close();
  }
});
