/** A set of subscriptions while `update` runs (server-history.md §9.1: uniqueness and removal). */
import { ObjectId } from 'bson';
import type { Subscription } from '../../store/replica/flexible-contract.ts';
import type { RealmCore } from './realm-core.ts';
import { RealmUsageError } from './realm-error.ts';
import type { RealmResults } from './results.ts';
import { type RealmSubscription, SubscriptionList, shown } from './subscription-list.ts';

type Subscribable = Pick<RealmResults<unknown>, 'className' | 'subscriptionQuery' | 'belongsTo'>;

export type AddOptions = {
  readonly name?: string | undefined;
  /** Whether a subscription of this name may get another query; default true. */
  readonly updateExisting?: boolean;
  /** The same as `updateExisting: false`. */
  readonly throwOnUpdate?: boolean;
};

export class MutableSubscriptionSet extends SubscriptionList {
  readonly #core: RealmCore;
  readonly #now: () => number;
  readonly #subscriptions: Subscription[];

  constructor(core: RealmCore, subscriptions: readonly Subscription[], now: () => number) {
    super();
    this.#core = core;
    this.#now = now;
    this.#subscriptions = [...subscriptions];
  }

  protected override stored(): readonly Subscription[] {
    return this.#subscriptions;
  }

  /** What was made of the set. */
  committed(): readonly Subscription[] {
    return [...this.#subscriptions];
  }

  /** Subscribes to the objects of a query; one that is there already, by name or by query, is renewed. */
  add(results: Subscribable, options: AddOptions = {}): RealmSubscription {
    const { name, updateExisting = true, throwOnUpdate = !updateExisting } = options;
    if (!results.belongsTo(this.#core))
      throw new RealmUsageError('only objects of this realm can be subscribed to in it');
    const { className: table } = results;
    const query = results.subscriptionQuery();
    const index = this.#subscriptions.findIndex((known) =>
      name === undefined
        ? known.name === undefined && known.table === table && known.query === query
        : known.name === name,
    );
    const known = this.#subscriptions[index];
    if (known !== undefined && throwOnUpdate && (known.table !== table || known.query !== query)) {
      throw new RealmUsageError(`the subscription '${name}' exists with another query`, {
        remedy: 'remove it first, or let it be updated',
      });
    }
    const updatedAt = this.#now();
    const { id = new ObjectId().toHexString(), createdAt = updatedAt } = known ?? {};
    const subscription = { id, name, table, query, createdAt, updatedAt };
    this.#subscriptions[known === undefined ? this.#subscriptions.length : index] = subscription;
    return shown(subscription);
  }

  /** Removes the subscriptions to this query. Returns whether there was one. */
  remove(results: Subscribable): boolean {
    const query = results.subscriptionQuery();
    return this.#removeWhere((known) => known.table === results.className && known.query === query) > 0;
  }

  removeByName(name: string): boolean {
    return this.#removeWhere((known) => known.name === name) > 0;
  }

  removeSubscription(subscription: RealmSubscription): boolean {
    const id = subscription.id.toHexString();
    return this.#removeWhere((known) => known.id === id) > 0;
  }

  removeByObjectType(objectType: string): number {
    return this.#removeWhere((known) => known.table === objectType);
  }

  removeUnnamed(): number {
    return this.#removeWhere((known) => known.name === undefined);
  }

  removeAll(): number {
    return this.#removeWhere(() => true);
  }

  #removeWhere(concerns: (known: Subscription) => boolean): number {
    let removed = 0;
    for (let index = 0; index < this.#subscriptions.length; ) {
      const known = this.#subscriptions[index];
      if (known === undefined || !concerns(known)) {
        index += 1;
        continue;
      }
      // The last one takes its place.
      const last = this.#subscriptions.pop();
      if (last !== undefined && index < this.#subscriptions.length) this.#subscriptions[index] = last;
      removed += 1;
    }
    return removed;
  }
}
