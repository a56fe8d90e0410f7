/** The sync sessions of a connector's realms, and which realms there are: those in the replica store, and those that the server names. */
import { ADMIN_REALM_PATH } from '../adapter/realm-discovery.ts';
import { SchemaError } from '../schema/schema-error.ts';
import type { ReplicaStore } from '../store/replica/contract.ts';
import type { ConnectorOptions } from './options.ts';
import type { RealmSession, RealmSync } from './realm-sync.ts';
import type { RealmRegistry, SyncedRealm } from './realms.ts';

export type RealmSessionsOptions = {
  readonly options: Pick<ConnectorOptions, 'fixedRealmPath' | 'realmRegex' | 'logger'>;
  readonly store: ReplicaStore;
  readonly sync: RealmSync;
};

export class RealmSessions {
  readonly #options: RealmSessionsOptions;
  readonly #sessions = new Map<string, RealmSession>();
  #closing = false;

  constructor(options: RealmSessionsOptions) {
    this.#options = options;
  }

  /** Begins to sync a realm that was opened. */
  begin(realm: SyncedRealm): void {
    const { options, sync } = this.#options;
    this.#warnOfReset(realm);
    const session = sync.open(realm.replica, {
      waiting: () => realm.pending.length,
      ...(realm.path === options.fixedRealmPath
        ? {}
        : { onFailed: (error: Error) => this.leaveOut(realm.path, error) }),
    });
    this.#sessions.set(realm.path, session);
  }

  /** Opens what there is, and what comes. */
  openAll(realms: RealmRegistry): void {
    const { options, store, sync } = this.#options;
    if (options.fixedRealmPath !== undefined) realms.open(options.fixedRealmPath);
    const open = (path: string): void => {
      if (this.#closing || path === ADMIN_REALM_PATH || !options.realmRegex.test(path)) return;
      try {
        realms.open(path);
      } catch (error) {
        if (!(error instanceof SchemaError)) throw error;
        this.leaveOut(path, error);
      }
    };
    for (const path of store.paths()) open(path);
    sync.onRealm(open);
  }

  /** One of many realms: what somebody has made of it must not stop the others. */
  leaveOut(path: string, error: Error): void {
    this.#options.options.logger.error('A realm is not synced any more, the others are', {
      path,
      reason: error.message,
      remedy: 'mend the realm, the models or the rights, then start the connector again; nothing is lost',
    });
  }

  /** From now on no realm is opened any more. */
  end(): void {
    this.#closing = true;
  }

  async close(): Promise<void> {
    this.end();
    await Promise.all([...this.#sessions.values()].map((session) => session.close()));
  }

  /**
   * A client reset replaced the replica by the server's state. What that changed is queued for SQL, except erasures
   * (the server may have lost data): rows without object stay, and only a comparison tells them.
   */
  #warnOfReset({ path, replica }: SyncedRealm): void {
    const { options, store } = this.#options;
    const name = `generation:${path}`;
    const known = Number(store.mark(name) ?? 0);
    if (replica.generation === known) return;
    options.logger.warn(
      'The realm was reset to the state of the server. Run `isthmus load`, which compares tables and realm, to see that both agree',
      { path },
    );
    store.transaction(() => store.setMark(name, String(replica.generation)));
  }
}
