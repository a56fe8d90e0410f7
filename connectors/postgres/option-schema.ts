/**
 * The options of `PostgresAdapter` and `PostgresRealmLoader` as written: the names that the reference gives them, what
 * each accepts, and its default (reference quick reference table; docs/configuration.md).
 */
import { z } from 'zod';
import { accepted, flag, text, wholeNumber } from '../../src/config/validation.ts';
import {
  classOfTable,
  commonOptions,
  propertyOfColumn,
  tableOfRealm,
  valueToRealm,
  valueToSql,
} from '../../src/connector/configuration/common-options.ts';
import {
  isObject,
  LARGEST_PORT,
  milliseconds,
  realmPathMapping,
  seconds,
} from '../../src/connector/configuration/option-parts.ts';
import { commonRules, withRules } from '../../src/connector/configuration/option-rules.ts';
import { OPTION_NAMES } from './option-names.ts';

/** A petabyte. */
const LARGEST_LAG_MEGABYTES = 1_000_000_000;
const MOST_RETRIES = 1_000;

/** Options of `node:tls`, passed on as they are. */
export type TlsOptions = Readonly<Record<string, unknown>>;

const ssl = accepted(
  'true, false or options of node:tls',
  (value): value is boolean | TlsOptions => typeof value === 'boolean' || isObject(value),
);

const postgresConfig = z.strictObject(
  {
    host: text('a host name').optional(),
    port: wholeNumber(1, LARGEST_PORT).optional(),
    user: text('a user name').optional(),
    password: z.string({ error: 'a password' }).optional(),
    database: text('a database name').optional(),
    connectionString: text('a URL, such as postgres://user:password@host:5432/database').optional(),
    ssl: ssl.optional(),
    connect_timeout: seconds().optional(),
    retryQuery: z
      .strictObject(
        {
          numberOfRetries: wholeNumber(0, MOST_RETRIES).default(3),
          delayInMilliseconds: milliseconds().default(10),
        },
        { error: '{ numberOfRetries, delayInMilliseconds }' },
      )
      .prefault({}),
  },
  { error: '{ host, port, user, password } or { connectionString }' },
);

/** The options as written; see docs/configuration.md for each one's default, effect and danger. */
const optionObject = z.strictObject(
  {
    ...commonOptions,
    postgresConfig: postgresConfig.prefault({}),
    postgresSchema: text('the name of a schema of the database').default('public'),
    customPostgresTypes: z
      .record(z.string(), text('the name of a type'), { error: '{ customType: type }' })
      .default({}),

    mapPostgresChangeToRealmPath: realmPathMapping.optional(),
    mapRealmChangeToPostgresTable: tableOfRealm,
    mapPostgresTableName: classOfTable,
    mapPostgresColumnName: propertyOfColumn,
    convertPostgresValueToRealm: valueToRealm,
    convertRealmValueToPostgres: valueToSql,

    createPostgresDB: flag().default(false),
    createPostgresSchema: flag().default(true),
    initializeRealmFromPostgres: flag().default(false),
    applyRealmSchemaChangesToPostgres: flag().default(false),
    resetPostgresReplicationSlot: flag().default(false),
    connect_timeout: seconds().optional(),

    failoverSlot: flag().default(false),
    slotWaitTime: seconds().optional(),
    slotCheckInterval: seconds().default(60),
    slotLagWarning: wholeNumber(1, LARGEST_LAG_MEGABYTES, 'megabytes').default(1024),
  },
  { error: 'an object of options' },
);

/** What the constructors of `PostgresAdapter` and `PostgresRealmLoader` take. */
export type PostgresOptions = z.input<typeof optionObject>;
/** The options after validation, with their defaults. */
export type ParsedOptions = z.output<typeof optionObject>;

export const postgresOptionsSchema = withRules(optionObject, [
  {
    option: 'dbName',
    holds: ({ dbName, postgresConfig: config }) =>
      !isObject(config) ||
      databaseName({ dbName: asText(dbName), postgresConfig: textsOf(config) }) !== undefined,
    expectation: 'the name of the database',
  },
  ...commonRules(OPTION_NAMES),
]);

type DatabaseNames = {
  readonly dbName?: string | undefined;
  readonly postgresConfig: {
    readonly database?: string | undefined;
    readonly connectionString?: string | undefined;
  };
};

/** The database that the options name, in whichever of the three ways. */
export function databaseName({ dbName, postgresConfig: config }: DatabaseNames): string | undefined {
  const { database, connectionString } = config;
  return dbName ?? database ?? (connectionString === undefined ? undefined : databaseInUrl(connectionString));
}

function textsOf(config: Readonly<Record<string, unknown>>): DatabaseNames['postgresConfig'] {
  return { database: asText(config.database), connectionString: asText(config.connectionString) };
}

/** What is no text is a mistake of its own. */
function asText(value: unknown): string | undefined {
  return value === undefined ? undefined : String(value);
}

function databaseInUrl(connectionString: string): string | undefined {
  if (!URL.canParse(connectionString)) return undefined;
  const name = decodeURIComponent(new URL(connectionString).pathname.slice(1));
  return name === '' ? undefined : name;
}
