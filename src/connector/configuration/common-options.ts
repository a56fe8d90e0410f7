/** The options that every connector has under the same name, with their defaults (docs/configuration.md). */
import { callback, flag, text } from '../../config/validation.ts';
import type { ConnectorOptions } from '../options.ts';
import {
  adapterName,
  batchSize,
  collectionTables,
  compoundPrimaryKeys,
  errorPolicy,
  ignoredProperties,
  logger,
  logLevel,
  models,
  realmConfig,
  realmRegex,
  seconds,
  secretProperties,
} from './option-parts.ts';

export const commonOptions = {
  realmConfig,
  dbName: text('the name of the database').optional(),
  schema: models.optional(),
  compoundPrimaryKeys: compoundPrimaryKeys.default({}),
  collectionTables: collectionTables.default([]),

  realmRegex,
  mapRealmClassName: callback<(className: string) => string>('(className) => tableName').optional(),
  mapRealmPropertyName: callback<(className: string, propertyName: string) => string>(
    '(className, propertyName) => columnName',
  ).optional(),
  realmIgnoreProperties: ignoredProperties.default([]),

  ignoreSQLerrors: errorPolicy.default(true),
  secretProperties: secretProperties.default([]),
  switchToReferenceRealm: flag().default(false),

  adapterName: adapterName.optional(),
  localPath: text('a directory').optional(),
  schemaCheckInterval: seconds(1).default(60),

  loaderSQLBatchSize: batchSize().default(1000),
  loadOnline: flag().default(true),
  loaderUploadMaxWaitTime: seconds().default(60),

  logLevel: logLevel.default('info'),
  logger: logger.optional(),
  printCommandsToConsole: flag().default(false),
} as const;

/** The functions whose names have the name of the database in them. */
export const tableOfRealm = callback<NonNullable<ConnectorOptions['tableOfRealm']>>(
  '(realmPath) => ({ tableName, extraProperties })',
).optional();
export const classOfTable = callback<(tableName: string) => string>('(tableName) => className').optional();
export const propertyOfColumn = callback<(tableName: string, columnName: string) => string>(
  '(tableName, columnName) => propertyName',
).optional();
export const valueToRealm = callback<(tableName: string, columnName: string, value: unknown) => unknown>(
  '(tableName, columnName, value) => value',
).optional();
export const valueToSql = callback<(className: string, propertyName: string, value: unknown) => unknown>(
  '(className, propertyName, value) => value',
).optional();
