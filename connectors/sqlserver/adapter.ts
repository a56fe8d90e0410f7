/** `SQLServerAdapter`, the entry point that users of the reference know: it starts by itself. */
import { ConnectorAdapter } from '../../src/connector/runtime/connector-adapter.ts';
import { sqlServerConnector } from './connector.ts';
import { parseSqlServerOptions, type SQLServerOptions } from './options.ts';

/** `new SQLServerAdapter(options)` is all that is needed. */
export class SQLServerAdapter extends ConnectorAdapter {
  /** Throws `ConfigError` with every mistake in the options. */
  constructor(options: SQLServerOptions) {
    super(sqlServerConnector(parseSqlServerOptions(options)));
  }
}
