/** One connection of the connector, through the real driver and a real socket. */
import { once } from 'node:events';
import { connect as connectTo, createServer, type Socket } from 'node:net';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import {
  classOfFailure,
  isConnectionFailure,
  numberOf,
} from '../../../connectors/sqlserver/error-numbers.ts';
import { bigint, binary, int, longText, shortText } from '../../../connectors/sqlserver/parameters.ts';
import { silentLogger } from '../../../src/log.ts';
import type { Datum, ResultColumn, ResultPart, SqlType } from '../../simulators/sqlserver/contract.ts';
import { SqlFailure } from '../../simulators/sqlserver/contract.ts';
import { result } from '../../simulators/sqlserver/wire/scripted-engine.ts';
import { ScriptedServer } from './scripted-server.ts';

let scripted: ScriptedServer;
beforeEach(async () => {
  scripted = await ScriptedServer.start();
});
afterEach(() => scripted.close());

const column = (name: string, type: SqlType): ResultColumn => ({ name, type, nullable: true });
const NUMBER = [column('n', { kind: 'int' })];
const TEXT = [column('t', { kind: 'nvarchar', length: 'max' })];

describe('values', () => {
  test('come as texts, binaries as digits, NULL as null', async () => {
    const columns = [
      column('a', { kind: 'nvarchar', length: 'max' }),
      column('b', { kind: 'varbinary', length: 'max' }),
      column('c', { kind: 'bit' }),
      column('d', { kind: 'bigint' }),
      column('e', { kind: 'varchar', length: 10 }),
    ];
    const row: Datum[] = ['🎸 ñ', Uint8Array.from([0xab, 0x01]), true, 2n ** 63n - 1n, null];
    scripted.engine.on('SELECT all', () => result(columns, row));
    const session = await scripted.session();
    expect(await session.query('SELECT all')).toEqual([['🎸 ñ', '0xAB01', '1', '9223372036854775807', null]]);
  });

  test('are bound with the same declared types whatever they are, so that plans are shared', async () => {
    const declared: (readonly SqlType[])[] = [];
    scripted.engine.on('SELECT bound', function* ({ parameters }): Generator<ResultPart> {
      declared.push(parameters.map(({ type }) => type));
      yield* result(NUMBER, [1n]);
    });
    const session = await scripted.session();
    const parameters = (text: string, bytes: number) => [
      shortText('s', text),
      longText('l', text.repeat(100)),
      binary('b', Buffer.alloc(bytes)),
      bigint('i', 2n ** 62n),
      int('n', bytes),
    ];
    await session.query('SELECT bound', parameters('a', 1));
    await session.query('SELECT bound', parameters('a longer one', 128));
    expect(declared[0]).toEqual(declared[1]);
    expect(declared[0]).toEqual([
      { kind: 'nvarchar', length: 4000 },
      { kind: 'nvarchar', length: 'max' },
      { kind: 'varbinary', length: 8000 },
      { kind: 'bigint' },
      { kind: 'int' },
    ]);
  });

  test('that are too long for their parameter are refused before they are sent', () => {
    expect(() => shortText('name', 'x'.repeat(4001))).toThrow(RangeError);
  });
});

