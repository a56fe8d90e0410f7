/** One look at both sides of one key. */
import { createHash } from 'node:crypto';
import { keyFromToken, type PrimaryKey } from '../../schema/value.ts';
import type { ObjectState } from '../../store/state/object-state.ts';
import type { SqlText } from '../dialect.ts';
import { DataError } from '../errors.ts';
import type { ClassMapping } from '../mapping/class-mapping.ts';
import type { Difference } from './difference.ts';
import type { SideRow } from './side-tables.ts';
import type { Suspect } from './suspects.ts';
import type { VerifiedRealm } from './verified-realms.ts';

/** What both sides hold of one key at one moment. */
export type Observation = {
  readonly suspect: Suspect;
  readonly key: PrimaryKey | undefined;
  readonly row: readonly SqlText[] | undefined;
  /** The realm that the row belongs to; `undefined` without a row and for rows outside all realms. */
  readonly path: string | undefined;
  /** The rows of its collections' tables, by property. */
  readonly sides: ReadonlyMap<string, readonly SideRow[]>;
  readonly differences: readonly Difference[];
  /** Changes when either side does. */
  readonly fingerprint: string;
};

export type Holder = { readonly realm: VerifiedRealm; readonly object: ObjectState };

/** Begins the ids of rows that have no key of their class; what follows is the key that the database made. */
export const WITHOUT_KEY = '#';

export function hasKey({ id }: Suspect): boolean {
  return !id.startsWith(WITHOUT_KEY);
}

/** The key of the object; undefined where no object can have it. */
export function identityOf({ id, keyTexts }: Suspect, mapped: ClassMapping): PrimaryKey | undefined {
  if (!id.startsWith('!')) return keyFromToken(id);
  try {
    return mapped.key.toRealm(keyTexts ?? []);
  } catch (error) {
    if (error instanceof DataError) return undefined;
    throw error;
  }
}

/** Changes when either side does. */
export function fingerprintOf(
  row: readonly SqlText[] | undefined,
  sides: ReadonlyMap<string, readonly SideRow[]>,
  holders: readonly Holder[],
): string {
  const seen = [row, [...sides], holders.map(({ realm, object }) => [realm.path, object.fields])];
  return createHash('sha1').update(JSON.stringify(seen, plain)).digest('base64');
}

function plain(_name: string, value: unknown): unknown {
  if (typeof value === 'bigint') return value.toString();
  if (value instanceof Map) return [...value];
  if (value instanceof Uint8Array) return Buffer.from(value).toString('base64');
  return value === undefined ? null : value;
}
