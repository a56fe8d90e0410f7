import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import {
  PostgresConnectionError,
  PostgresError,
  PostgresPrivilegeError,
  PostgresServerError,
  PostgresTableError,
} from '../../connectors/postgres/errors.ts';
import { createPostgresDialect, type PostgresDialect } from '../../connectors/postgres/postgres-dialect.ts';
import { silentLogger } from '../../src/log.ts';
import { embedded, startTestPostgres, type TestPostgres } from '../support/postgres.ts';
import { dialectFor, tablesOf } from './feed-harness.ts';
import { connectionTo } from './session-context.ts';

let server: TestPostgres;
let database: string;
const open: PostgresDialect[] = [];

beforeAll(async () => {
  server = await startTestPostgres();
});

afterAll(async () => {
  await server.stop();
});

beforeEach(async () => {
  database = await server.createDatabase();
});

afterEach(async () => {
  for (const dialect of open.splice(0)) await dialect.close();
});

function dialectAs(user?: string, name = database): PostgresDialect {
  const login = user === undefined ? {} : { user, password: 'secret' };
  const dialect = dialectFor(server, name, { ...login, adapterName: database });
  open.push(dialect);
  return dialect;
}

/** A login of its own per test, since roles belong to the whole server. */
async function makeUser(attributes: string): Promise<string> {
  const name = `user_${database.slice(-12)}`;
  await server.query('postgres', `CREATE ROLE ${name} LOGIN PASSWORD 'secret' ${attributes}`);
  return name;
}

async function failure(promise: Promise<unknown>): Promise<PostgresError> {
  const error = await promise.catch((cause: unknown) => cause);
  expect(error).toBeInstanceOf(PostgresError);
  return error as PostgresError;
}

test('a wrong password, a closed port and an unknown host are told apart', async () => {
  const wrong = dialectFor(server, database, { password: 'wrong' });
  const refusal = await failure(wrong.prepare({ createDatabase: false }));
  expect(refusal).toBeInstanceOf(PostgresConnectionError);
  expect(refusal.message).toContain(`refuses user ${server.user}`);
  expect(refusal.errorClass).toBe('fatal');

  const at = async (change: { host?: string; port?: number }) => {
    const dialect = createPostgresDialect({
      connection: { ...connectionTo(server, database), ...change },
      schema: 'public',
      customTypes: new Map(),
      engine: { adapterName: 'a', logger: silentLogger, printCommands: false },
    });
    return failure(dialect.prepare({ createDatabase: false }));
  };
  const closed = await at({ port: 1 });
  expect(closed.message).toContain(`nothing listens at ${server.host}:1`);
  expect(closed.errorClass).toBe('transient');
  const unknown = await at({ host: 'no-such-host.invalid' });
  expect(unknown.message).toContain('no-such-host.invalid');
});

test('a missing database is refused, or made when that is allowed', async () => {
  const name = `${database}_new`;
  const dialect = dialectAs(undefined, name);
  const error = await failure(dialect.prepare({ createDatabase: false }));
  expect(error).toBeInstanceOf(PostgresServerError);
  expect(error.remedy).toContain(`CREATE DATABASE "${name}"`);
  await dialect.prepare({ createDatabase: true });
  await dialect.prepare({ createDatabase: true });
  expect(await server.query(name, 'SELECT count(*) FROM isthmus.checkpoint')).toEqual([{ count: '0' }]);
  await dialect.close();
  await server.query('postgres', `DROP DATABASE "${name}" WITH (FORCE)`);
});

test('a user without REPLICATION or without CREATE learns which statement gives it', async () => {
  const user = await makeUser('NOREPLICATION');
  const dialect = dialectAs(user);
  const first = await failure(dialect.prepare({ createDatabase: false }));
  expect(first).toBeInstanceOf(PostgresPrivilegeError);
  expect(first.remedy).toContain(`ALTER ROLE "${user}" REPLICATION`);
  await server.query(database, `ALTER ROLE "${user}" REPLICATION`);
  const second = await failure(dialect.prepare({ createDatabase: false }));
  expect(second.remedy).toContain(`GRANT CREATE ON DATABASE "${database}" TO "${user}"`);
  await server.query(database, `GRANT CREATE ON DATABASE "${database}" TO "${user}"`);
  await dialect.prepare({ createDatabase: false });
});

test('missing privileges on tables are listed as GRANT statements, ownership as the publication asks for it', async () => {
  const user = await makeUser('REPLICATION');
  await server.query(database, `GRANT CREATE ON DATABASE "${database}" TO "${user}"`);
  await server.query(
    database,
    `CREATE TABLE "T" (id int PRIMARY KEY); GRANT SELECT, INSERT ON "T" TO "${user}"`,
  );
  const dialect = dialectAs(user);
  await dialect.prepare({ createDatabase: false });
  const tables = await tablesOf(dialect, 'T');
  const grants = await failure(dialect.prepareFeed(tables, { reset: false }));
  expect(grants.remedy).toContain(`GRANT UPDATE, DELETE ON "public"."T" TO "${user}"`);
  await server.query(database, `GRANT UPDATE, DELETE ON "public"."T" TO "${user}"`);
  const owner = await failure(dialect.prepareFeed(tables, { reset: false }));
  expect(owner).toBeInstanceOf(PostgresPrivilegeError);
  expect(owner.remedy).toContain('CREATE PUBLICATION');
  await server.query(database, `ALTER TABLE "T" OWNER TO "${user}"`);
  const { created, snapshot } = await dialect.prepareFeed(tables, { reset: false });
  expect(created).toBe(true);
  await snapshot?.close();
  await dialect.dropFeed();
});

