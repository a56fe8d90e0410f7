/**
 * The options of `PostgresAdapter` and `PostgresRealmLoader` as written: the names that the reference gives them, what
 * each accepts, and its default (reference quick reference table; docs/configuration.md).
 */
import { z } from 'zod';
import { accepted, callback, flag, text, wholeNumber } from '../../src/config/validation.ts';
import type {
  ConnectorOptions,
  LoggedInUser,
  ModelNotation,
  RealmPathOfRow,
  SyncUser,
} from '../../src/connector/options.ts';
import { realmPathFromText, realmRegexFromText } from '../../src/connector/realm-path.ts';
import { serverUrlFromText } from '../../src/connector/server-url.ts';
import { isLogLevel, type LoggerLike, LogLevels } from '../../src/logging/logger.ts';

const LARGEST_PORT = 65_535;
/** A day; longer waits are mistakes of unit. */
const LONGEST_SECONDS = 86_400;
const LARGEST_BATCH = 1_000_000;
/** A petabyte. */
const LARGEST_LAG_MEGABYTES = 1_000_000_000;
const MOST_RETRIES = 1_000;
/** PostgreSQL cuts identifiers at 63 bytes; the adapter's name gets suffixes. */
const LONGEST_ADAPTER_NAME = 48;

const CLASS_AND_PROPERTY = /^[^.]+\.[^.]+$/;

/** Options of `node:tls`, passed on as they are. */
export type TlsOptions = Readonly<Record<string, unknown>>;

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const isLoggedInUser = (value: unknown): value is LoggedInUser =>
  isObject(value) && typeof value.id === 'string' && 'accessToken' in value && 'refreshToken' in value;

const credentials = z.strictObject({
  username: text('a user name'),
  password: z.string({ error: 'a password' }),
});

const user = accepted(
  'a logged-in user, or { username, password }',
  (value): value is LoggedInUser | { readonly username: string; readonly password: string } =>
    isObject(value),
).transform((value, context): SyncUser => {
  if (isLoggedInUser(value)) return { kind: 'loggedIn', user: value };
  const parsed = credentials.safeParse(value);
  if (parsed.success) return { kind: 'password', ...parsed.data };
  context.addIssue({ code: 'custom', message: 'a logged-in user, or { username, password }' });
  return z.NEVER;
});

const serverUrl = text('the address of the object server, such as http://10.0.0.7:9080').transform(
  (value, context) => {
    const url = serverUrlFromText(value);
    if (url !== undefined) return url;
    context.addIssue({
      code: 'custom',
      message:
        'the address of the object server (realm, realms, ws, wss, http or https), without a user in it',
    });
    return z.NEVER;
  },
);

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
    connect_timeout: wholeNumber(0, LONGEST_SECONDS, 'seconds').optional(),
    retryQuery: z
      .strictObject(
        {
          numberOfRetries: wholeNumber(0, MOST_RETRIES).default(3),
          delayInMilliseconds: wholeNumber(0, LONGEST_SECONDS * 1000, 'milliseconds').default(10),
        },
        { error: '{ numberOfRetries, delayInMilliseconds }' },
      )
      .prefault({}),
  },
  { error: '{ host, port, user, password } or { connectionString }' },
);

/** Realm SDKs also take classes that carry their model as `static schema`. */
const model = z.preprocess(
  (value) => (typeof value === 'function' && 'schema' in value ? value.schema : value),
  accepted(
    'a model { name, primaryKey, properties }',
    (value): value is ModelNotation =>
      isObject(value) && typeof value.name === 'string' && isObject(value.properties),
  ),
);

const compoundKeyPart = z.strictObject({
  property: text('the name of a property'),
  dbColumn: text('the name of a column'),
  type: z.enum(['int', 'string', 'uuid', 'objectId'], { error: "'int', 'string', 'uuid' or 'objectId'" }),
});

const logLevel = accepted(`one of ${Object.values(LogLevels).join(', ')}`, isLogLevel);

const logger = accepted(
  'a logger with the methods error, warn and info, such as one of winston',
  (value): value is LoggerLike =>
    isObject(value) && ['error', 'warn', 'info'].every((name) => typeof value[name] === 'function'),
);

const realmRegex = accepted(
  "a regular expression, such as '^/myRealm$'",
  (value): value is string | RegExp => value instanceof RegExp || (typeof value === 'string' && value !== ''),
).transform((value, context): RegExp => {
  try {
    return value instanceof RegExp
      ? new RegExp(value.source, value.flags.replace(/[gy]/g, ''))
      : realmRegexFromText(value);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    context.addIssue({ code: 'custom', message: `a regular expression (${reason})` });
    return z.NEVER;
  }
});

