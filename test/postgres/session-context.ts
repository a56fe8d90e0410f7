/** Connects the connector's own parts to a test server. */
import type { PostgresConnectionOptions } from '../../connectors/postgres/options.ts';
import type { SessionContext } from '../../connectors/postgres/session.ts';
import { silentLogger } from '../../src/log.ts';
import type { TestPostgres } from '../support/postgres.ts';

export function connectionTo(
  server: TestPostgres,
  database: string,
  login: { readonly user?: string; readonly password?: string } = {},
): PostgresConnectionOptions {
  return {
    host: server.host,
    port: server.port,
    user: login.user ?? server.user,
    password: login.password ?? server.password,
    connectionString: undefined,
    database,
    ssl: undefined,
    connectTimeoutMilliseconds: 10_000,
    retryQuery: { numberOfRetries: 0, delayInMilliseconds: 0 },
  };
}

export function contextFor(server: TestPostgres, database: string): SessionContext {
  return { connection: connectionTo(server, database), logger: silentLogger, printCommands: false };
}
