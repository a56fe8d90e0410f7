/** What the engine needs of the sync client; `client-sync.ts` puts src/client behind it. */
import type { Replica } from '../store/replica/contract.ts';

export interface RealmSession {
  /** Resolves when everything local at the time of the call is on the server. */
  uploadCompletion(signal: AbortSignal): Promise<void>;
  /** Resolves when everything that the server had at the time of the call is in the replica. */
  downloadCompletion(signal: AbortSignal): Promise<void>;
  close(): Promise<void>;
}

export type RealmSyncOptions = {
  /** How many merged transactions of the realm wait to be applied; too many hold the server back. */
  readonly waiting: () => number;
  /** Takes a failure that concerns this realm alone; without it every failure is one of {@link RealmSync.failed}. */
  readonly onFailed?: (error: Error) => void;
};

export interface RealmSync {
  open(replica: Replica, options: RealmSyncOptions): RealmSession;
  /** Calls back once for every realm path known to the server now or later. */
  onRealm(listener: (path: string) => void): void;
  /** Rejects when a session fails in a way that reconnecting cannot mend. */
  readonly failed: Promise<never>;
  close(): Promise<void>;
}

/** A sync client that can also list what the server has. */
export interface RealmSource extends RealmSync {
  /** The paths of all realms that the server has now. */
  realmPaths(signal: AbortSignal): Promise<readonly string[]>;
}
