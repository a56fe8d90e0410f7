/** Chinook in a database of the test server, with the connector configured as in the demo. */
import { readFileSync } from 'node:fs';
import pg from 'pg';
import { type Deployment, deploy } from '../support/isthmus-processes.ts';
import type { TestPostgres } from '../support/postgres.ts';
import { REALM } from './chinook-database.ts';

/** Makes the database and the configuration in `directory`. `more` is JavaScript source of further options. */
export async function deployChinook(
  postgres: TestPostgres,
  directory: string,
  more = '',
): Promise<{ deployment: Deployment; database: string }> {
  const database = await postgres.createDatabase();
  await withClient(postgres, database, async (client) => {
    await client.query(chinookSql());
  });
  const { host, port, user, password } = postgres;
  const imports = `import { chinookModels } from '~/models/chinook.ts';
import * as mapping from '~/models/chinook-mapping.ts';`;
  const connector = `dbName: ${JSON.stringify(database)},
    postgresConfig: ${JSON.stringify({ host, port, user, password })},
    realmRegex: '^${REALM}$', mapPostgresChangeToRealmPath: '${REALM}',
    schema: chinookModels, ...mapping, ${more}`;
  return { deployment: await deploy(directory, imports, connector), database };
}

export async function withClient<T>(
  postgres: TestPostgres,
  database: string,
  work: (client: pg.Client) => Promise<T>,
): Promise<T> {
  const client = new pg.Client({ connectionString: postgres.url(database) });
  client.on('error', () => {}); // the server is killed in some tests
  await client.connect();
  try {
    return await work(client);
  } finally {
    await client.end().catch(() => {});
  }
}

/** The script without what only psql understands and without making the database. */
function chinookSql(): string {
  const script = readFileSync(new URL('../../data/chinook/Chinook_PostgreSql.sql', import.meta.url), 'utf8');
  return script.replace(/^(DROP DATABASE|CREATE DATABASE|\\c).*$/gm, '');
}
