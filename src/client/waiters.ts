/** Promises that wait until a growing number has reached what each of them asked for. */
type Waiter<T> = {
  target: T;
  readonly resolve: () => void;
  readonly reject: (error: Error) => void;
};

export class Waiters<T extends number> {
  #waiting: Waiter<T>[] = [];

  get size(): number {
    return this.#waiting.length;
  }

  /** Resolves when {@link resolveUpTo} reaches `target`; rejects with the signal's reason when that aborts first. */
  wait(target: T, signal?: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      signal?.throwIfAborted();
      const leave = (): void => {
        signal?.removeEventListener('abort', aborted);
        this.#waiting = this.#waiting.filter((other) => other !== waiter);
      };
      const aborted = (): void => {
        leave();
        reject(signal?.reason);
      };
      const waiter: Waiter<T> = {
        target,
        resolve: () => {
          leave();
          resolve();
        },
        reject: (error) => {
          leave();
          reject(error);
        },
      };
      signal?.addEventListener('abort', aborted, { once: true });
      this.#waiting.push(waiter);
    });
  }

  resolveUpTo(reached: T): void {
    for (const waiter of [...this.#waiting]) if (waiter.target <= reached) waiter.resolve();
  }

  /** Lets everybody wait for `target` at least. */
  raise(target: T): void {
    for (const waiter of this.#waiting) if (waiter.target < target) waiter.target = target;
  }

  rejectAll(error: Error): void {
    for (const waiter of [...this.#waiting]) waiter.reject(error);
  }
}
