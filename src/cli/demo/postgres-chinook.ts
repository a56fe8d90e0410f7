/** Fills the embedded PostgreSQL with the Chinook database, once. */
import pg from 'pg';
import { readChinookScript } from './chinook-script.ts';

export const CHINOOK_DATABASE = 'chinook';
const SCRIPT = 'Chinook_PostgreSql.sql';

/** Where to connect, for the database `postgres`. */
export type Cluster = {
  readonly host: string;
  readonly port: number;
  readonly user: string;
  readonly password: string;
};

/** Creates and fills the database unless that is done. Returns true when it filled it. */
export async function fillChinook(cluster: Cluster): Promise<boolean> {
  await withClient(cluster, 'postgres', async (client) => {
    const found = await client.query('SELECT 1 FROM pg_database WHERE datname = $1', [CHINOOK_DATABASE]);
    if (found.rowCount === 0) await client.query(`CREATE DATABASE ${CHINOOK_DATABASE}`);
  });
  return withClient(cluster, CHINOOK_DATABASE, async (client) => {
    const found = await client.query("SELECT to_regclass('public.artist') IS NOT NULL AS filled");
    if (found.rows[0]?.filled === true) return false;
    // One transaction, so that a kill in between leaves nothing that looks filled.
    await client.query(`BEGIN;\n${statementsOf(await readChinookScript(SCRIPT))}\nCOMMIT;`);
    await client.query('ANALYZE'); // so that the first load can estimate
    return true;
  });
}

/** The script without what only `psql` understands and without the statements about the database itself. */
export function statementsOf(script: string): string {
  return script
    .split('\n')
    .filter((line) => !/^\s*(\\|(drop|create)\s+database\b.*;)/i.test(line))
    .join('\n');
}

async function withClient<T>(
  cluster: Cluster,
  database: string,
  work: (client: pg.Client) => Promise<T>,
): Promise<T> {
  const { host, port, user, password } = cluster;
  const client = new pg.Client({ host, port, user, password, database });
  await client.connect();
  try {
    return await work(client);
  } finally {
    await client.end();
  }
}
