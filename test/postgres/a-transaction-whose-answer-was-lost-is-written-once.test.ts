import { once } from 'node:events';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { PostgresDialect } from '../../connectors/postgres/postgres-dialect.ts';
import type { ApplyStatement, TableInfo } from '../../src/connector/dialect.ts';
import { ApplyError } from '../../src/connector/errors.ts';
import { silentLogger } from '../../src/log.ts';
import { startTestPostgres, type TestPostgres } from '../support/postgres.ts';
import { dialectFor, tablesOf } from './feed-harness.ts';
import { connectionTo } from './session-context.ts';

/** Passes everything on, until armed: then the connection is cut at the COMMIT, before or after the server has seen it. */
class CuttingProxy {
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  #armed: 'no' | 'before commit' | 'after commit' = 'no';
  cuts = 0;

  private constructor(server: Server) {
    this.#server = server;
  }

  static async start(host: string, port: number): Promise<CuttingProxy> {
    const proxy = new CuttingProxy(createServer());
    proxy.#server.on('connection', (client) => proxy.#join(client, connect(port, host)));
    proxy.#server.listen(0, '127.0.0.1');
    await once(proxy.#server, 'listening');
    return proxy;
  }

  get port(): number {
    const address = this.#server.address();
    return typeof address === 'object' && address !== null ? address.port : 0;
  }

  arm(when: 'before commit' | 'after commit'): void {
    this.#armed = when;
  }

  #join(client: Socket, upstream: Socket): void {
    let cutAtAnswer = false;
    const cut = (): void => {
      this.cuts += 1;
      this.#armed = 'no';
      client.destroy();
      upstream.destroy();
    };
    for (const socket of [client, upstream]) {
      this.#sockets.add(socket);
      socket.on('error', () => {});
    }
    client.on('data', (bytes) => {
      if (this.#armed !== 'no' && bytes.includes('COMMIT')) {
        if (this.#armed === 'before commit') return cut();
        cutAtAnswer = true;
      }
      upstream.write(bytes);
    });
    upstream.on('data', (bytes) => (cutAtAnswer ? cut() : client.write(bytes)));
    client.on('close', () => upstream.destroy());
    upstream.on('close', () => client.destroy());
  }

  async close(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    this.#server.close();
    await once(this.#server, 'close');
  }
}

let server: TestPostgres;
let proxy: CuttingProxy;
let database: string;
let dialect: PostgresDialect;
let list: TableInfo;

beforeAll(async () => {
  server = await startTestPostgres();
});

afterAll(async () => {
  await server.stop();
});

beforeEach(async () => {
  database = await server.createDatabase();
  proxy = await CuttingProxy.start(server.host, server.port);
  const direct = dialectFor(server, database);
  await direct.prepare({ createDatabase: false });
  await server.query(
    database,
    'CREATE TABLE list (oid text, idx int, target text, PRIMARY KEY (oid, idx) DEFERRABLE INITIALLY IMMEDIATE)',
  );
  list = (await tablesOf(direct, 'list'))[0]!;
  await direct.close();
  dialect = through(3);
});

afterEach(async () => {
  await dialect.close();
  await proxy.close();
});

function through(numberOfRetries: number): PostgresDialect {
  return new PostgresDialect({
    connection: {
      ...connectionTo(server, database),
      host: '127.0.0.1',
      port: proxy.port,
      retryQuery: { numberOfRetries, delayInMilliseconds: 10 },
    },
    schema: 'public',
    customTypes: new Map(),
    engine: { adapterName: 'a', logger: silentLogger, printCommands: false },
  });
}

const insertAtFront = (target: string): ApplyStatement[] => [
  { kind: 'listInsert', table: list, oid: 'o', index: 0, target },
];

async function items(): Promise<(string | null | undefined)[]> {
  return (await server.query(database, 'SELECT target FROM list ORDER BY idx')).map((row) => row.target);
}

test.each(['before commit', 'after commit'] as const)('a connection cut %s', async (when) => {
  const writer = await dialect.openWriter();
  await writer.apply(insertAtFront('first'), [{ realmPath: '/r', sequence: 1 }]);
  proxy.arm(when);
  await writer.apply(insertAtFront('second'), [{ realmPath: '/r', sequence: 2 }]);
  await writer.apply(insertAtFront('third'), [{ realmPath: '/r', sequence: 3 }]);
  await writer.close();
  expect(proxy.cuts).toBe(1);
  expect(await items()).toEqual(['third', 'second', 'first']);
});

test.each(['before commit', 'after commit'] as const)(
  'the very first transaction of a realm, cut %s',
  async (when) => {
    const writer = await dialect.openWriter();
    proxy.arm(when);
    await writer.apply(insertAtFront('first'), [{ realmPath: '/r', sequence: 1 }]);
    expect(await writer.checkpoints()).toEqual(new Map([['/r', 1]]));
    await writer.close();
    expect(await items()).toEqual(['first']);
  },
);

test('without retries the failure is passing and the checkpoint tells what became of it', async () => {
  const impatient = through(0);
  const writer = await impatient.openWriter();
  proxy.arm('after commit');
  const error = await writer
    .apply(insertAtFront('x'), [{ realmPath: '/r', sequence: 1 }])
    .catch((cause: unknown) => cause);
  expect(error).toBeInstanceOf(ApplyError);
  expect(error).toMatchObject({ errorClass: 'transient' });
  expect(await writer.checkpoints()).toEqual(new Map([['/r', 1]]));
  await writer.close();
  await impatient.close();
});

test('a server that is not there is a passing failure of the writer, not the end of the connector', async () => {
  await proxy.close();
  proxy = await CuttingProxy.start('127.0.0.1', 1);
  const writer = await through(1).openWriter();
  const error = await writer.checkpoints().catch((cause: unknown) => cause);
  expect(error).toMatchObject({ errorClass: 'transient' });
  await writer.close();
});
