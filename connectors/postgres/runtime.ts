/**
 * Brings the engine, the PostgreSQL dialect, the replica store and the sync client together: the one place that knows
 * all four. `PostgresAdapter`, `PostgresRealmLoader` and the command line stand on it.
 */
import { ConnectorEngine, type FeedStatus, type SyncedTransaction } from '../../src/connector/engine.ts';
import type { LoadRequest } from '../../src/connector/load/load-choice.ts';
import { type LoadProgress, type LoadReport, runLoad } from '../../src/connector/load/run-load.ts';
import { openConnectorParts } from './connector-parts.ts';
import type { PostgresConnectorOptions } from './options.ts';

export type RunningConnector = {
  /** Rejects with what stopped the connector; resolves after `close()`. */
  readonly done: Promise<void>;
  readonly close: () => Promise<void>;
  /** How the slot fares: state, position, kept log, and what is wrong. */
  readonly feedStatus: () => FeedStatus;
};

/** Starts both directions. Throws when models, options, database or server do not fit. */
export async function startConnector(
  options: PostgresConnectorOptions,
  hooks: {
    readonly onTransaction?: (transaction: SyncedTransaction) => void;
    /** Gives up a start that waits, as for a slot that another connector holds. */
    readonly signal?: AbortSignal;
  } = {},
): Promise<RunningConnector> {
  sayWhatIsIgnored(options);
  const parts = await openConnectorParts(options);
  try {
    const { dialect, store, sync } = parts;
    const engine = await ConnectorEngine.start(options.engine, {
      dialect,
      schema: options.schema,
      store,
      sync,
      ...hooks,
    });
    return {
      done: engine.done,
      feedStatus: () => engine.feedStatus(),
      close: async () => {
        await engine.close();
        await parts.close();
      },
    };
  } catch (error) {
    await parts.close();
    throw error;
  }
}

/** Loads the tables into the realms, or goes on with a load that was interrupted. */
export async function loadDatabase(
  options: PostgresConnectorOptions,
  hooks: {
    readonly onProgress?: (progress: LoadProgress) => void;
    readonly signal: AbortSignal;
    /** Make slot and publication anew, and compare. */
    readonly resume?: boolean;
  } & LoadRequest,
): Promise<LoadReport> {
  sayWhatIsIgnored(options);
  const parts = await openConnectorParts(options);
  try {
    const { dialect, store, sync } = parts;
    return await runLoad(options.engine, {
      dialect,
      schema: options.schema,
      store,
      sync: options.engine.load.online ? sync : undefined,
      ...hooks,
    });
  } finally {
    await parts.close();
  }
}

function sayWhatIsIgnored(options: PostgresConnectorOptions): void {
  if (!options.switchToReferenceRealm) return;
  options.engine.logger.info(
    'switchToReferenceRealm has no effect: every realm holds all its objects, there are no partial realms to refer to',
  );
}
