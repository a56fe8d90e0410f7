/** The wire of the SQL Server simulator, seen by the driver of the connector: in clear text, through TLS, in tiny packets. */
import { readFile } from 'node:fs/promises';
import { ISOLATION_LEVEL, Request, TYPES } from 'tedious';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { Datum, ResultColumn, SqlType } from '../contract.ts';
import { SqlFailure } from '../contract.ts';
import { startTdsServer, type TdsServer } from '../tds/server.ts';
import { result, ScriptedEngine } from './scripted-engine.ts';
import { type ClientOptions, TediousClient } from './tedious-client.ts';

const certificate = (name: string): Promise<string> =>
  readFile(new URL(`../../../support/certificates/${name}`, import.meta.url), 'utf8');

/** 2024-02-29 in days since 0001-01-01. */
const LEAP_DAY = 738_944;
/** 13:14:15.1234567. */
const AFTERNOON = 476_551_234_567n;

type Case = {
  readonly type: SqlType;
  readonly value: Datum;
  readonly driverType: string;
  readonly driverValue: unknown;
};

/** As the driver gives times: with what does not fit into milliseconds beside it. */
const utc = (text: string, nanosecondsDelta?: number): unknown =>
  nanosecondsDelta === undefined ? new Date(text) : Object.assign(new Date(text), { nanosecondsDelta });

