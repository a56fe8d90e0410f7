/** Which database a configuration means, told by the names of the options that it uses. */
type Section = Readonly<Record<string, unknown>>;

export type ConnectorKind = 'postgres' | 'sqlserver';

const POSTGRES_NAME = /postgres/i;
const SQL_SERVER_NAME = /sqlserver/i;
/** Options that only one of the connectors has and whose names do not say so. */
const OTHER_SQL_SERVER_NAMES: ReadonlySet<string> = new Set(['dbSchema', 'changePollInterval']);

/**
 * `written` is the whole configuration. SQL Server where its options, or the environment, name it; PostgreSQL otherwise.
 */
export function connectorKind(written: Section, connector: Section, hasSqlServerUrl: boolean): ConnectorKind {
  const names = [...Object.keys(connector), ...Object.keys(written)];
  if (names.some((name) => SQL_SERVER_NAME.test(name) || OTHER_SQL_SERVER_NAMES.has(name)))
    return 'sqlserver';
  return hasSqlServerUrl && !names.some((name) => POSTGRES_NAME.test(name)) ? 'sqlserver' : 'postgres';
}
