/**
 * Makes one side what the other is, for what stood still and differed. Right before a change both sides are looked at
 * once more: what has changed since the report is left alone.
 */
import type { ClassCheck } from './class-check.ts';
import type { Observation } from './observation.ts';
import type { Suspects } from './suspects.ts';
import type { VerifiedRealms } from './verified-realms.ts';

export const REPAIR_DIRECTIONS = ['realm', 'sql'] as const;
/** Which side is changed: `realm` makes the objects what the rows are, `sql` the rows what the objects are. */
export type RepairDirection = (typeof REPAIR_DIRECTIONS)[number];

/** One direction of repairing. */
export interface Repairer {
  /**
   * Repairs what stands and differs in the observations of one class. Returns for each why it could not, or
   * `undefined`, in their order.
   */
  repair(check: ClassCheck, observations: readonly Observation[]): Promise<readonly (string | undefined)[]>;
}

export type NotRepaired = { readonly className: string; readonly key: string; readonly reason: string };

export type RepairContext = {
  /** Parents before children. */
  readonly checks: readonly ClassCheck[];
  readonly suspects: Suspects;
  readonly realms: VerifiedRealms;
  /** Brings what is known of both sides up to date. */
  readonly refresh: () => Promise<void>;
  readonly onNotRepaired: (failure: NotRepaired) => void;
  readonly signal: AbortSignal;
};

export type RepairReport = {
  readonly repaired: number;
  readonly notRepaired: number;
};

/** What waits for another that stands in its way (a row that refers to it) goes in a later round. */
const MOST_ROUNDS = 5;

export async function repairSettled(repairer: Repairer, context: RepairContext): Promise<RepairReport> {
  const { realms, suspects, refresh } = context;
  const before = suspects.count('settled');
  let left = before;
  for (let round = 0; round < MOST_ROUNDS && left > 0; round += 1) {
    await refresh();
    for (const check of context.checks) await repairClass(repairer, check, 'make', context);
    for (const check of [...context.checks].reverse()) await repairClass(repairer, check, 'erase', context);
    await realms.upload();
    await refresh();
    const now = await forgetRepaired(context);
    if (now === left) break;
    left = now;
  }
  tellLeft(context);
  return { repaired: before - left, notRepaired: left };
}

/** What refers to something is made after it and erased before it. */
type Phase = 'make' | 'erase';

function phaseOf({ differences }: Observation): Phase {
  return differences.every(({ kind }) => kind === 'rowWithoutObject') ? 'erase' : 'make';
}

async function repairClass(
  repairer: Repairer,
  check: ClassCheck,
  phase: Phase,
  { suspects, signal }: RepairContext,
): Promise<void> {
  const { className } = check.mapped;
  for (const page of suspects.pages(className, 'settled')) {
    signal.throwIfAborted();
    const observations = await check.observe(page);
    const wanted = observations.filter(
      (observation, index) =>
        phaseOf(observation) === phase && observation.fingerprint === page[index]?.fingerprint,
    );
    if (wanted.length === 0) continue;
    const reasons = await repairer.repair(check, wanted);
    suspects.together(() => {
      wanted.forEach(({ suspect }, index) => {
        suspects.failed(className, suspect.id, reasons[index]);
      });
    });
  }
}

/** Returns how many still differ. */
async function forgetRepaired({ checks, suspects, signal }: RepairContext): Promise<number> {
  for (const check of checks) {
    const { className } = check.mapped;
    for (const page of suspects.pages(className, 'settled')) {
      signal.throwIfAborted();
      const observations = await check.observe(page);
      suspects.together(() => {
        observations.forEach(({ suspect, differences, fingerprint }, index) => {
          const before = page[index];
          const stands = differences.some(({ state }) => state === 'standing');
          if (!stands) suspects.remove(className, suspect.id);
          else if (before !== undefined && before.fingerprint !== fingerprint) {
            suspects.failed(className, suspect.id, before.reason ?? STILL_DIFFERENT);
          }
        });
      });
    }
  }
  return suspects.count('settled');
}

const STILL_DIFFERENT =
  'it differs after the repair, too: it was changed meanwhile, or the other side makes something else of what it is given';

function tellLeft({ checks, suspects, onNotRepaired }: RepairContext): void {
  for (const { mapped } of checks) {
    for (const page of suspects.pages(mapped.className, 'settled')) {
      for (const { id, reason } of page) {
        onNotRepaired({ className: mapped.className, key: id.slice(1), reason: reason ?? STILL_DIFFERENT });
      }
    }
  }
}
