/** A connector of whichever database, configured: what adapter, loader, verifier and the command line stand on. */
import type { SourceDialect } from '../dialect.ts';
import type { Examined } from '../doctor/examination.ts';
import type { ConnectorOptions } from '../options.ts';

export type ConfiguredConnector = {
  /** What people call the database: `PostgreSQL`. */
  readonly product: string;
  readonly database: string;
  /** Schema of the tables. */
  readonly schema: string;
  readonly engine: ConnectorOptions;
  /** Accepted for compatibility; without effect. */
  readonly switchToReferenceRealm: boolean;
  /** With these options of the engine, which differ from `engine` in their logger at most. */
  readonly createDialect: (engine: ConnectorOptions) => SourceDialect;
  /** Examines everything that the connector stands on, one subject after the other, and changes nothing. */
  readonly examine: (signal: AbortSignal) => AsyncGenerator<Examined, void, undefined>;
};
