/** The golden file is worth something only as long as nothing else is sent. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { SqlServerDialect } from '../../connectors/sqlserver/sqlserver-dialect.ts';
import type { NewLetter } from '../../src/connector/dead-letters/contract.ts';
import type {
  ApplyStatement,
  ChangeFeed,
  KeyLookup,
  SqlText,
  TableInfo,
} from '../../src/connector/dialect.ts';
import { simulated, startTestSqlServer, type TestSqlServer } from '../support/sqlserver.ts';
import { dialectFor, prepareDatabase, tablesOf } from './feed-harness.ts';
import { statementList } from './statement-list.ts';
import { Shapes } from './statement-shape.ts';
import { DECLARATIONS, ddl, declared, type TableOf } from './tables.ts';

/** What the driver sends on its own behalf when it has logged in, and between transactions. */
const OF_THE_DRIVER = /^\s*set (?:ansi_nulls|transaction isolation level|xact_abort|implicit_transactions) /i;
const NAMES = Object.keys(DECLARATIONS) as TableOf[];

const shapes = new Shapes(NAMES.map(declared));
const known = new Set(statementList().map(({ text }) => shapes.of(text)));
const sent = new Set<string>();
let server: TestSqlServer;
let database: string;
let dialect: SqlServerDialect;

beforeAll(async () => {
  server = await startTestSqlServer({
    listener: (program, text) => {
      if (program.startsWith('isthmus')) sent.add(text);
    },
  });
  database = await server.createDatabase();
  await prepareDatabase(server, database);
  for (const name of NAMES) await server.query(database, ddl(name, DECLARATIONS[name]));
  dialect = dialectFor(server, database, { adapterName: 'adapter' });
});
afterAll(async () => {
  await dialect.close();
  await server.stop();
});

const LETTER: NewLetter = {
  direction: 'toSql',
  realmPath: '/r',
  sequence: 3,
  objects: [],
  reason: { message: 'refused' },
  payload: '{}',
  statements: [],
};

async function write(tables: ReadonlyMap<string, TableInfo>): Promise<void> {
  const table = (name: TableOf): TableInfo => tables.get(`dbo.${name}`) ?? declared(name);
  const writer = await dialect.openWriter();
  const upsert = (name: TableOf, columns: string[], ...rows: SqlText[][]): ApplyStatement => ({
    kind: 'upsert',
    table: table(name),
    keyColumns: [...table(name).primaryKey],
    columns,
    rows,
  });
  const lookup: KeyLookup = { table: table('Invoice'), by: 'RealmId', column: 'InvoiceId' };
  const realmId = '5f0c5b1e-0000-4000-8000-0000000000aa';
  const friends = { table: table('__Person__Friends'), oid: 'ann' };
  const everything = table('Everything');
  const values = ['1', '2', '3', '1.5', '1.0000', '12:00:00.0000000', '2020-01-01 00:00:00.0000000'];
  const other = [
    '2020-01-01 00:00:00.000',
    '2020-01-01 00:00:00',
    '0x00000000',
    'ğ',
    'long',
    '<a/>',
    'int:5',
    'x',
  ];
  await writer.apply(
    [
      upsert(
        'Person',
        ['Name', 'Born', 'Boss'],
        ['ann', 'Ann', '2000-01-01', null],
        ['bob', 'Bob', null, null],
      ),
      upsert('Person', [], ['cid']),
      {
        kind: 'upsert',
        table: table('Invoice'),
        keyColumns: ['RealmId'],
        columns: ['Total', 'At'],
        rows: [[realmId, '5.0000', '2020-01-01 00:00:00.000 +02:00']],
      },
      upsert('Invoice', ['Total'], ['99', '1.0000']),
      {
        ...upsert('InvoiceLine', ['Text', 'Proof'], [realmId, '1', 'text', '0xFF']),
        lookups: new Map([['InvoiceId', lookup]]),
      } as ApplyStatement,
      upsert(
        'Everything',
        everything.columns.slice(1).map(({ name }) => name),
        ['code', ...values, ...other],
      ),
      {
        kind: 'update',
        table: table('Person'),
        keyColumns: ['Boss'],
        columns: ['Boss'],
        rows: [['bob', null]],
      },
      {
        kind: 'assign',
        table: table('Invoice'),
        keyColumns: ['InvoiceId'],
        columns: ['RealmId'],
        rows: [['99', realmId.replace('aa', 'ab')]],
      },
      { kind: 'delete', table: table('Person'), keyColumns: ['Id'], rows: [['cid']] },
      { kind: 'deleteAll', table: table('Everything') },
      { kind: 'listInsert', ...friends, index: 0, target: 'bob' },
      {
        kind: 'replaceItems',
        table: table('__Person__Marks'),
        columns: ['key', 'target'],
        oids: ['ann'],
        rows: [['ann', 'maths', '1.5']],
      },
    ],
    [{ realmPath: '/r', sequence: 1 }],
  );
  await writer.apply([{ kind: 'listInsert', ...friends, index: 0, target: 'ann' }], []);
  await writer.apply([{ kind: 'listSet', ...friends, index: 0, target: 'bob' }], []);
  await writer.apply([{ kind: 'listErase', ...friends, index: 0 }], []);
  await writer.apply(
    [
      { kind: 'listInsert', ...friends, index: 1, target: 'ann' },
      { kind: 'listErase', ...friends, index: 0 },
      { kind: 'listErase', ...friends, index: 0 },
    ],
    [],
  );
  await writer.apply([{ kind: 'listClear', ...friends }], []);
  const bad = upsert('Person', ['Name', 'Born'], ['dan', 'Dan', 'never']);
  await expect(writer.apply([bad], [])).rejects.toMatchObject({ place: { column: 'Born' } });
  await writer.rehearse([bad]);
  await writer.deadLetter({ realmPath: '/r', sequence: 2 }, LETTER);
  await writer.checkpoints();
  await writer.close();
}

