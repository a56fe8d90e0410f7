import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { createOwnTables } from '../../../connectors/sqlserver/create-own-tables.ts';
import { SqlServerDeadLetterBox } from '../../../connectors/sqlserver/dead-letter-box.ts';
import { Session } from '../../../connectors/sqlserver/session.ts';
import { SqlServerWriter } from '../../../connectors/sqlserver/writer/sqlserver-writer.ts';
import type { NewLetter } from '../../../src/connector/dead-letters/contract.ts';
import { startTestSqlServer, type TestSqlServer } from '../../support/sqlserver.ts';
import { contextFor } from '../session-context.ts';

let server: TestSqlServer;
let database: string;
let session: Session;
let writer: SqlServerWriter;
let box: SqlServerDeadLetterBox;

beforeAll(async () => {
  server = await startTestSqlServer();
});
afterAll(() => server.stop());

beforeEach(async () => {
  database = await server.createDatabase();
  session = await Session.open(contextFor(server, database));
  box = boxOf('adapter');
  await box.prepare();
  writer = new SqlServerWriter(session, 'adapter');
  return () => writer.close();
});

function boxOf(adapter: string): SqlServerDeadLetterBox {
  return new SqlServerDeadLetterBox(adapter, (_, use) => use(session));
}

function letter(sequence: number, changes: Partial<NewLetter> = {}): NewLetter {
  return {
    direction: 'toSql',
    realmPath: '/r',
    sequence,
    objects: [{ class: 'Person', key: 'ann "x"' }],
    reason: { message: `refused ${sequence} 🚲\0`, sqlState: '2627', table: 'Person', constraint: 'PK' },
    payload: `{"text":"${'ü'.repeat(5_000)}"}`,
    statements: [{ sql: 'INSERT', values: ['a', null] }],
    ...changes,
  };
}

const keep = (sequence: number): Promise<void> =>
  writer.deadLetter({ realmPath: '/r', sequence }, letter(sequence));
const ids = async (...states: ('waiting' | 'retried' | 'discarded')[]): Promise<number[]> =>
  (await box.list({ states, limit: 100 })).map(({ sequence }) => sequence);

test('a letter reads back as it was written, and its transaction is passed by', async () => {
  await keep(3);
  const [summary] = await box.list({ limit: 10 });
  expect(summary).toMatchObject({
    adapter: 'adapter',
    direction: 'toSql',
    realmPath: '/r',
    sequence: 3,
    state: 'waiting',
    requested: false,
    attempts: 0,
    outcome: undefined,
    reason: {
      message: 'refused 3 🚲\\u0000',
      sqlState: '2627',
      table: 'Person',
      column: undefined,
      constraint: 'PK',
    },
    objects: [{ class: 'Person', key: 'ann "x"' }],
  });
  expect(Math.abs(Date.parse(summary?.createdAt ?? '') - Date.now())).toBeLessThan(3_600_000);
  const [whole] = await box.read([summary?.id ?? '']);
  expect(whole?.payload).toBe(letter(3).payload);
  expect(whole?.statements).toEqual(letter(3).statements);
  expect(await writer.checkpoints()).toEqual(new Map([['/r', 3]]));
});

test('letters are listed in order, by state and in pages, each adapter its own', async () => {
  for (const sequence of [1, 2, 3]) await keep(sequence);
  await boxOf('other').keepRow('x', letter(9));
  const first = await box.list({ limit: 2 });
  expect(first.map(({ sequence }) => sequence)).toEqual([1, 2]);
  const rest = await box.list({ limit: 2, after: first.at(-1)?.id });
  expect(rest.map(({ sequence }) => sequence)).toEqual([3]);
  expect(await ids('waiting')).toEqual([1, 2, 3]);
  expect(await ids('retried', 'discarded')).toEqual([]);
});

test('a letter is tried again, and answered', async () => {
  for (const sequence of [1, 2, 3]) await keep(sequence);
  const [first, second] = await box.list({ limit: 10 });
  expect(await box.request([first?.id ?? '', 'nonsense', '999'])).toEqual([first?.id]);
  expect((await box.requested(10)).map(({ sequence, requested }) => [sequence, requested])).toEqual([
    [1, true],
  ]);
  await box.answer(first?.id ?? '', { state: 'retried', outcome: 'applied' });
  expect(await box.requested(10)).toEqual([]);
  const [answered] = await box.list({ states: ['retried'], limit: 10 });
  expect(answered).toMatchObject({ sequence: 1, attempts: 1, outcome: 'applied' });
  expect(await box.request('all')).toHaveLength(2);
  await box.answer(second?.id ?? '', { state: 'waiting', outcome: 'still refused' });
  expect(await ids('waiting')).toEqual([2, 3]);
  await box.answerSequences('/r', [2, 3], { state: 'retried', outcome: 'made good' });
  expect(await ids('waiting')).toEqual([]);
});

test('letters are discarded, acknowledged and purged', async () => {
  for (const sequence of [1, 2]) await keep(sequence);
  const [first] = await box.list({ limit: 10 });
  expect(await box.discard([first?.id ?? ''])).toEqual([first?.id]);
  expect((await box.requested(10)).map(({ state }) => state)).toEqual(['discarded']);
  await box.acknowledge(first?.id ?? '');
  expect(await box.requested(10)).toEqual([]);
  expect(await box.purge('all')).toEqual([first?.id]);
  expect(await ids('waiting')).toEqual([2]);
  expect(await box.discard('all')).toHaveLength(1);
});

test('a refused row has one letter, which is renewed and goes when the row is taken', async () => {
  const row = letter(0, { direction: 'toRealm', realmPath: '' });
  const long = `dbo.t ${'k'.repeat(1_000)}`;
  await box.keepRow(long, row);
  await box.keepRow(`${long} `, row);
  await box.keepRow(long, { ...row, reason: { message: 'for another reason' } });
  const listed = await box.list({ limit: 10 });
  expect(listed.map(({ reason }) => reason.message)).toEqual(['for another reason', 'refused 0 🚲\\u0000']);
  await box.discard([listed[0]?.id ?? '']);
  await box.removeRow(long);
  await box.removeRow(`${long} `);
  expect((await box.list({ limit: 10 })).map(({ state }) => state)).toEqual(['discarded']);
  await box.keepRow(long, row);
  expect(await ids('waiting')).toEqual([0]);
});

test('a login that may not make the tables is told the statements', async () => {
  const fresh = await server.createDatabase();
  const login = await server.createLogin(fresh);
  const limited = await Session.open(contextFor(server, fresh, login));
  try {
    await expect(createOwnTables(limited)).rejects.toMatchObject({
      code: 'sqlserver-permission',
      remedy: expect.stringMatching(/CREATE SCHEMA \[isthmus\];\nCREATE TABLE \[isthmus\]\.\[checkpoint\]/),
    });
  } finally {
    await limited.close();
  }
});
