/**
 * Client reset (wire-protocol.md §8): the server's history and ours have no common future. A fresh copy of the realm is
 * downloaded beside the replica, which stays readable and writable meanwhile, and then takes its place in one commit.
 */
import type { Replica, ResetMode, ResetReport } from '../store/replica/contract.ts';

/** What the server says when it does not know the history that we have: it was set up anew, or from a backup. */
const HISTORY_LOST = new Set([208, 209, 211]);

/**
 * Whether resetting can help: a reset that is asked for before the last one was completed is a cycle (wire-protocol.md
 * §8). It ends there, and unsynced changes are kept, for somebody to look at.
 */
export class ResetHistory {
  /** Local version that the server has to take before the last reset counts as completed. */
  #awaited: number | undefined;

  get admits(): boolean {
    return this.#awaited === undefined;
  }

  begun(): void {
    this.#awaited = Number.POSITIVE_INFINITY;
  }

  /** The replica was reset; `version` is the newest recovered change. */
  done(version: number): void {
    this.#awaited = version;
  }

  /** The server has integrated local versions up to this one. */
  acknowledged(version: number): void {
    if (this.#awaited !== undefined && version >= this.#awaited) this.#awaited = undefined;
  }
}

export type ResetRequest = { readonly mode: ResetMode; readonly protocolCode: number };

/** Rejects, and leaves the replica as it was, when the fresh copy cannot be had. */
export async function resetReplica(
  replica: Replica,
  { mode, protocolCode }: ResetRequest,
  download: (fresh: Replica) => Promise<void>,
): Promise<ResetReport> {
  const fresh = replica.openFreshCopy();
  await download(fresh);
  return replica.resetTo(fresh, mode, { historyLost: HISTORY_LOST.has(protocolCode) });
}
