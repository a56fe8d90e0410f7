/** From partition-based to flexible sync, and back (docs/flexible-sync.md). */
import { ConfigError } from '../../config/config-error.ts';
import { parseQuery } from '../../query/parser.ts';
import { QueryError } from '../../query/query-error.ts';
import type { User } from '../accounts/accounts.ts';
import type { PartitionMigration } from './flexible-options.ts';
import { SessionError } from './sync-error.ts';

/** Older clients do not know the errors that send them over (spec/wire-protocol.md §1.3). */
const MIGRATION_SINCE = 9;

/**
 * The query with which clients of a partition go on; undefined for one that stays. Throws for what is no query: clients
 * would go over with it all the same, and could not subscribe.
 */
export function migrationQuery(
  migration: PartitionMigration | undefined,
  path: string,
  user: User,
): string | undefined {
  const query = migration?.(path, user);
  if (query === undefined) return undefined;
  try {
    parseQuery(query, {});
    return query;
  } catch (error) {
    if (!(error instanceof QueryError)) throw error;
    const message = `expected a query for the realm ${path}: ${error.message}`;
    throw new ConfigError('The configuration of the server', [
      { path: 'server.flexibleSync.migration', message },
    ]);
  }
}

/** Tells a client to go on with flexible sync, with that query as its subscription to each class (232). */
export function migrateToFlexible(path: string, query: string, version: number): SessionError {
  if (version < MIGRATION_SINCE) {
    return new SessionError(
      206,
      `${path} is served by flexible sync now, which this app is too old to go over to`,
    );
  }
  return new SessionError(232, `${path} is served by flexible sync now`, undefined, query);
}

/** Tells a client that went over to go back (234). */
export function revertToPartitions(partition: string): SessionError {
  return new SessionError(234, `the partition ${partition} is served by partition-based sync`);
}
