/**
 * Learns which realms the server has by syncing the system realm `/__admin`, where it lists them as `RealmFile`
 * objects whose key is the path.
 */
import type { SyncClient } from '../client/sync-client.ts';
import type { SyncSession } from '../client/sync-session.ts';
import type { PrimaryKey } from '../schema/value.ts';
import type { Replica, ReplicaStore } from '../store/replica/contract.ts';
import { decodeMerged } from './cook.ts';

export const ADMIN_REALM_PATH = '/__admin';
export const REALM_FILE_CLASS = 'RealmFile';

const QUEUE_PAGE = 256;

export class RealmDiscovery {
  readonly #client: SyncClient;
  readonly #replica: Replica;
  readonly #session: SyncSession;
  readonly #known = new Set<string>();
  readonly #listeners: ((path: string) => void)[] = [];
  readonly #stopListening: () => void;

  /** The store must queue merged transactions ({@link queueMergedTransactions}). */
  constructor(client: SyncClient, store: ReplicaStore, onFailed: (error: Error) => void) {
    this.#client = client;
    this.#replica = store.replica(ADMIN_REALM_PATH);
    for (const { key } of this.#replica.objects(REALM_FILE_CLASS)) this.#add(key);
    this.#stopListening = this.#replica.onCommit(({ queued }) => {
      if (queued) this.#drainQueue();
    });
    this.#drainQueue();
    this.#session = client.open(this.#replica, { onFailed });
  }

  /** Calls back for every realm, those known already at once. */
  onRealm(listener: (path: string) => void): void {
    this.#listeners.push(listener);
    for (const path of this.#known) listener(path);
  }

  /** Resolves when all realms that the server lists now are known. */
  async complete(signal?: AbortSignal): Promise<void> {
    await this.#session.downloadCompletion(signal);
  }

  async close(): Promise<void> {
    this.#stopListening();
    await this.#client.closeSession(this.#session);
  }

  #drainQueue(): void {
    for (;;) {
      const page = this.#replica.queued(0, QUEUE_PAGE);
      const last = page.at(-1);
      if (last === undefined) return;
      for (const { payload } of page) {
        for (const instruction of decodeMerged(payload)) {
          if (instruction.type === 'INSERT' && instruction.table === REALM_FILE_CLASS)
            this.#add(instruction.key);
        }
      }
      this.#replica.dropQueued(last.sequence);
    }
  }

  #add(key: PrimaryKey): void {
    if (key.type !== 'string' || this.#known.has(key.value)) return;
    this.#known.add(key.value);
    for (const listener of this.#listeners) listener(key.value);
  }
}
