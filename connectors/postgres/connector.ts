/** The PostgreSQL connector as what stands on connectors sees it. */
import type { ConfiguredConnector } from '../../src/connector/runtime/configured-connector.ts';
import { examinePostgres } from './doctor/examine.ts';
import type { PostgresConnectionOptions, PostgresConnectorOptions } from './options.ts';
import { createPostgresDialect } from './postgres-dialect.ts';

export type PostgresConnector = ConfiguredConnector & {
  readonly product: 'PostgreSQL';
  readonly connection: PostgresConnectionOptions;
};

export function postgresConnector(options: PostgresConnectorOptions): PostgresConnector {
  const { connection, schema, engine, switchToReferenceRealm } = options;
  return {
    product: 'PostgreSQL',
    database: connection.database,
    connection,
    schema,
    engine,
    switchToReferenceRealm,
    createDialect: (changed) => createPostgresDialect({ ...options, engine: changed }),
    examine: (signal) => examinePostgres(options, signal),
  };
}
