import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { OWN_TABLES_DDL } from '../../../connectors/sqlserver/own-tables.ts';
import { retryingWriter } from '../../../connectors/sqlserver/writer/retrying-writer.ts';
import type { ApplyStatement, SqlText, SqlWriter } from '../../../src/connector/dialect.ts';
import { ApplyError } from '../../../src/connector/errors.ts';
import { startTestSqlServer, type TestSqlServer } from '../../support/sqlserver.ts';
import { contextFor } from '../session-context.ts';
import { ddl, table } from '../tables.ts';

const LIST = {
  columns: { oid: 'nvarchar(20) NOT NULL', idx: 'int NOT NULL', target: 'nvarchar(20) NULL' },
  primaryKey: ['oid', 'idx'],
} as const;
const list = table('list', LIST);

let server: TestSqlServer;
let database: string;
let writer: SqlWriter;

beforeAll(async () => {
  server = await startTestSqlServer();
});
afterAll(() => server.stop());

beforeEach(async () => {
  database = await server.createDatabase();
  for (const statement of [...OWN_TABLES_DDL, ddl('list', LIST)]) await server.query(database, statement);
  writer = retrying(3);
});
afterEach(() => writer.close());

function retrying(times: number): SqlWriter {
  const context = contextFor(server, database);
  return retryingWriter(
    { ...context, connection: { ...context.connection, retry: { times, delayMilliseconds: 10 } } },
    'adapter',
  );
}

const insertAtFront = (target: string): ApplyStatement[] => [
  { kind: 'listInsert', table: list, oid: 'o', index: 0, target },
];

async function items(): Promise<SqlText[]> {
  const rows = await server.query(database, 'SELECT [target] FROM [list] ORDER BY [idx]');
  return rows.map(({ target }) => target ?? null);
}

test('a connection cut after the commit', async () => {
  await writer.apply(insertAtFront('first'), [{ realmPath: '/r', sequence: 1 }]);
  server.faults.wire.cutAfterCommit();
  await writer.apply(insertAtFront('second'), [{ realmPath: '/r', sequence: 2 }]);
  await writer.apply(insertAtFront('third'), [{ realmPath: '/r', sequence: 3 }]);
  expect(await items()).toEqual(['third', 'second', 'first']);
});

test('the very first transaction of a realm, cut after the commit', async () => {
  server.faults.wire.cutAfterCommit();
  await writer.apply(insertAtFront('first'), [{ realmPath: '/r', sequence: 1 }]);
  expect(await writer.checkpoints()).toEqual(new Map([['/r', 1]]));
  expect(await items()).toEqual(['first']);
});

test('a connection cut between two transactions', async () => {
  await writer.apply(insertAtFront('first'), [{ realmPath: '/r', sequence: 1 }]);
  server.cutConnections();
  await writer.apply(insertAtFront('second'), [{ realmPath: '/r', sequence: 2 }]);
  expect(await items()).toEqual(['second', 'first']);
});

test.each([1, 2, 3])('a deadlock at statement %i of the transaction', async (statement) => {
  await writer.apply(insertAtFront('first'), [{ realmPath: '/r', sequence: 1 }]);
  server.faults.engine.deadlockOn(statement);
  await writer.apply(insertAtFront('second'), [{ realmPath: '/r', sequence: 2 }]);
  expect(await items()).toEqual(['second', 'first']);
  expect(await writer.checkpoints()).toEqual(new Map([['/r', 2]]));
});

test('without retries the failure is passing and the checkpoint tells what became of it', async () => {
  const impatient = retrying(0);
  server.faults.wire.cutAfterCommit();
  const error = await impatient
    .apply(insertAtFront('x'), [{ realmPath: '/r', sequence: 1 }])
    .catch((cause: unknown) => cause);
  expect(error).toBeInstanceOf(ApplyError);
  expect(error).toMatchObject({ errorClass: 'transient' });
  expect(await impatient.checkpoints()).toEqual(new Map([['/r', 1]]));
  await impatient.close();
});

test('a dead letter whose answer was lost is kept once', async () => {
  server.faults.wire.cutAfterCommit();
  await writer.deadLetter(
    { realmPath: '/r', sequence: 4 },
    {
      direction: 'toSql',
      realmPath: '/r',
      sequence: 4,
      objects: [],
      reason: { message: 'refused' },
      payload: '',
      statements: [],
    },
  );
  expect(await server.query(database, 'SELECT COUNT(*) AS n FROM [isthmus].[dead_letter]')).toEqual([
    { n: '1' },
  ]);
});

test('a server that is not there is a passing failure of the writer, not the end of the connector', async () => {
  server.faults.wire.refuseConnections = true;
  try {
    await expect(retrying(1).checkpoints()).rejects.toMatchObject({ errorClass: 'transient' });
  } finally {
    server.faults.wire.refuseConnections = false;
  }
});
