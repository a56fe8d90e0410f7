import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { PostgresSlotHeldError } from '../../../connectors/postgres/errors.ts';
import { lagFinding } from '../../../connectors/postgres/feed/slot-health.ts';
import type { PostgresFeedOptions } from '../../../connectors/postgres/options.ts';
import {
  createPostgresDialect,
  type PostgresDialect,
} from '../../../connectors/postgres/postgres-dialect.ts';
import { FeedWatch } from '../../../src/connector/capture/feed-watch.ts';
import { embedded, startTestPostgres } from '../../support/postgres.ts';
import { tablesOf } from '../feed-harness.ts';
import { connectionTo } from '../session-context.ts';
import { Follower, Machine, recordingLogger, until } from './harness.ts';

const open: PostgresDialect[] = [];
const followers: Follower[] = [];
let machine: Machine;
let count = 0;
let database: string;

beforeAll(async () => {
  if (embedded) machine = await Machine.create({ min_wal_size: '32MB', max_wal_size: '32MB' });
});
afterAll(async () => {
  if (embedded) await machine.remove();
});

afterEach(async () => {
  for (const follower of followers.splice(0)) await follower.stop();
  for (const dialect of open.splice(0)) {
    await dialect.dropFeed().catch(() => {}); // of dialects that share a slot, the first has dropped it
    await dialect.close();
  }
});

const sql = (text: string, where = database) => machine.sql(where, text);

function connect(feed: Partial<PostgresFeedOptions> = {}, lines: string[] = []): PostgresDialect {
  const dialect = machine.dialect(database, { adapterName: 'shop', feed, logger: recordingLogger(lines) });
  open.push(dialect);
  return dialect;
}

/** A database with a followed table and a slot at its start. */
async function prepared(feed: Partial<PostgresFeedOptions> = {}): Promise<PostgresDialect> {
  count += 1;
  database = `shop_${count}`;
  await sql(`CREATE DATABASE ${database}`, 'postgres');
  await sql('CREATE TABLE item (id int PRIMARY KEY); CREATE TABLE other (id int PRIMARY KEY)');
  const dialect = connect(feed);
  await dialect.prepare({ createDatabase: false });
  const { snapshot } = await dialect.prepareFeed(await tablesOf(dialect, 'item'), { reset: false });
  await snapshot?.close();
  return dialect;
}

async function follow(dialect: PostgresDialect): Promise<Follower> {
  const follower = new Follower();
  followers.push(follower);
  await follower.follow(dialect);
  return follower;
}

const SEGMENT =
  "SELECT pg_logical_emit_message(false, 'noise', repeat('x', 9000000)); SELECT pg_switch_wal(); CHECKPOINT";

describe.runIf(embedded)('a slot of tables that nobody writes to', () => {
  test('moves on while other databases write, so that their log is not kept', async () => {
    const dialect = await prepared();
    await follow(dialect);
    for (let round = 0; round < 4; round += 1) await sql(SEGMENT, 'postgres');
    const [end] = await sql('SELECT pg_current_wal_lsn() AS lsn');
    await until(async () => {
      await sql('CHECKPOINT', 'postgres');
      const [slot] = await sql(
        `SELECT restart_lsn >= '${end?.lsn}'::pg_lsn AND confirmed_flush_lsn >= '${end?.lsn}'::pg_lsn AS moved
         FROM pg_replication_slots WHERE slot_name = '${dialect.feedName}'`,
      );
      return slot?.moved === 't';
    });
    const health = await dialect.feedHealth();
    expect(health.retainedBytes).toBeLessThan(16 * 1_048_576);
    expect(health.findings.map(({ level }) => level)).not.toContain('warning');
  });
});

