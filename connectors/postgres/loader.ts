/** `PostgresRealmLoader`, the entry point that users of the reference know: `loader.init()` loads once. */
import { ConnectorLoader } from '../../src/connector/runtime/connector-loader.ts';
import { postgresConnector } from './connector.ts';
import { type PostgresOptions, parsePostgresOptions } from './options.ts';

export class PostgresRealmLoader extends ConnectorLoader {
  /** Throws `ConfigError` with every mistake in the options. */
  constructor(options: PostgresOptions) {
    super(postgresConnector(parsePostgresOptions(options)));
  }
}
