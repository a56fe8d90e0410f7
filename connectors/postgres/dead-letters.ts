/** What `isthmus deadletter` stands on: the letters of an adapter, whether it runs or not. */
import { queueMergedTransactions } from '../../src/adapter/transaction-queueing.ts';
import type { DeadLetterBox } from '../../src/connector/dead-letters/contract.ts';
import { ConnectorEngine } from '../../src/connector/engine.ts';
import { offlineSync } from '../../src/connector/offline-sync.ts';
import { openReplicaStore } from '../../src/store/replica/open-replica-store.ts';
import type { PostgresConnectorOptions } from './options.ts';
import { createPostgresDialect } from './postgres-dialect.ts';

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

export async function openDeadLetters(options: PostgresConnectorOptions): Promise<DeadLetterAccess> {
  const dialect = createPostgresDialect(options);
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
    withAdapter: (work, signal) => withAdapter(options, work, signal),
    close: () => dialect.close(),
  };
}

async function withAdapter(
  options: PostgresConnectorOptions,
  work: () => Promise<void>,
  signal: AbortSignal,
): Promise<void> {
  const dialect = createPostgresDialect(options);
  const store = openReplicaStore(options.engine.localPath, { observer: queueMergedTransactions });
  const { schema } = options;
  try {
    const dependencies = { dialect, schema, store, sync: offlineSync(), signal };
    const engine = await ConnectorEngine.start(options.engine, dependencies);
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
