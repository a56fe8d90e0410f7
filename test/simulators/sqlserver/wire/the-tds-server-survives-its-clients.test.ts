/** What broken clients and slow ones can do to the wire of the SQL Server simulator: nothing to anybody else. */
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import fc from 'fast-check';
import { TYPES } from 'tedious';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { testSeed } from '../../../support/random.ts';
import { PacketEncoder, PacketType } from '../tds/packets.ts';
import { startTdsServer, type TdsServer } from '../tds/server.ts';
import { type Execution, result, ScriptedEngine } from './scripted-engine.ts';
import { TediousClient } from './tedious-client.ts';

const seed = testSeed();

const engine = new ScriptedEngine();
let server: TdsServer;

beforeAll(async () => {
  server = await startTdsServer({ engine });
});
afterAll(() => server.close());
beforeEach(() => engine.scripts.clear());

const one = (): ReturnType<typeof result> =>
  result([{ name: '', type: { kind: 'int' }, nullable: false }], [1n]);

async function expectToServe(): Promise<void> {
  engine.on('SELECT 1', one);
  const client = await TediousClient.connect(server);
  expect((await client.batch('SELECT 1')).rows).toEqual([[1]]);
  await client.close();
}

async function rawConnection(): Promise<Socket> {
  const socket = connect(server.port, server.host);
  socket.on('error', () => {});
  await once(socket, 'connect');
  return socket;
}

const packet = (type: number, body: Buffer): Buffer => new PacketEncoder(type, 0, 4096).encode(body, true);

/** Says `bytes` and hangs up, or is hung up on. */
async function say(socket: Socket, bytes: Buffer): Promise<void> {
  const closed = once(socket, 'close');
  socket.resume();
  socket.end(bytes);
  await closed;
}

describe('a client that does not speak TDS', () => {
  it('is hung up on, whatever it says, and others are served', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.oneof(
          fc.uint8Array({ maxLength: 300 }),
          fc
            .tuple(fc.constantFrom(...Object.values(PacketType)), fc.uint8Array({ maxLength: 300 }))
            .map(([type, body]) => packet(type, Buffer.from(body))),
        ),
        async (bytes) => {
          await say(await rawConnection(), Buffer.from(bytes));
        },
      ),
      { seed, numRuns: 150 },
    );
    await expectToServe();
  });

  it('is hung up on after its login, too', async () => {
    const login = await recordedLogin();
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom(...Object.values(PacketType)),
        fc.uint8Array({ maxLength: 200 }),
        async (type, body) => {
          const socket = await rawConnection();
          socket.write(login);
          await once(socket, 'data');
          await say(socket, packet(type, Buffer.from(body)));
        },
      ),
      { seed, numRuns: 150 },
    );
    await expectToServe();
    await expect.poll(() => engine.sessions.filter(({ log }) => !log.includes('close'))).toEqual([]);
  });
});

describe('a client that leaves', () => {
  it('in the middle of a result ends its execution and its session', async () => {
    const ended = Promise.withResolvers<void>();
    engine.on('SELECT endless', async function* ({ signal }: Execution) {
      yield {
        kind: 'columns',
        columns: [{ name: 's', type: { kind: 'varchar', length: 'max' }, nullable: false }],
      };
      try {
        while (!signal.aborted) yield { kind: 'rows', rows: [['x'.repeat(10_000)]] };
      } finally {
        ended.resolve();
      }
    });
    const client = await TediousClient.connect(server);
    const session = engine.sessions.at(-1);
    const failed = client.queryUntil('SELECT endless', () => {
      client.connection.close();
      return false;
    });
    await expect(failed).rejects.toThrow();
    await ended.promise;
    await expect.poll(() => session?.log).toEqual(['close']);
  });
});

