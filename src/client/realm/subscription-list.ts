/** The subscriptions of a set as a program sees them. */
import { ObjectId } from 'bson';
import type { Subscription } from '../../store/replica/flexible-contract.ts';
import type { RealmResults } from './results.ts';

export type RealmSubscription = {
  readonly id: ObjectId;
  readonly name: string | null;
  readonly objectType: string;
  readonly queryString: string;
  readonly createdAt: Date;
  readonly updatedAt: Date;
};

export abstract class SubscriptionList implements Iterable<RealmSubscription> {
  protected abstract stored(): readonly Subscription[];

  get length(): number {
    return this.stored().length;
  }

  get isEmpty(): boolean {
    return this.length === 0;
  }

  at(index: number): RealmSubscription | undefined {
    const subscription = this.stored().at(index);
    return subscription && shown(subscription);
  }

  [Symbol.iterator](): IterableIterator<RealmSubscription> {
    return this.stored().map(shown).values();
  }

  findByName(name: string): RealmSubscription | null {
    const found = this.stored().find((subscription) => subscription.name === name);
    return found === undefined ? null : shown(found);
  }

  /** A subscription, named or not, for the query of these results. */
  findByQuery(
    results: Pick<RealmResults<unknown>, 'className' | 'subscriptionQuery'>,
  ): RealmSubscription | null {
    const query = results.subscriptionQuery();
    const found = this.stored().find(
      (subscription) => subscription.table === results.className && subscription.query === query,
    );
    return found === undefined ? null : shown(found);
  }

  exists(results: Pick<RealmResults<unknown>, 'className' | 'subscriptionQuery'>): boolean {
    return this.findByQuery(results) !== null;
  }
}

export function shown(subscription: Subscription): RealmSubscription {
  const { id, name, table, query, createdAt, updatedAt } = subscription;
  return {
    id: ObjectId.createFromHexString(id),
    name: name ?? null,
    objectType: table,
    queryString: query,
    createdAt: new Date(createdAt),
    updatedAt: new Date(updatedAt),
  };
}
