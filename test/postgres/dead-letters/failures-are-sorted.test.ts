/** What the database raises, provoked for real, and what becomes of it: another attempt, a dead letter, or a stop. */
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { readCatalog } from '../../../connectors/postgres/catalog.ts';
import { OWN_TABLES_DDL } from '../../../connectors/postgres/own-tables.ts';
import { Session } from '../../../connectors/postgres/session.ts';
import { classOfFailure } from '../../../connectors/postgres/sql-state.ts';
import { PostgresWriter } from '../../../connectors/postgres/writer/postgres-writer.ts';
import type { ApplyStatement, SqlText, SqlWriter, TableInfo } from '../../../src/connector/dialect.ts';
import { ApplyError } from '../../../src/connector/errors.ts';
import { silentLogger } from '../../../src/log.ts';
import { startTestPostgres, type TestPostgres } from '../../support/postgres.ts';
import { connectionTo, contextFor } from '../session-context.ts';

const DDL = `
  CREATE EXTENSION IF NOT EXISTS btree_gist;
  CREATE TYPE mood AS ENUM ('ok');
  CREATE TABLE parent (id int PRIMARY KEY);
  CREATE TABLE t (id int PRIMARY KEY, short varchar(3), small smallint, price numeric(4,2), mood mood, day date,
    doc jsonb, must text NOT NULL DEFAULT '', positive int CHECK (positive > 0), once int UNIQUE,
    parent int REFERENCES parent, late int REFERENCES parent DEFERRABLE INITIALLY DEFERRED, room int,
    during int4range, large text, EXCLUDE USING gist (room WITH =, during WITH &&));
  CREATE INDEX ON t (large);
  CREATE TABLE raising (id int PRIMARY KEY, code text);
  CREATE FUNCTION raise_it() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
      IF NEW.code = 'drop' THEN DROP TYPE mood; END IF;
      IF NEW.code = 'assert' THEN ASSERT false; END IF;
      RAISE 'refused by the trigger' USING ERRCODE = NEW.code;
    END $$;
  CREATE TRIGGER raise_it BEFORE INSERT ON raising FOR EACH ROW EXECUTE FUNCTION raise_it();
  CREATE VIEW positive AS SELECT id, positive FROM t WHERE positive > 10 WITH CHECK OPTION;
  CREATE TABLE guarded (id int PRIMARY KEY, owner text);
  ALTER TABLE guarded ENABLE ROW LEVEL SECURITY;
  CREATE POLICY mine ON guarded USING (owner = 'me') WITH CHECK (owner = 'me');
  CREATE TABLE closed (id int PRIMARY KEY);
`;

let server: TestPostgres;
let database: string;
let session: Session;
let writer: SqlWriter;
let tables: ReadonlyMap<string, TableInfo>;

beforeAll(async () => {
  server = await startTestPostgres();
});
afterAll(() => server.stop());

beforeEach(async () => {
  database = await server.createDatabase();
  await server.query(database, `${OWN_TABLES_DDL.join(';')};${DDL}`);
  session = await Session.open(contextFor(server, database));
  tables = await readCatalog(session, 'public', new Map());
  writer = new PostgresWriter(session, 'adapter');
  return () => writer.close();
});

function table(name: string): TableInfo {
  const found = tables.get(`public.${name}`);
  if (found === undefined) throw new Error(`no table ${name}`);
  return found;
}

function upsert(name: string, values: Readonly<Record<string, SqlText>>): ApplyStatement {
  const { id = '1', ...others } = values;
  const columns = Object.keys(others);
  const row = [id, ...Object.values(others)];
  return { kind: 'upsert', table: table(name), keyColumns: ['id'], columns, rows: [row] };
}

async function failureOf(statement: ApplyStatement, by: SqlWriter = writer): Promise<ApplyError> {
  const error: unknown = await by.apply([statement], []).catch((cause: unknown) => cause);
  if (!(error instanceof ApplyError)) throw new Error('it did not fail', { cause: error });
  return error;
}

