/** `retryQuery` and `connect_timeout`, with servers that refuse, do not answer, freeze and crash. */
import { once } from 'node:events';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { parsePostgresOptions } from '../../../connectors/postgres/options.ts';
import { PostgresDialect } from '../../../connectors/postgres/postgres-dialect.ts';
import type { ApplyStatement, SqlWriter, TableInfo } from '../../../src/connector/dialect.ts';
import { silentLogger } from '../../../src/log.ts';
import { freePort } from '../../support/isthmus-processes.ts';
import { embedded, startTestPostgres, type TestPostgres } from '../../support/postgres.ts';
import { dialectFor, tablesOf } from '../feed-harness.ts';

let server: TestPostgres;
let database: string;
let list: TableInfo;
const closers: (() => Promise<unknown>)[] = [];

beforeAll(async () => {
  server = await startTestPostgres();
});
afterAll(() => server.stop());

beforeEach(async () => {
  database = await server.createDatabase();
  const dialect = dialectFor(server, database);
  await dialect.prepare({ createDatabase: false });
  await server.query(
    database,
    'CREATE TABLE list (oid text, idx int, target text, PRIMARY KEY (oid, idx) DEFERRABLE INITIALLY IMMEDIATE)',
  );
  list = (await tablesOf(dialect, 'list'))[0]!;
  await dialect.close();
});

afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

/** As the options of the reference say it. */
async function writerFor(
  port: number,
  retryQuery: { numberOfRetries: number; delayInMilliseconds: number },
  connectTimeout = 30,
): Promise<SqlWriter> {
  const { connection } = parsePostgresOptions({
    realmConfig: { server: 'http://localhost:1', user: { username: 'u', password: 'p' } },
    realmRegex: '/r',
    schema: [],
    dbName: database,
    postgresConfig: {
      host: '127.0.0.1',
      port,
      user: server.user,
      password: server.password,
      retryQuery,
    },
    connect_timeout: connectTimeout,
  });
  const dialect = new PostgresDialect({
    connection,
    schema: 'public',
    customTypes: new Map(),
    engine: { adapterName: 'a', logger: silentLogger, printCommands: false },
  });
  const writer = await dialect.openWriter();
  closers.push(async () => {
    await writer.close();
    await dialect.close();
  });
  return writer;
}

/** Not idempotent: run twice, it would be seen. */
const insertAtFront = (target: string): ApplyStatement[] => [
  { kind: 'listInsert', table: list, oid: 'o', index: 0, target },
];
const at = (sequence: number) => [{ realmPath: '/r', sequence }];

async function items(): Promise<unknown[]> {
  return (await server.query(database, 'SELECT target FROM list ORDER BY idx')).map(({ target }) => target);
}

async function failureOf(promise: Promise<unknown>): Promise<unknown> {
  return promise.then(
    () => undefined,
    (error: unknown) => error,
  );
}

/** Takes connections and does with each what it is told. */
async function listener(onConnection: (socket: Socket, count: number) => void): Promise<Server> {
  let count = 0;
  const sockets = new Set<Socket>();
  const listening = createServer((socket) => {
    count += 1;
    sockets.add(socket);
    socket.on('error', () => {});
    onConnection(socket, count);
  });
  listening.listen(0, '127.0.0.1');
  await once(listening, 'listening');
  closers.push(async () => {
    for (const socket of sockets) socket.destroy();
    listening.close();
    await once(listening, 'close');
  });
  return listening;
}

function portOf(listening: Server): number {
  const address = listening.address();
  return typeof address === 'object' && address !== null ? address.port : 0;
}

describe('connect_timeout', () => {
  test('a server that takes the connection and never answers', async () => {
    const silent = await listener(() => {});
    const writer = await writerFor(portOf(silent), { numberOfRetries: 0, delayInMilliseconds: 0 }, 1);
    const error = await failureOf(writer.checkpoints());
    expect(error).toMatchObject({ errorClass: 'transient' });
    expect(String(error)).toMatch(/timeout.*connect_timeout/);
  });

  test('a port that nobody listens at', async () => {
    const writer = await writerFor(await freePort(), { numberOfRetries: 2, delayInMilliseconds: 1 });
    const error = await failureOf(writer.checkpoints());
    expect(error).toMatchObject({ errorClass: 'transient' });
    expect(String(error)).toContain('nothing listens');
  });
});

