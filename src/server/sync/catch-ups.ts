/**
 * Finds out what happened in a view since long ago, when that is so much that all others would have to wait for it: from
 * a held snapshot, in slices between which everything else has its turn. A few at a time, each for all sessions that have
 * the same view and are at the same version.
 */
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { ServerRealm } from '../../store/server/contract.ts';
import { COLLAPSED_FROM, type SharedDelta, sharedDeltaSteps } from '../flexible/delta.ts';
import type { Steps } from '../flexible/steps.ts';
import type { View } from '../flexible/view.ts';

/** About two milliseconds of work. */
const STEPS_TOGETHER = 100;

/** Snapshots being read at a time: with several, a short absence need not wait for the end of a long one. */
const AT_WORK = 4;

/** A session that waits. */
type Waiter = {
  readonly began: (version: number) => void;
  /** Finds out what this client alone needs. */
  readonly run: (delta: SharedDelta) => Promise<void>;
  readonly failed: (error: unknown) => void;
  readonly isGone: () => boolean;
};

type Job = {
  readonly key: string;
  readonly view: View;
  readonly after: number;
  readonly waiting: Waiter[];
};

export type CatchUpOptions<T> = {
  readonly view: View;
  /** The version that the client is at. */
  readonly after: number;
  /**
   * The snapshot is taken in this step: nothing has happened after that version. What the client writes from now on may
   * not fit what it will be sent.
   */
  readonly began: (version: number) => void;
  /** What one client needs; called while the snapshot is held. */
  readonly forClient: (delta: SharedDelta) => Steps<T>;
  /** The session is over: nobody waits for it any more. */
  readonly isGone: () => boolean;
};

export class CatchUps {
  readonly #realm: ServerRealm;
  readonly #collapsedFrom: number;
  readonly #stepsTogether: number;
  /** By view and version, those in the line, which others may join. */
  readonly #jobs = new Map<string, Job>();
  readonly #line: Job[] = [];
  readonly #working = new Set<Promise<void>>();

  /** Beyond `collapsedFrom` bytes of history, states are sent instead of what led to them. */
  constructor(realm: ServerRealm, collapsedFrom = COLLAPSED_FROM, stepsTogether = STEPS_TOGETHER) {
    this.#realm = realm;
    this.#collapsedFrom = collapsedFrom;
    this.#stepsTogether = stepsTogether;
  }

  /** Resolves with what the client needs up to the version at which this began. */
  find<T>({ view, after, began, forClient, isGone }: CatchUpOptions<T>): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      const run = async (delta: SharedDelta): Promise<void> => {
        resolve(await this.#inSlices(forClient(delta), isGone));
      };
      this.#enter(view, after, { began, run, failed: reject, isGone });
    });
  }

  /** After the last session has ended. */
  async close(): Promise<void> {
    while (this.#working.size > 0) await Promise.all(this.#working);
  }

  #enter(view: View, after: number, waiter: Waiter): void {
    const key = `${after} ${view.signature}`;
    const present = this.#jobs.get(key);
    if (present !== undefined) {
      present.waiting.push(waiter);
      return;
    }
    const job: Job = { key, view, after, waiting: [waiter] };
    this.#jobs.set(key, job);
    this.#line.push(job);
    // After all sessions have heard of the same tick, so that they share it.
    queueMicrotask(() => this.#startNext());
  }

  #startNext(): void {
    while (this.#working.size < AT_WORK) {
      const job = this.#line.shift();
      if (job === undefined) return;
      const working = this.#work(job).finally(() => {
        this.#working.delete(working);
        this.#startNext();
      });
      this.#working.add(working);
    }
  }

  async #work({ key, view, after, waiting }: Job): Promise<void> {
    const isLeft = (): boolean => waiting.every(({ isGone }) => isGone());
    try {
      if (isLeft()) throw leftAlone();
      const snapshot = this.#realm.snapshot();
      // Whoever comes from now on begins anew.
      this.#jobs.delete(key);
      try {
        for (const { began } of waiting) began(snapshot.head.version);
        const window = snapshot.window(after);
        const options = { snapshot, window, from: view, to: view, collapsedFrom: this.#collapsedFrom };
        const delta = await this.#inSlices(sharedDeltaSteps(options), isLeft);
        for (const waiter of waiting) await this.#serve(waiter, delta);
      } finally {
        snapshot.close();
      }
    } catch (error) {
      this.#jobs.delete(key);
      for (const { failed } of waiting) failed(error);
    }
  }

  async #serve({ run, failed }: Waiter, delta: SharedDelta): Promise<void> {
    try {
      await run(delta);
    } catch (error) {
      failed(error);
    }
  }

  async #inSlices<T>(steps: Steps<T>, isLeft: () => boolean): Promise<T> {
    for (;;) {
      for (let i = 0; i < this.#stepsTogether; i += 1) {
        const step = steps.next();
        if (step.done === true) return step.value;
      }
      await nextTurn();
      if (isLeft()) throw leftAlone();
    }
  }
}

/** Nobody sees it. */
function leftAlone(): Error {
  return new Error('nobody waits for it any more');
}
