/** BIND of flexible sync: every client opens the one realm (spec/wire-protocol.md §3.1). */
import type { User } from '../accounts/accounts.ts';
import { realmPath } from '../realms/realm-path.ts';
import type { FlexibleRules, RuleUser } from '../rules/contract.ts';
import type { PartitionMigration } from './flexible-options.ts';
import type { FlexibleRealm } from './flexible-realm.ts';
import { FlexibleSession } from './flexible-session.ts';
import type { SessionPort } from './mode-session.ts';
import { migrationQuery, revertToPartitions } from './partition-migration.ts';
import type { BindMessage } from './session-messages.ts';
import { ConnectionError } from './sync-error.ts';
import type { ModeOpener } from './sync-session.ts';

export type FlexibleSyncSettings = {
  readonly shared: FlexibleRealm;
  readonly rules: FlexibleRules;
  readonly ruleUser: (user: User) => RuleUser;
  readonly migration?: PartitionMigration;
};

export function flexibleSync({ shared, rules, ruleUser, migration }: FlexibleSyncSettings): ModeOpener {
  return async (bind, port) => {
    const partition = migratedPartition(bind, port);
    if (partition !== undefined && !isMigrated(partition, port.user, migration)) {
      throw revertToPartitions(partition);
    }
    return new FlexibleSession({ shared, rules, ruleUser: () => ruleUser(port.user), port });
  };
}

/** Where flexible sync is not offered, clients that once went over to it go back; others are told what to use (114). */
export const noFlexibleSync: ModeOpener = async (bind, port) => {
  const partition = migratedPartition(bind, port);
  if (partition !== undefined) throw revertToPartitions(partition);
  throw new ConnectionError(114, 'flexible sync is not offered: open the realm with a partition value');
};

/** From this version on BIND carries JSON, before a path that means nothing (spec/wire-protocol.md §1.3). */
const JSON_SINCE = 8;

/** The one thing in BIND's JSON that matters here. Throws {@link ConnectionError} for what is no JSON object. */
function migratedPartition({ path: text }: BindMessage, { version }: SessionPort): string | undefined {
  if (version < JSON_SINCE || text === '') return undefined;
  const fields = parseObject(text);
  if (fields === undefined)
    throw new ConnectionError(103, 'bind: what is said of the session is no JSON object');
  const { migratedPartition: partition } = fields;
  if (partition === undefined || typeof partition === 'string') return partition;
  throw new ConnectionError(103, 'bind: migratedPartition is no string');
}

function parseObject(text: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? { ...value } : undefined;
  } catch {
    return undefined;
  }
}

function isMigrated(partition: string, user: User, migration: PartitionMigration | undefined): boolean {
  return migrationQuery(migration, realmPath(partition, user.id), user) !== undefined;
}
