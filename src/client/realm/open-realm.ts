/** A synced realm in one call, for programs that are clients themselves. */
import type { Logger } from '../../log.ts';
import { silentLogger } from '../../log.ts';
import { openReplicaStore } from '../../store/replica/open-replica-store.ts';
import { SyncClient } from '../sync-client.ts';
import type { User } from '../user.ts';
import type { ObjectRealm } from './object-realm.ts';
import { type FlexibleRealmOptions, openFlexibleRealm } from './open-flexible-realm.ts';

export type OpenRealmOptions = Omit<FlexibleRealmOptions, 'client' | 'replica'> & {
  readonly user: User;
  /** Where the realm is kept on this machine; one program at a time can have it open. */
  readonly directory: string;
  readonly logger?: Logger;
};

export type OpenedRealm = {
  readonly realm: ObjectRealm;
  /** Resolves when the server has everything that was written until now. */
  uploaded(signal?: AbortSignal): Promise<void>;
  /** Resolves when everything is here that the server had at the time of the call. */
  downloaded(signal?: AbortSignal): Promise<void>;
  /** Ends syncing; what was not uploaded goes up after the next opening. */
  close(): Promise<void>;
};

/**
 * Opens the flexible realm of the user's server. It is there at once, with or without network: what is on this machine
 * can be read and written, and syncs in the background. What it holds is decided by `realm.subscriptions`.
 */
export function openRealm(options: OpenRealmOptions): OpenedRealm {
  const { user, directory, logger = silentLogger, ...rest } = options;
  const store = openReplicaStore(directory);
  try {
    const client = new SyncClient({ user, logger });
    const { realm, session, close } = openFlexibleRealm({
      ...rest,
      client,
      replica: store.flexibleReplica(),
    });
    return {
      realm,
      uploaded: (signal) => session.uploadCompletion(signal),
      downloaded: (signal) => session.downloadCompletion(signal),
      close: async () => {
        await close();
        await client.close();
        store.close();
      },
    };
  } catch (error) {
    store.close();
    throw error;
  }
}
