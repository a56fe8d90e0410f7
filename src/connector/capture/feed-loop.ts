/**
 * Follows the database's change feed for as long as the connector runs.
 *
 * States: `connecting` → `streaming` → (connection lost) `waiting` → `connecting`; `stopped` is final, by `close()`
 * or by an error that needs an operator. What was delivered is written before it is confirmed, so a lost connection
 * costs a repetition of what was not yet written, never more.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Logger } from '../../log.ts';
import type { ApplyStatement, ChangeFeed, FeedEvent, Position } from '../dialect.ts';
import { ApplyError, ConnectorStoppedError } from '../errors.ts';

const FIRST_RETRY_MILLISECONDS = 100;
const MAX_RETRY_MILLISECONDS = 15_000;

export type FeedLoopOptions = {
  /** Opens the feed where the replicas stand, at each connection anew. */
  readonly openFeed: (signal: AbortSignal) => Promise<ChangeFeed>;
  readonly consume: (
    events: readonly FeedEvent[],
  ) => Promise<{ position: Position | undefined; cleanup: readonly ApplyStatement[] }>;
  readonly runCleanup: (statements: readonly ApplyStatement[]) => Promise<void>;
  /** True for failures of the connection, which another attempt may mend. */
  readonly isTransient: (error: unknown) => boolean;
  /** A connection was lost: what was buffered of an unfinished transaction will be delivered again. */
  readonly onDisconnect: () => void;
  readonly logger: Logger;
};

type State = 'connecting' | 'streaming' | 'waiting' | 'stopped';

export class FeedLoop {
  readonly #options: FeedLoopOptions;
  readonly #abort = new AbortController();
  #state: State = 'connecting';
  #firstConnection: () => void = () => {};
  /** Resolves when the feed streams for the first time; rejects when the loop stops before. */
  readonly started: Promise<void>;
  /** Settles when the loop stops; rejects with what stopped it. */
  readonly done: Promise<void>;

  constructor(options: FeedLoopOptions) {
    this.#options = options;
    const streaming = new Promise<void>((resolve) => {
      this.#firstConnection = resolve;
    });
    this.done = this.#run();
    const ended = this.done.then(() => {
      throw new ConnectorStoppedError('the connector was closed before its change feed began');
    });
    this.started = Promise.race([streaming, ended]);
    for (const promise of [this.done, this.started]) {
      promise.catch(() => {}); // awaited by the engine; a loop that nobody awaits must not take the process down
    }
  }

  get state(): State {
    return this.#state;
  }

  async close(): Promise<void> {
    this.#abort.abort();
    await this.done.catch(() => {});
  }

  async #run(): Promise<void> {
    let failures = 0;
    try {
      while (!this.#abort.signal.aborted) {
        this.#state = 'connecting';
        try {
          await this.#stream(() => {
            failures = 0;
          });
        } catch (error) {
          if (this.#abort.signal.aborted) break;
          if (!this.#isTransient(error)) throw error;
          failures += 1;
          await this.#waitAfter(failures, error);
        }
        this.#options.onDisconnect();
      }
    } finally {
      this.#state = 'stopped';
    }
  }

  #isTransient(error: unknown): boolean {
    if (error instanceof ApplyError) return error.errorClass === 'transient';
    return this.#options.isTransient(error);
  }

  async #waitAfter(failures: number, error: unknown): Promise<void> {
    const delay = Math.min(FIRST_RETRY_MILLISECONDS * 2 ** (failures - 1), MAX_RETRY_MILLISECONDS);
    this.#options.logger.warn('The change feed broke off, will connect again', {
      error: error instanceof Error ? error.message : String(error),
      attempt: failures,
      delayMilliseconds: delay,
    });
    this.#state = 'waiting';
    await sleep(delay, undefined, { signal: this.#abort.signal }).catch(() => {});
  }

  async #stream(onProgress: () => void): Promise<void> {
    const feed = await this.#options.openFeed(this.#abort.signal);
    try {
      this.#state = 'streaming';
      this.#firstConnection();
      for await (const events of feed.events) {
        const { position, cleanup } = await this.#options.consume(events);
        await this.#options.runCleanup(cleanup);
        if (position !== undefined) feed.confirm(position);
        onProgress();
      }
    } finally {
      await feed.close();
    }
  }
}
