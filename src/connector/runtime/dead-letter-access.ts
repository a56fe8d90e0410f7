/** What `isthmus deadletter` stands on: the letters of an adapter, whether it runs or not. */
import { queueMergedTransactions } from '../../adapter/transaction-queueing.ts';
import { openReplicaStore } from '../../store/replica/open-replica-store.ts';
import type { DeadLetterBox } from '../dead-letters/contract.ts';
import { ConnectorEngine } from '../engine.ts';
import { offlineSync } from '../offline-sync.ts';
import type { ConfiguredConnector } from './configured-connector.ts';

export type DeadLetterAccess = {
  readonly box: DeadLetterBox;
  /** Who runs the adapter now, in words; it answers requests. */
  readonly adapterHolder: () => Promise<string | undefined>;
  /**
   * Runs the adapter without its object server for as long as `work` takes: it follows the database, writes what waits
   * in the replicas, and answers requests. Rejects with what stopped it.
   */
  readonly withAdapter: (work: () => Promise<void>, signal: AbortSignal) => Promise<void>;
  readonly close: () => Promise<void>;
};

export async function openDeadLetters(connector: ConfiguredConnector): Promise<DeadLetterAccess> {
  const dialect = connector.createDialect(connector.engine);
  const box = dialect.deadLetters();
  try {
    await box.prepare();
  } catch (error) {
    await dialect.close();
    throw error;
  }
  return {
    box,
    adapterHolder: () => dialect.feedHolder(),
    withAdapter: (work, signal) => withAdapter(connector, work, signal),
    close: () => dialect.close(),
  };
}

async function withAdapter(
  connector: ConfiguredConnector,
  work: () => Promise<void>,
  signal: AbortSignal,
): Promise<void> {
  const dialect = connector.createDialect(connector.engine);
  const store = openReplicaStore(connector.engine.localPath, { observer: queueMergedTransactions });
  const { schema } = connector;
  try {
    const dependencies = { dialect, schema, store, sync: offlineSync(), signal };
    const engine = await ConnectorEngine.start(connector.engine, dependencies);
    try {
      await Promise.race([work(), engine.done]);
    } finally {
      await engine.close();
    }
  } finally {
    await dialect.close();
    store.close();
  }
}
