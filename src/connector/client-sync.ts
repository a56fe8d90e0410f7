/** The sync client as the engine uses it: sessions for replicas, and the realms that the server knows. */
import { setTimeout as sleep } from 'node:timers/promises';
import { RealmDiscovery } from '../adapter/realm-discovery.ts';
import type { BackOffOptions } from '../client/back-off.ts';
import type { SyncSessionError } from '../client/client-errors.ts';
import { SyncClient } from '../client/sync-client.ts';
import type { User } from '../client/user.ts';
import { IsthmusError } from '../errors.ts';
import type { Logger } from '../log.ts';
import type { Replica, ReplicaStore } from '../store/replica/contract.ts';
import { ConnectorStoppedError } from './errors.ts';
import type { RealmSession, RealmSource, RealmSyncOptions } from './realm-sync.ts';

/** A connector is one process among few: it may come back sooner than thousands of phones. */
const BACK_OFF: BackOffOptions = { firstMilliseconds: 250, maxMilliseconds: 10_000 };
/** Merged transactions waiting for SQL; above it no more is taken from the server. */
const MAX_QUEUED_TRANSACTIONS = 20_000;
/** Below it stand errors of the connection (spec/wire-protocol.md §7.1). */
const FIRST_SESSION_ERROR = 200;
const QUEUE_CHECK_MILLISECONDS = 50;

export type ClientSyncOptions = {
  readonly user: User;
  readonly store: ReplicaStore;
  readonly logger: Logger;
};

export class ClientSync implements RealmSource {
  readonly failed: Promise<never>;
  readonly #options: ClientSyncOptions;
  readonly #client: SyncClient;
  readonly #abort = new AbortController();
  #discovery: RealmDiscovery | undefined;
  #fail: (error: Error) => void = () => {};

  constructor(options: ClientSyncOptions) {
    this.#options = options;
    this.#client = new SyncClient({ user: options.user, logger: options.logger, backOff: BACK_OFF });
    this.failed = new Promise((_resolve, reject) => {
      this.#fail = (error) => {
        const remedy = 'see the object server’s log; after it is mended, start the connector again';
        reject(new ConnectorStoppedError(error.message, { remedy, cause: error }));
      };
    });
    this.failed.catch(() => {}); // the engine awaits it; a failure before that must not take the process down
  }

  open(replica: Replica, { waiting, onFailed }: RealmSyncOptions): RealmSession {
    const session = this.#client.open(replica, {
      onFailed: (error) => {
        if (onFailed !== undefined && concernsRealmAlone(error)) onFailed(error);
        else this.#fail(error);
      },
      beforeIntegrate: () => (waiting() < MAX_QUEUED_TRANSACTIONS ? undefined : this.#waitForRoom(waiting)),
    });
    return {
      uploadCompletion: (signal) => session.uploadCompletion(signal),
      downloadCompletion: (signal) => session.downloadCompletion(signal),
      close: () => this.#client.closeSession(session),
    };
  }

  onRealm(listener: (path: string) => void): void {
    this.#discover().onRealm(listener);
  }

  async realmPaths(signal: AbortSignal): Promise<readonly string[]> {
    const discovery = this.#discover();
    await discovery.complete(signal);
    const paths: string[] = [];
    discovery.onRealm((path) => paths.push(path));
    return [...paths];
  }

  #discover(): RealmDiscovery {
    const { store } = this.#options;
    this.#discovery ??= new RealmDiscovery(this.#client, store, (error) => this.#fail(error));
    return this.#discovery;
  }

  async close(): Promise<void> {
    this.#abort.abort();
    await this.#discovery?.close();
    await this.#client.close();
  }

  async #waitForRoom(waiting: () => number): Promise<void> {
    const { signal } = this.#abort;
    while (!signal.aborted && waiting() >= MAX_QUEUED_TRANSACTIONS) {
      await sleep(QUEUE_CHECK_MILLISECONDS, undefined, { signal }).catch(() => {});
    }
  }
}

/** Errors of the protocol that are about a session, such as a schema that does not fit, and not of our own disk. */
function concernsRealmAlone({ protocolCode = 0, cause }: SyncSessionError): boolean {
  const ours = cause !== undefined && (!(cause instanceof IsthmusError) || cause.code === 'store');
  return protocolCode >= FIRST_SESSION_ERROR && !ours;
}
