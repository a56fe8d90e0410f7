/**
 * Which realm a partition value names. A string is the path itself, normalised to a leading `/`, with `~` standing
 * for the user's id. Every other value has a realm of its own below a reserved prefix that no string can reach.
 */
import { parsePartitionValue } from '../../protocol/partition-value.ts';
import { ProtocolError } from '../../protocol/protocol-error.ts';
import { RealmPathError } from './realm-path-error.ts';

/** The realm that lists all others (realm-registry.ts). */
export const ADMIN_REALM_PATH = '/__admin';
const PARTITION_SEGMENT = '__partition';
const HOME = '~';
const ROOT = '/';
/** Bytes of UTF-8; the bound of the protocol (spec/wire-protocol.md §3.1). */
const MAX_PATH_BYTES = 1024;
/** A segment that is neither an app's nor a user's. */
const SYSTEM_PREFIX = '__';

/** Control characters and quotes: they have no place in a name and break logs, regular expressions and queries. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is looked for.
const FORBIDDEN = /[\u0000-\u001f\u007f-\u009f"'`]/;

/**
 * The path of the realm that BIND names for a user (spec/wire-protocol.md §3.1). `/` names a realm only where flexible
 * sync is served from it. Throws {@link RealmPathError}.
 */
export function realmPath(bindPath: string, userId: string, flexibleRealm?: string): string {
  const partition = partitionOf(bindPath);
  switch (partition.type) {
    case 'string':
      if (partition.value === ROOT && flexibleRealm === ROOT) return ROOT;
      return pathOfString(partition.value, userId);
    case 'null':
      return `/${PARTITION_SEGMENT}/null`;
    default:
      return `/${PARTITION_SEGMENT}/${partition.type}/${partition.value}`;
  }
}

function pathOfString(partition: string, userId: string): string {
  const path = partition.startsWith('/') ? partition : `/${partition}`;
  const resolved = path
    .split('/')
    .map((segment) => (segment === HOME ? userId : segment))
    .join('/');
  checkPath(resolved);
  if (firstSegment(resolved) === PARTITION_SEGMENT) {
    throw new RealmPathError(`the path ${resolved} is reserved for partitions that are no strings`);
  }
  return resolved;
}

/** Realms that only administrators open: `/__admin` and everything else that begins like it. */
export function isSystemPath(path: string): boolean {
  const segment = firstSegment(path);
  return segment.startsWith(SYSTEM_PREFIX) && segment !== PARTITION_SEGMENT;
}

/** The user id that a path begins with, if it does. */
export function ownerSegment(path: string): string | undefined {
  const segment = firstSegment(path);
  return /^[0-9a-f]{24}$/.test(segment) ? segment : undefined;
}

/** What keeps a configured path from naming a realm for apps; undefined when it can. */
export function realmPathFault(path: string): string | undefined {
  if (path === ROOT) return undefined;
  if (!path.startsWith('/')) return 'a path begins with /';
  try {
    checkPath(path);
  } catch (error) {
    if (error instanceof RealmPathError) return error.message;
    throw error;
  }
  return firstSegment(path).startsWith(SYSTEM_PREFIX)
    ? `paths that begin with /${SYSTEM_PREFIX} are reserved`
    : undefined;
}

function partitionOf(bindPath: string): ReturnType<typeof parsePartitionValue> {
  try {
    return parsePartitionValue(bindPath);
  } catch (error) {
    if (error instanceof ProtocolError) throw new RealmPathError(error.message, { cause: error });
    throw error;
  }
}

function firstSegment(path: string): string {
  return path.split('/', 2)[1] ?? '';
}

function checkPath(path: string): void {
  if (Buffer.byteLength(path) > MAX_PATH_BYTES) {
    throw new RealmPathError(`the path has more than ${MAX_PATH_BYTES} bytes`);
  }
  if (!path.isWellFormed()) throw new RealmPathError('the path is not well-formed Unicode');
  if (FORBIDDEN.test(path)) throw new RealmPathError('the path contains a control character or a quote');
  for (const segment of path.slice(1).split('/')) {
    if (segment === '') throw new RealmPathError(`the path ${path} has an empty segment`);
    if (segment === '.' || segment === '..') {
      throw new RealmPathError(`the path ${path} has the segment "${segment}"`);
    }
  }
}
