/** The SQL Server connector as what stands on connectors sees it. */
import type { ConfiguredConnector } from '../../src/connector/runtime/configured-connector.ts';
import { examineSqlServer } from './doctor/examine.ts';
import type { SqlServerConnectionOptions, SqlServerConnectorOptions } from './options.ts';
import { createSqlServerDialect } from './sqlserver-dialect.ts';

export type SqlServerConnector = ConfiguredConnector & {
  readonly product: 'SQL Server';
  readonly connection: SqlServerConnectionOptions;
  /** For what only this database has. */
  readonly options: SqlServerConnectorOptions;
};

export function sqlServerConnector(options: SqlServerConnectorOptions): SqlServerConnector {
  const { connection, schema, engine, switchToReferenceRealm } = options;
  return {
    product: 'SQL Server',
    database: connection.database,
    connection,
    options,
    schema,
    engine,
    switchToReferenceRealm,
    createDialect: (changed) => createSqlServerDialect({ ...options, engine: changed }),
    examine: (signal) => examineSqlServer(options, signal),
  };
}
