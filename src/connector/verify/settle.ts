/**
 * Looks at what differed again and again until it agrees or stands still: changes under way are no differences.
 *
 * A suspect is settled when row and object have been the same in every look for the given time, counted from when a
 * running adapter had passed on what there was (`adapter-backlog.ts`). After {@link PATIENCE} times that, one that has
 * changed since the look before, or that waits behind an adapter, is given up as changing.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { AdapterBacklog } from './adapter-backlog.ts';
import type { ClassCheck } from './class-check.ts';
import type { SuspectState, Suspects } from './suspects.ts';

const FIRST_PAUSE_MILLISECONDS = 100;
const LONGEST_PAUSE_MILLISECONDS = 2_000;
const PATIENCE = 12;
/** Of times that are given as 0: a change takes its time on an idle machine, too. */
const LEAST_PATIENCE_MILLISECONDS = 1_000;

export type SettleContext = {
  readonly checks: readonly ClassCheck[];
  readonly suspects: Suspects;
  /** Brings what is known of both sides up to date. */
  readonly refresh: () => Promise<void>;
  readonly backlog: AdapterBacklog;
  readonly settleMilliseconds: number;
  /** Hears how many are still to be settled. */
  readonly onLook: (open: number) => void;
  readonly signal: AbortSignal;
};

/** Afterwards what stood still is `settled`, what kept changing is `changing`, and what agreed is gone. */
export async function settle(context: SettleContext): Promise<void> {
  const { suspects, refresh, backlog, settleMilliseconds, onLook, signal } = context;
  const end = performance.now() + Math.max(LEAST_PATIENCE_MILLISECONDS, settleMilliseconds) * PATIENCE;
  const longestPause = Math.max(
    FIRST_PAUSE_MILLISECONDS,
    Math.min(LONGEST_PAUSE_MILLISECONDS, settleMilliseconds / 4),
  );
  let pause = FIRST_PAUSE_MILLISECONDS;
  for (;;) {
    const open = suspects.count('open');
    onLook(open);
    if (open === 0) return;
    await refresh();
    const look = await backlog.look(performance.now());
    const isPatient = performance.now() < end;
    for (const check of context.checks) await lookAgain(check, { number: look, isPatient }, context);
    if (suspects.count('open') === 0) continue;
    await sleep(Math.min(pause, longestPause), undefined, { signal });
    pause *= 2;
  }
}

type Look = { readonly number: number; readonly isPatient: boolean };

async function lookAgain(check: ClassCheck, look: Look, context: SettleContext): Promise<void> {
  const { suspects, signal } = context;
  const { className } = check.mapped;
  for (const page of suspects.pages(className, 'open')) {
    signal.throwIfAborted();
    const observations = await check.observe(page);
    suspects.together(() => {
      observations.forEach(({ differences, fingerprint }, index) => {
        const before = page[index];
        if (before === undefined) return;
        if (differences.length === 0) {
          suspects.remove(className, before.id);
          return;
        }
        const since = before.fingerprint === fingerprint ? before.since : look.number;
        const state = stateOf(since, look, context);
        suspects.seen(className, before.id, fingerprint, since, state);
      });
    });
  }
}

/** Of a suspect that has been the same since look `since`. */
function stateOf(
  since: number,
  { number, isPatient }: Look,
  { backlog, settleMilliseconds }: SettleContext,
): SuspectState {
  const passedOnAt = backlog.passedOnAt(since);
  const hasChanged = since === number;
  if (hasChanged || passedOnAt === undefined) return isPatient ? 'open' : 'changing';
  return performance.now() - passedOnAt >= settleMilliseconds ? 'settled' : 'open';
}
