/** `PostgresAdapter`, the entry point that users of the reference know: it starts by itself. */
import type { SyncedTransaction } from '../../src/connector/engine.ts';
import { ConnectorStoppedError } from '../../src/connector/errors.ts';
import { type PostgresConnectorOptions, type PostgresOptions, parsePostgresOptions } from './options.ts';
import { type RunningConnector, startConnector } from './runtime.ts';

/**
 * Keeps the realms and the database in sync from its construction until {@link close}. `new PostgresAdapter(options)`
 * is all that is needed; whoever wants to know when it runs awaits {@link start}, and whoever wants to know when it
 * stopped awaits {@link done}. An error that nobody awaits ends the process, as nothing would be synced any more.
 */
export class PostgresAdapter {
  /** Rejects with the error that stopped the adapter, also at its start; resolves after {@link close}. */
  readonly done: Promise<void>;
  readonly #options: PostgresConnectorOptions;
  readonly #listeners = new Set<(transaction: SyncedTransaction) => void>();
  readonly #started: Promise<RunningConnector>;
  readonly #abort = new AbortController();
  #closing: Promise<void> | undefined;

  /** Throws `ConfigError` with every mistake in the options. */
  constructor(options: PostgresOptions) {
    this.#options = parsePostgresOptions(options);
    this.#started = startConnector(this.#options, {
      signal: this.#abort.signal,
      onTransaction: (transaction) => {
        for (const listener of this.#listeners) listener(transaction);
      },
    });
    this.done = this.#started.then(
      (connector) => connector.done,
      (error: unknown) => {
        const givenUp = this.#abort.signal.aborted && error instanceof ConnectorStoppedError;
        if (!givenUp) throw error;
      },
    );
  }

  /** Resolves when both directions are running. */
  async start(): Promise<void> {
    try {
      await this.#started;
    } catch (error) {
      this.done.catch(() => {}); // the caller of start() has the error; it must not end the process as well
      throw error;
    }
  }

  /** Calls back after every transaction that was synced. Returns its undo. */
  onTransaction(listener: (transaction: SyncedTransaction) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Ends what is under way and stops; what is not yet synced stays in the replica for the next start. */
  close(): Promise<void> {
    this.#abort.abort();
    this.#closing ??= this.#started.then(
      (connector) => connector.close(),
      () => {}, // what failed to start has nothing to close; `done` tells the error
    );
    return this.#closing;
  }
}