describe('streams of rows', () => {
  const MANY = 50_000;
  let made = 0;
  function* many(): Generator<ResultPart> {
    yield { kind: 'columns', columns: TEXT };
    for (made = 0; made < MANY; made += 100)
      yield {
        kind: 'rows',
        rows: Array.from({ length: 100 }, (_, place) => [`${made + place} ${'x'.repeat(200)}`]),
      };
    yield { kind: 'done', command: 'select', rowCount: MANY };
  }

  test('bring every row in order, and are not read ahead of whoever takes them', async () => {
    scripted.engine.on('SELECT many', many);
    const session = await scripted.session();
    let count = 0;
    for await (const rows of session.rows('SELECT many')) {
      for (const [text] of rows) {
        expect(text?.startsWith(`${count} `)).toBe(true);
        count += 1;
      }
      if (count <= rows.length) {
        await new Promise((resolve) => setTimeout(resolve, 300));
        expect(made).toBeLessThan(MANY); // the server waits, because nobody reads what it sends
      }
    }
    expect(count).toBe(MANY);
  });

  test('that nobody wants any more end on the server, and the session goes on', async () => {
    let isCancelled = false;
    scripted.engine.on('SELECT many', async function* ({ signal }): AsyncGenerator<ResultPart> {
      signal.addEventListener('abort', () => {
        isCancelled = true;
      });
      yield* many();
    });
    scripted.engine.on('SELECT 1', () => result(NUMBER, [1n]));
    const session = await scripted.session();
    for await (const rows of session.rows('SELECT many')) {
      expect(rows.length).toBeGreaterThan(0);
      break;
    }
    expect(isCancelled).toBe(true);
    expect(await session.query('SELECT 1')).toEqual([['1']]);
  });

  test('keep other statements of the session waiting', async () => {
    scripted.engine.on('SELECT many', many);
    scripted.engine.on('SELECT 1', () => result(NUMBER, [1n]));
    const session = await scripted.session();
    const order: string[] = [];
    const reading = (async () => {
      for await (const _ of session.rows('SELECT many')) if (order.length === 0) order.push('rows');
      order.push('end');
    })();
    const asking = session.query('SELECT 1').then(() => order.push('query'));
    await Promise.all([reading, asking]);
    expect(order).toEqual(['rows', 'end', 'query']);
  });

  test('tell the error after the rows before it', async () => {
    scripted.engine.on('SELECT then fail', function* (): Generator<ResultPart> {
      yield { kind: 'columns', columns: NUMBER };
      yield { kind: 'rows', rows: [[1n], [2n]] };
      throw new SqlFailure(1205, 'Transaction was deadlocked.', { severity: 13 });
    });
    const session = await scripted.session();
    const seen: unknown[] = [];
    const reading = (async () => {
      for await (const rows of session.rows('SELECT then fail')) seen.push(...rows);
    })();
    await expect(reading).rejects.toMatchObject({ number: 1205 });
    expect(seen).toEqual([['1'], ['2']]);
    expect(session.broken).toBe(false);
  });
});

describe('a statement', () => {
  test('that is cancelled rejects with the reason of the signal, and the session goes on', async () => {
    scripted.engine.on('WAITFOR ever', async function* ({ signal }): AsyncGenerator<ResultPart> {
      await once(signal, 'abort');
      yield { kind: 'done', command: 'other' };
    });
    scripted.engine.on('SELECT 1', () => result(NUMBER, [1n]));
    const session = await scripted.session();
    const controller = new AbortController();
    const waiting = session.query('WAITFOR ever', [], { signal: controller.signal });
    setTimeout(() => controller.abort(new Error('enough')), 50);
    await expect(waiting).rejects.toThrow('enough');
    expect(await session.query('SELECT 1')).toEqual([['1']]);
  });

  test('that takes longer than its timeout fails for a passing reason', async () => {
    scripted.engine.on('WAITFOR ever', async function* ({ signal }): AsyncGenerator<ResultPart> {
      await once(signal, 'abort');
      yield { kind: 'done', command: 'other' };
    });
    const session = await scripted.session();
    const error: unknown = await session
      .query('WAITFOR ever', [], { timeoutMilliseconds: 50 })
      .catch((reason: unknown) => reason);
    expect(classOfFailure(error)).toBe('transient');
    expect(session.broken).toBe(false);
  });

  test('that fails says the number of the server, also when several errors come', async () => {
    scripted.engine.on('INSERT double', function* (): Generator<ResultPart> {
      const text =
        "Violation of PRIMARY KEY constraint 'PK'. Cannot insert duplicate key in object 'dbo.Song'.";
      yield {
        kind: 'message',
        message: { number: 2627, severity: 14, state: 1, message: text, line: 1 },
      };
      throw new SqlFailure(3621, 'The statement has been terminated.', { severity: 16 });
    });
    const session = await scripted.session();
    const error: unknown = await session.query('INSERT double').catch((reason: unknown) => reason);
    expect(numberOf(error)).toBe(2627);
    expect(classOfFailure(error)).toBe('data');
  });

  test('is printed with its values when commands are to be printed', async () => {
    scripted.engine.on('SELECT 1', () => result(NUMBER, [1n]));
    const lines: unknown[] = [];
    const logger = {
      ...silentLogger,
      verbose: (message: string, fields?: unknown) => void lines.push([message, fields]),
    };
    const session = await scripted.session({}, { logger });
    await session.query('SELECT 1', [shortText('name', 'Kind of Blue')]);
    expect(lines).toEqual([['SQL', { text: 'SELECT 1', values: ['Kind of Blue'] }]]);
  });
});

