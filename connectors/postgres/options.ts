/** What the options of the PostgreSQL connector mean for its connections and for the engine. */
import { createHash } from 'node:crypto';
import { join, resolve } from 'node:path';
import { validate } from '../../src/config/validation.ts';
import type { OptionNames } from '../../src/connector/option-names.ts';
import type { CompoundKeyPart, ConnectorOptions, RowProperties } from '../../src/connector/options.ts';
import { realmPathFromText } from '../../src/connector/realm-path.ts';
import { createLogger, toLogger } from '../../src/logging/logger.ts';
import {
  databaseName,
  isTextList,
  type ParsedOptions,
  pathOfRegex,
  postgresOptionsSchema,
  type TlsOptions,
} from './option-schema.ts';

export type { PostgresOptions, TlsOptions } from './option-schema.ts';

const POSTGRES_PORT = 5432;
/** NAMEDATALEN − 1, in bytes. */
const LONGEST_NAME = 63;
/** Long enough for a sleeping managed database to answer, short enough that a wrong host is noticed. */
const DEFAULT_CONNECT_SECONDS = 15;

const OPTION_NAMES: OptionNames = {
  realmPathOfRow: 'mapPostgresChangeToRealmPath',
  tableOfRealm: 'mapRealmChangeToPostgresTable',
  classOfTable: 'mapPostgresTableName',
  tableOfClass: 'mapRealmClassName',
  propertyOfColumn: 'mapPostgresColumnName',
  columnOfProperty: 'mapRealmPropertyName',
  valueToRealm: 'convertPostgresValueToRealm',
  valueToSql: 'convertRealmValueToPostgres',
  createDatabase: 'createPostgresDB',
  createTables: 'createPostgresSchema',
  initializeRealm: 'initializeRealmFromPostgres',
  applyRealmSchemaChanges: 'applyRealmSchemaChangesToPostgres',
};

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
    engine: engineOptions(options, directory),
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

function engineOptions(options: ParsedOptions, directory: string): ConnectorOptions {
  const adapterName = options.adapterName ?? defaultAdapterName(options);
  const log =
    options.logger === undefined ? createLogger({ level: options.logLevel }) : toLogger(options.logger);
  return {
    adapterName,
    localPath: resolve(directory, options.localPath ?? join('isthmus-data', adapterName)),
    serverUrl: options.realmConfig.server,
    appId: options.realmConfig.appId,
    user: options.realmConfig.user,
    models: options.schema ?? [],
    mapping: {
      optionNames: OPTION_NAMES,
      nameLimit: { length: LONGEST_NAME, unit: 'bytes' },
      classOfTable: options.mapPostgresTableName,
      tableOfClass: options.mapRealmClassName,
      propertyOfColumn: options.mapPostgresColumnName,
      columnOfProperty: options.mapRealmPropertyName,
      valueToRealm: options.convertPostgresValueToRealm,
      valueToSql: options.convertRealmValueToPostgres,
      ignores: ignoredBy(options.realmIgnoreProperties),
      hasItemTable: (className, property) => options.collectionTables.includes(`${className}.${property}`),
      compoundPrimaryKeys: new Map<string, readonly CompoundKeyPart[]>(
        Object.entries(options.compoundPrimaryKeys),
      ),
    },
    realmRegex: options.realmRegex,
    ...realmPathOptions(options),
    tableOfRealm: options.mapRealmChangeToPostgresTable,
    createDatabase: options.createPostgresDB,
    createTables: options.createPostgresSchema,
    initializeRealm: options.initializeRealmFromPostgres,
    applyRealmSchemaChanges: options.applyRealmSchemaChangesToPostgres,
    resetFeed: options.resetPostgresReplicationSlot,
    ignoreSqlErrors:
      typeof options.ignoreSQLerrors === 'boolean'
        ? options.ignoreSQLerrors
        : new Map(Object.entries(options.ignoreSQLerrors)),
    secretProperties: new Set(options.secretProperties),
    load: {
      batchRows: options.loaderSQLBatchSize,
      online: options.loadOnline,
      uploadMaxWaitMilliseconds: options.loaderUploadMaxWaitTime * 1000,
    },
    logger: log,
    printCommands: options.printCommandsToConsole,
    feedCheckMilliseconds: options.slotCheckInterval * 1000,
    schemaCheckMilliseconds: options.schemaCheckInterval * 1000,
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

function realmPathOptions(
  options: ParsedOptions,
): Pick<ConnectorOptions, 'realmPathOfRow' | 'fixedRealmPath'> {
  const mapped = options.mapPostgresChangeToRealmPath;
  if (typeof mapped === 'function') return { realmPathOfRow: mapped, fixedRealmPath: undefined };
  const path = mapped === undefined ? pathOfRegex(options.realmRegex) : realmPathFromText(mapped);
  if (path === undefined) throw new Error('validation let a realm path through that is none');
  return { realmPathOfRow: (_table: string, _row: RowProperties) => path, fixedRealmPath: path };
}

/**
 * Stable from one start to the next, because the replication slot carries it, and different for two adapters that
 * watch different realms through one database.
 */
function defaultAdapterName(options: ParsedOptions): string {
  const database = (databaseName(options) ?? '')
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '_')
    .slice(0, 24);
  const realms = createHash('sha256').update(options.realmRegex.source).digest('hex').slice(0, 6);
  return `isthmus_${database}_${realms}`;
}

function ignoredBy(
  ignored: readonly string[] | Readonly<Record<string, readonly string[]>>,
): (className: string, propertyName: string) => boolean {
  const names = new Set(
    isTextList(ignored)
      ? ignored
      : Object.entries(ignored).flatMap(([className, properties]) =>
          properties.map((property) => `${className}.${property}`),
        ),
  );
  return (className, propertyName) => names.has(propertyName) || names.has(`${className}.${propertyName}`);
}