const CASES: readonly Case[] = [
  { type: { kind: 'bit' }, value: true, driverType: 'BitN', driverValue: true },
  { type: { kind: 'tinyint' }, value: 255n, driverType: 'IntN', driverValue: 255 },
  { type: { kind: 'smallint' }, value: -32768n, driverType: 'IntN', driverValue: -32768 },
  { type: { kind: 'int' }, value: -2147483648n, driverType: 'IntN', driverValue: -2147483648 },
  { type: { kind: 'bigint' }, value: 2n ** 63n - 1n, driverType: 'IntN', driverValue: '9223372036854775807' },
  { type: { kind: 'bigint' }, value: -(2n ** 63n), driverType: 'IntN', driverValue: '-9223372036854775808' },
  { type: { kind: 'real' }, value: 1.5, driverType: 'FloatN', driverValue: 1.5 },
  {
    type: { kind: 'float' },
    value: -1.7976931348623157e308,
    driverType: 'FloatN',
    driverValue: -1.7976931348623157e308,
  },
  { type: { kind: 'smallmoney' }, value: -2_147_483_648n, driverType: 'MoneyN', driverValue: -214748.3648 },
  {
    type: { kind: 'money' },
    value: -12_345_678_901_2345n,
    driverType: 'MoneyN',
    driverValue: -12345678901.2345,
  },
  {
    type: { kind: 'decimal', precision: 9, scale: 2 },
    value: -123456789n,
    driverType: 'NumericN',
    driverValue: -1234567.89,
  },
  {
    type: { kind: 'decimal', precision: 38, scale: 0 },
    value: 10n ** 30n,
    driverType: 'NumericN',
    driverValue: 1e30,
  },
  { type: { kind: 'date' }, value: LEAP_DAY, driverType: 'Date', driverValue: utc('2024-02-29T00:00:00Z') },
  { type: { kind: 'date' }, value: 0, driverType: 'Date', driverValue: utc('0001-01-01T00:00:00Z') },
  {
    type: { kind: 'time', scale: 7 },
    value: AFTERNOON,
    driverType: 'Time',
    driverValue: utc('1970-01-01T13:14:15.123Z'),
  },
  {
    type: { kind: 'datetime' },
    value: { days: LEAP_DAY, ticks: 10_033_333n },
    driverType: 'DateTimeN',
    driverValue: utc('2024-02-29T00:00:01.003Z'),
  },
  {
    type: { kind: 'smalldatetime' },
    value: { days: LEAP_DAY, ticks: 36_600_000_000n },
    driverType: 'DateTimeN',
    driverValue: utc('2024-02-29T01:01:00Z'),
  },
  {
    type: { kind: 'datetime2', scale: 7 },
    value: { days: LEAP_DAY, ticks: AFTERNOON },
    driverType: 'DateTime2',
    driverValue: utc('2024-02-29T13:14:15.123Z'),
  },
  {
    type: { kind: 'datetime2', scale: 0 },
    value: { days: LEAP_DAY, ticks: AFTERNOON },
    driverType: 'DateTime2',
    driverValue: utc('2024-02-29T13:14:15Z'),
  },
  {
    type: { kind: 'datetimeoffset', scale: 3 },
    value: { days: LEAP_DAY, ticks: AFTERNOON, offset: -330 },
    driverType: 'DateTimeOffset',
    driverValue: utc('2024-02-29T13:14:15.123Z'),
  },
  {
    type: { kind: 'uniqueidentifier' },
    value: '01234567-89AB-CDEF-0123-456789ABCDEF',
    driverType: 'UniqueIdentifier',
    driverValue: '01234567-89AB-CDEF-0123-456789ABCDEF',
  },
  { type: { kind: 'char', length: 5 }, value: 'ab', driverType: 'Char', driverValue: 'ab   ' },
  { type: { kind: 'varchar', length: 20 }, value: 'Zoë € œ', driverType: 'VarChar', driverValue: 'Zoë € œ' },
  {
    type: { kind: 'varchar', length: 'max' },
    value: 'é'.repeat(20_000),
    driverType: 'VarChar',
    driverValue: 'é'.repeat(20_000),
  },
  { type: { kind: 'nchar', length: 4 }, value: '世', driverType: 'NChar', driverValue: '世   ' },
  { type: { kind: 'nvarchar', length: 20 }, value: '', driverType: 'NVarChar', driverValue: '' },
  {
    type: { kind: 'nvarchar', length: 20 },
    value: '😀 plane',
    driverType: 'NVarChar',
    driverValue: '😀 plane',
  },
  {
    type: { kind: 'nvarchar', length: 'max' },
    value: '😀'.repeat(9000),
    driverType: 'NVarChar',
    driverValue: '😀'.repeat(9000),
  },
  { type: { kind: 'nvarchar', length: 'max' }, value: '', driverType: 'NVarChar', driverValue: '' },
  {
    type: { kind: 'binary', length: 4 },
    value: Uint8Array.of(1, 2),
    driverType: 'Binary',
    driverValue: Buffer.from([1, 2, 0, 0]),
  },
  {
    type: { kind: 'varbinary', length: 10 },
    value: Uint8Array.of(0, 255),
    driverType: 'VarBinary',
    driverValue: Buffer.from([0, 255]),
  },
  {
    type: { kind: 'varbinary', length: 'max' },
    value: new Uint8Array(30_000).fill(7),
    driverType: 'VarBinary',
    driverValue: Buffer.alloc(30_000, 7),
  },
  {
    type: { kind: 'rowversion' },
    value: Uint8Array.of(0, 0, 0, 0, 0, 0, 7, 209),
    driverType: 'Binary',
    driverValue: Buffer.from([0, 0, 0, 0, 0, 0, 7, 209]),
  },
  { type: { kind: 'text' }, value: 'naïve', driverType: 'Text', driverValue: 'naïve' },
  { type: { kind: 'ntext' }, value: '世界', driverType: 'NText', driverValue: '世界' },
  {
    type: { kind: 'image' },
    value: Uint8Array.of(9, 8),
    driverType: 'Image',
    driverValue: Buffer.from([9, 8]),
  },
  { type: { kind: 'xml' }, value: '<a b="世"/>', driverType: 'Xml', driverValue: '<a b="世"/>' },
  {
    type: { kind: 'hierarchyid' },
    value: Uint8Array.of(0x58),
    driverType: 'UDT',
    driverValue: Buffer.from([0x58]),
  },
  {
    type: { kind: 'sql_variant' },
    value: { type: { kind: 'int' }, value: 7n },
    driverType: 'Variant',
    driverValue: 7,
  },
  {
    type: { kind: 'sql_variant' },
    value: { type: { kind: 'nvarchar', length: 3 }, value: '世' },
    driverType: 'Variant',
    driverValue: '世',
  },
  {
    type: { kind: 'sql_variant' },
    value: { type: { kind: 'varchar', length: 3 }, value: 'abc' },
    driverType: 'Variant',
    driverValue: 'abc',
  },
  {
    type: { kind: 'sql_variant' },
    value: { type: { kind: 'decimal', precision: 5, scale: 2 }, value: -1234n },
    driverType: 'Variant',
    driverValue: -12.34,
  },
  {
    type: { kind: 'sql_variant' },
    value: { type: { kind: 'datetime2', scale: 3 }, value: { days: LEAP_DAY, ticks: 0n } },
    driverType: 'Variant',
    driverValue: utc('2024-02-29T00:00:00Z'),
  },
  {
    type: { kind: 'sql_variant' },
    value: { type: { kind: 'varbinary', length: 2 }, value: Uint8Array.of(1) },
    driverType: 'Variant',
    driverValue: Buffer.from([1]),
  },
];

