/** The database of a demo, whichever product it is: running, and with a connector to it. */

import type { ConfiguredConnector } from '../../connector/runtime/configured-connector.ts';
import type { LoggerLike } from '../../logging/logger.ts';

/** What connectors of all products are told alike. */
export type DemoConnection = {
  readonly serverUrl: string;
  readonly user: { readonly username: string; readonly password: string };
  readonly realmPath: string;
  /** Where the replicas are kept. */
  readonly localPath: string;
  readonly logger: LoggerLike;
};

export type DemoDatabase = {
  readonly product: string;
  /** What runs where, as a sentence. */
  readonly introduction: string;
  /** The command that opens it in the product's own client. */
  readonly client: string;
  /** The same, changing a row. */
  readonly example: string;
  /** Creates and fills the Chinook database unless that is done. Resolves with true when it filled it. */
  readonly fill: () => Promise<boolean>;
  readonly connector: (connection: DemoConnection) => ConfiguredConnector;
  readonly stop: () => Promise<void>;
};