describe.runIf(embedded)('a slot that nobody reads', () => {
  test('is warned of with numbers where the server sets no limit, and praised when it has caught up', async () => {
    const dialect = await prepared({ warnBytes: 8n * 1_048_576n });
    const lines: string[] = [];
    const watch = new FeedWatch({
      health: () => dialect.feedHealth(),
      isStreaming: () => true,
      intervalMilliseconds: 0,
      logger: recordingLogger(lines),
    });
    await watch.check();
    expect(lines).toEqual([]);
    await sql(SEGMENT);
    await sql(SEGMENT);
    await watch.check();
    await watch.check();
    expect(lines).toHaveLength(1);
    expect(lines[0]).toMatch(/^warn the server keeps \d+ MB of log for the replication slot isthmus_shop/);
    expect(lines[0]).toContain('max_slot_wal_keep_size sets no limit');
    expect(watch.health?.retainedBytes).toBeGreaterThan(16 * 1_048_576);
    const reader = await follow(dialect);
    await until(async () => {
      await sql('CHECKPOINT; SELECT txid_current()');
      return ((await dialect.feedHealth()).retainedBytes ?? 0) < 4 * 1_048_576;
    });
    await reader.stop();
    await watch.check();
    expect(lines).toHaveLength(2);
    expect(lines[1]).toMatch(/^info The change feed is well again/);
    await watch.close();
  });

  test('is in error once its log goes beyond the limit of the server, and lost after that', async () => {
    const limited = await Machine.create({
      max_slot_wal_keep_size: '32MB',
      min_wal_size: '32MB',
      max_wal_size: '32MB',
      // Checkpoints only when the test asks for one: they take away what is beyond the limit.
      checkpoint_timeout: '1h',
    });
    const usual = machine;
    machine = limited;
    try {
      const dialect = await prepared();
      const lagOf = async () => {
        const { findings } = await dialect.feedHealth();
        return findings.find(({ check }) => check === 'postgres/slot-lag');
      };
      expect(await lagOf()).toMatchObject({ level: 'ok' });
      await sql("SELECT pg_logical_emit_message(true, 'noise', repeat('x', 20000000))");
      const half = await lagOf();
      expect(half?.level).toBe('warning');
      expect(half?.message).toMatch(/keeps \d+ MB of log .* of 32 MB .* lost after \d+ MB more/);
      for (let round = 0; round < 6; round += 1) await sql(SEGMENT);
      await until(async () => {
        await sql(SEGMENT);
        return (await dialect.slotStatus()).state === 'lost';
      });
      const { findings } = await dialect.feedHealth();
      expect(findings[0]).toMatchObject({ check: 'postgres/slot', level: 'error' });
      expect(findings[0]?.remedy).toContain('isthmus load --resume');
      expect(findings[0]?.remedy).toContain('max_slot_wal_keep_size');
      for (const opened of open.splice(0)) await opened.close();
    } finally {
      machine = usual;
      await limited.remove();
    }
  });

  test('is named with the open transaction that holds the log when everything was read', async () => {
    const dialect = await prepared({ warnBytes: 1_048_576n });
    const old = await machine.client(database);
    await old.query('BEGIN');
    await old.query('INSERT INTO other VALUES (1)');
    await follow(dialect);
    for (let round = 0; round < 3; round += 1) await sql(SEGMENT, 'postgres');
    await until(async () => {
      const { findings } = await dialect.feedHealth();
      return findings.some(({ remedy }) => remedy?.startsWith('end that transaction') === true);
    });
    await old.end();
  }, 120_000);
});

test('every state of a slot has its level', () => {
  const slot = {
    state: 'ok',
    confirmed: '0/1',
    activePid: undefined,
    retainedBytes: 0n,
    unconfirmedBytes: 0n,
    walStatus: 'reserved',
    safeBytes: undefined,
    limitBytes: undefined,
    idleTimeoutSeconds: undefined,
    failover: false,
  } as const;
  const gigabyte = 1n << 30n;
  const level = (
    changes: Partial<Omit<typeof slot, 'retainedBytes' | 'walStatus' | 'limitBytes' | 'safeBytes'>> & {
      retainedBytes?: bigint;
      walStatus?: string;
      limitBytes?: bigint;
      safeBytes?: bigint;
    },
  ) => lagFinding('s', { ...slot, ...changes }, gigabyte).level;
  expect(level({ retainedBytes: gigabyte - 1n })).toBe('ok');
  expect(level({ retainedBytes: gigabyte })).toBe('warning');
  expect(level({ retainedBytes: 4n, limitBytes: 10n, safeBytes: 6n })).toBe('ok');
  expect(level({ retainedBytes: 5n, limitBytes: 10n, safeBytes: 5n })).toBe('warning');
  expect(level({ retainedBytes: 11n, limitBytes: 10n, safeBytes: -1n, walStatus: 'unreserved' })).toBe(
    'error',
  );
});

