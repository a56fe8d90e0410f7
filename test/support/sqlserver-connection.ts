/** One connection to a test server of SQL Server, as an application has it: batches, parameters, transactions. */
import { Connection, type ConnectionConfiguration, ISOLATION_LEVEL, Request, TYPES } from 'tedious';

export type SqlValue = string | number | bigint | boolean | Date | Uint8Array | null;
/** Values as texts; binaries as digits in upper case, times as the driver's ISO form. */
export type TextRecord = Readonly<Record<string, string | null>>;

export class TestConnection {
  readonly #connection: Connection;
  #last: Promise<unknown> = Promise.resolve();
  #open = true;

  private constructor(connection: Connection) {
    this.#connection = connection;
    connection.on('error', () => {}); // told to whoever waits for a statement
    connection.once('end', () => {
      this.#open = false;
    });
  }

  static async open(configuration: ConnectionConfiguration): Promise<TestConnection> {
    const connection = new Connection(configuration);
    const opened = new TestConnection(connection);
    await new Promise<void>((resolve, reject) => {
      connection.connect((error) => (error ? reject(error) : resolve()));
    });
    return opened;
  }

  /** False once either side has ended the connection. */
  get open(): boolean {
    return this.#open;
  }

  /** Runs a batch; with values, which it calls `@p1` and so on, as a statement with parameters. */
  query(sql: string, values: readonly SqlValue[] = []): Promise<readonly TextRecord[]> {
    return this.#inTurn(() => this.#execute(sql, values).then(({ rows }) => rows));
  }

  /** As {@link query}; how many rows were affected. */
  affected(sql: string, values: readonly SqlValue[] = []): Promise<number> {
    return this.#inTurn(() => this.#execute(sql, values).then(({ count }) => count));
  }

  /** Commits what `work` did, or rolls it back when `work` throws. */
  async transaction<T>(work: () => Promise<T>): Promise<T> {
    await this.#perform((done) =>
      this.#connection.beginTransaction(done, '', ISOLATION_LEVEL.READ_COMMITTED),
    );
    try {
      const result = await work();
      await this.#perform((done) => this.#connection.commitTransaction(done));
      return result;
    } catch (error) {
      // Some errors have rolled the transaction back already.
      await this.query('IF @@TRANCOUNT > 0 ROLLBACK TRANSACTION').catch(() => {});
      throw error;
    }
  }

  async close(): Promise<void> {
    if (!this.#open) return;
    await this.#last.catch(() => {});
    const ended = new Promise<void>((resolve) => this.#connection.once('end', () => resolve()));
    this.#connection.close();
    await ended;
  }

  #perform(start: (done: (error?: Error | null) => void) => void): Promise<void> {
    return this.#inTurn(
      () => new Promise((resolve, reject) => start((error) => (error ? reject(error) : resolve()))),
    );
  }

  /** The driver takes one request at a time. */
  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const result = this.#last.then(work, work);
    this.#last = result.catch(() => {});
    return result;
  }

  #execute(sql: string, values: readonly SqlValue[]): Promise<{ rows: TextRecord[]; count: number }> {
    return new Promise((resolve, reject) => {
      const rows: TextRecord[] = [];
      const request = new Request(sql, (error, count) =>
        error ? reject(error) : resolve({ rows, count: count ?? 0 }),
      );
      for (const [index, value] of values.entries()) {
        request.addParameter(
          `p${index + 1}`,
          typeOf(value),
          typeof value === 'bigint' ? String(value) : value,
        );
      }
      request.on(
        'row',
        (
          columns: readonly { readonly value: unknown; readonly metadata: { readonly colName: string } }[],
        ) => {
          rows.push(
            Object.fromEntries(columns.map(({ metadata, value }) => [metadata.colName, textOf(value)])),
          );
        },
      );
      if (values.length === 0) this.#connection.execSqlBatch(request);
      else this.#connection.execSql(request);
    });
  }
}

function typeOf(value: SqlValue): (typeof TYPES)[keyof typeof TYPES] {
  switch (typeof value) {
    case 'boolean':
      return TYPES.Bit;
    case 'bigint':
      return TYPES.BigInt;
    case 'number':
      return Number.isInteger(value) && Math.abs(value) < 2 ** 31 ? TYPES.Int : TYPES.Float;
    default:
      if (value instanceof Date) return TYPES.DateTime2;
      return value instanceof Uint8Array ? TYPES.VarBinary : TYPES.NVarChar;
  }
}

function textOf(value: unknown): string | null {
  if (value === null || value === undefined) return null;
  if (typeof value === 'boolean') return value ? '1' : '0';
  if (value instanceof Date) return value.toISOString();
  if (value instanceof Uint8Array) return Buffer.from(value).toString('hex').toUpperCase();
  return String(value);
}