const mapPostgresChangeToRealmPath = accepted(
  'a realm path, such as /myRealm, or a function (tableName, props) => realmPath',
  (value): value is string | RealmPathOfRow =>
    typeof value === 'function' || (typeof value === 'string' && realmPathFromText(value) !== undefined),
);

const ignoredProperties = accepted(
  "a list of property names ('name' or 'Class.name'), or { Class: ['name'] }",
  (value): value is readonly string[] | Readonly<Record<string, readonly string[]>> =>
    isTextList(value) || (isObject(value) && Object.values(value).every(isTextList)),
);

const errorPolicy = accepted(
  'true, false, or { Class: true or false }',
  (value): value is boolean | Readonly<Record<string, boolean>> =>
    typeof value === 'boolean' ||
    (isObject(value) && Object.values(value).every((item) => typeof item === 'boolean')),
);

export function isTextList(value: unknown): value is readonly string[] {
  return Array.isArray(value) && value.every((item) => typeof item === 'string');
}

/** The options as written; see docs/configuration.md for each one's default, effect and danger. */
const optionObject = z.strictObject(
  {
    realmConfig: z.strictObject(
      { server: serverUrl, user, appId: text('the app id of the object server').default('isthmus') },
      { error: '{ server, user, appId }' },
    ),
    dbName: text('the name of the database').optional(),
    postgresConfig: postgresConfig.prefault({}),
    postgresSchema: text('the name of a schema of the database').default('public'),
    schema: z.array(model, { error: 'a list of models' }).optional(),
    compoundPrimaryKeys: z
      .record(
        z.string(),
        z
          .array(compoundKeyPart, { error: 'a list of { property, dbColumn, type }' })
          .min(1, { error: 'at least one { property, dbColumn, type }' }),
        { error: '{ Class: [{ property, dbColumn, type }] }' },
      )
      .default({}),
    collectionTables: z
      .array(z.string().regex(/^[^.]+\.[^.]+$/, { error: 'a collection as Class.property' }), {
        error: "a list of collections, each as 'Class.property'",
      })
      .default([]),
    customPostgresTypes: z
      .record(z.string(), text('the name of a type'), { error: '{ customType: type }' })
      .default({}),

    realmRegex: realmRegex,
    mapPostgresChangeToRealmPath: mapPostgresChangeToRealmPath.optional(),
    mapRealmChangeToPostgresTable: callback<NonNullable<ConnectorOptions['tableOfRealm']>>(
      '(realmPath) => ({ tableName, extraProperties })',
    ).optional(),
    mapPostgresTableName: callback<(tableName: string) => string>('(tableName) => className').optional(),
    mapRealmClassName: callback<(className: string) => string>('(className) => tableName').optional(),
    mapPostgresColumnName: callback<(tableName: string, columnName: string) => string>(
      '(tableName, columnName) => propertyName',
    ).optional(),
    mapRealmPropertyName: callback<(className: string, propertyName: string) => string>(
      '(className, propertyName) => columnName',
    ).optional(),
    convertPostgresValueToRealm: callback<(tableName: string, columnName: string, value: unknown) => unknown>(
      '(tableName, columnName, value) => value',
    ).optional(),
    convertRealmValueToPostgres: callback<
      (className: string, propertyName: string, value: unknown) => unknown
    >('(className, propertyName, value) => value').optional(),
    realmIgnoreProperties: ignoredProperties.default([]),

    createPostgresDB: flag().default(false),
    createPostgresSchema: flag().default(true),
    initializeRealmFromPostgres: flag().default(false),
    applyRealmSchemaChangesToPostgres: flag().default(false),
    resetPostgresReplicationSlot: flag().default(false),
    ignoreSQLerrors: errorPolicy.default(true),
    secretProperties: z
      .array(z.string().regex(CLASS_AND_PROPERTY, { error: 'a property as Class.property' }), {
        error: "a list of properties, each as 'Class.property'",
      })
      .default([]),
    switchToReferenceRealm: flag().default(false),
    connect_timeout: wholeNumber(0, LONGEST_SECONDS, 'seconds').optional(),

    adapterName: z
      .string({ error: 'a name' })
      .regex(/^[a-z][a-z0-9_]*$/, { error: 'a name of lower-case letters, digits and _' })
      .max(LONGEST_ADAPTER_NAME, { error: `a name of at most ${LONGEST_ADAPTER_NAME} characters` })
      .optional(),
    localPath: text('a directory').optional(),
    failoverSlot: flag().default(false),
    slotWaitTime: wholeNumber(0, LONGEST_SECONDS, 'seconds').optional(),
    slotCheckInterval: wholeNumber(0, LONGEST_SECONDS, 'seconds').default(60),
    schemaCheckInterval: wholeNumber(1, LONGEST_SECONDS, 'seconds').default(60),
    slotLagWarning: wholeNumber(1, LARGEST_LAG_MEGABYTES, 'megabytes').default(1024),

    loaderSQLBatchSize: wholeNumber(1, LARGEST_BATCH, 'rows').default(1000),
    loadOnline: flag().default(true),
    loaderUploadMaxWaitTime: wholeNumber(0, LONGEST_SECONDS, 'seconds').default(60),

    logLevel: logLevel.default('info'),
    logger: logger.optional(),
    printCommandsToConsole: flag().default(false),
  },
  { error: 'an object of options' },
);

