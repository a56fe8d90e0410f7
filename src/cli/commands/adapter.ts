/** `isthmus adapter`: keeps realms and database in sync until it is asked to stop. */
import type { SyncedTransaction } from '../../connector/engine.ts';
import { ConnectorStoppedError } from '../../connector/errors.ts';
import type { ConfiguredConnector } from '../../connector/runtime/configured-connector.ts';
import { startConnector } from '../../connector/runtime/run-connector.ts';
import { IsthmusError } from '../../errors.ts';
import { loadConfig } from '../config.ts';
import { aborted } from '../stop-signals.ts';
import type { CommandContext } from './context.ts';

export async function runAdapter(config: string | undefined, context: CommandContext): Promise<void> {
  const connector = (await loadConfig(config)).connector();
  const { engine, database } = connector;
  await syncUntilStopped(connector, context.signal, () => {
    engine.logger.info('The adapter runs', {
      adapterName: engine.adapterName,
      server: engine.serverUrl,
      database,
    });
  });
}

/** Runs the connector until the signal; throws what stopped it when it stops by itself. */
export async function syncUntilStopped(
  configured: ConfiguredConnector,
  signal: AbortSignal,
  onRunning: () => void,
  onTransaction?: (transaction: SyncedTransaction) => void,
): Promise<void> {
  const hooks = { signal, ...(onTransaction === undefined ? {} : { onTransaction }) };
  const connector = await startConnector(configured, hooks).catch((error: unknown) => {
    if (signal.aborted && error instanceof ConnectorStoppedError) return undefined;
    throw error;
  });
  if (connector === undefined) return;
  try {
    onRunning();
    await Promise.race([aborted(signal), connector.done.catch(rethrowAsStop)]);
  } finally {
    await connector.close();
  }
}

/** What was foreseen and yet ended a running connector needs an operator; another start alone would not mend it. */
function rethrowAsStop(error: unknown): never {
  if (!(error instanceof IsthmusError) || error instanceof ConnectorStoppedError) throw error;
  throw new ConnectorStoppedError(`the connector stopped: ${error.message} [${error.code}]`, {
    cause: error,
  });
}
