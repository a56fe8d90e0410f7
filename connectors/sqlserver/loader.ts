/** `SQLServerRealmLoader`, the entry point that users of the reference know: `loader.init()` loads once. */
import { ConnectorLoader } from '../../src/connector/runtime/connector-loader.ts';
import { sqlServerConnector } from './connector.ts';
import { parseSqlServerOptions, type SQLServerOptions } from './options.ts';

export class SQLServerRealmLoader extends ConnectorLoader {
  /** Throws `ConfigError` with every mistake in the options. */
  constructor(options: SQLServerOptions) {
    super(sqlServerConnector(parseSqlServerOptions(options)));
  }
}
