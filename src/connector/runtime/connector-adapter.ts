/** What the adapters of all databases are: they start by themselves. */
import type { SyncedTransaction } from '../engine.ts';
import { ConnectorStoppedError } from '../errors.ts';
import type { ConfiguredConnector } from './configured-connector.ts';
import { type RunningConnector, startConnector } from './run-connector.ts';

/**
 * Keeps the realms and the database in sync from its construction until {@link close}. Constructing it is all that is
 * needed; whoever wants to know when it runs awaits {@link start}, and whoever wants to know when it stopped awaits
 * {@link done}. An error that nobody awaits ends the process, as nothing would be synced any more.
 */
export class ConnectorAdapter {
  /** Rejects with the error that stopped the adapter, also at its start; resolves after {@link close}. */
  readonly done: Promise<void>;
  readonly #listeners = new Set<(transaction: SyncedTransaction) => void>();
  readonly #started: Promise<RunningConnector>;
  readonly #abort = new AbortController();
  #closing: Promise<void> | undefined;

  protected constructor(connector: ConfiguredConnector) {
    this.#started = startConnector(connector, {
      signal: this.#abort.signal,
      onTransaction: (transaction) => {
        for (const listener of this.#listeners) listener(transaction);
      },
    });
    this.done = this.#started.then(
      (running) => running.done,
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
      (running) => running.close(),
      () => {}, // what failed to start has nothing to close; `done` tells the error
    );
    return this.#closing;
  }
}
