/** A database that cannot be reached, lacks a privilege or a setting, or has tables that do not fit the models. */
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import type { PostgresOptions } from '../../connectors/postgres/options.ts';
import { ADMIN, freePort } from '../support/isthmus-processes.ts';
import { embedded, startTestPostgres } from '../support/postgres.ts';
import { Bench, create, failure, ITEM_MODEL, int, type Place, text, until } from './bad-input.ts';

let bench: Bench;

beforeAll(async () => {
  bench = await Bench.start();
});

afterEach(() => bench.closePlaces());
afterAll(() => bench.stop());

/** The adapter that was refused starts once the mistake is mended, and changes go both ways. */
async function expectSync(place: Place, changes: Partial<PostgresOptions> = {}): Promise<void> {
  const { device } = await place.synced(changes);
  device.replica.write(create(int(1), { name: text('device') }));
  await place.untilRows([{ id: '1', name: 'device', amount: null }]);
  await place.sql("INSERT INTO item VALUES (2, 'sql', NULL)");
  await until(() => device.replica.object('item', int(2)) !== undefined);
}

async function refusal(place: Place, changes: Partial<PostgresOptions> = {}) {
  return failure(place.adapter(changes).start());
}

describe('a command says what it cannot reach and ends with exit code 3', () => {
  test.each<
    [string, 'adapter' | 'load', (place: Place) => Promise<Record<string, unknown>>, string, RegExp, string]
  >([
    [
      'a wrong database password',
      'adapter',
      async (place) => ({ postgresConfig: { ...place.options().postgresConfig, password: 'wrong-secret' } }),
      'postgres-connection',
      /refuses user \w+ for database \w+: password authentication failed/,
      'check user and password in postgresConfig',
    ],
    [
      'a database that does not exist',
      'load',
      async () => ({ dbName: 'no_such_database' }),
      'postgres-server',
      /has no database no_such_database/,
      'CREATE DATABASE "no_such_database", or set createPostgresDB: true',
    ],
    [
      'a port at which nothing listens',
      'adapter',
      async (place) => ({ postgresConfig: { ...place.options().postgresConfig, port: await freePort() } }),
      'postgres-connection',
      /nothing listens at 127\.0\.0\.1:\d+|nothing listens at localhost:\d+/,
      'check that PostgreSQL runs',
    ],
    [
      'an object server that is not there',
      'adapter',
      async () => ({ realmConfig: { server: `http://127.0.0.1:${await freePort()}`, user: ADMIN } }),
      'server-unreachable',
      /127\.0\.0\.1:\d+/,
      'check',
    ],
    [
      'a wrong password of the administrator',
      'adapter',
      async (place) => ({
        realmConfig: { ...place.options().realmConfig, user: { ...ADMIN, password: 'wrong-secret' } },
      }),
      'authentication-failed',
      /the object server at http:\S+ refuses user admin/,
      'check realmConfig.user',
    ],
  ])('%s', async (_what, command, changes, code, message, remedy) => {
    const place = await bench.place();
    const refused = place.command(command, await changes(place));
    expect(await refused.exited).toBe(3);
    expect(refused.log).toContain(`[${code}]`);
    expect(refused.log).toMatch(message);
    expect(refused.log).toContain(remedy);
    expect(refused.log).not.toContain('    at ');
    expect(refused.log).not.toContain('wrong-secret');
  });
});

describe('a user who lacks', () => {
  async function userOf(place: Place, attributes: string): Promise<Partial<PostgresOptions>> {
    const user = `user_of_${place.database}`;
    await place.sql(`CREATE ROLE "${user}" LOGIN PASSWORD 'u' ${attributes};
      GRANT CREATE ON DATABASE "${place.database}" TO "${user}"`);
    return { postgresConfig: { ...place.options().postgresConfig, user, password: 'u' } };
  }

  /** Runs what stands between `run ` and the end, or a note in parentheses, of the advice. */
  function statementOf(remedy: string | undefined): string {
    return /run (?!as )(.*?)( as a superuser|$)/.exec(remedy ?? '')?.[1] ?? '';
  }

  test('one privilege after another is told which statement gives it, and starts at last', async () => {
    const place = await bench.place();
    const changes = await userOf(place, '');
    const user = changes.postgresConfig?.user;

    const replication = await refusal(place, changes);
    expect(replication.code).toBe('postgres-privilege');
    expect(replication.message).toContain('no REPLICATION privilege');
    await place.sql(statementOf(replication.remedy));

    const rights = await refusal(place, changes);
    expect(rights.code).toBe('postgres-privilege');
    expect(rights.message).toContain('lacks SELECT, INSERT, UPDATE, DELETE on "public"."item"');
    await place.sql(statementOf(rights.remedy));

    const owner = await refusal(place, changes);
    expect(owner.code).toBe('postgres-privilege');
    expect(owner.message).toContain('must be owner of table item');
    expect(owner.remedy).toContain('make the user the owner of the tables');
    await place.sql(`ALTER TABLE item OWNER TO "${user}"`);

    await expectSync(place, changes);
  });

  test('INSERT from one moment to the next is told by the running adapter, which stops and loses nothing', async () => {
    const place = await bench.place();
    const changes = await userOf(place, 'REPLICATION');
    const user = changes.postgresConfig?.user;
    await place.sql(`ALTER TABLE item OWNER TO "${user}"`);
    const { adapter, device } = await place.synced(changes);
    await place.sql(`REVOKE INSERT ON item FROM "${user}"`);
    device.replica.write(create(int(1), { name: text('device') }));
    const stopped = await failure(adapter.done);
    expect(stopped.code).toBe('apply-failed');
    expect(stopped.message).toContain('permission denied for table item');
    expect(stopped.remedy).toContain('GRANT');
    await adapter.close();
    await place.sql(`GRANT INSERT ON item TO "${user}"`);
    await place.started(changes);
    await place.untilRows([{ id: '1', name: 'device', amount: null }]);
  });
});

