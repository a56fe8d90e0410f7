/** Says in the log that the feed waits for a table: when that begins, now and then while it lasts, and when it is over. */
import type { Logger } from '../../../src/log.ts';

const REMIND_MILLISECONDS = 60_000;

export class WaitingNotice {
  readonly #logger: Logger;
  /** When it was said last; undefined while nothing is waited for. */
  #noticed: number | undefined;

  constructor(logger: Logger) {
    this.#logger = logger;
  }

  /** `table` is empty where the server does not say which one it is. */
  waiting(table: string, why: string): void {
    const now = Date.now();
    if (this.#noticed !== undefined && now - this.#noticed < REMIND_MILLISECONDS) return;
    this.#noticed = now;
    this.#logger.warn('The change feed waits until a table that was changed is looked at', {
      ...(table === '' ? {} : { table }),
      reason: why,
      remedy: 'when this goes on, mend what is named; nothing is lost while change tracking keeps it',
    });
  }

  over(): void {
    if (this.#noticed === undefined) return;
    this.#noticed = undefined;
    this.#logger.info('The change feed goes on');
  }
}
