/**
 * What the options of all connectors accept where they mean the same; each connector puts them together under the names
 * that the reference gives them (docs/configuration.md).
 */
import { z } from 'zod';
import { accepted, text, wholeNumber } from '../../config/validation.ts';
import { isLogLevel, type LoggerLike, LogLevels } from '../../logging/logger.ts';
import type { LoggedInUser, ModelNotation, RealmPathOfRow, SyncUser } from '../options.ts';
import { realmPathFromText, realmRegexFromText } from '../realm-path.ts';
import { serverUrlFromText } from '../server-url.ts';

/** A day; longer waits are mistakes of unit. */
export const LONGEST_SECONDS = 86_400;
export const LARGEST_PORT = 65_535;
const LARGEST_BATCH = 1_000_000;
/** PostgreSQL cuts identifiers at 63 bytes; the adapter's name gets suffixes. The same everywhere, so that it can move. */
const LONGEST_ADAPTER_NAME = 48;

const CLASS_AND_PROPERTY = /^[^.]+\.[^.]+$/;

export const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

export function isTextList(value: unknown): value is readonly string[] {
  return Array.isArray(value) && value.every((item) => typeof item === 'string');
}

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

export const realmConfig = z.strictObject(
  { server: serverUrl, user, appId: text('the app id of the object server').default('isthmus') },
  { error: '{ server, user, appId }' },
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

export const models = z.array(model, { error: 'a list of models' });

const compoundKeyPart = z.strictObject({
  property: text('the name of a property'),
  dbColumn: text('the name of a column'),
  type: z.enum(['int', 'string', 'uuid', 'objectId'], { error: "'int', 'string', 'uuid' or 'objectId'" }),
});

export const compoundPrimaryKeys = z.record(
  z.string(),
  z
    .array(compoundKeyPart, { error: 'a list of { property, dbColumn, type }' })
    .min(1, { error: 'at least one { property, dbColumn, type }' }),
  { error: '{ Class: [{ property, dbColumn, type }] }' },
);

export const collectionTables = z.array(
  z.string().regex(CLASS_AND_PROPERTY, { error: 'a collection as Class.property' }),
  { error: "a list of collections, each as 'Class.property'" },
);

export const secretProperties = z.array(
  z.string().regex(CLASS_AND_PROPERTY, { error: 'a property as Class.property' }),
  { error: "a list of properties, each as 'Class.property'" },
);

export const realmRegex = accepted(
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

export const realmPathMapping = accepted(
  'a realm path, such as /myRealm, or a function (tableName, props) => realmPath',
  (value): value is string | RealmPathOfRow =>
    typeof value === 'function' || (typeof value === 'string' && realmPathFromText(value) !== undefined),
);

export const ignoredProperties = accepted(
  "a list of property names ('name' or 'Class.name'), or { Class: ['name'] }",
  (value): value is readonly string[] | Readonly<Record<string, readonly string[]>> =>
    isTextList(value) || (isObject(value) && Object.values(value).every(isTextList)),
);

export const errorPolicy = accepted(
  'true, false, or { Class: true or false }',
  (value): value is boolean | Readonly<Record<string, boolean>> =>
    typeof value === 'boolean' ||
    (isObject(value) && Object.values(value).every((item) => typeof item === 'boolean')),
);

export const adapterName = z
  .string({ error: 'a name' })
  .regex(/^[a-z][a-z0-9_]*$/, { error: 'a name of lower-case letters, digits and _' })
  .max(LONGEST_ADAPTER_NAME, { error: `a name of at most ${LONGEST_ADAPTER_NAME} characters` });

export const logLevel = accepted(`one of ${Object.values(LogLevels).join(', ')}`, isLogLevel);

export const logger = accepted(
  'a logger with the methods error, warn and info, such as one of winston',
  (value): value is LoggerLike =>
    isObject(value) && ['error', 'warn', 'info'].every((name) => typeof value[name] === 'function'),
);

/** From `least` seconds to a day. */
export const seconds = (least = 0): ReturnType<typeof wholeNumber> =>
  wholeNumber(least, LONGEST_SECONDS, 'seconds');

export const milliseconds = (least = 0): ReturnType<typeof wholeNumber> =>
  wholeNumber(least, LONGEST_SECONDS * 1000, 'milliseconds');

export const batchSize = (): ReturnType<typeof wholeNumber> => wholeNumber(1, LARGEST_BATCH, 'rows');
