import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { readCatalog } from '../../../connectors/sqlserver/catalog.ts';
import { decodeContext } from '../../../connectors/sqlserver/change-context.ts';
import { fetchRows } from '../../../connectors/sqlserver/fetch-rows.ts';
import { OWN_TABLES_DDL } from '../../../connectors/sqlserver/own-tables.ts';
import { Session } from '../../../connectors/sqlserver/session.ts';
import { SqlServerWriter } from '../../../connectors/sqlserver/writer/sqlserver-writer.ts';
import type { ApplyStatement, KeyLookup, SqlText, TableInfo } from '../../../src/connector/dialect.ts';
import { Random, testSeed } from '../../support/random.ts';
import { startTestSqlServer, type TestSqlServer } from '../../support/sqlserver.ts';
import { contextFor } from '../session-context.ts';

const DDL = [
  `CREATE TABLE [parent] ([id] int NOT NULL PRIMARY KEY, [name] nvarchar(5) NULL, [price] decimal(8,2) NULL,
    [at] datetime2(7) NULL, [code] char(4) NULL, [doc] nvarchar(max) NULL, [bits] varbinary(max) NULL,
    [state] nvarchar(10) NOT NULL CONSTRAINT [df_state] DEFAULT (N'new'), [twice] AS ([id] * 2), [version] rowversion)`,
  `CREATE TABLE [child] ([id] int NOT NULL PRIMARY KEY,
    [parent_id] int NULL CONSTRAINT [FK_child_parent] FOREIGN KEY REFERENCES [parent] ([id]))`,
  'CREATE TABLE [pair] ([a] int NOT NULL, [b] nvarchar(20) NOT NULL, [note] nvarchar(20) NULL, PRIMARY KEY ([a], [b]))',
  `CREATE TABLE [named] ([name] nvarchar(50) NOT NULL PRIMARY KEY, [value] nvarchar(max) NULL)`,
  `CREATE TABLE [made] ([id] int IDENTITY(1,1) NOT NULL PRIMARY KEY, [RealmId] uniqueidentifier NULL, [name] nvarchar(50) NULL)`,
  'CREATE UNIQUE INDEX [made_realm] ON [made] ([RealmId]) WHERE [RealmId] IS NOT NULL',
  'CREATE TABLE [other_made] ([id] int IDENTITY(1,1) NOT NULL PRIMARY KEY, [made_id] int NULL REFERENCES [made] ([id]))',
  `CREATE TABLE [tree] ([id] int NOT NULL PRIMARY KEY, [up] int NOT NULL REFERENCES [tree] ([id]))`,
  'CREATE TABLE [items] ([oid] nvarchar(40) NOT NULL, [idx] int NOT NULL, [target] int NULL, PRIMARY KEY ([oid], [idx]))',
  'CREATE TABLE [made_items] ([oid] int NOT NULL, [idx] int NOT NULL, [target] int NULL, PRIMARY KEY ([oid], [idx]))',
  'CREATE TABLE [marks] ([oid] int NOT NULL, [key] nvarchar(20) NOT NULL, [target] float NULL, PRIMARY KEY ([oid], [key]))',
];

