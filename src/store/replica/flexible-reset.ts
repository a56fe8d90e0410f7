/**
 * What a client reset makes of the subscription sets (spec/server-history.md §9.1, §8.8): the fresh copy holds the
 * objects of the active one; newer ones are asked for again, or forgotten when local changes are discarded.
 */
import type { ResetMode } from './contract.ts';
import type { StoredSubscriptionSet } from './flexible-contract.ts';
import type { SubscriptionTable } from './subscription-table.ts';

/** Finds for each set's snapshot the version that it has among the recovered changes. */
export class MovedSnapshots {
  readonly #waiting: number[];
  readonly #moved = new Map<number, number>();

  constructor(sets: readonly StoredSubscriptionSet[]) {
    this.#waiting = sets.map(({ snapshot }) => snapshot.clientVersion).sort((a, b) => a - b);
  }

  /** The old version `old` is made again next, after the new version `current`. */
  reached(old: number, current: number): void {
    for (let first = this.#waiting[0]; first !== undefined && first < old; first = this.#waiting[0]) {
      this.#moved.set(first, current);
      this.#waiting.shift();
    }
  }

  of(old: number, current: number): number {
    return this.#moved.get(old) ?? current;
  }
}

/** The sets of the generation that follows one with `sets`; `serverVersion` is where its fresh copy stands. */
export function setsAfterReset(
  sets: readonly StoredSubscriptionSet[],
  mode: ResetMode,
  snapshots: MovedSnapshots,
  at: { readonly version: number; readonly serverVersion: number },
): StoredSubscriptionSet[] {
  const isActive = ({ state }: StoredSubscriptionSet): boolean =>
    state === 'complete' || state === 'awaitingMark';
  const active = sets.findLast(isActive)?.version ?? 0;
  const kept = sets.filter(({ version }) => version === active || (version > active && mode === 'recover'));
  return kept.map((set) => {
    const clientVersion = snapshots.of(set.snapshot.clientVersion, at.version);
    const snapshot = { clientVersion, serverVersion: at.serverVersion };
    if (set.version === active) return { ...set, snapshot, state: 'complete' };
    return { ...set, snapshot, state: set.state === 'error' ? 'error' : 'pending' };
  });
}

/** Gives the sets of generation `old` as they are after the reset to generation `fresh`. */
export function moveSubscriptions(
  table: SubscriptionTable,
  old: number,
  fresh: number,
  sets: readonly StoredSubscriptionSet[],
): void {
  table.forgetAll(old);
  table.forgetAll(fresh);
  for (const set of sets) table.put(fresh, set);
}
