/** `PostgresAdapter`, the entry point that users of the reference know: it starts by itself. */
import { ConnectorAdapter } from '../../src/connector/runtime/connector-adapter.ts';
import { postgresConnector } from './connector.ts';
import { type PostgresOptions, parsePostgresOptions } from './options.ts';

/** `new PostgresAdapter(options)` is all that is needed. */
export class PostgresAdapter extends ConnectorAdapter {
  /** Throws `ConfigError` with every mistake in the options. */
  constructor(options: PostgresOptions) {
    super(postgresConnector(parsePostgresOptions(options)));
  }
}
