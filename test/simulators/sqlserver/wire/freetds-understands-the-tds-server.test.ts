/** The wire of the SQL Server simulator, seen by a second client that shares nothing with the driver: FreeTDS. */
import { readFile } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Datum, SqlType } from '../contract.ts';
import { startTdsServer, type TdsServer } from '../tds/server.ts';
import { FreeTds, hasFreeTds, type Run } from './freetds.ts';
import { PASSWORD, result, ScriptedEngine, USER } from './scripted-engine.ts';

/** A record of the handshake in the log of FreeTDS's TLS library. */
const TLS_HANDSHAKE = 'SSL 3.3 Handshake packet received';
/** 2024-02-29 in days since 0001-01-01. */
const LEAP_DAY = 738_944;
const AFTERNOON = 476_551_234_567n;

const CASES: readonly { readonly type: SqlType; readonly value: Datum; readonly shown: string }[] = [
  { type: { kind: 'bit' }, value: true, shown: '1' },
  { type: { kind: 'tinyint' }, value: 255n, shown: '255' },
  { type: { kind: 'smallint' }, value: -32768n, shown: '-32768' },
  { type: { kind: 'int' }, value: -2147483648n, shown: '-2147483648' },
  { type: { kind: 'bigint' }, value: 2n ** 63n - 1n, shown: '9223372036854775807' },
  { type: { kind: 'float' }, value: 0.1, shown: '0.10000000000000001' },
  { type: { kind: 'money' }, value: -(2n ** 63n), shown: '-922337203685477.5808' },
  { type: { kind: 'smallmoney' }, value: 12_345n, shown: '1.2345' },
  {
    type: { kind: 'decimal', precision: 38, scale: 10 },
    value: 10n ** 37n + 1n,
    shown: '1000000000000000000000000000.0000000001',
  },
  { type: { kind: 'decimal', precision: 9, scale: 2 }, value: -5n, shown: '-0.05' },
  { type: { kind: 'date' }, value: LEAP_DAY, shown: 'Feb 29 2024 12:00AM' },
  { type: { kind: 'datetime' }, value: { days: LEAP_DAY, ticks: AFTERNOON }, shown: 'Feb 29 2024 01:14PM' },
  {
    type: { kind: 'datetime2', scale: 7 },
    value: { days: LEAP_DAY, ticks: AFTERNOON },
    shown: 'Feb 29 2024 01:14PM',
  },
  {
    type: { kind: 'datetimeoffset', scale: 3 },
    value: { days: LEAP_DAY, ticks: AFTERNOON, offset: -330 },
    shown: 'Feb 29 2024 07:44AM',
  },
  {
    type: { kind: 'uniqueidentifier' },
    value: '01234567-89AB-CDEF-0123-456789ABCDEF',
    shown: '01234567-89AB-CDEF-0123-456789ABCDEF',
  },
  { type: { kind: 'varchar', length: 20 }, value: 'Zoë € œ', shown: 'Zoë € œ' },
  { type: { kind: 'nvarchar', length: 20 }, value: '世界 😀', shown: '世界 😀' },
  { type: { kind: 'nvarchar', length: 'max' }, value: '世'.repeat(20_000), shown: '世'.repeat(20_000) },
  { type: { kind: 'varbinary', length: 10 }, value: Uint8Array.of(0, 255), shown: '00ff' },
  {
    type: { kind: 'rowversion' },
    value: Uint8Array.of(0, 0, 0, 0, 0, 0, 7, 209),
    shown: '00000000000007d1',
  },
  { type: { kind: 'text' }, value: 'naïve €', shown: 'naïve €' },
  { type: { kind: 'ntext' }, value: '世界', shown: '世界' },
  { type: { kind: 'xml' }, value: '<a b="世"/>', shown: '<a b="世"/>' },
  {
    type: { kind: 'sql_variant' },
    value: { type: { kind: 'varchar', length: 10 }, value: 'é€' },
    shown: 'é€',
  },
  {
    type: { kind: 'sql_variant' },
    value: { type: { kind: 'decimal', precision: 20, scale: 3 }, value: -1n },
    shown: '-0.001',
  },
];

describe.skipIf(!hasFreeTds)('FreeTDS', () => {
  const engine = new ScriptedEngine();
  let server: TdsServer;
  let freeTds: FreeTds;

  beforeAll(async () => {
    const certificate = (name: string): Promise<string> =>
      readFile(new URL(`../../../support/certificates/${name}`, import.meta.url), 'utf8');
    freeTds = await FreeTds.open();
    server = await startTdsServer({
      engine,
      tls: { cert: await certificate('server.crt'), key: await certificate('server.key') },
    });
    const columns = CASES.map(({ type }, index) => ({ name: `c${index}`, type, nullable: true }));
    engine.on('SELECT all', () =>
      result(
        columns,
        CASES.map(({ value }) => value),
        CASES.map(() => null),
      ),
    );
    engine.on('PRINT and fail', function* () {
      yield {
        kind: 'message',
        message: { number: 0, severity: 0, state: 1, line: 1, message: 'nearly there' },
      };
      yield { kind: 'done', command: 'insert', rowCount: 3 };
    });
  });
  afterAll(async () => {
    await server?.close();
    await freeTds?.close();
  });

  function tsql(
    encryption: 'request' | 'require',
    batches: readonly string[],
    password = PASSWORD,
  ): Promise<Run> {
    const { host, port } = server;
    return freeTds.tsql({ host, port, user: USER, password, database: 'shop', encryption }, batches);
  }

  it.each(['request', 'require'] as const)(
    'logs in with TLS (encryption %s) and reads values of every type exactly',
    async (encryption) => {
      const { output, log } = await tsql(encryption, ['SELECT all']);
      const rows = output.split('\n').filter((line) => line.includes('\t'));
      expect(rows.map((row) => row.split('\t'))).toEqual([
        CASES.map(({ shown }) => shown),
        CASES.map(() => 'NULL'),
      ]);
      expect(log).toContain(TLS_HANDSHAKE);
    },
  );

  it('shows messages and errors as the server says them, and goes on after them', async () => {
    const { output } = await tsql('require', ['PRINT and fail', 'gibberish', 'SELECT all']);
    expect(output).toContain('nearly there');
    expect(output).toContain('Msg 102 (severity 15, state 1) from SIMULATOR Line 3:');
    expect(output).toContain('Incorrect syntax near');
    expect(output).toContain('9223372036854775807');
  });

  it('is turned away with a wrong password', async () => {
    const { output } = await tsql('request', ['SELECT all'], 'wrong');
    expect(output).toContain("Login failed for user 'sa'.");
  });

  it('logs in to a server without TLS', async () => {
    const encrypted = server;
    server = await startTdsServer({ engine });
    try {
      const { output, log } = await tsql('request', ['SELECT all']);
      expect(output).toContain('世界 😀');
      expect(log).not.toContain(TLS_HANDSHAKE);
    } finally {
      await server.close();
      server = encrypted;
    }
  });
});
