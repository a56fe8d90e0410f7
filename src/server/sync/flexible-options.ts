/** The options of flexible sync (docs/configuration.md). */
import type { User } from '../accounts/accounts.ts';

/**
 * Which realms of partition-based sync are served by flexible sync from now on: the query, in the Realm Query Language,
 * with which clients of that realm are to subscribe to every class, such as `_partition == "team 7"`; undefined for a
 * realm that stays as it is.
 */
export type PartitionMigration = (path: string, user: User) => string | undefined;

export type FlexibleSyncOptions = {
  /** Path of the one realm that flexible clients see through their subscriptions. Default `/`. */
  readonly realm?: string;
  /** `additive` lets clients add classes and properties; default `fixed`. In development they always may. */
  readonly schema?: 'additive' | 'fixed';
  /** Properties by class for which an index is kept, so that queries on them need not look at every object. */
  readonly indexes?: Readonly<Record<string, readonly string[]>>;
  readonly migration?: PartitionMigration;
};

const DEFAULT_FLEXIBLE_REALM = '/';

/** Path of the realm of flexible sync; undefined when that is not offered. */
export function flexibleRealmOf(options: false | FlexibleSyncOptions = {}): string | undefined {
  return options === false ? undefined : (options.realm ?? DEFAULT_FLEXIBLE_REALM);
}
