/** Waiting until the server has brought a set of subscriptions (server-history.md §9.1). */
import type { FlexibleReplica } from '../../store/replica/flexible-contract.ts';
import { SubscriptionError } from './subscription-error.ts';

export type SubscriptionSetState =
  | 'pending'
  | 'bootstrapping'
  | 'awaitingMark'
  | 'complete'
  | 'error'
  /** A newer set was brought before this one. */
  | 'superseded';

export function stateOfSet(replica: FlexibleReplica, version: number): SubscriptionSetState {
  return replica.flexible.set(version)?.state ?? 'superseded';
}

/**
 * Resolves when the replica holds everything of the set, or of a newer one. Rejects with `SubscriptionError` when the
 * server refuses the set, and with the signal's reason when that aborts first.
 */
export async function synchronised(
  replica: FlexibleReplica,
  version: number,
  signal?: AbortSignal,
): Promise<void> {
  signal?.throwIfAborted();
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const look = (): void => {
    const state = stateOfSet(replica, version);
    if (state === 'complete' || state === 'superseded') resolve();
    else if (state === 'error')
      reject(new SubscriptionError(version, replica.flexible.set(version)?.error ?? 'no reason was given'));
  };
  const aborted = (): void => reject(signal?.reason);
  const stop = replica.onCommit(({ subscriptions }) => {
    if (subscriptions === true) look();
  });
  signal?.addEventListener('abort', aborted, { once: true });
  try {
    look();
    await promise;
  } finally {
    stop();
    signal?.removeEventListener('abort', aborted);
  }
}
