/**
 * Client reset (wire-protocol.md §8): the server's history and ours have no common future. A fresh copy of the realm is
 * downloaded beside the replica, which stays readable and writable meanwhile, and then takes its place in one commit.
 */
import type { Replica, ResetMode } from '../store/replica/contract.ts';

/**
 * Which reset is admissible after which: one that is asked for before the last one was completed is a cycle, so that
 * recovering is given up first, and then resetting altogether (wire-protocol.md §8).
 */
export class ResetHistory {
  /** The last reset, until a session has brought both directions up to date. */
  #unproven: ResetMode | undefined;

  /** The mode to reset with; undefined when it would not help. */
  admit(wanted: ResetMode): ResetMode | undefined {
    const mode = this.#unproven === undefined ? wanted : this.#unproven === 'recover' ? 'discard' : undefined;
    this.#unproven = mode ?? this.#unproven;
    return mode;
  }

  proven(): void {
    this.#unproven = undefined;
  }
}

/** Rejects, and leaves the replica as it was, when the fresh copy cannot be had. */
export async function resetReplica(
  replica: Replica,
  mode: ResetMode,
  download: (fresh: Replica) => Promise<void>,
): Promise<void> {
  const fresh = replica.openFreshCopy();
  await download(fresh);
  replica.resetTo(fresh, mode);
}
