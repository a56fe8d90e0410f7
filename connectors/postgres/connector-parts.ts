/** Opens what a connector stands on: the dialect, the replica store, and the sync client logged in to the server. */
import { queueMergedTransactions } from '../../src/adapter/transaction-queueing.ts';
import { AuthenticationError } from '../../src/client/client-errors.ts';
import { AppClient } from '../../src/client/http/app-client.ts';
import { httpUrl, logIn, User } from '../../src/client/user.ts';
import { ClientSync } from '../../src/connector/client-sync.ts';
import type { SourceDialect } from '../../src/connector/dialect.ts';
import { ConnectorStoppedError } from '../../src/connector/errors.ts';
import type { ConnectorOptions } from '../../src/connector/options.ts';
import type { RealmSource } from '../../src/connector/realm-sync.ts';
import type { ReplicaStore, TransactionObserver } from '../../src/store/replica/contract.ts';
import { openReplicaStore } from '../../src/store/replica/open-replica-store.ts';
import type { PostgresConnectorOptions } from './options.ts';
import { createPostgresDialect } from './postgres-dialect.ts';

export type ConnectorParts = {
  readonly dialect: SourceDialect;
  readonly store: ReplicaStore;
  readonly sync: RealmSource;
  /** Closes the three in the order in which they stand on one another. */
  readonly close: () => Promise<void>;
};

/** `replicas` says where they are kept and what is queued of them; by default as the running connector does. */
export async function openConnectorParts(
  options: PostgresConnectorOptions,
  replicas: { readonly directory: string; readonly observer: TransactionObserver } = {
    directory: options.engine.localPath,
    observer: queueMergedTransactions,
  },
): Promise<ConnectorParts> {
  const user = await logInUser(options.engine);
  const store = openReplicaStore(replicas.directory, { observer: replicas.observer });
  const sync = new ClientSync({ user, store, logger: options.engine.logger });
  const dialect = createPostgresDialect(options);
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
