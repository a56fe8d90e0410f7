import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { PostgresFeedLostError } from '../../../connectors/postgres/errors.ts';
import type { PostgresDialect } from '../../../connectors/postgres/postgres-dialect.ts';
import { embedded } from '../../support/postgres.ts';
import { tablesOf } from '../feed-harness.ts';
import { Follower, Machine, until } from './harness.ts';

const open: PostgresDialect[] = [];
const followers: Follower[] = [];

afterEach(async () => {
  for (const follower of followers.splice(0)) await follower.stop();
  for (const dialect of open.splice(0)) await dialect.close();
});

function connect(machine: Machine, database: string, failover = false): PostgresDialect {
  const dialect = machine.dialect(database, { adapterName: 'shop', feed: { failover } });
  open.push(dialect);
  return dialect;
}

function follower(): Follower {
  const made = new Follower();
  followers.push(made);
  return made;
}

/** A database `shop` with a table that is followed. */
async function shop(machine: Machine, failover = false): Promise<PostgresDialect> {
  await machine.sql('postgres', 'CREATE DATABASE shop');
  await machine.sql('shop', 'CREATE TABLE item (id int PRIMARY KEY)');
  const dialect = connect(machine, 'shop', failover);
  await dialect.prepare({ createDatabase: false });
  const { snapshot } = await dialect.prepareFeed(await tablesOf(dialect, 'item'), { reset: false });
  await snapshot?.close();
  return dialect;
}

async function refusal(promise: Promise<unknown>): Promise<PostgresFeedLostError> {
  const error = await promise.then(
    () => undefined,
    (cause: unknown) => cause,
  );
  expect(error).toBeInstanceOf(PostgresFeedLostError);
  if (!(error instanceof PostgresFeedLostError)) throw new Error('nothing was refused');
  expect(error.remedy).toContain('isthmus load --resume');
  return error;
}

describe.runIf(embedded)('a database that was followed', () => {
  let machine: Machine;
  beforeAll(async () => {
    machine = await Machine.create();
  });
  afterAll(() => machine.remove());

  test('and was dropped and made anew under its name is another one', async () => {
    const dialect = await shop(machine);
    const reader = follower();
    await reader.follow(dialect);
    await machine.sql('shop', 'INSERT INTO item VALUES (1)');
    await until(() => reader.inserted.length === 1);
    await reader.stop();
    await dialect.checkSource(reader.known);
    await dialect.dropFeed();
    await dialect.close();
    await machine.sql('postgres', 'DROP DATABASE shop WITH (FORCE)');
    await shop(machine);
    const again = connect(machine, 'shop');
    expect((await refusal(again.checkSource(reader.known))).message).toContain('made anew under its name');
    expect((await refusal(reader.follow(again))).message).toContain('made anew under its name');
    await again.dropFeed();
  });

  test('is told from one of the same name on another server', async () => {
    const other = await Machine.create();
    try {
      await machine.sql('postgres', 'DROP DATABASE IF EXISTS shop WITH (FORCE)');
      const reader = follower();
      await reader.follow(await shop(machine));
      await reader.stop();
      await shop(other);
      const elsewhere = connect(other, 'shop');
      const error = await refusal(reader.follow(elsewhere));
      expect(error.message).toContain('another server');
      await elsewhere.close();
    } finally {
      await other.remove();
    }
  });

  test('and was set back to an older copy of its files does not pass for itself', async () => {
    const original = await Machine.create();
    const reader = follower();
    await reader.follow(await shop(original));
    await original.sql('shop', 'INSERT INTO item VALUES (1)');
    await until(() => reader.inserted.length === 1);
    await reader.stop();
    for (const dialect of open.splice(0)) await dialect.close();
    await original.halt();
    const backup = await original.copy();
    try {
      await original.start();
      await reader.follow(connect(original, 'shop'));
      await original.sql('shop', 'INSERT INTO item SELECT generate_series(2, 5000)');
      await until(() => reader.inserted.length === 5000);
      await reader.stop();
      for (const dialect of open.splice(0)) await dialect.close();
      await original.halt();
      await backup.start();
      const error = await refusal(reader.follow(connect(backup, 'shop')));
      expect(error.message).toContain('it was set back');
    } finally {
      for (const dialect of open.splice(0)) await dialect.close();
      await original.remove();
      await backup.remove();
    }
  });
});