async function keepLetters(): Promise<void> {
  const box = dialect.deadLetters();
  await box.prepare();
  await box.keepRow('dbo.Person x', LETTER);
  const ids = (await box.list({ limit: 10 })).map(({ id }) => id);
  await box.read(ids);
  await box.request(ids);
  await box.request('all');
  await box.requested(10);
  await box.answer(ids[0] ?? '', { state: 'waiting', outcome: 'no' });
  await box.answerSequences('/r', [3], { state: 'retried', outcome: 'yes' });
  await box.discard(ids);
  await box.discard('all');
  await box.acknowledge(ids[0] ?? '');
  await box.purge(ids);
  await box.purge('all');
  await box.removeRow('dbo.Person x');
}

async function follow(tables: readonly TableInfo[]): Promise<void> {
  const { snapshot } = await dialect.prepareFeed(tables, { reset: false });
  for (const table of tables) {
    const columns = table.columns.map(({ name }) => name);
    await snapshot?.estimate(table);
    if (snapshot !== undefined) for await (const _ of snapshot.rows(table, columns, undefined));
    const key = table.primaryKey.map((name) =>
      table.columns.find((column) => column.name === name)?.baseType === 'int' ? '0' : 'a',
    );
    if (snapshot !== undefined) for await (const _ of snapshot.rows(table, table.primaryKey, key));
  }
  await snapshot?.close();
}

async function pollOnce(feed: ChangeFeed): Promise<void> {
  for await (const events of feed.events) {
    const idle = events.find((event) => event.kind === 'idle');
    if (idle === undefined) continue;
    feed.confirm(idle.position);
    return;
  }
}

test.runIf(simulated)(
  'whatever a connector does, it sends nothing that the golden file does not have',
  async () => {
    await dialect.prepare({ createDatabase: true });
    await dialect.createMissing([
      {
        table: { schema: 'dbo', name: 'Made' },
        kind: 'object',
        columns: [
          { name: 'Id', type: 'nvarchar(max)', nullable: false },
          { name: 'Number', type: 'int', nullable: false, generated: true },
          { name: 'RealmId', type: 'uniqueidentifier', nullable: true, unique: true },
          { name: 'Boss', type: 'nvarchar(max)', nullable: true },
        ],
        primaryKey: ['Id'],
        foreignKeys: [
          {
            columns: ['Boss'],
            referenced: { schema: 'dbo', name: 'Made' },
            referencedColumns: ['Id'],
          },
        ],
      },
    ]);
    const catalog = await dialect.catalog();
    const tables = await tablesOf(dialect, ...NAMES);
    await follow(tables);
    const abort = new AbortController();
    const feed = await dialect.openFeed(undefined, abort.signal);
    await write(catalog);
    await pollOnce(feed);
    await dialect.feedHealth();
    await dialect.feedStanding();
    await dialect.feedHolder();
    await feed.close();
    await dialect.fetchRows(tables[0] ?? declared('Person'), ['Id', 'Name'], [['ann']]);
    await keepLetters();
    const watch = dialect.catalogWatch;
    await watch.version();
    await watch.tableVersions();
    await watch.faults(tables);
    await watch.writersDone({ schema: 'dbo', name: 'Person' }, abort.signal);
    await dialect.dropFeed();
    abort.abort();

    const unknown = [...sent].filter((text) => !OF_THE_DRIVER.test(text) && !known.has(shapes.of(text)));
    expect(unknown).toEqual([]);
    expect(sent.size).toBeGreaterThan(80);
  },
);
