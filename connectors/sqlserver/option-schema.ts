/**
 * The options of `SQLServerAdapter` and `SQLServerRealmLoader` as written: the names that the reference gives them, what
 * each accepts, and its default (reference quick reference table; docs/configuration.md).
 */
import { z } from 'zod';
import { callback, flag, text } from '../../src/config/validation.ts';
import {
  adapterName,
  batchSize,
  collectionTables,
  compoundPrimaryKeys,
  errorPolicy,
  ignoredProperties,
  isObject,
  logger,
  logLevel,
  milliseconds,
  models,
  realmConfig,
  realmPathMapping,
  realmRegex,
  seconds,
  secretProperties,
} from '../../src/connector/configuration/option-parts.ts';
import { commonRules, withRules } from '../../src/connector/configuration/option-rules.ts';
import type { OptionNames } from '../../src/connector/option-names.ts';
import type { ConnectorOptions } from '../../src/connector/options.ts';
import { databaseInUrl, urlOf } from './connection-options.ts';
import { sqlserverConfig } from './connection-schema.ts';

export const OPTION_NAMES: OptionNames = {
  realmPathOfRow: 'mapSQLServerChangeToRealmPath',
  tableOfRealm: 'mapRealmChangeToSQLServerTable',
  classOfTable: 'mapSQLServerTableName',
  tableOfClass: 'mapRealmClassName',
  propertyOfColumn: 'mapSQLServerColumnName',
  columnOfProperty: 'mapRealmPropertyName',
  valueToRealm: 'convertSQLServerValueToRealm',
  valueToSql: 'convertRealmValueToSQLServer',
  createDatabase: 'createSQLServerDB',
  createTables: 'createSQLServerSchema',
  initializeRealm: 'initializeRealmFromSQLServer',
  applyRealmSchemaChanges: 'applyRealmSchemaChangesToSQLServer',
};

/** Names that the reference spells in two ways, and the one of the two that is meant. */
const OTHER_SPELLINGS: Readonly<Record<string, string>> = {
  mapSqlServerColumnName: 'mapSQLServerColumnName',
  switchToRefernceRealm: 'switchToReferenceRealm',
  sqlserver_config: 'sqlserverConfig',
};

const columnNames = callback<(tableName: string, columnName: string) => string>(
  '(tableName, columnName) => propertyName',
);

/** The options as written; see docs/configuration.md for each one's default, effect and danger. */
const optionObject = z.strictObject(
  {
    realmConfig,
    dbName: text('the name of the database').optional(),
    dbSchema: text('the name of a schema of the database').default('dbo'),
    sqlserverConfig: sqlserverConfig.prefault({}),
    /** The reference's other spellings; taken for the option that is meant before anything is checked. */
    sqlserver_config: sqlserverConfig.optional(),
    schema: models.optional(),
    compoundPrimaryKeys: compoundPrimaryKeys.default({}),
    collectionTables: collectionTables.default([]),

    realmRegex,
    mapSQLServerChangeToRealmPath: realmPathMapping.optional(),
    mapRealmChangeToSQLServerTable: callback<NonNullable<ConnectorOptions['tableOfRealm']>>(
      '(realmPath) => ({ tableName, extraProperties })',
    ).optional(),
    mapSQLServerTableName: callback<(tableName: string) => string>('(tableName) => className').optional(),
    mapRealmClassName: callback<(className: string) => string>('(className) => tableName').optional(),
    mapSQLServerColumnName: columnNames.optional(),
    mapSqlServerColumnName: columnNames.optional(),
    mapRealmPropertyName: callback<(className: string, propertyName: string) => string>(
      '(className, propertyName) => columnName',
    ).optional(),
    convertSQLServerValueToRealm: callback<
      (tableName: string, columnName: string, value: unknown) => unknown
    >('(tableName, columnName, value) => value').optional(),
    convertRealmValueToSQLServer: callback<
      (className: string, propertyName: string, value: unknown) => unknown
    >('(className, propertyName, value) => value').optional(),
    realmIgnoreProperties: ignoredProperties.default([]),

    createSQLServerDB: flag().default(false),
    createSQLServerSchema: flag().default(true),
    initializeRealmFromSQLServer: flag().default(false),
    applyRealmSchemaChangesToSQLServer: flag().default(false),
    ignoreSQLerrors: errorPolicy.default(true),
    secretProperties: secretProperties.default([]),
    switchToReferenceRealm: flag().default(false),
    switchToRefernceRealm: flag().optional(),

    adapterName: adapterName.optional(),
    localPath: text('a directory').optional(),
    schemaCheckInterval: seconds(1).default(60),
    changePollInterval: milliseconds(10).default(1_000),

    loaderSQLBatchSize: batchSize().default(1000),
    loadOnline: flag().default(true),
    loaderUploadMaxWaitTime: seconds().default(60),

    logLevel: logLevel.default('info'),
    logger: logger.optional(),
    printCommandsToConsole: flag().default(false),
  },
  { error: 'an object of options' },
);

/** What the constructors of `SQLServerAdapter` and `SQLServerRealmLoader` take. */
export type SQLServerOptions = z.input<typeof optionObject>;
/** The options after validation, with their defaults. */
export type ParsedOptions = z.output<typeof optionObject>;

export const sqlServerOptionsSchema = withRules(optionObject, [
  {
    option: 'dbName',
    holds: ({ dbName, sqlserverConfig: config }) =>
      !isObject(config) || dbName !== undefined || databaseIn(config) !== undefined,
    expectation: 'the name of the database',
  },
  {
    option: 'sqlserverConfig',
    holds: ({ sqlserverConfig: config }) =>
      !isObject(config) ||
      typeof config.connectionString !== 'string' ||
      urlOf(config.connectionString) !== undefined,
    expectation: 'as connectionString a URL, such as sqlserver://user:password@host:1433/database',
  },
  ...commonRules(OPTION_NAMES),
]);

/** The options under the names that are meant, where the reference has several; one that is given in both is left. */
export function withUsualNames(input: unknown): unknown {
  if (!isObject(input)) return input;
  const entries = Object.entries(input).map(([name, value]) => {
    const usual = OTHER_SPELLINGS[name];
    return usual === undefined || usual in input ? [name, value] : [usual, value];
  });
  return Object.fromEntries(entries);
}

/** The name under which an option was written, for messages. */
export function writtenName(option: string, input: unknown): string {
  if (!isObject(input) || option in input) return option;
  const written = Object.entries(OTHER_SPELLINGS).find(
    ([other, usual]) => usual === option && other in input,
  );
  return written?.[0] ?? option;
}

export function databaseName(options: Pick<ParsedOptions, 'dbName' | 'sqlserverConfig'>): string {
  return options.dbName ?? databaseIn(options.sqlserverConfig) ?? '';
}

/** Like `dbName`, in whichever of the three other ways. */
function databaseIn(config: Readonly<Record<string, unknown>>): string | undefined {
  const { database, options, connectionString } = config;
  if (typeof connectionString === 'string') {
    const found = databaseInUrl(connectionString);
    if (found !== undefined) return found;
  }
  if (typeof database === 'string' && database !== '') return database;
  const inOptions = isObject(options) ? options.database : undefined;
  return typeof inOptions === 'string' && inOptions !== '' ? inOptions : undefined;
}
