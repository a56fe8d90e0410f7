/**
 * One connection with the settings that values travel under: ISO dates in UTC, shortest exact floats, hexadecimal
 * bytea. Results stay text. Statements run one after the other.
 */
import pg from 'pg';
import type { BoundRows, Concealment } from '../../src/connector/concealment.ts';
import type { SqlText } from '../../src/connector/dialect.ts';
import { Turns } from '../../src/connector/turns.ts';
import type { Logger } from '../../src/log.ts';
import { applicationName } from './application-name.ts';
import { postgresConcealment } from './concealment.ts';
import { connectionError } from './connection-error.ts';
import type { PostgresConnectionOptions } from './options.ts';
import { isStalePlan } from './sql-state.ts';
import { quoteLiteral } from './sql-text.ts';

export type TextRow = readonly SqlText[];
export type SessionContext = {
  readonly connection: PostgresConnectionOptions;
  readonly logger: Logger;
  /** Log every statement with its values at level verbose. */
  readonly printCommands: boolean;
  /** Which values are not to be shown anywhere. */
  readonly concealment?: Concealment;
  /** Shown to the server in the name of every connection. */
  readonly adapterName?: string;
};

/** The user's timeouts are meant for applications, not for a snapshot that takes an hour. */
const SESSION_SETTINGS = [
  "SET DateStyle TO 'ISO, MDY'",
  "SET TimeZone TO 'UTC'",
  "SET IntervalStyle TO 'postgres'",
  'SET extra_float_digits TO 3',
  "SET bytea_output TO 'hex'",
  "SET lc_monetary TO 'C'",
  "SET xmloption TO 'content'",
  'SET standard_conforming_strings TO on',
  'SET statement_timeout TO 0',
  'SET lock_timeout TO 0',
  'SET idle_in_transaction_session_timeout TO 0',
].join('; ');

const TEXT_TYPES = { getTypeParser: () => (text: string) => text };
/** Statements prepared on one connection; above it they are parsed each time instead of filling the server's memory. */
const MAX_PREPARED = 256;
/** Lets the kernel find out about a peer that vanished without a word. */
const KEEP_ALIVE_DELAY_MS = 30_000;

export class Session {
  readonly client: pg.Client;
  readonly #context: SessionContext;
  readonly #concealment: Concealment;
  readonly #prepared = new Map<string, string>();
  #preparedCount = 0;
  readonly #turns = new Turns();
  #broken: Error | undefined;

  private constructor(client: pg.Client, context: SessionContext) {
    this.client = client;
    this.#context = context;
    this.#concealment = context.concealment ?? postgresConcealment();
    // Without a listener a connection lost while idle would end the process; the next statement reports it.
    client.on('error', (error) => {
      this.#broken = error;
    });
    client.on('end', () => {
      this.#broken ??= new Error('Connection terminated');
    });
  }

  /** Connects and sets the session up. Throws a `PostgresError` that names host, port, user and database. */
  static async open(
    context: SessionContext,
    options: { database?: string; replication?: boolean; name?: string } = {},
  ): Promise<Session> {
    const database = options.database ?? context.connection.database;
    const client = new pg.Client(clientConfig(context.connection, database, options.replication === true));
    const session = new Session(client, context);
    try {
      await client.connect();
      const shown = applicationName(options.name ?? 'isthmus', context.adapterName);
      const name = `SET application_name TO ${quoteLiteral(shown)}`;
      await client.query(`${SESSION_SETTINGS}; ${name}`);
    } catch (error) {
      client.end().catch(() => {});
      throw connectionError(error, client, database);
    }
    return session;
  }

  /** What statements and errors of this session may show. */
  get concealment(): Concealment {
    return this.#concealment;
  }

  get broken(): boolean {
    return this.#broken !== undefined;
  }

  /** Runs one statement and returns its rows as texts. Throws the driver's own error. */
  async query(text: string, values: readonly unknown[] = []): Promise<readonly TextRow[]> {
    return (await this.#turns.run(() => this.#run({ text, values: [...values] }))).rows;
  }

  /**
   * The same, as a prepared statement; returns the number of rows affected as well. `bound` says what the values are,
   * for those that must not be printed.
   */
  async prepared(
    text: string,
    values: readonly unknown[],
    bound?: BoundRows,
  ): Promise<{ rows: readonly TextRow[]; count: number }> {
    return this.#turns.run(async () => {
      const name = this.#nameOf(text);
      const config = { text, values: [...values], ...(name === undefined ? {} : { name }) };
      try {
        return await this.#run(config, bound);
      } catch (error) {
        if (isStalePlan(error)) this.#prepared.delete(text); // the next attempt prepares it anew
        throw error;
      }
    });
  }

  /** Several statements without parameters or results, in one round trip. */
  async script(text: string): Promise<void> {
    await this.#turns.run(async () => {
      this.#print(text);
      await this.client.query(text);
    });
  }

  /** One command by the simple protocol, the only one that replication commands understand. */
  async simple(text: string): Promise<readonly TextRow[]> {
    return this.#turns.run(async () => {
      this.#print(text);
      const result = await this.client.query<Record<string, SqlText>>({ text, types: TEXT_TYPES });
      return result.rows.map((row) => Object.values(row));
    });
  }

  /** Ends the connection; a statement under way is given up. Never throws. */
  async close(): Promise<void> {
    try {
      await this.client.end();
    } catch {
      // The connection is gone already, which is what was wanted.
    }
  }

  /** Ends the connection at once, leaving the server to notice; for connections in the midst of a copy. */
  destroy(): void {
    this.client.connection.stream.destroy();
  }

  async #run(
    config: pg.QueryConfig,
    bound?: BoundRows,
  ): Promise<{ rows: readonly TextRow[]; count: number }> {
    this.#print(config.text, config.values, bound);
    const result = await this.client.query<SqlText[]>({ ...config, rowMode: 'array', types: TEXT_TYPES });
    return { rows: result.rows, count: result.rowCount ?? 0 };
  }

  #nameOf(text: string): string | undefined {
    const known = this.#prepared.get(text);
    if (known !== undefined || this.#prepared.size >= MAX_PREPARED) return known;
    this.#preparedCount += 1;
    const name = `isthmus_${this.#preparedCount}`;
    this.#prepared.set(text, name);
    return name;
  }

  #print(text: string, values: readonly unknown[] = [], bound?: BoundRows): void {
    if (!this.#context.printCommands) return;
    const shown = values.length === 0 ? {} : { values: this.#concealment.shown(values, bound) };
    this.#context.logger.verbose('SQL', { text, ...shown });
  }
}

function clientConfig(
  connection: PostgresConnectionOptions,
  database: string,
  replication: boolean,
): pg.ClientConfig {
  const common = {
    connectionTimeoutMillis: connection.connectTimeoutMilliseconds,
    keepAlive: true,
    keepAliveInitialDelayMillis: KEEP_ALIVE_DELAY_MS,
    ...(connection.ssl === undefined ? {} : { ssl: connection.ssl }),
    ...(replication ? { replication: 'database' } : {}),
  };
  if (connection.connectionString !== undefined) {
    // In the driver the string wins over every other option, the database included.
    const url = new URL(connection.connectionString);
    url.pathname = `/${encodeURIComponent(database)}`;
    return { ...common, connectionString: url.href };
  }
  const { host, port, user, password } = connection;
  return {
    ...common,
    host,
    port,
    database,
    ...(user === undefined ? {} : { user }),
    ...(password === undefined ? {} : { password }),
  };
}