test('a lag that grows although the feed streams is an error, and none while it does not stream', async () => {
  const lines: string[] = [];
  let retained = 0;
  let streaming = false;
  const watch = new FeedWatch({
    health: async () => ({ findings: [], retainedBytes: retained, facts: {} }),
    isStreaming: () => streaming,
    intervalMilliseconds: 0,
    logger: recordingLogger(lines),
  });
  const grow = async (checks: number): Promise<void> => {
    for (let check = 0; check < checks; check += 1) {
      retained += 20 * 1_048_576;
      await watch.check();
    }
  };
  await grow(10);
  expect(lines).toEqual([]);
  streaming = true;
  await grow(8);
  expect(lines).toHaveLength(1);
  expect(lines[0]).toMatch(/^error the log that the database keeps .* has grown by 100 MB/);
  retained = 0;
  await watch.check();
  expect(lines[1]).toMatch(/^info The change feed is well again/);
});

describe.runIf(embedded)('a slot that another adapter reads', () => {
  test('is refused after the wait, naming adapter, machine, address and since when', async () => {
    const first = await prepared();
    await follow(first);
    const lines: string[] = [];
    const second = connect({ waitMilliseconds: 500 }, lines);
    const started = Date.now();
    const error: unknown = await second
      .openFeed(undefined, new AbortController().signal)
      .catch((cause: unknown) => cause);
    expect(error).toBeInstanceOf(PostgresSlotHeldError);
    expect(Date.now() - started).toBeGreaterThanOrEqual(500);
    expect(String(error)).toMatch(
      /held by the adapter shop on \S+:\d+ \(server process \d+, user postgres, from 127\.0\.0\.1, since 20/,
    );
    expect(String(error)).toMatch(/pg_terminate_backend\(\d+\)/);
    expect(second.isTransient(error)).toBe(false);
    expect(lines.join('\n')).toMatch(/warn Waiting for the replication slot.*the adapter shop on/);
  });

  test('is named as what it is when a program of others reads it', async () => {
    const dialect = await prepared({ waitMilliseconds: 0 });
    const stranger = machine.dialect(database, { adapterName: 'shop' });
    open.push(stranger);
    await follow(stranger);
    const [row] = await sql(
      `SELECT application_name FROM pg_stat_activity WHERE pid = (SELECT active_pid FROM pg_replication_slots WHERE slot_name = '${dialect.feedName}')`,
    );
    expect(row?.application_name).toMatch(new RegExp(`^isthmus feed shop@.*:${process.pid}$`));
    const { facts, findings } = await dialect.feedHealth();
    expect(facts.holder).toContain('the adapter shop on');
    expect(findings[0]?.message).toContain('read by the adapter shop');
  });
});

describe.runIf(embedded)('a slot of its name that is none of the adapter’s', () => {
  test.each([
    ['physical', "SELECT pg_create_physical_replication_slot('isthmus_shop')", /is a physical slot/],
    [
      'of another plugin',
      "SELECT pg_create_logical_replication_slot('isthmus_shop', 'test_decoding')",
      /uses the plugin test_decoding/,
    ],
  ])('%s', async (_what, statement, expected) => {
    count += 1;
    database = `shop_${count}`;
    await sql(`CREATE DATABASE ${database}`, 'postgres');
    await sql('CREATE TABLE item (id int PRIMARY KEY)');
    await sql(statement);
    const dialect = connect();
    await dialect.prepare({ createDatabase: false });
    const tables = await tablesOf(dialect, 'item');
    await expect(dialect.prepareFeed(tables, { reset: false })).rejects.toThrow(expected);
    await expect(dialect.prepareFeed(tables, { reset: false })).rejects.toThrow(/another adapterName/);
    expect((await dialect.feedHealth()).findings[0]).toMatchObject({ level: 'error' });
    await sql("SELECT pg_drop_replication_slot('isthmus_shop')");
  });

  test('of another database', async () => {
    await prepared();
    await sql(`CREATE DATABASE elsewhere_${count}`, 'postgres');
    database = `elsewhere_${count}`;
    await sql('CREATE TABLE item (id int PRIMARY KEY)');
    const dialect = machine.dialect(database, { adapterName: 'shop' });
    await dialect.prepare({ createDatabase: false });
    await expect(dialect.prepareFeed(await tablesOf(dialect, 'item'), { reset: false })).rejects.toThrow(
      /belongs to database shop_\d+/,
    );
    await dialect.close();
  });
});

describe.runIf(embedded)('a publication that somebody else altered', () => {
  test.each([
    ['lacks a table', 'ALTER PUBLICATION isthmus_shop SET TABLE isthmus.checkpoint', /it lacks public\.item/],
    [
      'publishes only insertions',
      "ALTER PUBLICATION isthmus_shop SET (publish = 'insert')",
      /every insert, update and delete/,
    ],
    [
      'leaves out rows',
      'ALTER PUBLICATION isthmus_shop SET TABLE isthmus.checkpoint, item WHERE (id > 5)',
      /leaves out rows or columns of public\.item/,
    ],
  ])('%s: whoever followed it learns of it, and preparing mends it', async (_what, statement, expected) => {
    const dialect = await prepared();
    await sql(statement);
    const tables = await tablesOf(dialect, 'item');
    const altered = (await dialect.feedHealth()).findings.find(
      ({ check }) => check === 'postgres/publication',
    );
    expect(altered?.level).toBe('warning');
    expect(altered?.message).toMatch(expected);
    const start = dialect.prepareFeed(tables, { reset: false, followed: ['public.item'] });
    await expect(start).rejects.toMatchObject({ code: 'postgres-feed-lost' });
    await expect(start).rejects.toThrow(/isthmus load --resume/);
    expect(await dialect.prepareFeed(tables, { reset: false })).toMatchObject({ created: false });
    await dialect.prepareFeed(tables, { reset: false, followed: ['public.item'] });
    expect(new Set((await dialect.feedHealth()).findings.map(({ level }) => level))).toEqual(new Set(['ok']));
  });
});

describe.runIf(embedded)('failoverSlot', () => {
  test('makes the slot one that standbys copy, also when it was made without, and warns of what is missing', async () => {
    await prepared();
    const failover = async () =>
      (await sql("SELECT failover FROM pg_replication_slots WHERE slot_name = 'isthmus_shop'"))[0]?.failover;
    expect(await failover()).toBe('f');
    const lines: string[] = [];
    const dialect = connect({ failover: true }, lines);
    const tables = await tablesOf(dialect, 'item');
    await dialect.prepareFeed(tables, { reset: false });
    expect(await failover()).toBe('t');
    expect(lines.join('\n')).toContain('no physical replication slot: no standby copies the slot');
    await sql("SELECT pg_create_physical_replication_slot('standby')");
    lines.splice(0);
    const { snapshot } = await dialect.prepareFeed(tables, { reset: true });
    await snapshot?.close();
    expect(await failover()).toBe('t');
    expect(lines.join('\n')).toContain('no standby is connected to the physical replication slot standby');
    expect(lines.join('\n')).toContain('synchronized_standby_slots is empty');
    await sql("SELECT pg_drop_replication_slot('standby')");
  });
});

test.skipIf(embedded)('failoverSlot is refused where the server has none', async ({ skip }) => {
  const server = await startTestPostgres();
  const name = await server.createDatabase();
  const [row] = await server.query(name, 'SHOW server_version_num');
  if (Number(row?.server_version_num) >= 170_000) skip();
  const dialect = createPostgresDialect({
    connection: connectionTo(server, name),
    schema: 'public',
    customTypes: new Map(),
    engine: { adapterName: name, logger: recordingLogger([]), printCommands: false },
    feed: { failover: true, waitMilliseconds: 0, warnBytes: 1n },
  });
  await dialect.prepare({ createDatabase: false });
  await expect(dialect.prepareFeed([], { reset: false })).rejects.toThrow(
    /failoverSlot needs PostgreSQL 17, and this server is version/,
  );
  await dialect.close();
  await server.stop();
});

describe.runIf(embedded)('a table with a deferrable primary key', () => {
  test('is refused before publishing it would keep everybody from changing its rows', async () => {
    const dialect = await prepared();
    await sql('CREATE TABLE late (id int PRIMARY KEY DEFERRABLE, a int); INSERT INTO late VALUES (1)');
    const tables = await tablesOf(dialect, 'item', 'late');
    await expect(dialect.prepareFeed(tables, { reset: false })).rejects.toThrow(
      /"late" is DEFERRABLE.*REPLICA IDENTITY FULL/,
    );
    await sql('UPDATE late SET a = 2');
    await sql('ALTER TABLE late REPLICA IDENTITY FULL');
    await dialect.prepareFeed(tables, { reset: false });
    await sql('UPDATE late SET a = 3');
  });
});
