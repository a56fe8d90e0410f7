/**
 * The options of `SQLServerAdapter` and `SQLServerRealmLoader` as written: the names that the reference gives them, what
 * each accepts, and its default (reference quick reference table; docs/configuration.md).
 */
import { z } from 'zod';
import { flag, text } from '../../src/config/validation.ts';
import {
  classOfTable,
  commonOptions,
  propertyOfColumn,
  tableOfRealm,
  valueToRealm,
  valueToSql,
} from '../../src/connector/configuration/common-options.ts';
import { isObject, milliseconds, realmPathMapping } from '../../src/connector/configuration/option-parts.ts';
import { commonRules, withRules } from '../../src/connector/configuration/option-rules.ts';
import { databaseInUrl, urlOf } from './connection-options.ts';
import { sqlserverConfig } from './connection-schema.ts';
import { OPTION_NAMES } from './option-names.ts';

/** Names that the reference spells in two ways, and the one of the two that is meant. */
const OTHER_SPELLINGS: Readonly<Record<string, string>> = {
  mapSqlServerColumnName: 'mapSQLServerColumnName',
  switchToRefernceRealm: 'switchToReferenceRealm',
  sqlserver_config: 'sqlserverConfig',
};

/** The options as written; see docs/configuration.md for each one's default, effect and danger. */
const optionObject = z.strictObject(
  {
    ...commonOptions,
    dbSchema: text('the name of a schema of the database').default('dbo'),
    sqlserverConfig: sqlserverConfig.prefault({}),
    /** The reference's other spellings; taken for the option that is meant before anything is checked. */
    sqlserver_config: sqlserverConfig.optional(),

    mapSQLServerChangeToRealmPath: realmPathMapping.optional(),
    mapRealmChangeToSQLServerTable: tableOfRealm,
    mapSQLServerTableName: classOfTable,
    mapSQLServerColumnName: propertyOfColumn,
    mapSqlServerColumnName: propertyOfColumn,
    convertSQLServerValueToRealm: valueToRealm,
    convertRealmValueToSQLServer: valueToSql,

    createSQLServerDB: flag().default(false),
    createSQLServerSchema: flag().default(true),
    initializeRealmFromSQLServer: flag().default(false),
    applyRealmSchemaChangesToSQLServer: flag().default(false),
    switchToRefernceRealm: flag().optional(),

    changePollInterval: milliseconds(10).default(1_000),
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