const columnsOf = (nullable: boolean): ResultColumn[] =>
  CASES.map(({ type }, index) => ({ name: `c${index}`, type, nullable }));

const engine = new ScriptedEngine();
let offered: TdsServer;

beforeAll(async () => {
  offered = await startTdsServer({
    engine,
    tls: { cert: await certificate('server.crt'), key: await certificate('server.key') },
  });
});
afterAll(() => offered.close());

const WAYS: readonly { readonly name: string; readonly options: ClientOptions }[] = [
  { name: 'in clear text', options: {} },
  { name: 'through TLS', options: { encrypt: true } },
  { name: 'in packets of 512 bytes', options: { packetSize: 512 } },
];

describe.each(WAYS.map(({ name, options }) => [name, options] as const))('%s', (_name, options) => {
  let client: TediousClient;

  beforeEach(async () => {
    engine.scripts.clear();
    engine.procedures.clear();
    client = await TediousClient.connect(offered, { database: 'shop', ...options });
    return () => client.close();
  });

  it('gives the values of every type exactly as the engine has them', async () => {
    engine.on('SELECT all', () =>
      result(
        columnsOf(true),
        CASES.map(({ value }) => value),
        CASES.map(() => null),
      ),
    );
    const { rows, columns, rowCount } = await client.batch('SELECT all');
    expect(columns).toEqual(CASES.map(({ driverType }, index) => `c${index} ${driverType}`));
    expect(rows).toEqual([CASES.map(({ driverValue }) => driverValue), CASES.map(() => null)]);
    expect(rowCount).toBe(2);
  });

  it('says of columns that are never NULL that they are not', async () => {
    engine.on('SELECT all', () =>
      result(
        columnsOf(false),
        CASES.map(({ value }) => value),
      ),
    );
    const { rows, columns } = await client.batch('SELECT all');
    expect(rows).toEqual([CASES.map(({ driverValue }) => driverValue)]);
    expect(columns.slice(0, 5)).toEqual(['c0 Bit', 'c1 TinyInt', 'c2 SmallInt', 'c3 Int', 'c4 BigInt']);
  });

  it('hands the parameters of every type to the engine exactly as the driver has them', async () => {
    let received: readonly { name: string; type: SqlType; value: Datum }[] = [];
    engine.on('SELECT parameters', ({ parameters }) => {
      received = parameters.map(({ name, type, value }) => ({ name, type, value }));
      return result([{ name: 'n', type: { kind: 'int' }, nullable: false }], [1n]);
    });
    const afternoon = Object.assign(new Date('2024-02-29T13:14:15.123Z'), { nanosecondDelta: 0.0004567 });
    await client.query('SELECT parameters', {
      bit: { type: TYPES.Bit, value: false },
      int: { type: TYPES.Int, value: -7 },
      bigint: { type: TYPES.BigInt, value: '-9223372036854775808' },
      float: { type: TYPES.Float, value: 0.1 },
      decimal: { type: TYPES.Decimal, value: -12.5 },
      money: { type: TYPES.Money, value: -1.5 },
      date: { type: TYPES.Date, value: new Date('2024-02-29T00:00:00Z') },
      datetime: { type: TYPES.DateTime, value: new Date('2024-02-29T00:00:01Z') },
      datetime2: { type: TYPES.DateTime2, value: afternoon },
      offset: { type: TYPES.DateTimeOffset, value: new Date('2024-02-29T13:14:15Z') },
      guid: { type: TYPES.UniqueIdentifier, value: '01234567-89ab-cdef-0123-456789abcdef' },
      short: { type: TYPES.NVarChar, value: '世界 😀' },
      long: { type: TYPES.NVarChar, value: 'x'.repeat(300_000) },
      ansi: { type: TYPES.VarChar, value: 'Zoë €' },
      bytes: { type: TYPES.VarBinary, value: Buffer.alloc(20_000, 3) },
      text: { type: TYPES.Text, value: 'naïve' },
      nothing: { type: TYPES.NVarChar, value: null },
    });
    const values = Object.fromEntries(received.map(({ name, value }) => [name.slice(1), value]));
    expect(values).toMatchObject({
      bit: false,
      int: -7n,
      bigint: -(2n ** 63n),
      float: 0.1,
      money: -15_000n,
      date: LEAP_DAY,
      datetime: { days: LEAP_DAY, ticks: 10_000_000n },
      datetime2: { days: LEAP_DAY, ticks: AFTERNOON },
      guid: '01234567-89AB-CDEF-0123-456789ABCDEF',
      short: '世界 😀',
      ansi: 'Zoë €',
      text: 'naïve',
      nothing: null,
    });
    expect(values.long).toBe('x'.repeat(300_000));
    expect(values.bytes).toEqual(new Uint8Array(20_000).fill(3));
    expect(received.find(({ name }) => name === '@long')?.type).toEqual({ kind: 'nvarchar', length: 'max' });
    expect(received.find(({ name }) => name === '@short')?.type).toMatchObject({ kind: 'nvarchar' });
  });

  it('streams results that are far larger than a packet', async () => {
    const long = '世'.repeat(600_000);
    engine.on('SELECT long', () =>
      result(
        [{ name: 's', type: { kind: 'nvarchar', length: 'max' }, nullable: true }],
        [long],
        [null],
        [long],
      ),
    );
    const { rows } = await client.query('SELECT long');
    expect(rows.map(([value]) => value === long)).toEqual([true, false, true]);
  });

  it('loads 20,000 rows in bulk', async () => {
    const load = client.connection.newBulkLoad('[dbo].[Track]', () => {});
    load.addColumn('id', TYPES.Int, { nullable: false });
    load.addColumn('name', TYPES.NVarChar, { length: Number.POSITIVE_INFINITY, nullable: true });
    load.addColumn('price', TYPES.Money, { nullable: true });
    load.addColumn('note', TYPES.Text, { nullable: true });
    function* rows(): Generator<unknown[]> {
      for (let id = 0; id < 20_000; id++)
        yield [id, id % 3 === 0 ? null : `track ${id}`, id / 4, id % 2 ? 'é' : null];
    }
    const count = await new Promise<number | undefined>((resolve, reject) => {
      load.callback = (error, rowCount) => (error ? reject(error) : resolve(rowCount));
      client.connection.execBulkLoad(load, rows());
    });
    expect(count).toBe(20_000);
    expect(engine.loaded.columns.map(({ name, type }) => `${name} ${type.kind}`)).toEqual([
      'id int',
      'name nvarchar',
      'price money',
      'note text',
    ]);
    expect(engine.loaded.rows).toHaveLength(20_000);
    expect(engine.loaded.rows[19_999]).toEqual([19_999n, 'track 19999', 49_997_500n, 'é']);
    expect(engine.loaded.rows[0]).toEqual([0n, null, 0n, null]);
  });

  it('calls procedures with output parameters and a return status', async () => {
    engine.procedures.set('dbo.next_number', function* ({ parameters }) {
      const given = parameters.find(({ name }) => name === '@by')?.value;
      yield { kind: 'message', message: { number: 0, severity: 0, state: 1, line: 1, message: 'counting' } };
      yield* result([{ name: 'by', type: { kind: 'int' }, nullable: true }], [given ?? null]);
      yield { kind: 'output', name: '@next', type: { kind: 'bigint' }, value: 42n };
      yield {
        kind: 'output',
        name: '@text',
        type: { kind: 'nvarchar', length: 'max' },
        value: '世'.repeat(5000),
      };
      yield { kind: 'returnStatus', value: -3 };
    });
    const answer = await client.call(
      'dbo.next_number',
      { by: { type: TYPES.Int, value: 5 } },
      { next: { type: TYPES.BigInt, value: undefined }, text: { type: TYPES.NVarChar, value: undefined } },
    );
    expect(answer.rows).toEqual([[5]]);
    expect(answer.outputs).toEqual({ next: '42', text: '世'.repeat(5000) });
    expect(answer.status).toBe(-3);
    expect(client.messages).toContain('counting');
  });

  it('tells errors with their number, class, state and line, and goes on afterwards', async () => {
    engine.on('INSERT twice', function* () {
      yield { kind: 'done', command: 'insert', rowCount: 1 };
      throw new SqlFailure(2627, "Violation of PRIMARY KEY constraint 'PK_t'.", {
        severity: 14,
        state: 1,
        line: 7,
      });
    });
    await expect(client.batch('INSERT twice')).rejects.toMatchObject({
      number: 2627,
      class: 14,
      state: 1,
      lineNumber: 7,
      message: "Violation of PRIMARY KEY constraint 'PK_t'.",
    });
    await expect(client.query('gibberish')).rejects.toMatchObject({ number: 102, class: 15 });
    engine.on('SELECT 1', () => result([{ name: '', type: { kind: 'int' }, nullable: false }], [1n]));
    expect((await client.query('SELECT 1')).rows).toEqual([[1]]);
  });

  it('executes prepared statements', async () => {
    engine.on('SELECT @a', ({ parameters }) => {
      const [parameter] = parameters;
      return result(
        [{ name: parameter?.name ?? '', type: { kind: 'int' }, nullable: true }],
        [parameter?.value ?? null],
      );
    });
    const rows: unknown[] = [];
    let settle: (error: Error | null | undefined) => void = () => {};
    const request = new Request('SELECT @a', (error) => settle(error));
    request.addParameter('a', TYPES.Int, 0);
    request.on('row', (columns: readonly { readonly value: unknown }[]) => rows.push(columns[0]?.value));
    const { connection } = client;
    const run = (start: () => void): Promise<void> =>
      client.transact((done) => {
        settle = done;
        start();
      });
    await new Promise<void>((resolve) => {
      request.once('prepared', resolve);
      connection.prepare(request);
    });
    await run(() => connection.execute(request, { a: 1 }));
    await run(() => connection.execute(request, { a: 2 }));
    expect(rows).toEqual([1, 2]);
    await run(() => connection.unprepare(request));
    await expect(run(() => connection.execute(request, { a: 3 }))).rejects.toMatchObject({ number: 8179 });
  });

  it('prepares and executes a statement at once', async () => {
    engine.on('SELECT @a', ({ parameters }) => {
      const value = parameters.find(({ name }) => name === '@a')?.value ?? null;
      return result([{ name: 'a', type: { kind: 'int' }, nullable: true }], [value]);
    });
    const answer = await client.call(
      'sp_prepexec',
      {
        params: { type: TYPES.NVarChar, value: '@a int' },
        stmt: { type: TYPES.NVarChar, value: 'SELECT @a' },
        a: { type: TYPES.Int, value: 5 },
      },
      { handle: { type: TYPES.Int, value: undefined } },
    );
    expect(answer.rows).toEqual([[5]]);
    const again = { '': { type: TYPES.Int, value: answer.outputs.handle }, a: { type: TYPES.Int, value: 6 } };
    expect((await client.call('sp_execute', again, {})).rows).toEqual([[6]]);
    await expect(client.call('sp_execute', { '': again[''] }, {})).rejects.toMatchObject({ number: 8178 });
  });

  it('keeps transactions together, with savepoints, isolation and roll-backs by errors', async () => {
    const session = engine.sessions.at(-1);
    const { connection } = client;
    await client.transact((done) => connection.beginTransaction(done, 'outer', ISOLATION_LEVEL.SNAPSHOT));
    expect(session?.transaction).toBe(1n);
    await client.batch('set nocount on');
    await client.transact((done) => connection.saveTransaction(done, 'here'));
    await client.transact((done) => connection.rollbackTransaction(done, 'here'));
    await client.transact((done) => connection.commitTransaction(done));
    await client.transact((done) => connection.beginTransaction(done));
    engine.on('UPDATE conflict', function* ({ session: own }) {
      yield { kind: 'done', command: 'update', rowCount: 0 };
      own.transaction = undefined;
      throw new SqlFailure(3960, 'Snapshot isolation transaction aborted due to update conflict.', {
        rolledBack: true,
      });
    });
    await expect(client.batch('UPDATE conflict')).rejects.toMatchObject({ number: 3960 });
    expect(client.events).toContain('rolled back');
    engine.on('BEGIN and COMMIT', function* () {
      yield { kind: 'transaction', change: 'begun', id: 9n };
      yield { kind: 'done', command: 'other' };
      yield { kind: 'transaction', change: 'committed', id: 9n };
      yield { kind: 'done', command: 'other' };
    });
    await client.batch('BEGIN and COMMIT');
    await client.batch('set nocount off');
    expect(session?.log).toEqual([
      'begin snapshot',
      'save here',
      'rollback to here',
      'commit',
      'begin read committed',
    ]);
  });

  it('resets its session on demand and says when the database changes', async () => {
    const session = engine.sessions.at(-1);
    await client.transact((done) => client.connection.beginTransaction(done));
    await client.reset();
    expect(session?.log).toEqual(['begin read committed', 'reset']);
    engine.on('USE master', () => [
      { kind: 'database', name: 'master' },
      { kind: 'done', command: 'other' },
    ]);
    await client.batch('USE master');
    expect(client.events).toEqual(['database shop', 'rolled back', 'reset', 'database master']);
    expect(client.messages).toContain("Changed database context to 'master'.");
  });

  it('ends a result that is cancelled, at once and for good', async () => {
    let ended = false;
    engine.on('SELECT endless', async function* ({ signal }) {
      yield { kind: 'columns', columns: [{ name: 'n', type: { kind: 'bigint' }, nullable: false }] };
      try {
        for (let n = 0n; !signal.aborted; n++) yield { kind: 'rows', rows: [[n]] };
      } finally {
        ended = true;
      }
    });
    let seen = 0;
    await expect(client.queryUntil('SELECT endless', () => ++seen === 1000)).rejects.toMatchObject({
      code: 'ECANCEL',
    });
    expect(ended).toBe(true);
    engine.on('SELECT 1', () => result([{ name: '', type: { kind: 'int' }, nullable: false }], [1n]));
    expect((await client.query('SELECT 1')).rows).toEqual([[1]]);
  });
});

