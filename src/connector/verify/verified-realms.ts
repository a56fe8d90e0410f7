/**
 * The realms as clients see them: replicas of verify's own, fresh from the object server, kept up to date while it
 * runs. Nothing is written to them but by a repair.
 */
import { ADMIN_REALM_PATH } from '../../adapter/realm-discovery.ts';
import { schemaInstructions } from '../../changeset/schema-difference.ts';
import type { Logger } from '../../log.ts';
import type { RealmSchema } from '../../schema/definition.ts';
import type { Replica, ReplicaStore, TransactionObserver } from '../../store/replica/contract.ts';
import type { ConnectorOptions } from '../options.ts';
import type { RealmSession, RealmSource } from '../realm-sync.ts';

/** Queues what tells of realms, and nothing of the realms themselves, which nobody would take from the queue. */
export function discoveryOnly(observer: TransactionObserver): TransactionObserver {
  return (instructions, state) =>
    state.path === ADMIN_REALM_PATH ? observer(instructions, state) : undefined;
}

export type VerifiedRealm = {
  readonly path: string;
  readonly replica: Replica;
};

type OpenRealm = VerifiedRealm & { readonly session: RealmSession };

export type VerifiedRealmsContext = {
  readonly store: ReplicaStore;
  readonly sync: RealmSource;
  readonly options: ConnectorOptions;
  readonly logger: Logger;
  readonly signal: AbortSignal;
};

export class VerifiedRealms {
  readonly #context: VerifiedRealmsContext;
  readonly #realms = new Map<string, OpenRealm>();
  /** Realms that are not compared, with the reason. */
  readonly leftOut = new Map<string, string>();

  private constructor(context: VerifiedRealmsContext) {
    this.#context = context;
  }

  /** Opens all realms of the configuration that the server has, and waits until the replicas hold what it holds. */
  static async open(context: VerifiedRealmsContext): Promise<VerifiedRealms> {
    const { options, sync, signal } = context;
    const realms = new VerifiedRealms(context);
    try {
      if (options.fixedRealmPath !== undefined) realms.#open(options.fixedRealmPath);
      else {
        for (const path of await realms.#orFailed(sync.realmPaths(signal))) {
          if (path !== ADMIN_REALM_PATH && options.realmRegex.test(path)) realms.#open(path);
        }
      }
      await realms.refresh();
      return realms;
    } catch (error) {
      await realms.close();
      throw error;
    }
  }

  /** Waits until the replicas hold what the server holds now. */
  async refresh(): Promise<void> {
    await this.#each((session) => session.downloadCompletion(this.#context.signal));
  }

  /** Waits until the server holds what a repair has written. */
  async upload(): Promise<void> {
    await this.#each((session) => session.uploadCompletion(this.#context.signal));
  }

  get(path: string): VerifiedRealm | undefined {
    return this.leftOut.has(path) ? undefined : this.#realms.get(path);
  }

  all(): VerifiedRealm[] {
    return [...this.#realms.values()].filter(({ path }) => !this.leftOut.has(path));
  }

  /** A realm to be repaired: opened when the server does not have it yet, with the classes of the models. */
  prepared(path: string, schema: RealmSchema): VerifiedRealm {
    const realm = this.#open(path);
    const missing = schemaInstructions(realm.replica.schema, schema);
    if (missing.length > 0) realm.replica.write(missing);
    return realm;
  }

  async close(): Promise<void> {
    await Promise.all([...this.#realms.values()].map(({ session }) => session.close()));
    this.#realms.clear();
  }

  #open(path: string): OpenRealm {
    const known = this.#realms.get(path);
    if (known !== undefined) return known;
    const { store, sync, options } = this.#context;
    const redirected = options.tableOfRealm?.(path).tableName;
    if (redirected !== undefined) this.#leaveOut(path, `its changes go to the table ${redirected}`);
    const replica = store.replica(path);
    const session = sync.open(replica, {
      waiting: () => 0,
      ...(path === options.fixedRealmPath
        ? {}
        : { onFailed: (error: Error) => this.#leaveOut(path, error.message) }),
    });
    const realm = { path, replica, session };
    this.#realms.set(path, realm);
    return realm;
  }

  #leaveOut(path: string, reason: string): void {
    this.leftOut.set(path, reason);
    this.#context.logger.warn('A realm is not compared', { path, reason });
  }

  async #each(wait: (session: RealmSession) => Promise<void>): Promise<void> {
    const waits = [...this.#realms.values()]
      .filter(({ path }) => !this.leftOut.has(path))
      .map(async ({ path, session }) => {
        try {
          await wait(session);
        } catch (error) {
          // A session that failed was left out already, and its waiters are told the same.
          if (!this.leftOut.has(path)) throw error;
        }
      });
    await this.#orFailed(Promise.all(waits));
  }

  #orFailed<T>(work: Promise<T>): Promise<T> {
    return Promise.race([work, this.#context.sync.failed]);
  }
}