describe.runIf(embedded)('a standby that takes over', () => {
  const SLOT = 'isthmus_shop';

  type Pair = { readonly primary: Machine; readonly standby: Machine; readonly reader: Follower };

  /** Primary and standby, a failover slot that the standby has a copy of, and one row that everybody has. */
  async function pair(): Promise<Pair & { readonly settings: Readonly<Record<string, string>> }> {
    const primary = await Machine.create();
    await primary.sql('postgres', "SELECT pg_create_physical_replication_slot('standby')");
    await primary.halt();
    const standby = await primary.copy();
    await standby.becomeStandby();
    await primary.start();
    const { host, port, user, password } = primary.server;
    const settings = {
      primary_conninfo: `host=${host} port=${port} user=${user} password=${password} dbname=postgres`,
      primary_slot_name: 'standby',
      hot_standby_feedback: 'on',
      sync_replication_slots: 'on',
    };
    await standby.start(settings);
    const reader = follower();
    await reader.follow(await shop(primary, true));
    await primary.sql('shop', 'INSERT INTO item VALUES (1)');
    await until(() => reader.inserted.length === 1);
    // The copy of the slot is made once the primary's has moved past what the standby keeps.
    await until(async () => {
      await primary.sql('postgres', 'SELECT pg_log_standby_snapshot(), txid_current()');
      const [copy] = await standby.sql(
        'postgres',
        `SELECT synced AND NOT temporary AND invalidation_reason IS NULL AS ready FROM pg_replication_slots WHERE slot_name = '${SLOT}'`,
      );
      return copy?.ready === 't';
    });
    await until(async () => {
      const [row] = await standby.sql('shop', 'SELECT count(*) FROM item');
      return row?.count === '1';
    });
    return { primary, standby, reader, settings };
  }

  async function remove({ primary, standby, reader }: Pair): Promise<void> {
    await reader.stop();
    for (const dialect of open.splice(0)) await dialect.close();
    await standby.remove();
    await primary.remove();
  }

  test('carries on with the slot; numbers that only the old log used are read again', async () => {
    const { primary, standby, reader, settings } = await pair();
    try {
      await standby.halt();
      // Log of others, of which the standby hears nothing, and which moves the reader further than the standby will be.
      const before = reader.known.position;
      await primary.sql('postgres', 'CREATE TABLE noise AS SELECT generate_series(1, 20000)');
      const [end] = await primary.sql('postgres', 'SELECT pg_current_wal_lsn() AS lsn');
      await until(
        async () =>
          reader.known.position !== before &&
          (
            await primary.sql(
              'postgres',
              `SELECT '${reader.known.position}'::pg_lsn >= '${end?.lsn}'::pg_lsn AS there`,
            )
          )[0]?.there === 't',
      );
      await primary.kill();
      await reader.stop();
      await standby.start(settings);
      await standby.sql('postgres', 'SELECT pg_promote()');
      const promoted = connect(standby, 'shop', true);
      await promoted.prepare({ createDatabase: false });
      await promoted.checkSource(reader.known);
      const prepared = await promoted.prepareFeed(await tablesOf(promoted, 'item'), { reset: false });
      expect(prepared.created).toBe(false);
      await standby.sql('shop', 'INSERT INTO item VALUES (2)');
      await reader.follow(promoted);
      await until(() => reader.inserted.includes('2'));
      expect(reader.inserted).toEqual(['1', '2']);
    } finally {
      await remove({ primary, standby, reader });
    }
  }, 120_000);

  test('without what was read last is refused, since the realms have it and the tables do not', async () => {
    const { primary, standby, reader, settings } = await pair();
    try {
      await standby.halt();
      await primary.sql('shop', 'INSERT INTO item VALUES (2)');
      await until(() => reader.inserted.length === 2);
      await primary.kill();
      await reader.stop();
      await standby.start(settings);
      await standby.sql('postgres', 'SELECT pg_promote()');
      const promoted = connect(standby, 'shop', true);
      const error = await refusal(promoted.checkSource(reader.known));
      expect(error.message).toMatch(/timeline 2 branched off timeline 1 at/);
      expect(error.remedy).toContain('synchronized_standby_slots');
    } finally {
      await remove({ primary, standby, reader });
    }
  }, 120_000);
});
