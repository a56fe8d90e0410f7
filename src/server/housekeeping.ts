/**
 * What the server does from time to time for as long as it runs: gives up on clients that were away for too long, and
 * drops the parts of histories that nobody needs any more.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Logger } from '../log.ts';
import type { ServerStore } from '../store/server/contract.ts';

/** Clients are given up after days, so that an hour more or less is nothing to them. */
const PERIOD = 60 * 60_000;

export type HousekeepingOptions = {
  readonly store: ServerStore;
  /** The client files of a realm that are in use now, however long they have been. */
  readonly inUse: (path: string) => Iterable<number>;
  readonly logger: Logger;
  /** Milliseconds from one round to the next. */
  readonly period?: number;
};

export class Housekeeping {
  readonly #stop = new AbortController();
  readonly #done: Promise<void>;

  constructor(options: HousekeepingOptions) {
    this.#done = this.#run(options);
  }

  /** Resolves when nothing is being done any more. */
  async close(): Promise<void> {
    this.#stop.abort();
    await this.#done;
  }

  async #run({ store, inUse, logger, period = PERIOD }: HousekeepingOptions): Promise<void> {
    const { signal } = this.#stop;
    while (!signal.aborted) {
      await sleep(period, undefined, { signal, ref: false }).catch(() => {});
      if (signal.aborted) return;
      try {
        await store.trim(inUse);
      } catch (error) {
        logger.error('histories could not be trimmed; it is tried again later', { error });
      }
    }
  }
}
