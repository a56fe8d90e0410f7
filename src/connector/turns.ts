/** Work that runs one piece after the other, in the order in which it was asked for. */
export class Turns {
  #tail: Promise<unknown> = Promise.resolve();

  /** Runs `work` when what was asked for before has ended, however it did. */
  run<T>(work: () => Promise<T>): Promise<T> {
    const next = this.#tail.then(work);
    this.#tail = next.catch(() => {}); // whoever asked for it has its error
    return next;
  }

  /** Resolves when it is the caller's turn, which lasts until what this resolves with is called. */
  async take(): Promise<() => void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    const before = this.#tail;
    this.#tail = before.then(() => promise);
    await before;
    return resolve;
  }

  /** Resolves when everything that was asked for has ended. */
  async ended(): Promise<void> {
    await this.#tail;
  }
}
