/** A connector, its realms and devices on a SQL Server database that the test makes with its own SQL. */
import { afterAll, afterEach, beforeAll } from 'vitest';
import type { ConnectorOptions } from '../../../src/connector/options.ts';
import { Deployment } from '../../conformance/deployment.ts';
import { SqlServerTestDatabase } from '../../conformance/sqlserver-target.ts';
import { sameNames } from '../../support/engine-options.ts';
import { startTestSqlServer, type TestSqlServer } from '../../support/sqlserver.ts';

export type KeyDeployment = {
  readonly deployment: Deployment;
  /** Runs a batch and returns the rows, each as its texts. */
  readonly sql: (text: string) => Promise<(string | null)[][]>;
};

export type DeployKeys = (
  tables: string,
  models: ConnectorOptions['models'],
  options?: Partial<ConnectorOptions>,
) => Promise<KeyDeployment>;

/** As SQL Server's options have it. */
export const MAPPING: ConnectorOptions['mapping'] = {
  ...sameNames,
  itemTableName: (table, column) => `__${table}__${column}`,
};

/** A server for the tests of a file, each of which may deploy one connector on it; that ends with the test. */
export function keySuite(): DeployKeys {
  let server: TestSqlServer;
  let open: KeyDeployment | undefined;
  beforeAll(async () => {
    server = await startTestSqlServer();
  });
  afterEach(async () => {
    await open?.deployment.close();
    open = undefined;
  });
  afterAll(() => server?.stop());
  return async (tables, models, options = {}) => {
    const name = await server.createDatabase();
    const database = await SqlServerTestDatabase.open(server, name);
    if (tables !== '') await server.script(name, tables);
    const deployment = await Deployment.open(database, { models, options: { mapping: MAPPING, ...options } });
    const sql = async (text: string): Promise<(string | null)[][]> =>
      (await server.query(name, text)).map((row) => Object.values(row));
    open = { deployment, sql };
    return open;
  };
}
