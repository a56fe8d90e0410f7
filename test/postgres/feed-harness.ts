/** A connector's dialect on a test database, and a reader of its feed. */
import { createPostgresDialect, type PostgresDialect } from '../../connectors/postgres/postgres-dialect.ts';
import type { TableInfo } from '../../src/connector/dialect.ts';
import { silentLogger } from '../../src/log.ts';
import type { TestPostgres } from '../support/postgres.ts';
import { connectionTo } from './session-context.ts';

export { FeedReader } from '../support/feed-reader.ts';

export function dialectFor(
  server: TestPostgres,
  database: string,
  options: { adapterName?: string; user?: string; password?: string; schema?: string } = {},
): PostgresDialect {
  return createPostgresDialect({
    connection: connectionTo(server, database, options),
    schema: options.schema ?? 'public',
    customTypes: new Map(),
    engine: { adapterName: options.adapterName ?? database, logger: silentLogger, printCommands: false },
  });
}

/** The tables with these names, in that order. */
export async function tablesOf(dialect: PostgresDialect, ...names: string[]): Promise<TableInfo[]> {
  const catalog = await dialect.catalog();
  return names.map((name) => {
    const table = catalog.get(`${dialect.defaultSchema}.${name}`);
    if (table === undefined) throw new Error(`no table ${name}`);
    return table;
  });
}
