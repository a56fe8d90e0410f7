/**
 * Looks at what differed again and again until it agrees or stands still: changes under way are no differences.
 *
 * A suspect is settled when row and object have been the same in every look for the given time, counted from when a
 * running adapter had passed on what there was (`adapter-backlog.ts`). One whose sides keep changing is given up as
 * changing after {@link PATIENCE} times that.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { AdapterBacklog } from './adapter-backlog.ts';
import type { ClassCheck } from './class-check.ts';
import type { Suspects } from './suspects.ts';

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

/** Afterwards what stood still is `settled`, what kept changing is still `open`, and what agreed is gone. */
export async function settle(context: SettleContext): Promise<void> {
  const { suspects, refresh, backlog, settleMilliseconds, onLook, signal } = context;
  const began = performance.now();
  const end = began + Math.max(LEAST_PATIENCE_MILLISECONDS, settleMilliseconds) * PATIENCE;
  let pause = FIRST_PAUSE_MILLISECONDS;
  for (;;) {
    const open = suspects.count('open');
    onLook(open);
    if (open === 0 || performance.now() > end) return;
    await refresh();
    const look = await backlog.look(performance.now());
    for (const check of context.checks) await lookAgain(check, look, context);
    if (suspects.count('open') === 0) continue;
    await sleep(Math.min(pause, Math.max(settleMilliseconds / 4, FIRST_PAUSE_MILLISECONDS)), undefined, {
      signal,
    });
    pause = Math.min(pause * 2, LONGEST_PAUSE_MILLISECONDS);
  }
}

async function lookAgain(check: ClassCheck, look: number, context: SettleContext): Promise<void> {
  const { suspects, backlog, settleMilliseconds, signal } = context;
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
        const since = before.fingerprint === fingerprint ? before.since : look;
        const passedOnAt = backlog.passedOnAt(since);
        const isSettled =
          since !== look && passedOnAt !== undefined && performance.now() - passedOnAt >= settleMilliseconds;
        suspects.seen(className, before.id, fingerprint, since, isSettled ? 'settled' : 'open');
      });
    });
  }
}
