/** What `%%user.…` stands for in rules. */
import { EJSON } from 'bson';
import type { QueryArgument } from '../../query/contract.ts';
import { QueryError } from '../../query/query-error.ts';
import { NULL, type ScalarValue } from '../../schema/value.ts';
import { scalarFromJs } from '../../schema/value-conversion.ts';
import { ValueError } from '../../schema/value-error.ts';
import type { RuleUser } from './contract.ts';

/** The names below `%%user`, and whether a path goes on from there. */
const NAMES: ReadonlyMap<string, 'value' | 'path'> = new Map([
  ['id', 'value'],
  ['name', 'value'],
  ['type', 'value'],
  ['data', 'path'],
  ['custom_data', 'path'],
  ['identities', 'path'],
]);
const IDENTITY_FIELDS = ['id', 'provider_type'];

type Variables = (path: readonly string[]) => QueryArgument | undefined;

/** What is wrong with a variable, whatever the user; undefined when it can have a value. */
export function variableFault(path: readonly string[]): string | undefined {
  const [root, name, ...rest] = path;
  const shown = `%%${path.join('.')}`;
  if (root !== 'user') return `${shown} is unknown: rules know %%user only`;
  const kind = name === undefined ? undefined : NAMES.get(name);
  if (kind === undefined) return `${shown} is unknown: of a user there are ${[...NAMES.keys()].join(', ')}`;
  if (kind === 'value') return rest.length === 0 ? undefined : `%%user.${name} is a single value`;
  if (rest.length === 0) return `${shown} is no value: name a field of it`;
  if (name === 'identities' && (rest.length > 1 || !IDENTITY_FIELDS.includes(rest[0] ?? ''))) {
    return `${shown} is unknown: of identities there are ${IDENTITY_FIELDS.join(' and ')}`;
  }
  return undefined;
}

/** The value of `%%user.custom_data.team`, asked as `['user', 'custom_data', 'team']`. */
export function userVariable(user: RuleUser, path: readonly string[]): QueryArgument | undefined {
  if (variableFault(path) !== undefined) return undefined;
  const [, name = '', ...rest] = path;
  switch (name) {
    case 'id':
      return { type: 'string', value: user.id };
    case 'name':
      return user.name === undefined ? undefined : { type: 'string', value: user.name };
    case 'type':
      return { type: 'string', value: user.isAdmin ? 'admin' : 'normal' };
    case 'identities':
      return user.identities.map(({ id, provider }) => ({
        type: 'string',
        value: rest[0] === 'id' ? id : provider,
      }));
    default:
      return argumentOf(valueAt(name === 'data' ? user.data : user.customData, rest));
  }
}

/**
 * Uses a text with a user's variables. What the user does not have is null, and an empty list where the text can only be
 * meant so, as in `'admin' IN %%user.custom_data.roles`. Throws `QueryError`.
 */
export function withVariables<T>(user: RuleUser, use: (variables: Variables) => T): T {
  let isIncomplete = false;
  try {
    return use((path) => {
      const value = userVariable(user, path);
      isIncomplete ||= value === undefined;
      return value;
    });
  } catch (error) {
    if (!(error instanceof QueryError) || !isIncomplete) throw error;
    return use((path) => userVariable(user, path) ?? []);
  }
}

function valueAt(value: unknown, path: readonly string[]): unknown {
  let at = value;
  for (const name of path) {
    if (!isRecord(at) || !Object.hasOwn(at, name)) return undefined;
    at = at[name];
  }
  return at;
}

function argumentOf(value: unknown): QueryArgument | undefined {
  if (!Array.isArray(value)) return scalarOf(value);
  return value.map(scalarOf).filter((element) => element !== undefined);
}

/** A whole number is an integer here: custom data is JSON, which does not tell. Undefined for what is no scalar. */
function scalarOf(value: unknown): ScalarValue | undefined {
  if (value === null) return NULL;
  if (typeof value === 'number' && Number.isSafeInteger(value)) return { type: 'int', value: BigInt(value) };
  if (typeof value !== 'object') return convert(value);
  if (Array.isArray(value)) return undefined;
  if (value instanceof Date || '_bsontype' in value) return convert(value);
  return isRecord(value) ? extendedJson(value) : undefined;
}

/** `{ "$oid": … }` and the like. */
function extendedJson(value: Record<string, unknown>): ScalarValue | undefined {
  const [name] = Object.keys(value);
  if (name?.startsWith('$') !== true) return undefined;
  try {
    const parsed: unknown = EJSON.deserialize(value, { relaxed: true, useBigInt64: true });
    return isRecord(parsed) && !('_bsontype' in parsed) && !(parsed instanceof Date)
      ? undefined
      : scalarOf(parsed);
  } catch {
    // Custom data is the operator's: what is no extended JSON is an object, which no rule can compare.
    return undefined;
  }
}

function convert(value: unknown): ScalarValue | undefined {
  if (value === undefined) return undefined;
  try {
    return scalarFromJs(value, 'mixed');
  } catch (error) {
    if (error instanceof ValueError) return undefined;
    throw error;
  }
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