describe('a client that reads slowly', () => {
  it('is not sent more than the network holds, and gets everything', async () => {
    const rows = 400;
    let made = 0;
    engine.on('SELECT much', function* () {
      yield {
        kind: 'columns',
        columns: [{ name: 's', type: { kind: 'varbinary', length: 'max' }, nullable: false }],
      };
      for (made = 0; made < rows; made++) yield { kind: 'rows', rows: [[new Uint8Array(100_000)]] };
      yield { kind: 'done', command: 'select', rowCount: rows };
    });
    const login = await recordedLogin();
    const socket = await rawConnection();
    socket.write(login);
    await once(socket, 'data');
    socket.pause();
    socket.write(packet(PacketType.batch, batchBody('SELECT much')));
    await expect.poll(() => made).toBeGreaterThan(10);
    let before = -1;
    const stands = (): boolean => {
      const stood = before === made;
      before = made;
      return stood;
    };
    await expect.poll(stands, { interval: 200 }).toBe(true);
    expect(made).toBeLessThan(rows);
    let received = 0;
    socket.on('data', (bytes: Buffer) => {
      received += bytes.length;
    });
    socket.resume();
    await expect.poll(() => received, { timeout: 20_000 }).toBeGreaterThan(rows * 100_000);
    await say(socket, Buffer.alloc(0));
  });
});

describe('a bulk load', () => {
  it('that is cancelled in the middle leaves the connection in order', async () => {
    const client = await TediousClient.connect(server);
    const load = client.connection.newBulkLoad('[t]', () => {});
    load.addColumn('id', TYPES.Int, { nullable: false });
    const cancelled = new Promise<unknown>((resolve) => {
      load.callback = resolve;
    });
    async function* rows(): AsyncGenerator<unknown[]> {
      for (let id = 0; ; id++) {
        if (id === 50_000) load.cancel();
        if (id % 1000 === 0) await new Promise((resolve) => setImmediate(resolve));
        yield [id];
      }
    }
    client.connection.execBulkLoad(load, rows());
    expect(await cancelled).toMatchObject({ code: 'ECANCEL' });
    engine.on('SELECT 1', one);
    expect((await client.batch('SELECT 1')).rows).toEqual([[1]]);
    await client.close();
  });
});

describe('faults on the wire', () => {
  it('cut a connection in the middle of a result, once', async () => {
    engine.on('SELECT 3', () =>
      result([{ name: 'n', type: { kind: 'int' }, nullable: false }], [1n], [2n], [3n]),
    );
    const client = await TediousClient.connect(server);
    server.faults.cutAfterRows(1);
    await expect(client.batch('SELECT 3')).rejects.toThrow();
    const again = await TediousClient.connect(server);
    expect((await again.batch('SELECT 3')).rows).toHaveLength(3);
    await again.close();
  });

  it('cut a connection between a commit and the answer to it', async () => {
    const client = await TediousClient.connect(server);
    const session = engine.sessions.at(-1);
    await client.transact((done) => client.connection.beginTransaction(done));
    server.faults.cutAfterCommit();
    await expect(client.transact((done) => client.connection.commitTransaction(done))).rejects.toThrow();
    expect(session?.log).toContain('commit');
  });

  it('refuse connections for a while', async () => {
    server.faults.refuseConnections = true;
    await expect(TediousClient.connect(server)).rejects.toThrow();
    server.faults.refuseConnections = false;
    await expectToServe();
  });

  it('cut all connections', async () => {
    const clients = [await TediousClient.connect(server), await TediousClient.connect(server)];
    const ends = clients.map(({ connection }) => new Promise((resolve) => connection.once('end', resolve)));
    server.cutConnections();
    await Promise.all(ends);
    await expect.poll(() => server.connections).toBe(0);
  });
});

const batchBody = (text: string): Buffer => {
  const headers = Buffer.from('16000000120000000200' + '0000000000000000' + '01000000', 'hex');
  return Buffer.concat([headers, Buffer.from(text, 'utf16le')]);
};

/** What the driver says to log in, as one piece of bytes. */
async function recordedLogin(): Promise<Buffer> {
  const heard: Buffer[] = [];
  const { createServer } = await import('node:net');
  const proxy = createServer((inner) => {
    const outer = connect(server.port, server.host);
    inner.on('error', () => {}).on('data', (bytes: Buffer) => heard.push(bytes));
    outer.on('error', () => {});
    inner.pipe(outer).pipe(inner);
  }).listen(0, '127.0.0.1');
  await once(proxy, 'listening');
  const address = proxy.address();
  if (address === null || typeof address === 'string') throw new Error('the proxy has no port');
  const client = await TediousClient.connect({ host: '127.0.0.1', port: address.port });
  const [prelogin, login] = heard;
  await client.close();
  proxy.close();
  return Buffer.concat([prelogin ?? Buffer.alloc(0), login ?? Buffer.alloc(0)]);
}
