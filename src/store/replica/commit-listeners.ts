/** Who wants to hear of a replica's commits, and what the open transaction will have to say. */

export type CommitChange = {
  readonly local: boolean;
  readonly queued: boolean;
  /** The sets of flexible sync. */
  readonly subscriptions?: true | undefined;
};

const NOTHING: CommitChange = { local: false, queued: false };

export class CommitListeners {
  readonly #listeners = new Set<(change: CommitChange) => void>();
  /** Of parts of the transaction that succeeded. */
  #settled = NOTHING;
  /** Of the part that is running. */
  #unsettled = NOTHING;

  add(listener: (change: CommitChange) => void): () => void {
    // A function of its own, so that one listener can be added twice and removed once.
    const call = (change: CommitChange): void => listener(change);
    this.#listeners.add(call);
    return () => {
      this.#listeners.delete(call);
    };
  }

  note(change: CommitChange): void {
    this.#unsettled = both(this.#unsettled, change);
  }

  settle(): void {
    this.#settled = both(this.#settled, this.#unsettled);
    this.#unsettled = NOTHING;
  }

  forgetUnsettled(): void {
    this.#unsettled = NOTHING;
  }

  forget(): void {
    this.#settled = NOTHING;
    this.#unsettled = NOTHING;
  }

  /** The transaction is durable. A listener that throws neither undoes that nor keeps it from the others. */
  tell(): void {
    this.settle();
    const change = this.#settled;
    this.#settled = NOTHING;
    if (!change.local && !change.queued && change.subscriptions !== true) return;
    for (const listener of [...this.#listeners]) {
      try {
        listener(change);
      } catch (error) {
        queueMicrotask(() => {
          throw error;
        });
      }
    }
  }
}

function both(a: CommitChange, b: CommitChange): CommitChange {
  return {
    local: a.local || b.local,
    queued: a.queued || b.queued,
    subscriptions: a.subscriptions ?? b.subscriptions,
  };
}
