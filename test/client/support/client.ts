/** A client with a replica store of its own that closes when the test ends. */
import { onTestFinished } from 'vitest';
import type { Credentials } from '../../../src/client/http/app-client.ts';
import { SyncClient, type SyncClientOptions } from '../../../src/client/sync-client.ts';
import { logIn } from '../../../src/client/user.ts';
import { silentLogger } from '../../../src/log.ts';
import {
  openReplicaStore,
  type ReplicaStoreOptions,
  type SqliteReplicaStore,
} from '../../../src/store/replica/open-replica-store.ts';
import { temporaryDirectory } from '../../store/server/temporary-directory.ts';

/** Quick, so that a test of what comes after a failure need not wait for it. */
const BACK_OFF = { firstMilliseconds: 10, maxMilliseconds: 100 };

export type TestClient = { readonly client: SyncClient; readonly store: SqliteReplicaStore };

export async function connectClient(
  baseUrl: string,
  options: Partial<SyncClientOptions> & {
    directory?: string;
    credentials?: Credentials;
    store?: ReplicaStoreOptions;
  } = {},
): Promise<TestClient> {
  const {
    directory = temporaryDirectory(),
    credentials = { provider: 'anon-user' },
    store: storeOptions,
  } = options;
  const user = await logIn({ baseUrl, credentials });
  const store = openReplicaStore(directory, storeOptions);
  const client = new SyncClient({ user, logger: silentLogger, backOff: BACK_OFF, ...options });
  onTestFinished(async () => {
    await client.close();
    store.close();
  });
  return { client, store };
}
