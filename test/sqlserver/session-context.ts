/** Connects the connector's own parts to a test server. */
import type { SqlServerConnectionOptions } from '../../connectors/sqlserver/options.ts';
import type { SessionContext } from '../../connectors/sqlserver/session.ts';
import { silentLogger } from '../../src/log.ts';
import type { Credentials, TestSqlServer } from '../support/sqlserver.ts';

export function connectionTo(
  server: TestSqlServer,
  database: string,
  login: Credentials = server,
): SqlServerConnectionOptions {
  const { options = {} } = server.driverConfig(database);
  const { encrypt, trustServerCertificate } = options;
  return {
    server: server.host,
    port: server.port,
    instanceName: undefined,
    database,
    user: login.user,
    authentication: { type: 'default', options: { userName: login.user, password: login.password } },
    options: {
      port: server.port,
      lowerCaseGuids: true,
      ...(encrypt === undefined ? {} : { encrypt }),
      ...(trustServerCertificate === undefined ? {} : { trustServerCertificate }),
    },
    connectTimeoutMilliseconds: 10_000,
    requestTimeoutMilliseconds: 30_000,
    retry: { times: 0, delayMilliseconds: 10 },
  };
}

export function contextFor(server: TestSqlServer, database: string, login?: Credentials): SessionContext {
  return { connection: connectionTo(server, database, login), logger: silentLogger, printCommands: false };
}
