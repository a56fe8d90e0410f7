/**
 * With a transaction that violates a foreign key. It may refer to a row that somebody else has deleted a moment ago; when
 * the feed has brought that, the realm has no such link any more, and the transaction is written without it. Once the
 * feed has brought everything that was committed at the first attempt, waiting would mend nothing.
 */
export class Patience {
  /** Which transaction it is. */
  readonly of: string;
  attempts = 0;
  #isCaughtUp = false;
  readonly #abort = new AbortController();
  /** Resolves when the feed has brought what was committed when this was made; perhaps never. */
  readonly untilCaughtUp: Promise<void>;
  /** Resolves when nothing is under way any more. */
  readonly ended: Promise<unknown>;

  /** `caughtUp` resolves with true when the feed has brought what is committed by now. */
  constructor(
    of: string,
    caughtUp: ((signal: AbortSignal) => Promise<boolean>) | undefined,
    signal: AbortSignal,
  ) {
    this.of = of;
    const looking = caughtUp?.(AbortSignal.any([signal, this.#abort.signal])) ?? Promise.resolve(false);
    this.ended = looking.catch(() => {}); // the attempts are counted, too
    this.untilCaughtUp = new Promise((resolve) => {
      void this.ended.then((isCaughtUp) => {
        this.#isCaughtUp = isCaughtUp === true;
        if (this.#isCaughtUp) resolve();
      });
    });
  }

  get caughtUp(): boolean {
    return this.#isCaughtUp;
  }

  end(): void {
    this.#abort.abort();
  }
}