describe('a request that takes too long', () => {
  it('is cancelled by the driver and leaves the connection in order', async () => {
    engine.on('WAITFOR', async function* ({ signal }) {
      await new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }));
      yield { kind: 'done', command: 'other' };
    });
    const client = await TediousClient.connect(offered, { requestTimeout: 100 });
    await expect(client.batch('WAITFOR')).rejects.toMatchObject({ code: 'ETIMEOUT' });
    await client.batch('set nocount on');
    await client.close();
  });
});

describe('a login', () => {
  it.each(WAYS.map(({ name, options }) => [name, options] as const))(
    'with a wrong password fails with 18456 %s',
    async (_name, options) => {
      await expect(TediousClient.connect(offered, { ...options, password: 'wrong' })).rejects.toMatchObject({
        code: 'ELOGIN',
        message: "Login failed for user 'sa'.",
      });
    },
  );

  it('to a database that does not exist fails with 4060', async () => {
    await expect(TediousClient.connect(offered, { database: 'nowhere' })).rejects.toThrow(
      'Cannot open database "nowhere"',
    );
  });

  it('in clear text is refused by a server that requires encryption, and the other way round', async () => {
    const tls = { cert: await certificate('server.crt'), key: await certificate('server.key') };
    const strict = await startTdsServer({ engine, tls, encryption: 'required' });
    await expect(TediousClient.connect(strict)).rejects.toMatchObject({ code: 'EENCRYPT' });
    await (await TediousClient.connect(strict, { encrypt: true })).close();
    await strict.close();
    const plain = await startTdsServer({ engine });
    await expect(TediousClient.connect(plain, { encrypt: true })).rejects.toMatchObject({ code: 'EENCRYPT' });
    await plain.close();
  });
});
