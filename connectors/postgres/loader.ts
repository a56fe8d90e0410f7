/** `PostgresRealmLoader`, the entry point that users of the reference know: `loader.init()` loads once. */
import type { LoadRequest } from '../../src/connector/load/load-choice.ts';
import type { LoadProgress, LoadReport } from '../../src/connector/load/run-load.ts';
import { type PostgresConnectorOptions, type PostgresOptions, parsePostgresOptions } from './options.ts';
import { loadDatabase } from './runtime.ts';

export class PostgresRealmLoader {
  readonly #options: PostgresConnectorOptions;
  readonly #abort = new AbortController();
  #loading: Promise<LoadReport> | undefined;

  /** Throws `ConfigError` with every mistake in the options. */
  constructor(options: PostgresOptions) {
    this.#options = parsePostgresOptions(options);
  }

  /**
   * Brings what the tables hold into the realms, or only the differences when they were loaded before. Resolves when
   * it is done; further calls wait for the same load. `resume` makes slot and publication anew before it compares: the
   * repair after changes of the database were lost.
   */
  init(
    hooks: {
      readonly onProgress?: (progress: LoadProgress) => void;
      readonly resume?: boolean;
    } & LoadRequest = {},
  ): Promise<LoadReport> {
    this.#loading ??= loadDatabase(this.#options, { ...hooks, signal: this.#abort.signal });
    return this.#loading;
  }

  /** Stops a load that is under way; the next one goes on where it was. */
  async close(): Promise<void> {
    this.#abort.abort();
    await this.#loading?.catch(() => {}); // whoever called init() learns how it ended
  }
}