describe('the writer', () => {
  let server: TestSqlServer;
  let database: string;
  let session: Session;
  let writer: SqlServerWriter;
  let table: (name: string) => TableInfo;

  beforeAll(async () => {
    server = await startTestSqlServer();
  });
  afterAll(() => server.stop());

  beforeEach(async () => {
    database = await server.createDatabase();
    for (const statement of [...OWN_TABLES_DDL, ...DDL]) await server.query(database, statement);
    session = await Session.open(contextFor(server, database));
    const catalog = await readCatalog(session, 'dbo');
    table = (name) => {
      const found = catalog.get(`dbo.${name}`);
      if (found === undefined) throw new Error(`no table ${name}`);
      return found;
    };
    writer = new SqlServerWriter(session, 'adapter');
    return () => writer.close();
  });

  const rows = (sql: string) => session.query(sql);
  const upsert = (
    name: string,
    keyColumns: string[],
    columns: string[],
    ...values: SqlText[][]
  ): ApplyStatement => ({ kind: 'upsert', table: table(name), keyColumns, columns, rows: values });

  it('inserts what is missing and sets what exists, with every text as the column takes it', async () => {
    const columns = ['name', 'price', 'at', 'code', 'doc', 'bits'];
    const first = ['1', 'é"\'\\,', '1.50', '2020-01-01 00:00:00.0000001', 'ab', '{"a": "}"}', '0x00FF'];
    await writer.apply([upsert('parent', ['id'], columns, first)], [{ realmPath: '/a', sequence: 1 }]);
    expect(await fetchRows(session, table('parent'), ['id', ...columns, 'state'], [['1']])).toEqual([
      [...first, 'new'],
    ]);
    const second = ['1', ...columns.map(() => null)];
    await writer.apply([upsert('parent', ['id'], columns, second, ['2', ...first.slice(1)])], []);
    expect(
      await rows(
        'SELECT CONVERT(varchar(9), [id]), [name], CONVERT(varchar(9), [twice]) FROM [parent] ORDER BY [id]',
      ),
    ).toEqual([
      ['1', null, '2'],
      ['2', 'é"\'\\,', '4'],
    ]);
  });

  it('sets only the named columns, ignores missing rows, and can look for a column that it sets', async () => {
    await rows(
      "INSERT INTO [parent] ([id], [name]) VALUES (1, N'a'), (2, N'b'); INSERT INTO [child] VALUES (5, 1), (6, 2)",
    );
    await writer.apply(
      [
        {
          kind: 'update',
          table: table('parent'),
          keyColumns: ['id'],
          columns: ['price'],
          rows: [
            ['1', '3.00'],
            ['9', '4.00'],
          ],
        },
        {
          kind: 'update',
          table: table('child'),
          keyColumns: ['parent_id'],
          columns: ['parent_id'],
          rows: [['2', null]],
        },
        { kind: 'delete', table: table('parent'), keyColumns: ['id'], rows: [['2'], ['77']] },
        { kind: 'deleteAll', table: table('child') },
      ],
      [],
    );
    expect(await fetchRows(session, table('parent'), ['id', 'name', 'price'], [['1'], ['2']])).toEqual([
      ['1', 'a', '3.00'],
    ]);
    expect(await rows('SELECT [id] FROM [child]')).toEqual([]);
  });

  it('writes rows with compound keys, rows of keys alone, and keys that the database would make itself', async () => {
    await writer.apply(
      [
        upsert('pair', ['a', 'b'], ['note'], ['1', 'x', 'n'], ['1', 'y', 'm']),
        upsert('pair', ['b', 'a'], [], ['x', '1'], ['z', '1']),
        upsert('made', ['id'], ['name'], ['42', 'kept']),
        upsert('other_made', ['id'], ['made_id'], ['7', '42']),
        { kind: 'delete', table: table('pair'), keyColumns: ['b', 'a'], rows: [['y', '1']] },
      ],
      [],
    );
    expect(await rows('SELECT CONVERT(varchar(9), [a]), [b], [note] FROM [pair] ORDER BY [a], [b]')).toEqual([
      ['1', 'x', 'n'],
      ['1', 'z', null],
    ]);
    expect(await rows('SELECT CONVERT(varchar(9), [id]), [name] FROM [made]')).toEqual([['42', 'kept']]);
    await rows("INSERT INTO [made] ([name]) VALUES (N'own')");
    expect(await rows("SELECT CONVERT(varchar(9), [id]) FROM [made] WHERE [name] = N'own'")).toEqual([
      ['43'],
    ]);
  });

  it('leaves the database’s keys to it again after a statement that gave them has failed', async () => {
    const bad = [
      upsert('made', ['id'], ['name'], ['42', 'kept']),
      upsert('made', ['id'], ['name'], ['43', 'x'.repeat(51)]),
    ];
    await expect(writer.apply(bad, [])).rejects.toMatchObject({ errorClass: 'data' });
    await writer.apply(
      [upsert('made', ['id'], [], ['1']), upsert('other_made', ['id'], ['made_id'], ['1', '1'])],
      [],
    );
    await rows("INSERT INTO [made] ([name]) VALUES (N'own')");
    expect(await rows('SELECT COUNT(*) FROM [made]')).toEqual([['2']]);
  });

  it('knows rows by the keys of their objects where the database makes others, and makes no row twice', async () => {
    const realmId = '5f0c5b1e-0000-4000-8000-0000000000aa';
    const lookup: KeyLookup = { table: table('made'), by: 'RealmId', column: 'id' };
    const write = [
      upsert('made', ['RealmId'], ['name'], [realmId, 'one']),
      {
        ...upsert('other_made', ['id'], ['made_id'], ['1', realmId]),
        lookups: new Map([['made_id', lookup]]),
      } as ApplyStatement,
      {
        kind: 'listInsert',
        table: table('made_items'),
        oid: realmId,
        oidLookup: lookup,
        index: 0,
        target: '5',
      },
    ] satisfies ApplyStatement[];
    await writer.apply(write, []);
    await writer.apply(write.slice(0, 2), []);
    expect(await rows('SELECT CONVERT(varchar(9), [id]), [name] FROM [made]')).toEqual([['1', 'one']]);
    expect(await rows('SELECT CONVERT(varchar(9), [made_id]) FROM [other_made]')).toEqual([['1']]);
    expect(await rows('SELECT CONVERT(varchar(9), [oid]) FROM [made_items]')).toEqual([['1']]);
    const nowhere = {
      ...upsert('other_made', ['id'], ['made_id'], ['2', '00000000-0000-4000-8000-000000000000']),
      lookups: new Map([['made_id', lookup]]),
    } as ApplyStatement;
    await expect(writer.apply([nowhere], [])).rejects.toMatchObject({
      errorClass: 'data',
      violation: 'reference',
    });
  });

  it('gives rows their keys only where they have none', async () => {
    await rows(
      "INSERT INTO [made] ([RealmId], [name]) VALUES (NULL, N'a'), ('00000000-0000-4000-8000-000000000001', N'b')",
    );
    const given = '00000000-0000-4000-8000-0000000000ff';
    await writer.apply(
      [
        {
          kind: 'assign',
          table: table('made'),
          keyColumns: ['id'],
          columns: ['RealmId'],
          rows: [
            ['1', given],
            ['2', given],
          ],
        },
      ],
      [],
    );
    expect(await fetchRows(session, table('made'), ['id', 'RealmId'], [['1'], ['2']])).toEqual([
      ['1', given],
      ['2', '00000000-0000-4000-8000-000000000001'],
    ]);
  });

  it('writes and deletes rows of one table that refer to one another in whatever order', async () => {
    const ring = upsert('tree', ['id'], ['up'], ['1', '3'], ['2', '1'], ['3', '2']);
    await writer.apply([ring], []);
    const down: ApplyStatement = {
      kind: 'delete',
      table: table('tree'),
      keyColumns: ['id'],
      rows: [['2'], ['1'], ['3']],
    };
    await writer.apply([down], []);
    expect(await rows('SELECT [id] FROM [tree]')).toEqual([]);
  });

  it('writes more rows than one statement carries', async () => {
    const many = Array.from({ length: 10_001 }, (_, index): SqlText[] => [
      String(index),
      String(index % 100),
    ]);
    await writer.apply([upsert('parent', ['id'], ['name'], ...many)], []);
    expect(await rows('SELECT COUNT(*), MAX([id]) FROM [parent]')).toEqual([['10001', '10000']]);
  });

  it('keeps texts exactly, however they are made', async () => {
    const texts = [
      '',
      ' ',
      'trailing  ',
      `quotes " ' \\ and [brackets]]`,
      'a\0b',
      '\u0001\u001f\u007f\u2028\ufeff',
      '🚲 𝒳 e\u0301',
      '{"json": ["$[0]", null]}',
      "N'; DROP TABLE [named]; --",
      'ü'.repeat(1_000_000),
    ];
    await writer.apply(
      [upsert('named', ['name'], ['value'], ...texts.map((text, place) => [`n${place}`, text]))],
      [],
    );
    const keys = texts.map((_, place) => [`n${place}`]);
    const stored = new Map(
      (await fetchRows(session, table('named'), ['name', 'value'], keys)).map(([name, value]) => [
        name,
        value,
      ]),
    );
    for (const [place, text] of texts.entries())
      expect(stored.get(`n${place}`) === text, `text ${place}`).toBe(true);
  });

  it('never takes one key for another that the collation takes for equal', async () => {
    await writer.apply([upsert('named', ['name'], ['value'], ['Anna', '1'])], []);
    for (const other of ['anna', 'ANNA', 'Anna ']) {
      await expect(
        writer.apply([upsert('named', ['name'], ['value'], [other, '2'])], []),
      ).rejects.toMatchObject({
        errorClass: 'data',
        sqlState: '2627',
        violation: 'unique',
        place: { table: 'named' },
      });
      await writer.apply(
        [
          {
            kind: 'update',
            table: table('named'),
            keyColumns: ['name'],
            columns: ['value'],
            rows: [[other, '3']],
          },
          { kind: 'delete', table: table('named'), keyColumns: ['name'], rows: [[other]] },
        ],
        [],
      );
      expect(await fetchRows(session, table('named'), ['name', 'value'], [[other]])).toEqual([]);
    }
    expect(await rows('SELECT [name], [value] FROM [named]')).toEqual([['Anna', '1']]);
  });

  const list = (): Promise<readonly (readonly SqlText[])[]> =>
    rows(
      'SELECT [oid], CONVERT(varchar(9), [idx]), CONVERT(varchar(9), [target]) FROM [items] ORDER BY [oid], [idx]',
    );

  it('keeps the indexes of lists contiguous', async () => {
    const insert = (index: number, target: string): ApplyStatement => ({
      kind: 'listInsert',
      table: table('items'),
      oid: '1',
      index,
      target,
    });
    await writer.apply([insert(0, '10'), insert(1, '11'), insert(2, '12'), insert(0, '9')], []);
    await writer.apply([insert(1, '15')], []);
    await writer.apply(
      [
        insert(1, '20'),
        insert(2, '21'),
        { kind: 'listErase', table: table('items'), oid: '1', index: 0 },
        { kind: 'listSet', table: table('items'), oid: '1', index: 2, target: '99' },
        { kind: 'listInsert', table: table('items'), oid: '2', index: 0, target: null },
      ],
      [],
    );
    expect(await list()).toEqual([
      ['1', '0', '20'],
      ['1', '1', '21'],
      ['1', '2', '99'],
      ['1', '3', '10'],
      ['1', '4', '11'],
      ['1', '5', '12'],
      ['2', '0', null],
    ]);
    await writer.apply(
      [
        { kind: 'listClear', table: table('items'), oid: '1' },
        { kind: 'listClear', table: table('items'), oid: '2' },
        insert(0, '5'),
      ],
      [],
    );
    expect(await list()).toEqual([['1', '0', '5']]);
  });

  it('makes of lists what the same steps make of arrays', async () => {
    const seed = testSeed();
    const random = new Random(seed);
    const oids = ['1', '2', 'Ä', 'b'];
    const model = new Map<string, string[]>(oids.map((oid) => [oid, []]));
    for (let round = 0; round < 30; round += 1) {
      const statements: ApplyStatement[] = [];
      for (let count = random.chance(0.4) ? 1 : random.below(14); count > 0; count -= 1) {
        const oid = random.pick(oids);
        const items = model.get(oid) ?? [];
        const target = String(random.below(100));
        const list = { table: table('items'), oid };
        const dice = random.below(10);
        if (dice < 5 || items.length === 0) {
          const index = random.below(items.length + 1);
          items.splice(index, 0, target);
          statements.push({ kind: 'listInsert', ...list, index, target });
        } else if (dice < 7) {
          const index = random.below(items.length);
          items[index] = target;
          statements.push({ kind: 'listSet', ...list, index, target });
        } else if (dice < 9 || random.chance(0.7)) {
          const index = random.below(items.length);
          items.splice(index, 1);
          statements.push({ kind: 'listErase', ...list, index });
        } else {
          items.length = 0;
          statements.push({ kind: 'listClear', ...list });
        }
      }
      await writer.apply(statements, []);
      const stored = new Map<string, SqlText[]>(oids.map((oid) => [oid, []]));
      for (const [oid, index, target] of await list()) {
        const items = stored.get(oid ?? '');
        expect(String(items?.length), `ISTHMUS_TEST_SEED=${seed} round ${round}`).toBe(index);
        items?.push(target ?? null);
      }
      expect(stored, `ISTHMUS_TEST_SEED=${seed} round ${round}`).toEqual(model);
    }
  });

  it('closes gaps that somebody else left in a list', async () => {
    await rows("INSERT INTO [items] VALUES (N'1', 0, 10), (N'1', 2, 11), (N'1', 7, 12)");
    const changed = { table: table('items'), oid: '1' };
    await writer.apply(
      [
        { kind: 'listErase', ...changed, index: 1 },
        { kind: 'listInsert', ...changed, index: 0, target: '9' },
      ],
      [],
    );
    expect(await list()).toEqual([
      ['1', '0', '9'],
      ['1', '1', '10'],
      ['1', '2', '12'],
    ]);
  });

  it('writes other collections whole', async () => {
    const replace = (oids: string[], ...items: SqlText[][]): ApplyStatement => ({
      kind: 'replaceItems',
      table: table('marks'),
      columns: ['key', 'target'],
      oids,
      rows: items,
    });
    await writer.apply([replace(['1', '2'], ['1', 'a', '0.1'], ['1', 'b', null], ['2', 'a', '1e+300'])], []);
    await writer.apply([replace(['1', '3'], ['1', 'c', '5'])], []);
    expect(
      await fetchRows(session, table('marks'), ['oid', 'key', 'target'], [['1'], ['2']], ['oid']),
    ).toEqual([
      ['1', 'c', '5'],
      ['2', 'a', '1e+300'],
    ]);
  });

  it('moves the checkpoint only together with the rows', async () => {
    await writer.apply([upsert('parent', ['id'], [], ['1'])], [{ realmPath: '/a', sequence: 3 }]);
    const bad = upsert('parent', ['id'], ['name'], ['2', 'much too long']);
    await expect(writer.apply([bad], [{ realmPath: '/a', sequence: 4 }])).rejects.toMatchObject({
      errorClass: 'data',
      place: { table: 'parent', column: 'name' },
    });
    expect(await writer.checkpoints()).toEqual(new Map([['/a', 3]]));
    expect(await rows('SELECT [id] FROM [parent]')).toEqual([['1']]);
    const moved = [
      { realmPath: '/a', sequence: 4 },
      { realmPath: '/A', sequence: 5 },
      { realmPath: "/b'", sequence: 2 ** 40 },
    ];
    await writer.apply([], moved);
    expect(await writer.checkpoints()).toEqual(
      new Map(moved.map(({ realmPath, sequence }) => [realmPath, sequence])),
    );
  });

  it('leaves its context with every row that it changes', async () => {
    await server.query(database, `ALTER DATABASE [${database}] SET CHANGE_TRACKING = ON`);
    await server.query(database, 'ALTER TABLE [parent] ENABLE CHANGE_TRACKING');
    const contexts = async (): Promise<unknown[]> => {
      const found = await rows(
        'SELECT CONVERT(varchar(9), c.[id]), c.[SYS_CHANGE_CONTEXT] FROM CHANGETABLE(CHANGES [parent], NULL) AS c ORDER BY c.[id]',
      );
      return found.map(([id, context]) => [
        id,
        context == null ? undefined : decodeContext(Buffer.from(context.slice(2), 'hex'))?.sequence,
      ]);
    };
    await rows('INSERT INTO [parent] ([id]) VALUES (1), (2), (3)');
    await writer.apply(
      [
        upsert('parent', ['id'], ['name'], ['1', 'x'], ['4', 'y']),
        { kind: 'delete', table: table('parent'), keyColumns: ['id'], rows: [['2']] },
      ],
      [{ realmPath: '/a', sequence: 12 }],
    );
    expect(await contexts()).toEqual([
      ['1', 12],
      ['2', 12],
      ['3', undefined],
      ['4', 12],
    ]);
  });

  it('calls a lost connection transient', async () => {
    server.cutConnections();
    await expect(writer.apply([], [{ realmPath: '/a', sequence: 1 }])).rejects.toMatchObject({
      errorClass: 'transient',
    });
  });
});