describe('becomes a dead letter', () => {
  test.each<[what: string, state: string, values: Record<string, SqlText>]>([
    ['a text that is too long', '22001', { short: 'four' }],
    ['an integer out of range', '22003', { small: '40000' }],
    ['a number with too many digits', '22003', { price: '100.00' }],
    ['a text that is no number', '22P02', { positive: 'x' }],
    ['a value that the enum has not', '22P02', { mood: 'bad' }],
    ['a day that no calendar has', '22008', { day: '2023-02-30' }],
    ['a text that is no JSON', '22P02', { doc: '{' }],
    ['a NUL', '22021', { large: 'a\0b' }],
    ['NULL where something must be', '23502', { must: null }],
    ['a value that a CHECK forbids', '23514', { positive: '-1' }],
    ['a reference to nothing', '23503', { parent: '404' }],
    ['a reference to nothing that is checked at the end', '23503', { late: '404' }],
    ['a value too large for its index', '54000', { large: randomText(20_000) }],
  ])('%s', async (_what, sqlState, values) => {
    expect(await failureOf(upsert('t', values))).toMatchObject({ errorClass: 'data', sqlState });
  });

  test('a value that another row has, and one that excludes it', async () => {
    await writer.apply([upsert('t', { once: '5', room: '1', during: '[1,5)' })], []);
    expect(await failureOf(upsert('t', { id: '2', once: '5' }))).toMatchObject({
      errorClass: 'data',
      sqlState: '23505',
      place: { table: 't', constraint: 't_once_key' },
    });
    expect(await failureOf(upsert('t', { id: '2', room: '1', during: '[4,9)' }))).toMatchObject({
      errorClass: 'data',
      sqlState: '23P01',
    });
  });

  test('a deletion that a reference restricts', async () => {
    await writer.apply([upsert('parent', { id: '1' }), upsert('t', { parent: '1' })], []);
    const statement: ApplyStatement = {
      kind: 'delete',
      table: table('parent'),
      keyColumns: ['id'],
      rows: [['1']],
    };
    expect(await failureOf(statement)).toMatchObject({ errorClass: 'data', sqlState: '23503' });
  });

  test.each([
    ['P0001', 'P0001'],
    ['45000', '45000'],
    ['42501', '42501'],
    ['XX000', 'XX000'],
    ['38001', '38001'],
    ['drop', '2BP01'],
    ['assert', 'P0004'],
  ])('what a trigger raises as %s', async (code, sqlState) => {
    expect(await failureOf(upsert('raising', { code }))).toMatchObject({ errorClass: 'data', sqlState });
  });

  test('a row that the view would not show', async () => {
    const view: TableInfo = { ...table('t'), table: { schema: 'public', name: 'positive' } };
    const statement: ApplyStatement = {
      kind: 'upsert',
      table: view,
      keyColumns: ['id'],
      columns: ['positive'],
      rows: [['1', '5']],
    };
    expect(await failureOf(statement)).toMatchObject({ errorClass: 'data', sqlState: '44000' });
  });

  test('a row that a policy of the table refuses', async () => {
    const restricted = await asRole('GRANT ALL ON guarded TO');
    expect(await failureOf(upsert('guarded', { owner: 'you' }), restricted)).toMatchObject({
      errorClass: 'data',
      sqlState: '42501',
    });
    await restricted.apply([upsert('guarded', { owner: 'me' })], []);
    await restricted.close();
  });
});

describe('stops the connector', () => {
  test('a privilege that is missing on one table, with its remedy', async () => {
    const restricted = await asRole('GRANT ALL ON guarded TO');
    const error = await failureOf(upsert('closed', {}), restricted);
    expect(error).toMatchObject({ errorClass: 'fatal', sqlState: '42501' });
    expect(error.message).toContain('GRANT the privilege');
    await restricted.close();
  });

  test('a table, a column or a key that is gone', async () => {
    await server.query(
      database,
      'ALTER TABLE t DROP COLUMN short; ALTER TABLE guarded DROP CONSTRAINT guarded_pkey; DROP TABLE closed',
    );
    for (const [statement, sqlState] of [
      [upsert('t', { short: 'a' }), '42703'],
      [upsert('guarded', { owner: 'me' }), '42P10'],
      [upsert('closed', {}), '42P01'],
    ] as const) {
      const error = await failureOf(statement);
      expect(error).toMatchObject({ errorClass: 'fatal', sqlState });
      expect(error.remedy).toContain('nothing is lost');
    }
  });
});

