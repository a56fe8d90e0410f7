/** The modes of sync that a server offers, put together. */
import type { User } from '../accounts/accounts.ts';
import type { ServerLimits } from '../limits.ts';
import type { RealmAccess } from '../permissions.ts';
import type { RealmRegistry } from '../realms/realm-registry.ts';
import type { FlexibleRules, RuleUser } from '../rules/contract.ts';
import { type FlexibleSyncOptions, flexibleRealmOf } from './flexible-options.ts';
import { FlexibleRealm } from './flexible-realm.ts';
import { flexibleSync, noFlexibleSync } from './open-flexible.ts';
import { partitionSync } from './open-partition.ts';
import type { SyncContext } from './sync-session.ts';

export type OpenSyncOptions = {
  readonly registry: RealmRegistry;
  readonly limits: ServerLimits;
  /** False when flexible sync is not offered. */
  readonly flexible: false | FlexibleSyncOptions;
  /** Whether partition-based sync is offered. */
  readonly partition: boolean;
  readonly rules: FlexibleRules;
  readonly access: (user: User, path: string) => Promise<RealmAccess>;
  /** What is known of a user at this moment. */
  readonly asOfNow: (user: User) => RuleUser;
};

export type OpenSync = {
  readonly modes: SyncContext['modes'];
  /** After the last session has ended. */
  close(): Promise<void>;
};

export async function openSync(options: OpenSyncOptions): Promise<OpenSync> {
  const { registry, access, rules, asOfNow } = options;
  const flexible = options.flexible === false ? undefined : options.flexible;
  const path = flexibleRealmOf(options.flexible);
  const migration = flexible?.migration;
  const pbs = partitionSync({
    registry,
    access,
    isOffered: options.partition,
    ...(migration !== undefined && { migration }),
    ...(path !== undefined && { flexibleRealm: path }),
  });
  if (path === undefined) return { modes: { pbs, flx: noFlexibleSync }, close: async () => {} };
  const shared = await FlexibleRealm.open(await registry.realm(path), {
    portionBytes: options.limits.download,
    indexes: flexible?.indexes ?? {},
  });
  const flx = flexibleSync({
    shared,
    rules,
    ruleUser: asOfNow,
    ...(migration !== undefined && { migration }),
  });
  return { modes: { pbs, flx }, close: () => shared.close() };
}
