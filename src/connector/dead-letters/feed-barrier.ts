/**
 * Waits until the feed has brought everything that is committed by now: writes a checkpoint that stands for no realm and
 * waits for its echo, before which every earlier commit has come.
 */
import type { Checkpoint, SqlWriter } from '../dialect.ts';

/** No realm's path: those begin with a slash. */
const BARRIER_PATH = 'barrier';

export class FeedBarrier {
  readonly #openWriter: () => Promise<SqlWriter>;
  readonly #waiting = new Map<number, () => void>();
  #sequence = 0;

  constructor(openWriter: () => Promise<SqlWriter>) {
    this.#openWriter = openWriter;
  }

  /** Resolves when the echo has come; stays open when the signal aborts before. */
  async pass(signal: AbortSignal): Promise<boolean> {
    const writer = await this.#openWriter();
    this.#sequence = Math.max(this.#sequence + 1, Date.now());
    const sequence = this.#sequence;
    try {
      const echo = new Promise<boolean>((resolve) => {
        this.#waiting.set(sequence, () => resolve(true));
        signal.addEventListener('abort', () => resolve(false), { once: true });
        if (signal.aborted) resolve(false);
      });
      await writer.apply([], [{ realmPath: BARRIER_PATH, sequence }]);
      return await echo;
    } finally {
      this.#waiting.delete(sequence);
      await writer.close();
    }
  }

  /** The feed has brought a transaction of ours. */
  echoed({ realmPath, sequence }: Checkpoint): void {
    if (realmPath === BARRIER_PATH) this.#waiting.get(sequence)?.();
  }
}