describe('is tried again', () => {
  const transient = (sqlState: string) => ({ errorClass: 'transient', sqlState });
  const waiting = (sessions: number): Promise<void> =>
    expect
      .poll(() =>
        server.query(
          database,
          "SELECT 1 FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()",
        ),
      )
      .toHaveLength(sessions);

  test('a lock that is not to be had, and a statement that is cancelled', async () => {
    await server.query(database, 'INSERT INTO parent VALUES (1)');
    const other = await Session.open(contextFor(server, database));
    await other.script('BEGIN; LOCK TABLE parent');
    await session.script('SET lock_timeout = 50');
    expect(await failureOf(upsert('parent', { id: '1' }))).toMatchObject(transient('55P03'));
    await session.script('SET lock_timeout = 0; SET statement_timeout = 50');
    expect(await failureOf(upsert('parent', { id: '1' }))).toMatchObject(transient('57014'));
    await other.close();
  });

  test('a deadlock', async () => {
    await server.query(database, 'INSERT INTO parent VALUES (1); INSERT INTO t (id) VALUES (1), (2)');
    await session.script('SET deadlock_timeout = 100');
    // Whoever waits last looks for the deadlock: we do, because the gate opens when the other waits already.
    const gate = await Session.open(contextFor(server, database));
    await gate.script('BEGIN; UPDATE t SET small = 1 WHERE id = 2');
    const other = await Session.open(contextFor(server, database));
    await other.script("SET deadlock_timeout = '1min'; BEGIN; UPDATE t SET small = 1 WHERE id = 1");
    const set = (id: string): ApplyStatement => ({
      kind: 'update',
      table: table('t'),
      keyColumns: ['id'],
      columns: ['small'],
      rows: [[id, '2']],
    });
    const parent: ApplyStatement = {
      kind: 'update',
      table: table('parent'),
      keyColumns: ['id'],
      columns: ['id'],
      rows: [['1', '1']],
    };
    const failing = writer.apply([parent, set('2'), set('1')], []).catch((cause: unknown) => cause);
    await waiting(1);
    const blocked = other.script('UPDATE parent SET id = 1 WHERE id = 1');
    await waiting(2);
    await gate.script('ROLLBACK');
    expect(await failing).toMatchObject(transient('40P01'));
    await blocked;
    await other.close();
    await gate.close();
  });

  test('a transaction that could not be serialized', async () => {
    await server.query(database, 'INSERT INTO t (id) VALUES (1)');
    await session.script('SET default_transaction_isolation = serializable');
    const other = await Session.open(contextFor(server, database));
    await other.script('BEGIN; UPDATE t SET small = 1 WHERE id = 1');
    const update: ApplyStatement = {
      kind: 'update',
      table: table('t'),
      keyColumns: ['id'],
      columns: ['small'],
      rows: [['1', '2']],
    };
    const failing = writer.apply([update], []).catch((cause: unknown) => cause);
    await waiting(1);
    await other.script('COMMIT');
    expect(await failing).toMatchObject(transient('40001'));
    await other.close();
  });

  test('a server that can only be read, as after a failover to a standby', async () => {
    await session.script('SET default_transaction_read_only = on');
    expect(await failureOf(upsert('parent', { id: '1' }))).toMatchObject(transient('25006'));
  });

  test('a connection that the server ends', async () => {
    await server.query(
      database,
      'SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()',
    );
    expect((await failureOf(upsert('parent', { id: '1' }))).errorClass).toBe('transient');
  });

  test('a server that takes no more connections', async () => {
    const role = `role_${database.slice(-12)}`;
    await server.query(
      database,
      `CREATE ROLE ${role} LOGIN PASSWORD 'x' CONNECTION LIMIT 0; GRANT CONNECT ON DATABASE "${database}" TO ${role}`,
    );
    const error: unknown = await Session.open({
      connection: connectionTo(server, database, { user: role, password: 'x' }),
      logger: silentLogger,
      printCommands: false,
    }).catch((cause: unknown) => cause);
    expect(error).toMatchObject({ errorClass: 'transient', sqlState: '53300' });
  });

  test('a statement that was prepared before its table was changed', async () => {
    const text = 'SELECT * FROM parent';
    await session.prepared(text, []);
    await server.query(database, 'ALTER TABLE parent ADD COLUMN name text');
    const error: unknown = await session.prepared(text, []).catch((cause: unknown) => cause);
    expect(classOfFailure(error)).toBe('transient');
    expect((await session.prepared(text, [])).rows).toEqual([]);
  });
});

/** Does not compress, so that it does not fit an index. */
function randomText(length: number): string {
  let text = '';
  for (let value = 1; text.length < length; value = (value * 48271) % 2147483647) text += value.toString(36);
  return text;
}

/** A writer of a user who may do just this, and what every connector needs. */
async function asRole(grant: string): Promise<SqlWriter> {
  const role = `role_${database.slice(-12)}`;
  await server.query(
    database,
    `CREATE ROLE ${role} LOGIN PASSWORD 'x'; GRANT USAGE ON SCHEMA isthmus, public TO ${role};
     GRANT ALL ON ALL TABLES IN SCHEMA isthmus TO ${role}; ${grant} ${role}`,
  );
  const connection = connectionTo(server, database, { user: role, password: 'x' });
  const restricted = await Session.open({ connection, logger: silentLogger, printCommands: false });
  return new PostgresWriter(restricted, 'adapter');
}
