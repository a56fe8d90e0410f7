/** Opens what a connector stands on: the dialect, the replica store, and the sync client logged in to the server. */
import { queueMergedTransactions } from '../../adapter/transaction-queueing.ts';
import { AuthenticationError } from '../../client/client-errors.ts';
import { AppClient } from '../../client/http/app-client.ts';
import { httpUrl, logIn, User } from '../../client/user.ts';
import type { ReplicaStore, TransactionObserver } from '../../store/replica/contract.ts';
import { openReplicaStore } from '../../store/replica/open-replica-store.ts';
import { ClientSync } from '../client-sync.ts';
import type { SourceDialect } from '../dialect.ts';
import { ConnectorStoppedError } from '../errors.ts';
import type { ConnectorOptions } from '../options.ts';
import type { RealmSource } from '../realm-sync.ts';
import type { ConfiguredConnector } from './configured-connector.ts';

export type ConnectorParts = {
  readonly dialect: SourceDialect;
  readonly store: ReplicaStore;
  readonly sync: RealmSource;
  /** Closes the three in the order in which they stand on one another. */
  readonly close: () => Promise<void>;
};

/** `replicas` says where they are kept and what is queued of them; by default as the running connector does. */
export async function openConnectorParts(
  { engine, createDialect }: ConfiguredConnector,
  replicas: { readonly directory: string; readonly observer: TransactionObserver } = {
    directory: engine.localPath,
    observer: queueMergedTransactions,
  },
): Promise<ConnectorParts> {
  const user = await logInUser(engine);
  const store = openReplicaStore(replicas.directory, { observer: replicas.observer });
  const sync = new ClientSync({ user, store, logger: engine.logger });
  const dialect = createDialect(engine);
  return {
    dialect,
    store,
    sync,
    close: async () => {
      await sync.close();
      await dialect.close();
      store.close();
    },
  };
}

/** Logs the user of `realmConfig` in. Throws `AuthenticationError` or `ServerUnreachableError`. */
export async function logInUser({ user, serverUrl, appId }: ConnectorOptions): Promise<User> {
  if (user.kind === 'password') {
    const { username, password } = user;
    const credentials = { provider: 'local-userpass', username, password } as const;
    try {
      return await logIn({ baseUrl: serverUrl, appId, credentials });
    } catch (error) {
      if (!(error instanceof AuthenticationError)) throw error;
      const { status, errorCode } = error;
      throw new AuthenticationError(
        `the object server at ${serverUrl} refuses user ${username}: ${error.message}`,
        {
          status,
          ...(errorCode === undefined ? {} : { errorCode }),
          remedy:
            'check realmConfig.user (or ISTHMUS_ADMIN_USER and ISTHMUS_ADMIN_PASSWORD); the user must exist on that server',
        },
      );
    }
  }
  const { id, accessToken, refreshToken } = user.user;
  if (accessToken === null || refreshToken === null) {
    throw new ConnectorStoppedError(`realmConfig.user ${id} is logged out`, {
      remedy: 'log the user in first',
    });
  }
  return new User(new AppClient(httpUrl(serverUrl), appId), { id, accessToken, refreshToken });
}
