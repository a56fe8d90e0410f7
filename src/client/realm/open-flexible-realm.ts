/** Opening the flexible realm of a server: its replica, its session and its objects. */
import type { FlexibleReplica } from '../../store/replica/flexible-contract.ts';
import { SyncClosedError, type SyncSessionError } from '../client-errors.ts';
import type { FlexibleOptions } from '../flexible/flexible-sync.ts';
import type { SyncClient } from '../sync-client.ts';
import type { ResetPolicy, SyncSession } from '../sync-session.ts';
import type { MutableSubscriptionSet } from './mutable-subscription-set.ts';
import { ObjectRealm } from './object-realm.ts';

export type FlexibleRealmOptions = FlexibleOptions & {
  readonly client: SyncClient;
  readonly replica: FlexibleReplica;
  /** Classes in the Realm JS notation. */
  readonly schema: readonly unknown[];
  /** Run when the realm has no subscriptions yet, or at every opening. */
  readonly initialSubscriptions?: {
    readonly update: (subscriptions: MutableSubscriptionSet, realm: ObjectRealm) => void;
    readonly rerunOnOpen?: boolean;
  };
  /** What becomes of unsynced changes when the server's history and the replica's part; default `recover`. */
  readonly onReset?: ResetPolicy;
  readonly onFailed?: (error: SyncSessionError) => void;
};

export type FlexibleRealm = {
  readonly realm: ObjectRealm;
  readonly session: SyncSession;
  /** Ends the session and closes the realm; the client stays open. */
  close(): Promise<void>;
};

export function openFlexibleRealm(options: FlexibleRealmOptions): FlexibleRealm {
  const { client, replica, schema, initialSubscriptions, onFailed, ...rest } = options;
  const ended = new AbortController();
  const realm = new ObjectRealm({
    reader: replica,
    write: (instructions) => replica.write(instructions),
    schema,
    subscriptions: { replica, ended: ended.signal, now: Date.now },
  });
  if (initialSubscriptions !== undefined) {
    const { update, rerunOnOpen = false } = initialSubscriptions;
    const { subscriptions } = realm;
    if (rerunOnOpen || subscriptions.version === 0)
      subscriptions.updateNoWait((mutable) => update(mutable, realm));
  }
  const session = client.open(replica, {
    ...rest,
    onFailed: (error) => {
      ended.abort(error);
      onFailed?.(error);
    },
  });
  return {
    realm,
    session,
    close: async () => {
      ended.abort(new SyncClosedError('the flexible realm was closed'));
      await client.closeSession(session);
      realm.close();
    },
  };
}
