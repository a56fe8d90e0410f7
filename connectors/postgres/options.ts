/** What the options of the PostgreSQL connector mean for its connections and for the engine. */
import { validate } from '../../src/config/validation.ts';
import { engineOptions, type OwnOptions } from '../../src/connector/configuration/engine-options.ts';
import type { ConnectorOptions } from '../../src/connector/options.ts';
import { OPTION_NAMES } from './option-names.ts';
import { databaseName, type ParsedOptions, postgresOptionsSchema, type TlsOptions } from './option-schema.ts';

export type { PostgresOptions, TlsOptions } from './option-schema.ts';

const POSTGRES_PORT = 5432;
/** NAMEDATALEN − 1, in bytes. */
const LONGEST_NAME = 63;
/** Long enough for a sleeping managed database to answer, short enough that a wrong host is noticed. */
const DEFAULT_CONNECT_SECONDS = 15;

/** How to reach the database; secrets are in here, so it is never logged. */
export type PostgresConnectionOptions = {
  readonly host: string;
  readonly port: number;
  readonly user: string | undefined;
  readonly password: string | undefined;
  readonly connectionString: string | undefined;
  readonly database: string;
  readonly ssl: boolean | TlsOptions | undefined;
  readonly connectTimeoutMilliseconds: number;
  readonly retryQuery: { readonly numberOfRetries: number; readonly delayInMilliseconds: number };
};

/** How the slot is kept. */
export type PostgresFeedOptions = {
  /** Have standbys keep a copy of the slot (version 17). */
  readonly failover: boolean;
  /** How long to wait for a slot that somebody else reads; absent for a little more than `wal_sender_timeout`. */
  readonly waitMilliseconds: number | undefined;
  /** Kept log that is warned of when the server sets no limit. */
  readonly warnBytes: bigint;
};

export type PostgresConnectorOptions = {
  readonly engine: ConnectorOptions;
  readonly connection: PostgresConnectionOptions;
  /** Schema of the tables. */
  readonly schema: string;
  /** Custom type name to the type that it is treated as. */
  readonly customTypes: ReadonlyMap<string, string>;
  /** How the slot is kept. */
  readonly feed?: PostgresFeedOptions;
  /** Accepted for compatibility; without effect. */
  readonly switchToReferenceRealm: boolean;
};

/**
 * Validates the options and gives them their meaning. Throws `ConfigError` with every mistake in them; `prefix`
 * says where they stand in a larger configuration; relative directories are taken from `directory`.
 */
export function parsePostgresOptions(
  input: unknown,
  prefix: readonly string[] = [],
  directory: string = process.cwd(),
): PostgresConnectorOptions {
  const options = validate(
    'The configuration of the PostgreSQL connector',
    postgresOptionsSchema,
    input,
    prefix,
  );
  return {
    engine: engineOptions(options, ownOptions(options), directory),
    connection: connectionOptions(options),
    schema: options.postgresSchema,
    customTypes: new Map(Object.entries(options.customPostgresTypes)),
    feed: {
      failover: options.failoverSlot,
      waitMilliseconds: options.slotWaitTime === undefined ? undefined : options.slotWaitTime * 1000,
      warnBytes: BigInt(options.slotLagWarning) * 1_048_576n,
    },
    switchToReferenceRealm: options.switchToReferenceRealm,
  };
}

function ownOptions(options: ParsedOptions): OwnOptions {
  return {
    database: databaseName(options) ?? '',
    realmPath: options.mapPostgresChangeToRealmPath,
    mapping: {
      optionNames: OPTION_NAMES,
      nameLimit: { length: LONGEST_NAME, unit: 'bytes' },
      classOfTable: options.mapPostgresTableName,
      tableOfClass: options.mapRealmClassName,
      propertyOfColumn: options.mapPostgresColumnName,
      columnOfProperty: options.mapRealmPropertyName,
      valueToRealm: options.convertPostgresValueToRealm,
      valueToSql: options.convertRealmValueToPostgres,
    },
    tableOfRealm: options.mapRealmChangeToPostgresTable,
    createDatabase: options.createPostgresDB,
    createTables: options.createPostgresSchema,
    initializeRealm: options.initializeRealmFromPostgres,
    applyRealmSchemaChanges: options.applyRealmSchemaChangesToPostgres,
    resetFeed: options.resetPostgresReplicationSlot,
    feedCheckMilliseconds: options.slotCheckInterval * 1000,
  };
}

function connectionOptions(options: ParsedOptions): PostgresConnectionOptions {
  const { postgresConfig: config } = options;
  const seconds = options.connect_timeout ?? config.connect_timeout ?? DEFAULT_CONNECT_SECONDS;
  return {
    host: config.host ?? 'localhost',
    port: config.port ?? POSTGRES_PORT,
    user: config.user,
    password: config.password,
    connectionString: config.connectionString,
    database: databaseName(options) ?? '',
    ssl: config.ssl,
    connectTimeoutMilliseconds: seconds * 1000,
    retryQuery: config.retryQuery,
  };
}
