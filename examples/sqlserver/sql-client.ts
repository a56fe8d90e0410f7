/** A connection as an application has it, for the scripts and queries of the examples. */
import { once } from 'node:events';
import { Connection, type ConnectionConfiguration, Request } from 'tedious';

export type Row = Readonly<Record<string, unknown>>;

export class SqlClient {
  readonly #connection: Connection;

  private constructor(connection: Connection) {
    this.#connection = connection;
  }

  static async open(configuration: ConnectionConfiguration): Promise<SqlClient> {
    const connection = new Connection(configuration);
    await new Promise<void>((resolve, reject) => {
      connection.connect((error) => (error ? reject(error) : resolve()));
    });
    return new SqlClient(connection);
  }

  /** Runs a batch; resolves with the rows of its last result. */
  batch(text: string): Promise<readonly Row[]> {
    return new Promise((resolve, reject) => {
      const rows: Row[] = [];
      const request = new Request(text, (error) => (error ? reject(error) : resolve(rows)));
      request.on(
        'row',
        (columns: readonly { readonly metadata: { colName: string }; readonly value: unknown }[]) => {
          rows.push(Object.fromEntries(columns.map(({ metadata, value }) => [metadata.colName, value])));
        },
      );
      this.#connection.execSqlBatch(request);
    });
  }

  /** Runs the batches of a script, which end with `GO` on a line of its own. */
  async script(text: string): Promise<void> {
    for (const batch of text.split(/^\s*GO\s*$/im)) if (batch.trim() !== '') await this.batch(batch);
  }

  async close(): Promise<void> {
    const ended = once(this.#connection, 'end');
    this.#connection.close();
    await ended;
  }
}
