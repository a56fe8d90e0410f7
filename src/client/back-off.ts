/** Growing delays between attempts (wire-protocol.md §5.9). */

export type BackOffOptions = {
  readonly firstMilliseconds: number;
  readonly maxMilliseconds: number;
  /** In [0, 1); the part of a quarter of the delay that is taken off, so that many clients do not come back at once. */
  readonly random?: () => number;
};

export const DEFAULT_BACK_OFF: BackOffOptions = { firstMilliseconds: 1000, maxMilliseconds: 300_000 };

export class BackOff {
  readonly #options: BackOffOptions;
  #failures = 0;

  constructor(options: BackOffOptions) {
    this.#options = options;
  }

  /** Milliseconds to wait before the next attempt. */
  next(): number {
    const { firstMilliseconds, maxMilliseconds, random = Math.random } = this.#options;
    const delay = Math.min(firstMilliseconds * 2 ** this.#failures, maxMilliseconds);
    this.#failures += 1;
    return delay * (1 - random() / 4);
  }

  reset(): void {
    this.#failures = 0;
  }
}
