/** What the options of the SQL Server connector mean for its connections and for the engine. */
import { ConfigError } from '../../src/config/config-error.ts';
import { validate } from '../../src/config/validation.ts';
import { engineOptions, type OwnOptions } from '../../src/connector/configuration/engine-options.ts';
import type { ConnectorOptions } from '../../src/connector/options.ts';
import { connectionOptions, type SqlServerConnectionOptions } from './connection-options.ts';
import { OPTION_NAMES } from './option-names.ts';
import {
  databaseName,
  type ParsedOptions,
  sqlServerOptionsSchema,
  withUsualNames,
  writtenName,
} from './option-schema.ts';
import { LONGEST_IDENTIFIER } from './sql-text.ts';

export type { SqlServerConnectionOptions } from './connection-options.ts';
export type { SQLServerOptions } from './option-schema.ts';

/** How the database is asked for changes. */
export type SqlServerFeedOptions = {
  /** The longest pause between two looks at a quiet database. */
  readonly pollMilliseconds: number;
};

export type SqlServerConnectorOptions = {
  readonly engine: ConnectorOptions;
  readonly connection: SqlServerConnectionOptions;
  /** Schema of the tables. */
  readonly schema: string;
  readonly feed: SqlServerFeedOptions;
  /** Accepted for compatibility; without effect. */
  readonly switchToReferenceRealm: boolean;
};

/**
 * Validates the options and gives them their meaning. Throws `ConfigError` with every mistake in them; `prefix`
 * says where they stand in a larger configuration; relative directories are taken from `directory`.
 */
export function parseSqlServerOptions(
  input: unknown,
  prefix: readonly string[] = [],
  directory: string = process.cwd(),
): SqlServerConnectorOptions {
  const options = validated(input, prefix);
  return {
    engine: engineOptions(options, ownOptions(options), directory),
    connection: connectionOptions(options.sqlserverConfig, databaseName(options)),
    schema: options.dbSchema,
    feed: { pollMilliseconds: options.changePollInterval },
    switchToReferenceRealm: options.switchToReferenceRealm,
  };
}

const WHAT = 'The configuration of the SQL Server connector';

/** A mistake is told under the name that was written. */
function validated(input: unknown, prefix: readonly string[]): ParsedOptions {
  try {
    return validate(WHAT, sqlServerOptionsSchema, withUsualNames(input), prefix);
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    const start = prefix.map((part) => `${part}.`).join('');
    throw new ConfigError(
      WHAT,
      error.problems.map((problem) => {
        const [option = '', rest = ''] = problem.path.slice(start.length).split(/(?=[.[].*)/s, 2);
        const written = writtenName(option, input);
        return written === option ? problem : { ...problem, path: `${start}${written}${rest}` };
      }),
    );
  }
}

function ownOptions(options: ParsedOptions): OwnOptions {
  return {
    database: databaseName(options),
    realmPath: options.mapSQLServerChangeToRealmPath,
    mapping: {
      optionNames: OPTION_NAMES,
      nameLimit: { length: LONGEST_IDENTIFIER, unit: 'characters' },
      classOfTable: options.mapSQLServerTableName,
      tableOfClass: options.mapRealmClassName,
      propertyOfColumn: options.mapSQLServerColumnName,
      columnOfProperty: options.mapRealmPropertyName,
      itemTableName: (table, column) => `__${table}__${column}`,
      valueToRealm: options.convertSQLServerValueToRealm,
      valueToSql: options.convertRealmValueToSQLServer,
    },
    tableOfRealm: options.mapRealmChangeToSQLServerTable,
    createDatabase: options.createSQLServerDB,
    createTables: options.createSQLServerSchema,
    initializeRealm: options.initializeRealmFromSQLServer,
    applyRealmSchemaChanges: options.applyRealmSchemaChangesToSQLServer,
    resetFeed: false,
  };
}