test('tables whose updates would be lost are refused with the statement that mends them', async () => {
  const dialect = dialectAs();
  await dialect.prepare({ createDatabase: false });
  await server.query(
    database,
    'CREATE TABLE bare (id int); CREATE TABLE silent (id int PRIMARY KEY); ALTER TABLE silent REPLICA IDENTITY NOTHING',
  );
  const bare = await failure(dialect.prepareFeed(await tablesOf(dialect, 'bare'), { reset: false }));
  expect(bare).toBeInstanceOf(PostgresTableError);
  expect(bare.remedy).toContain('ALTER TABLE "public"."bare" ADD PRIMARY KEY');
  const silent = await failure(dialect.prepareFeed(await tablesOf(dialect, 'silent'), { reset: false }));
  expect(silent.remedy).toContain('ALTER TABLE "public"."silent" REPLICA IDENTITY DEFAULT');
});

test('the publication follows the wanted tables, and a reset makes the slot anew with a snapshot', async () => {
  const dialect = dialectAs();
  await dialect.prepare({ createDatabase: false });
  await server.query(database, 'CREATE TABLE a (id int PRIMARY KEY); CREATE TABLE b (id int PRIMARY KEY)');
  const published = async () =>
    (await server.query(database, 'SELECT tablename FROM pg_publication_tables ORDER BY 1')).map(
      (row) => row.tablename,
    );
  const first = await dialect.prepareFeed(await tablesOf(dialect, 'a'), { reset: false });
  await first.snapshot?.close();
  expect(await published()).toEqual(['a', 'checkpoint']);
  const second = await dialect.prepareFeed(await tablesOf(dialect, 'a', 'b'), { reset: false });
  expect(second).toEqual({ created: false, snapshot: undefined });
  expect(await published()).toEqual(['a', 'b', 'checkpoint']);
  await server.query(database, `ALTER PUBLICATION ${dialect.feedName} SET (publish = 'insert')`);
  await dialect.prepareFeed(await tablesOf(dialect, 'a', 'b'), { reset: false });
  expect(await server.query(database, 'SELECT pubupdate AND pubdelete AS whole FROM pg_publication')).toEqual(
    [{ whole: 't' }],
  );
  const third = await dialect.prepareFeed(await tablesOf(dialect, 'b'), { reset: true });
  expect(third.created).toBe(true);
  await third.snapshot?.close();
  expect(await published()).toEqual(['b', 'checkpoint']);
  await dialect.dropFeed();
  expect(await published()).toEqual([]);
  expect(await dialect.slotStatus()).toEqual({ state: 'missing' });
});

test.runIf(embedded)('a server without logical WAL and one without free slots are refused', async () => {
  const poor = await startTestPostgres({ wal_level: 'replica' });
  const full = await startTestPostgres({ max_replication_slots: '1' });
  try {
    const refusal = async (on: TestPostgres) => {
      const dialect = dialectFor(on, await on.createDatabase());
      open.push(dialect);
      return failure(dialect.prepare({ createDatabase: false }));
    };
    expect((await refusal(poor)).remedy).toContain('ALTER SYSTEM SET wal_level = logical');
    await full.query('postgres', "SELECT pg_create_physical_replication_slot('taken')");
    expect((await refusal(full)).remedy).toContain('ALTER SYSTEM SET max_replication_slots');
  } finally {
    for (const dialect of open.splice(0)) await dialect.close();
    await poor.stop();
    await full.stop();
  }
});

test.runIf(embedded)('a slot whose log the server has removed stops with the way out', async () => {
  const small = await startTestPostgres({
    max_slot_wal_keep_size: '1MB',
    max_wal_size: '32MB',
    min_wal_size: '32MB',
  });
  const name = await small.createDatabase();
  const dialect = dialectFor(small, name);
  try {
    await dialect.prepare({ createDatabase: false });
    await small.query(name, 'CREATE TABLE t (id int PRIMARY KEY)');
    const { snapshot } = await dialect.prepareFeed(await tablesOf(dialect, 't'), { reset: false });
    await snapshot?.close();
    for (let segment = 0; segment < 4; segment += 1)
      await small.query(name, 'SELECT pg_switch_wal(), txid_current()');
    await small.query(name, 'CHECKPOINT');
    expect(await dialect.slotStatus()).toMatchObject({ state: 'lost' });
    const error = await failure(dialect.openFeed(undefined, new AbortController().signal));
    expect(error.code).toBe('postgres-feed-lost');
    expect(error.remedy).toContain('isthmus load');
    expect(dialect.isTransient(error)).toBe(false);
  } finally {
    await dialect.close();
    await small.stop();
  }
});