/** What the constructors of `PostgresAdapter` and `PostgresRealmLoader` take. */
export type PostgresOptions = z.input<typeof optionObject>;
/** The options after validation, with their defaults. */
export type ParsedOptions = z.output<typeof optionObject>;

export const postgresOptionsSchema = optionObject
  .refine((options) => !isObject(options.postgresConfig) || databaseName(options) !== undefined, {
    path: ['dbName'],
    error: 'the name of the database',
    when: always,
  })
  .refine(
    ({ mapPostgresChangeToRealmPath: mapped, realmRegex: regex }) =>
      mapped !== undefined || !(regex instanceof RegExp) || pathOfRegex(regex) !== undefined,
    {
      path: ['mapPostgresChangeToRealmPath'],
      error: 'a realm path or a function, because realmRegex can match more than one realm',
      when: always,
    },
  )
  .refine((options) => options.schema !== undefined || options.initializeRealmFromPostgres === true, {
    path: ['schema'],
    error: 'a list of models (or initializeRealmFromPostgres: true, which makes them from the tables)',
    when: always,
  })
  .refine((options) => unknownPolicyClasses(options).length === 0, {
    path: ['ignoreSQLerrors'],
    error: (issue) =>
      `names of classes in schema, which has none called ${unknownPolicyClasses(issue.input).join(', ')}`,
    when: always,
  })
  .refine((options) => unknownCompoundClasses(options).length === 0, {
    path: ['compoundPrimaryKeys'],
    error: (issue) =>
      `names of classes in schema, which has none called ${unknownCompoundClasses(issue.input).join(', ')}`,
    when: always,
  });

/** The rules across options are checked even when single options are wrong, so that one run shows every mistake. */
function always(payload: { readonly value: unknown }): boolean {
  return isObject(payload.value);
}

function unknownCompoundClasses(options: unknown): readonly string[] {
  if (!isObject(options) || !isObject(options.compoundPrimaryKeys) || !Array.isArray(options.schema))
    return [];
  const known = new Set(options.schema.map((entry) => (isObject(entry) ? entry.name : undefined)));
  return Object.keys(options.compoundPrimaryKeys).filter((className) => !known.has(className));
}

function unknownPolicyClasses(options: unknown): readonly string[] {
  if (!isObject(options) || !isObject(options.ignoreSQLerrors) || !Array.isArray(options.schema)) return [];
  const known = new Set(options.schema.map((entry) => (isObject(entry) ? entry.name : undefined)));
  return Object.keys(options.ignoreSQLerrors).filter((className) => !known.has(className));
}

/** The database that the options name, in whichever of the three ways. */
export function databaseName(options: Pick<ParsedOptions, 'dbName' | 'postgresConfig'>): string | undefined {
  const { database, connectionString } = options.postgresConfig;
  return (
    options.dbName ??
    database ??
    (connectionString === undefined ? undefined : databaseInUrl(connectionString))
  );
}

function databaseInUrl(connectionString: string): string | undefined {
  if (!URL.canParse(connectionString)) return undefined;
  const name = decodeURIComponent(new URL(connectionString).pathname.slice(1));
  return name === '' ? undefined : name;
}

/** The path of an expression that matches just one; `undefined` for a true pattern. */
export function pathOfRegex(regex: RegExp): string | undefined {
  return regex.flags === ''
    ? realmPathFromText(regex.source.replaceAll('\\/', '/').replaceAll('\\.', '.'))
    : undefined;
}
