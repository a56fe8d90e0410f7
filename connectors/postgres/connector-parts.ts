/** Opens what a connector stands on: the dialect, the replica store, and the sync client logged in to the server. */
import type { SourceDialect } from '../../src/connector/dialect.ts';
import { ConnectorStoppedError } from '../../src/connector/errors.ts';
import type { RealmSync } from '../../src/connector/realm-sync.ts';
import type { ReplicaStore } from '../../src/store/replica/contract.ts';
import type { PostgresConnectorOptions } from './options.ts';

export type ConnectorParts = {
  readonly dialect: SourceDialect;
  readonly store: ReplicaStore;
  readonly sync: RealmSync;
  /** Closes the three in the order in which they stand on one another. */
  readonly close: () => Promise<void>;
};

export async function openConnectorParts(options: PostgresConnectorOptions): Promise<ConnectorParts> {
  throw new ConnectorStoppedError(
    `the parts of connector ${options.engine.adapterName} are not put together yet`,
  );
}
