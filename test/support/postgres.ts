/**
 * A PostgreSQL server for one test suite: an embedded one in a temporary directory, or, when
 * `ISTHMUS_TEST_POSTGRES_URL` names a server (with a superuser), databases of their own on that one.
 */
import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { type EmbeddedPostgres, startEmbeddedPostgres } from '../../src/embedded/postgres.ts';

export type TestPostgres = {
  readonly host: string;
  readonly port: number;
  readonly user: string;
  readonly password: string;
  /** URL of a database of that server (`postgres` when absent). */
  url(database?: string): string;
  /** Makes an empty database and returns its name, unique on the server. */
  createDatabase(): Promise<string>;
  /** Runs SQL in a database and returns the rows, with every value as text. */
  query(
    database: string,
    sql: string,
    values?: readonly unknown[],
  ): Promise<readonly Record<string, string | null>[]>;
  /** Ends the server by SIGKILL and starts it again on the same port. Only on the embedded server. */
  crashAndRestart(): Promise<void>;
  /** Ends the server by SIGKILL; {@link TestPostgres.start} brings it back. Only on the embedded server. */
  crash(): Promise<void>;
  start(): Promise<void>;
  stop(): Promise<void>;
};

/** True when the suite runs on an embedded server that it may kill. */
export const embedded = process.env.ISTHMUS_TEST_POSTGRES_URL === undefined;

export async function startTestPostgres(
  settings: Readonly<Record<string, string>> = {},
): Promise<TestPostgres> {
  const external = process.env.ISTHMUS_TEST_POSTGRES_URL;
  if (external !== undefined) return testServer(new URL(external), undefined);
  const directory = await mkdtemp(join(tmpdir(), 'isthmus-postgres-'));
  const launch = (port?: number): Promise<EmbeddedPostgres> =>
    startEmbeddedPostgres({ directory, settings, ...(port === undefined ? {} : { port }) });
  let server = await launch();
  return testServer(new URL(server.connectionString), {
    crash: () => server.kill(),
    start: async () => {
      server = await launch(server.port);
    },
    stop: async () => {
      await server.stop();
      await rm(directory, { recursive: true, force: true });
    },
  });
}

type Control = { crash(): Promise<void>; start(): Promise<void>; stop(): Promise<void> };

function testServer(base: URL, control: Control | undefined): TestPostgres {
  const made: string[] = [];
  const owned = (): Control => {
    if (control === undefined) throw new Error('this test needs the embedded server');
    return control;
  };
  const url = (database = 'postgres'): string => {
    const result = new URL(base);
    result.pathname = `/${database}`;
    return result.href;
  };
  const query: TestPostgres['query'] = async (database, sql, values = []) => {
    const client = new pg.Client({
      connectionString: url(database),
      types: { getTypeParser: () => (text: string) => text },
    });
    client.on('error', () => {});
    await client.connect();
    try {
      const result = await client.query<Record<string, string | null>>(sql, [...values]);
      return (Array.isArray(result) ? result.at(-1) : result).rows;
    } finally {
      await client.end();
    }
  };
  return {
    host: base.hostname,
    port: Number(base.port || 5432),
    user: decodeURIComponent(base.username),
    password: decodeURIComponent(base.password),
    url,
    query,
    createDatabase: async () => {
      const name = `isthmus_test_${randomBytes(6).toString('hex')}`;
      await query('postgres', `CREATE DATABASE "${name}"`);
      made.push(name);
      return name;
    },
    crash: () => owned().crash(),
    start: () => owned().start(),
    crashAndRestart: async () => {
      await owned().crash();
      await owned().start();
    },
    stop: async () => {
      if (control !== undefined) return control.stop();
      for (const name of made) await dropDatabase(query, name);
    },
  };
}

async function dropDatabase(query: TestPostgres['query'], name: string): Promise<void> {
  await query(
    'postgres',
    'SELECT pg_terminate_backend(active_pid) FROM pg_replication_slots WHERE database = $1 AND active',
    [name],
  );
  await query(
    'postgres',
    'SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots WHERE database = $1',
    [name],
  );
  await query('postgres', `DROP DATABASE IF EXISTS "${name}" WITH (FORCE)`);
}
