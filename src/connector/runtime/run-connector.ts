/**
 * Brings the engine, a dialect, the replica store and the sync client together: the one place that knows all four. The
 * adapters and loaders of all databases and the command line stand on it.
 */
import { ConnectorEngine, type FeedStatus, type SyncedTransaction } from '../engine.ts';
import type { LoadRequest } from '../load/load-choice.ts';
import { type LoadProgress, type LoadReport, runLoad } from '../load/run-load.ts';
import type { ConfiguredConnector } from './configured-connector.ts';
import { openConnectorParts } from './connector-parts.ts';

export type RunningConnector = {
  /** Rejects with what stopped the connector; resolves after `close()`. */
  readonly done: Promise<void>;
  readonly close: () => Promise<void>;
  /** How the change feed fares: state, position, what the database keeps for it, and what is wrong. */
  readonly feedStatus: () => FeedStatus;
};

/** Starts both directions. Throws when models, options, database or server do not fit. */
export async function startConnector(
  connector: ConfiguredConnector,
  hooks: {
    readonly onTransaction?: (transaction: SyncedTransaction) => void;
    /** Gives up a start that waits, as for a change feed that another connector holds. */
    readonly signal?: AbortSignal;
  } = {},
): Promise<RunningConnector> {
  sayWhatIsIgnored(connector);
  const parts = await openConnectorParts(connector);
  try {
    const { dialect, store, sync } = parts;
    const engine = await ConnectorEngine.start(connector.engine, {
      dialect,
      schema: connector.schema,
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
  connector: ConfiguredConnector,
  hooks: {
    readonly onProgress?: (progress: LoadProgress) => void;
    readonly signal: AbortSignal;
    /** Make the change feed anew, and compare. */
    readonly resume?: boolean;
  } & LoadRequest,
): Promise<LoadReport> {
  sayWhatIsIgnored(connector);
  const parts = await openConnectorParts(connector);
  try {
    const { dialect, store, sync } = parts;
    return await runLoad(connector.engine, {
      dialect,
      schema: connector.schema,
      store,
      sync: connector.engine.load.online ? sync : undefined,
      ...hooks,
    });
  } finally {
    await parts.close();
  }
}

function sayWhatIsIgnored(connector: ConfiguredConnector): void {
  if (!connector.switchToReferenceRealm) return;
  connector.engine.logger.info(
    'switchToReferenceRealm has no effect: every realm holds all its objects, there are no partial realms to refer to',
  );
}
