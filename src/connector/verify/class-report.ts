/** What a verification says of one class: the last look at its suspects, and the numbers. */
import type { ClassCheck } from './class-check.ts';
import type { Difference, DifferenceKind, DifferenceState } from './difference.ts';
import type { FirstPassCounts } from './first-pass.ts';
import type { Observation } from './observation.ts';
import type { SeenSuspect, SuspectState, Suspects } from './suspects.ts';

export type ClassCounts = FirstPassCounts & { readonly seconds: number };

export type DifferenceCounts = Readonly<Record<DifferenceKind, Readonly<Record<DifferenceState, number>>>>;

export type ClassReport = {
  readonly className: string;
  readonly table: string;
  readonly rows: number;
  /** Rows that belong to no realm that was compared. */
  readonly rowsOutside: number;
  readonly objects: number;
  /** Rows that agree with their object. */
  readonly equal: number;
  readonly differences: DifferenceCounts;
  /** Properties that have no place in the database. */
  readonly notCompared: readonly string[];
  readonly seconds: number;
};

export type FoundDifferences = {
  readonly differences: DifferenceCounts;
  /** Rows that do not agree with their object, whatever the reason. */
  readonly rowsApart: number;
};

/** Looks at what is left once more, tells it, and sorts the suspects into `settled`, `explained` and `changing`. */
export async function lookForReport(
  check: ClassCheck,
  suspects: Suspects,
  signal: AbortSignal,
  onDifference: ((difference: Difference) => void) | undefined,
): Promise<FoundDifferences> {
  const { className } = check.mapped;
  const counts = noDifferences();
  let rowsApart = 0;
  // In this order: what was settled may turn out to be changing, and must not be looked at twice.
  for (const state of ['changing', 'settled'] as const) {
    for (const page of suspects.pages(className, state)) {
      signal.throwIfAborted();
      const observations = await check.observe(page);
      suspects.together(() => {
        for (const [index, observation] of observations.entries()) {
          const seen = page[index];
          if (seen === undefined) continue;
          const differences = judged(observation, seen, state);
          for (const difference of differences) {
            counts[difference.kind][difference.state] += 1;
            onDifference?.(difference);
          }
          if (differences.some(({ kind }) => kind === 'different' || kind === 'rowWithoutObject'))
            rowsApart += 1;
          if (differences.length === 0) suspects.remove(className, seen.id);
          else suspects.seen(className, seen.id, observation.fingerprint, seen.since, stateOf(differences));
        }
      });
    }
  }
  return { differences: counts, rowsApart };
}

/** What still moves is no difference that one could rely on. */
function judged(
  { differences, fingerprint }: Observation,
  seen: SeenSuspect,
  state: SuspectState,
): readonly Difference[] {
  const stoodStill = state === 'settled' && fingerprint === seen.fingerprint;
  if (stoodStill) return differences;
  return differences.map((difference) =>
    difference.state === 'standing' ? { ...difference, state: 'changing' } : difference,
  );
}

function stateOf(differences: readonly Difference[]): SuspectState {
  if (differences.some(({ state }) => state === 'standing')) return 'settled';
  return differences.some(({ state }) => state === 'changing') ? 'changing' : 'explained';
}

export function classReport(
  { mapped, table }: ClassCheck,
  { rows, rowsOutside, objects, seconds }: ClassCounts,
  { differences, rowsApart }: FoundDifferences,
  notCompared: readonly string[],
): ClassReport {
  // Rows may have been added since they were counted.
  const equal = Math.max(0, rows - rowsOutside - rowsApart);
  const { className } = mapped;
  return { className, table, rows, rowsOutside, objects, equal, differences, notCompared, seconds };
}

function noDifferences(): Record<DifferenceKind, Record<DifferenceState, number>> {
  const none = (): Record<DifferenceState, number> => ({ standing: 0, explained: 0, changing: 0 });
  return { different: none(), rowWithoutObject: none(), objectWithoutRow: none(), wrongRealm: none() };
}