// Needs a server of its own settings.
test.runIf(embedded)('a server that writes no logical log', async () => {
  const postgres = await startTestPostgres({ wal_level: 'replica' });
  try {
    const place = await bench.place();
    const { host, port, user, password } = postgres;
    const error = await refusal(place, {
      dbName: await postgres.createDatabase(),
      postgresConfig: { host, port, user, password },
    });
    expect(error.code).toBe('postgres-server');
    expect(error.message).toContain('wal_level of the server is replica, not logical');
    expect(error.remedy).toContain('ALTER SYSTEM SET wal_level = logical and restart');
  } finally {
    await postgres.stop();
  }
});

describe('tables that do not fit', () => {
  const untouched = { createPostgresSchema: false } as const;

  test('a table without a primary key', async () => {
    const place = await bench.place(
      'CREATE TABLE item (id integer NOT NULL, name varchar(10), amount integer)',
    );
    const error = await refusal(place);
    expect(error.code).toBe('mapping-error');
    expect(error.message).toContain('table public.item of class item has no primary key');
    await place.sql(error.remedy ?? '');
    await expectSync(place);
  });

  test('a table whose updates are not logged', async () => {
    const place = await bench.place();
    await place.sql('ALTER TABLE item REPLICA IDENTITY NOTHING');
    const error = await refusal(place);
    expect(error.code).toBe('postgres-table');
    expect(error.message).toContain('"public"."item" has REPLICA IDENTITY NOTHING');
    await place.sql(error.remedy?.replace('run ', '') ?? '');
    await expectSync(place);
  });

  test('a class without a table', async () => {
    const place = await bench.place('');
    const error = await refusal(place, untouched);
    expect(error.code).toBe('mapping-error');
    expect(error.message).toContain('class item has no table: public.item does not exist');
    expect(error.remedy).toContain('createPostgresSchema');
    await expectSync(place);
  });

  test('a property without a column', async () => {
    const place = await bench.place('CREATE TABLE item (id integer PRIMARY KEY, name varchar(10))');
    const error = await refusal(place, untouched);
    expect(error.code).toBe('mapping-error');
    expect(error.message).toContain('property item.amount has no column: public.item has no column amount');
    expect(error.remedy).toContain('realmIgnoreProperties');
    await place.sql('ALTER TABLE item ADD amount integer');
    await expectSync(place, untouched);
  });

  test('a class that names another key than the table has', async () => {
    const place = await bench.place(
      'CREATE TABLE item (id integer, name varchar(10) PRIMARY KEY, amount integer)',
    );
    const error = await refusal(place);
    expect(error.code).toBe('mapping-error');
    expect(error.message).toContain(
      'table public.item is keyed by (name), but class item identifies objects by (id)',
    );
  });

  test('a property of a type that its column cannot hold', async () => {
    const place = await bench.place();
    const model = { ...ITEM_MODEL, properties: { ...ITEM_MODEL.properties, amount: 'date?' } };
    const error = await refusal(place, { schema: [model] });
    expect(error.code).toBe('mapping-error');
    expect(error.message).toMatch(/amount.*(date.*integer|integer.*date)/);
    await expectSync(place);
  });

  test('nothing is made or changed in the database for an adapter that is refused', async () => {
    const place = await bench.place(
      'CREATE TABLE item (id integer NOT NULL, name varchar(10), amount integer)',
    );
    await refusal(place);
    expect(
      await place.sql('SELECT slot_name FROM pg_replication_slots WHERE database = current_database()'),
    ).toEqual([]);
    expect(await place.sql('SELECT pubname FROM pg_publication')).toEqual([]);
  });
});
