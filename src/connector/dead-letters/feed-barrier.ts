/**
 * Waits until the feed has brought everything that is committed by now: writes a checkpoint that stands for no realm and
 * waits for its echo, twice. Feeds of net changes show what of ours they contain before they bring it; when the second
 * echo comes, all that came with the first is there.
 */
import type { Checkpoint, SqlWriter } from '../dialect.ts';

/** No realm's path: those begin with a slash. */
const BARRIER_PATH = 'barrier';
const ECHOES = 2;

export class FeedBarrier {
  readonly #openWriter: () => Promise<SqlWriter>;
  readonly #waiting = new Map<number, () => void>();
  #sequence = 0;

  constructor(openWriter: () => Promise<SqlWriter>) {
    this.#openWriter = openWriter;
  }

  /** Resolves with true when the feed is there, with false when the signal aborts before. */
  async pass(signal: AbortSignal): Promise<boolean> {
    const writer = await this.#openWriter();
    try {
      let isThere = true;
      for (let echo = 0; echo < ECHOES && isThere; echo += 1) isThere = await this.#echo(writer, signal);
      return isThere;
    } finally {
      await writer.close();
    }
  }

  async #echo(writer: SqlWriter, signal: AbortSignal): Promise<boolean> {
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
    }
  }

  /** The feed has brought a transaction of ours. */
  echoed({ realmPath, sequence }: Checkpoint): void {
    if (realmPath === BARRIER_PATH) this.#waiting.get(sequence)?.();
  }
}
