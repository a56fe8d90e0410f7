/** A connector, its realms and devices on a database that the test makes with its own SQL. */
import pg from 'pg';
import { afterAll, afterEach, beforeAll } from 'vitest';
import type { ConnectorOptions } from '../../../src/connector/options.ts';
import { Deployment } from '../../conformance/deployment.ts';
import { PostgresTestDatabase } from '../../conformance/postgres-target.ts';
import { startTestPostgres, type TestPostgres } from '../../support/postgres.ts';

export type KeyDeployment = {
  readonly deployment: Deployment;
  /** Runs SQL and returns the rows, each as its texts. */
  readonly sql: (text: string) => Promise<(string | null)[][]>;
};

export async function deployOn(
  server: TestPostgres,
  tables: string,
  models: ConnectorOptions['models'],
  options: Partial<ConnectorOptions> = {},
): Promise<KeyDeployment> {
  const name = await server.createDatabase();
  const sql = async (text: string): Promise<(string | null)[][]> => {
    const client = new pg.Client({
      connectionString: server.url(name),
      types: { getTypeParser: () => (value: string) => value },
    });
    await client.connect();
    try {
      const result = await client.query<(string | null)[]>({ text, rowMode: 'array' });
      return (Array.isArray(result) ? result.at(-1) : result).rows;
    } finally {
      await client.end();
    }
  };
  if (tables !== '') await sql(tables);
  const deployment = await Deployment.open(new PostgresTestDatabase(server, name), { models, options });
  return { deployment, sql };
}

export type DeployKeys = (
  tables: string,
  models: ConnectorOptions['models'],
  options?: Partial<ConnectorOptions>,
) => Promise<KeyDeployment>;

/** A server for the tests of a file, each of which may deploy one connector on it; that ends with the test. */
export function keySuite(): DeployKeys {
  let server: TestPostgres;
  let open: KeyDeployment | undefined;
  beforeAll(async () => {
    server = await startTestPostgres();
  });
  afterEach(async () => {
    await open?.deployment.close();
    open = undefined;
  });
  afterAll(() => server?.stop());
  return async (tables, models, options) => {
    open = await deployOn(server, tables, models, options);
    return open;
  };
}
