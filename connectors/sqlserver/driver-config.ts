/** What the driver is told for a connection: the user's settings, but for those that values and statements depend on. */
import type { ConnectionConfiguration, ConnectionOptions } from 'tedious';
import type { SqlServerConnectionOptions } from './options.ts';

/**
 * Messages are read in English; texts of values depend on no setting, but statements do on those of the ANSI standard
 * (indexed views and filtered indexes want them, too); an error within a transaction ends all of it.
 */
const OURS: ConnectionOptions = {
  abortTransactionOnError: true,
  camelCaseColumns: false,
  dateFormat: 'mdy',
  datefirst: 7,
  enableAnsiNull: true,
  enableAnsiNullDefault: true,
  enableAnsiPadding: true,
  enableAnsiWarnings: true,
  enableArithAbort: true,
  enableConcatNullYieldsNull: true,
  enableCursorCloseOnCommit: false,
  enableImplicitTransactions: false,
  enableNumericRoundabort: false,
  enableQuotedIdentifier: true,
  language: 'us_english',
  rowCollectionOnDone: false,
  rowCollectionOnRequestCompletion: false,
  textsize: 2_147_483_647,
  useColumnNames: false,
  useUTC: true,
};

export function driverConfig(
  connection: SqlServerConnectionOptions,
  database: string,
  name: string,
): ConnectionConfiguration {
  const { server, authentication, options, connectTimeoutMilliseconds, requestTimeoutMilliseconds } =
    connection;
  return {
    server,
    ...(authentication === undefined ? {} : { authentication }),
    options: {
      ...options,
      ...OURS,
      database,
      appName: name,
      connectTimeout: connectTimeoutMilliseconds,
      requestTimeout: requestTimeoutMilliseconds,
    },
  };
}
