/** `realm.subscriptions` of a realm of flexible sync: what its user wants to have of the server's objects. */

import type {
  FlexibleReplica,
  StoredSubscriptionSet,
  Subscription,
} from '../../store/replica/flexible-contract.ts';
import { type SubscriptionSetState, stateOfSet, synchronised } from '../flexible/set-waits.ts';
import { MutableSubscriptionSet } from './mutable-subscription-set.ts';
import type { RealmCore } from './realm-core.ts';
import type { RealmResults } from './results.ts';
import { SubscriptionList } from './subscription-list.ts';

/** `first-time`: when the subscription is new; `always`: whatever is waited for still; `never`. */
export type SubscribeBehavior = 'first-time' | 'always' | 'never';

export type SubscribeOptions = {
  readonly name?: string;
  /** Whether to wait for the objects; default `first-time`. */
  readonly behavior?: SubscribeBehavior;
  /** Milliseconds after which it goes on without them. */
  readonly timeout?: number;
};

export type SubscriptionChange = (subscriptions: MutableSubscriptionSet) => void;

/** What the handle of a flexible realm gives its object API. */
export type SubscriptionAccess = {
  readonly replica: FlexibleReplica;
  /** Aborts when nothing can be synchronised any more. */
  readonly ended: AbortSignal;
  /** Milliseconds since 1970. */
  readonly now: () => number;
};

export class RealmSubscriptions {
  readonly #core: RealmCore;
  readonly #access: SubscriptionAccess;

  constructor(core: RealmCore, access: SubscriptionAccess) {
    this.#core = core;
    this.#access = access;
  }

  latest(): SubscriptionSet {
    return new SubscriptionSet(this, this.#access.replica.flexible.latest);
  }

  /** The classes that may be written to: those with a subscription. */
  classes(): ReadonlySet<string> {
    return new Set(this.#access.replica.flexible.latest.subscriptions.map(({ table }) => table));
  }

  state(version: number): SubscriptionSetState {
    return stateOfSet(this.#access.replica, version);
  }

  error(version: number): string | undefined {
    return this.#access.replica.flexible.set(version)?.error;
  }

  /** Commits a new set, whatever `change` makes of the latest. */
  update(change: SubscriptionChange): StoredSubscriptionSet {
    this.#core.checkOpen();
    const { replica, now } = this.#access;
    const { subscriptions } = replica.flexible.latest;
    const mutable = new MutableSubscriptionSet(this.#core, subscriptions, now);
    change(mutable);
    return replica.flexible.subscribe(mutable.committed());
  }

  async synchronised(version: number, signal?: AbortSignal): Promise<void> {
    const { replica, ended } = this.#access;
    await synchronised(replica, version, signal === undefined ? ended : AbortSignal.any([ended, signal]));
  }

  async subscribe(results: RealmResults<unknown>, options: SubscribeOptions): Promise<void> {
    const { name, behavior = 'first-time', timeout } = options;
    let { version } = this.#access.replica.flexible.latest;
    const isNew = !this.#has(results, name);
    if (isNew) ({ version } = this.update((subscriptions) => subscriptions.add(results, { name })));
    if (behavior === 'never' || (behavior === 'first-time' && !isNew)) return;
    const limit = timeout === undefined ? undefined : AbortSignal.timeout(timeout);
    try {
      await this.synchronised(version, limit);
    } catch (error) {
      if (limit?.aborted !== true || error !== limit.reason) throw error;
    }
  }

  unsubscribe(results: RealmResults<unknown>, name: string | undefined): void {
    const { subscriptions } = this.#access.replica.flexible.latest;
    const query = results.subscriptionQuery();
    const isMeant = (known: Subscription): boolean =>
      name === undefined ? known.table === results.className && known.query === query : known.name === name;
    if (!subscriptions.some(isMeant)) return;
    this.update((mutable) => (name === undefined ? mutable.remove(results) : mutable.removeByName(name)));
  }

  #has(results: RealmResults<unknown>, name: string | undefined): boolean {
    const query = results.subscriptionQuery();
    return this.#access.replica.flexible.latest.subscriptions.some(
      (known) => known.name === name && known.table === results.className && known.query === query,
    );
  }
}

/** One set: the latest when it was asked for, or the one that `update` made of it. */
export class SubscriptionSet extends SubscriptionList {
  readonly #subscriptions: RealmSubscriptions;
  #set: StoredSubscriptionSet;

  constructor(subscriptions: RealmSubscriptions, set: StoredSubscriptionSet) {
    super();
    this.#subscriptions = subscriptions;
    this.#set = set;
  }

  protected override stored(): readonly Subscription[] {
    return this.#set.subscriptions;
  }

  get version(): number {
    return this.#set.version;
  }

  /** As it is now. */
  get state(): SubscriptionSetState {
    return this.#subscriptions.state(this.version);
  }

  /** Why the server refuses the set, if it does. */
  get error(): string | null {
    return this.#subscriptions.error(this.version) ?? null;
  }

  /**
   * Changes the subscriptions, and waits until the objects of the new set are here. This object is the new set from then
   * on. Rejects with `SubscriptionError` when the server refuses it.
   */
  async update(change: SubscriptionChange): Promise<void> {
    this.updateNoWait(change);
    await this.waitForSynchronization();
  }

  /** As {@link update}, without waiting. */
  updateNoWait(change: SubscriptionChange): void {
    this.#set = this.#subscriptions.update(change);
  }

  /** Resolves when the objects of this set, or of a newer one, are here. */
  async waitForSynchronization(signal?: AbortSignal): Promise<void> {
    await this.#subscriptions.synchronised(this.version, signal);
  }
}