describe('retryQuery', () => {
  test('as many attempts as it says, and no more', async () => {
    let attempts = 0;
    const refusing = await listener((socket, count) => {
      attempts = count;
      socket.destroy();
    });
    const writer = await writerFor(portOf(refusing), { numberOfRetries: 4, delayInMilliseconds: 1 });
    expect(await failureOf(writer.checkpoints())).toMatchObject({ errorClass: 'transient' });
    expect(attempts).toBe(5);
  });

  test('the attempt that succeeds counts once', async () => {
    const refusing = await listener((socket, count) => {
      if (count <= 3) socket.destroy();
      else {
        const upstream = connect(server.port, server.host);
        socket.pipe(upstream).pipe(socket);
        upstream.on('error', () => {});
        socket.on('close', () => upstream.destroy());
      }
    });
    const writer = await writerFor(portOf(refusing), { numberOfRetries: 3, delayInMilliseconds: 1 });
    await writer.apply(insertAtFront('once'), at(1));
    expect(await items()).toEqual(['once']);
  });
});

/** Process ids of the embedded server belong to this machine. */
describe.runIf(embedded)('a server that', () => {
  const patient = { numberOfRetries: 100, delayInMilliseconds: 100 };

  async function backendOf(): Promise<number> {
    const [row] = await server.query(
      database,
      "SELECT pid FROM pg_stat_activity WHERE application_name LIKE 'isthmus writer%' AND datname = current_database()",
    );
    return Number(row?.pid);
  }

  async function postmaster(): Promise<number> {
    const [row] = await server.query(
      database,
      "SELECT split_part(pg_read_file('postmaster.pid'), E'\\n', 1) AS pid",
    );
    return Number(row?.pid);
  }

  test('freezes and thaws: the statement under way is run once', async () => {
    const writer = await writerFor(server.port, patient);
    await writer.apply(insertAtFront('first'), at(1));
    const backend = await backendOf();
    process.kill(backend, 'SIGSTOP');
    const applied = writer.apply(insertAtFront('second'), at(2));
    try {
      expect(await items()).toEqual(['first']);
    } finally {
      process.kill(backend, 'SIGCONT');
    }
    await applied;
    await writer.apply(insertAtFront('third'), at(3));
    expect(await items()).toEqual(['third', 'second', 'first']);
  });

  test('freezes for new connections: connect_timeout ends the wait, and another attempt comes through', async () => {
    const main = await postmaster();
    const impatient = await writerFor(server.port, { numberOfRetries: 0, delayInMilliseconds: 0 }, 1);
    const writer = await writerFor(server.port, patient, 1);
    process.kill(main, 'SIGSTOP');
    let applied: Promise<void>;
    try {
      expect(await failureOf(impatient.checkpoints())).toMatchObject({ errorClass: 'transient' });
      applied = writer.apply(insertAtFront('late'), at(1));
    } finally {
      process.kill(main, 'SIGCONT');
    }
    await applied;
    expect(await items()).toEqual(['late']);
  });

  test('loses the process at work: the statement is repeated, once in effect', async () => {
    const writer = await writerFor(server.port, patient);
    await writer.apply(insertAtFront('first'), at(1));
    const backend = await backendOf();
    process.kill(backend, 'SIGSTOP');
    const applied = writer.apply(insertAtFront('second'), at(2));
    process.kill(backend, 'SIGKILL'); // the server restarts all its processes
    await applied;
    await expect.poll(() => items().catch(() => []), { timeout: 20_000 }).toEqual(['second', 'first']);
  });

  test('crashes and comes back: what was under way is written once', async () => {
    const writer = await writerFor(server.port, patient);
    await writer.apply(insertAtFront('first'), at(1));
    await server.crash();
    const applied = writer.apply(insertAtFront('second'), at(2));
    await server.start();
    await applied;
    await writer.apply(insertAtFront('third'), at(3));
    expect(await items()).toEqual(['third', 'second', 'first']);
  });
});
