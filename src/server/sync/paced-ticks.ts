/**
 * Tells many sessions that a realm has advanced, no oftener than is good: at once after a pause, and under a stream of
 * commits in ticks whose distance follows what the last one cost. So a lone change travels without delay, and a burst
 * goes out as one message to each client, however many commits it was.
 */

/** Milliseconds between two ticks at least: shorter than anybody notices, longer than a burst of commits takes. */
const SHORTEST_PAUSE = 5;
/** Milliseconds at most: whoever is told later than this thinks that sync has stalled. */
const LONGEST_PAUSE = 500;
/** A tick that took one millisecond is followed by this many without one: fan-out takes half of the time at most. */
const REST = 1;

export class PacedTicks {
  readonly #listeners = new Set<() => void>();
  readonly #now: () => number;
  #scheduled: { cancel(): void } | undefined;
  #notBefore = 0;
  #isClosed = false;

  /** `now` gives milliseconds of a clock that does not jump. */
  constructor(now: () => number = () => performance.now()) {
    this.#now = now;
  }

  /** Calls back once per tick. Returns its undo. */
  onTick(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Something has happened: there will be a tick. */
  advance(): void {
    if (this.#isClosed || this.#scheduled !== undefined || this.#listeners.size === 0) return;
    const pause = Math.min(this.#notBefore - this.#now(), LONGEST_PAUSE);
    if (pause <= 0) {
      // Not in the same step: what caused this is told how its own change ended first.
      const immediate = setImmediate(() => this.#tick());
      this.#scheduled = { cancel: () => clearImmediate(immediate) };
    } else {
      const timer = setTimeout(() => this.#tick(), pause);
      this.#scheduled = { cancel: () => clearTimeout(timer) };
    }
  }

  close(): void {
    this.#isClosed = true;
    this.#scheduled?.cancel();
    this.#scheduled = undefined;
  }

  #tick(): void {
    this.#scheduled = undefined;
    const began = this.#now();
    for (const listener of [...this.#listeners]) listener();
    const ended = this.#now();
    this.#notBefore = ended + Math.max(SHORTEST_PAUSE, (ended - began) * REST);
  }
}