describe('transactions', () => {
  test('begin with their isolation and are rolled back by what fails in them', async () => {
    scripted.engine.on('IF @@TRANCOUNT > 0 ROLLBACK', function* ({ session }): Generator<ResultPart> {
      session.log.push('rollback by batch');
      session.transaction = undefined;
      yield { kind: 'done', command: 'other' };
    });
    const session = await scripted.session();
    expect(await session.transaction('snapshot', async () => 'done')).toBe('done');
    await expect(
      session.transaction('read committed', async () => {
        throw new Error('no');
      }),
    ).rejects.toThrow('no');
    expect(scripted.engine.sessions[0]?.log).toEqual([
      'begin snapshot',
      'commit',
      'begin read committed',
      'rollback by batch',
    ]);
  });
});

describe('a connection that breaks', () => {
  test('in the midst of a result fails the statement, and nothing else', async () => {
    scripted.engine.on('SELECT rows', () => result(NUMBER, [1n], [2n], [3n]));
    const session = await scripted.session();
    scripted.server.faults.cutAfterRows(1);
    const error: unknown = await session.query('SELECT rows').catch((reason: unknown) => reason);
    expect(isConnectionFailure(error)).toBe(true);
    expect(session.broken).toBe(true);
    await expect(session.query('SELECT rows')).rejects.toThrow();
  });

  test('while idle is noticed by the next statement', async () => {
    const session = await scripted.session();
    scripted.server.cutConnections();
    await expect.poll(() => session.broken).toBe(true);
    const error: unknown = await session.query('SELECT 1').catch((reason: unknown) => reason);
    expect(classOfFailure(error)).toBe('transient');
    await session.close();
  });

  test('because what comes is no answer at all does not end the process', async () => {
    scripted.engine.on('SELECT rows', () => result(NUMBER, [1n], [2n], [3n]));
    const proxy = await corruptingProxy(scripted.server.port);
    try {
      const session = await scripted.session({}, { port: proxy.port });
      expect(await session.query('SELECT rows')).toHaveLength(3);
      proxy.corrupt();
      const error: unknown = await session.query('SELECT rows').catch((reason: unknown) => reason);
      expect(error).toBeInstanceOf(Error);
      expect(session.broken).toBe(true);
      await session.close();
    } finally {
      await proxy.close();
    }
  });

  test('that is closed twice, or while a statement runs, is closed all the same', async () => {
    scripted.engine.on('WAITFOR ever', async function* ({ signal }): AsyncGenerator<ResultPart> {
      await once(signal, 'abort');
      yield { kind: 'done', command: 'other' };
    });
    const session = await scripted.session();
    const waiting = session.query('WAITFOR ever').catch((reason: unknown) => reason);
    await new Promise((resolve) => setTimeout(resolve, 50));
    await session.close();
    await session.close();
    expect(classOfFailure(await waiting)).toBe('transient');
  });
});

/** Passes everything on, until it is told to spoil the next answer. */
async function corruptingProxy(
  target: number,
): Promise<{ port: number; corrupt: () => void; close: () => Promise<void> }> {
  let isSpoiling = false;
  const sockets = new Set<Socket>();
  const server = createServer((client) => {
    const upstream = connectTo(target, '127.0.0.1');
    for (const socket of [client, upstream]) {
      sockets.add(socket);
      socket.on('error', () => {});
    }
    client.pipe(upstream);
    upstream.on('data', (chunk: Buffer) => {
      if (isSpoiling) chunk.fill(0x02, 8, Math.min(chunk.length, 12)); // no token begins like this
      client.write(chunk);
    });
    upstream.on('close', () => client.destroy());
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  return {
    port: address.port,
    corrupt: () => {
      isSpoiling = true;
    },
    close: async () => {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, 'close');
    },
  };
}
