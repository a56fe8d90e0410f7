/** What the loaders of all databases are: `loader.init()` loads once. */
import type { LoadRequest } from '../load/load-choice.ts';
import type { LoadProgress, LoadReport } from '../load/run-load.ts';
import type { ConfiguredConnector } from './configured-connector.ts';
import { loadDatabase } from './run-connector.ts';

export class ConnectorLoader {
  readonly #connector: ConfiguredConnector;
  readonly #abort = new AbortController();
  #loading: Promise<LoadReport> | undefined;

  protected constructor(connector: ConfiguredConnector) {
    this.#connector = connector;
  }

  /**
   * Brings what the tables hold into the realms, or only the differences when they were loaded before. Resolves when
   * it is done; further calls wait for the same load. `resume` makes the change feed anew before it compares: the
   * repair after changes of the database were lost.
   */
  init(
    hooks: {
      readonly onProgress?: (progress: LoadProgress) => void;
      readonly resume?: boolean;
    } & LoadRequest = {},
  ): Promise<LoadReport> {
    this.#loading ??= loadDatabase(this.#connector, { ...hooks, signal: this.#abort.signal });
    return this.#loading;
  }

  /** Stops a load that is under way; the next one goes on where it was. */
  async close(): Promise<void> {
    this.#abort.abort();
    await this.#loading?.catch(() => {}); // whoever called init() learns how it ended
  }
}
