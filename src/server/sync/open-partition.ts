/** BIND of partition-based sync: the partition value names a realm, which opens by right. */
import type { User } from '../accounts/accounts.ts';
import type { RealmAccess } from '../permissions.ts';
import { realmPath } from '../realms/realm-path.ts';
import type { RealmRegistry } from '../realms/realm-registry.ts';
import type { PartitionMigration } from './flexible-options.ts';
import { migrateToFlexible, migrationQuery } from './partition-migration.ts';
import { PartitionSession, requireReadable } from './partition-session.ts';
import { ConnectionError } from './sync-error.ts';
import type { ModeOpener } from './sync-session.ts';

export type PartitionSyncOptions = {
  readonly registry: RealmRegistry;
  readonly access: (user: User, path: string) => Promise<RealmAccess>;
  /** False when only flexible sync is offered; clients to be migrated are told so all the same. */
  readonly isOffered: boolean;
  readonly migration?: PartitionMigration;
  /** Path of the realm of flexible sync, which partition clients may open, too. */
  readonly flexibleRealm?: string;
};

export function partitionSync(options: PartitionSyncOptions): ModeOpener {
  const { registry, access, isOffered, migration, flexibleRealm } = options;
  return async (bind, port) => {
    const path = realmPath(bind.path, port.user.id, flexibleRealm);
    const query = migrationQuery(migration, path, port.user);
    if (query !== undefined) throw migrateToFlexible(path, query, port.version);
    if (!isOffered) {
      throw new ConnectionError(
        113,
        'partition-based sync is not offered: open the realm with subscriptions',
      );
    }
    const accessNow = (user: User): Promise<RealmAccess> => access(user, path);
    const level = await accessNow(port.user);
    requireReadable(level, path);
    return new PartitionSession({ realm: await registry.realm(path), access: level, accessNow, port });
  };
}
