/**
 * What a replica of flexible sync keeps beside its objects: the sets of subscriptions that its user has asked for, and
 * a bootstrap on its way into the objects (spec/server-history.md §9). A set goes through these states:
 *
 * | state           | entered by                                             | leaves to                              |
 * |-----------------|--------------------------------------------------------|----------------------------------------|
 * | `pending`       | `subscribe`; a bootstrap that was dropped              | bootstrapping, error                   |
 * | `bootstrapping` | the first batch of its bootstrap is stored             | awaitingMark, pending, error           |
 * | `awaitingMark`  | its bootstrap is applied: all older sets are gone      | complete, error                        |
 * | `complete`      | the server's MARK after that: it holds all there is    | –                                      |
 * | `error`         | the server refuses a query of it                       | –                                      |
 *
 * A set that is gone was superseded by a newer one.
 */
import type { DownloadBatch, UploadCursor } from '../server/contract.ts';
import type { Replica } from './contract.ts';

export type SubscriptionState = 'pending' | 'bootstrapping' | 'awaitingMark' | 'complete' | 'error';

export type Subscription = {
  /** An ObjectId in hexadecimal digits. */
  readonly id: string;
  readonly name: string | undefined;
  readonly table: string;
  readonly query: string;
  /** Milliseconds since 1970. */
  readonly createdAt: number;
  readonly updatedAt: number;
};

export type StoredSubscriptionSet = {
  /** Counts up from 0, the empty set that every replica begins with. */
  readonly version: number;
  readonly state: SubscriptionState;
  /** How far uploads go that were made before it: only after them is the server told of it. */
  readonly snapshot: UploadCursor;
  readonly subscriptions: readonly Subscription[];
  /** Why the server refused it. */
  readonly error: string | undefined;
};

export type BootstrapBatch = DownloadBatch & {
  readonly queryVersion: number;
  /** Nothing of this bootstrap comes after it; its progress is that of the whole. */
  readonly isLast: boolean;
};

/** What is stored of a bootstrap. An incomplete one is of no use after a disconnection. */
export type BootstrapStatus = 'none' | 'incomplete' | 'complete';

export interface FlexibleState {
  /** The newest set. */
  readonly latest: StoredSubscriptionSet;
  /** The set whose objects the replica holds: the newest that was bootstrapped, or else version 0. */
  readonly active: StoredSubscriptionSet;
  set(version: number): StoredSubscriptionSet | undefined;
  /** The oldest set after version `after` that the server has not brought yet. */
  nextPending(after: number): StoredSubscriptionSet | undefined;
  /** Commits a new set, which takes a version of the replica. */
  subscribe(subscriptions: readonly Subscription[]): StoredSubscriptionSet;

  readonly bootstrap: BootstrapStatus;
  /**
   * Keeps a batch until the bootstrap is complete; one of another query version is thrown away. Throws
   * `IntegrationError` when the set of that version cannot have a bootstrap.
   */
  storeBatch(batch: BootstrapBatch): void;
  /**
   * Applies the next piece of a complete bootstrap in one commit. Returns whether there is more; progress and state of
   * the set move with the last piece. Throws `IntegrationError`; the bootstrap should be dropped then.
   */
  applyBootstrap(): boolean;
  /** Forgets a stored bootstrap; its set is pending again. */
  dropBootstrap(): void;
  /** The server has sent everything that it had when it was asked after the last bootstrap. */
  caughtUp(): void;
  /** The server refuses the set. Throws `IntegrationError` for a set that it cannot refuse any more. */
  refuse(version: number, reason: string): void;
}

export type FlexibleReplica = Replica & { readonly flexible: FlexibleState };

export function isFlexible(replica: Replica): replica is FlexibleReplica {
  return replica.flexible !== undefined;
}
