/** A connector's dialect on a test database. */
import {
  createSqlServerDialect,
  type SqlServerDialect,
} from '../../connectors/sqlserver/sqlserver-dialect.ts';
import type { TableInfo } from '../../src/connector/dialect.ts';
import { silentLogger } from '../../src/log.ts';
import type { Credentials, TestSqlServer } from '../support/sqlserver.ts';
import { connectionTo } from './session-context.ts';

/** What an operator does before a connector comes; the tables are theirs, too. */
export async function prepareDatabase(server: TestSqlServer, database: string): Promise<void> {
  await server.query(
    'master',
    `ALTER DATABASE [${database}] SET CHANGE_TRACKING = ON (CHANGE_RETENTION = 2 DAYS, AUTO_CLEANUP = ON)`,
  );
  await server.query('master', `ALTER DATABASE [${database}] SET ALLOW_SNAPSHOT_ISOLATION ON`);
}

export function dialectFor(
  server: TestSqlServer,
  database: string,
  options: { adapterName?: string; login?: Credentials; pollMilliseconds?: number } = {},
): SqlServerDialect {
  return createSqlServerDialect({
    connection: connectionTo(server, database, options.login),
    schema: 'dbo',
    engine: { adapterName: options.adapterName ?? database, logger: silentLogger, printCommands: false },
    feed: { pollMilliseconds: options.pollMilliseconds ?? 50 },
  });
}

/** The tables with these names, in that order. */
export async function tablesOf(dialect: SqlServerDialect, ...names: string[]): Promise<TableInfo[]> {
  const catalog = await dialect.catalog();
  return names.map((name) => {
    const table = catalog.get(`dbo.${name}`);
    if (table === undefined) throw new Error(`no table ${name}`);
    return table;
  });
}
