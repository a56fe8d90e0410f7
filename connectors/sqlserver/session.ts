/**
 * One connection. Values travel as texts: statements select expressions that give texts (column-text.ts), binaries
 * become `0x` and digits here, NULL is null. Statements run one after the other.
 *
 * The driver emits failures of the connection as events, and an `error` event without a listener ends the process: there
 * is one from before connecting until after the end. What a statement fails with is told to whoever waits for it.
 */
import { Connection, Request } from 'tedious';
import type { BoundRows, Concealment } from '../../src/connector/concealment.ts';
import type { SqlText } from '../../src/connector/dialect.ts';
import { Turns } from '../../src/connector/turns.ts';
import type { Logger } from '../../src/log.ts';
import { applicationName } from './application-name.ts';
import { sqlServerConcealment } from './concealment.ts';
import { connectionError } from './connection-error.ts';
import { driverConfig } from './driver-config.ts';
import { asText, type DriverValue } from './driver-values.ts';
import { logIn } from './log-in.ts';
import type { SqlServerConnectionOptions } from './options.ts';
import { bind, type SqlParameter } from './parameters.ts';
import { RowBatches } from './row-batches.ts';
import { shownValues } from './shown-values.ts';

export type TextRow = readonly SqlText[];
export type SessionContext = {
  readonly connection: SqlServerConnectionOptions;
  readonly logger: Logger;
  /** Log every statement with its values at level verbose. */
  readonly printCommands: boolean;
  /** Which values are not to be shown anywhere. */
  readonly concealment?: Concealment;
  /** Shown to the server in the name of every connection. */
  readonly adapterName?: string;
};

export type StatementOptions = {
  /** Cancels the statement; its promise rejects with the signal's reason then. */
  readonly signal?: AbortSignal | undefined;
  /** Until the first answer; 0 for none. That of `sqlserverConfig.requestTimeout` unless given. */
  readonly timeoutMilliseconds?: number;
  /** What the values are, for those that must not be printed. */
  readonly bound?: BoundRows;
};

/** What a statement, or a batch of several, brought. */
export type StatementResult = {
  readonly rows: readonly TextRow[];
  /** Rows affected or returned, of all statements together. */
  readonly count: number;
};

export type Isolation = 'read committed' | 'repeatable read' | 'serializable' | 'snapshot';

/** Most errors have rolled back already. */
export const ROLL_BACK = 'IF @@TRANCOUNT > 0 ROLLBACK';

/** As protocol and driver number them. */
const LEVELS: Readonly<Record<Isolation, number>> = {
  'read committed': 2,
  'repeatable read': 3,
  serializable: 4,
  snapshot: 5,
};

export class Session {
  readonly #connection: Connection;
  readonly #context: SessionContext;
  readonly #concealment: Concealment;
  readonly #turns = new Turns();
  #broken: Error | undefined;
  /** Set while the driver has not yet called back for a statement that was cancelled. */
  #cancelling: Promise<unknown> | undefined;

  private constructor(connection: Connection, context: SessionContext) {
    this.#connection = connection;
    this.#context = context;
    this.#concealment = context.concealment ?? sqlServerConcealment();
    connection.on('error', (error) => {
      this.#broken ??= error;
    });
    connection.on('end', () => {
      this.#broken ??= new Error('Connection lost - the connection was closed');
    });
  }

  /** Connects and sets the session up. Throws a `SqlServerError` that names server, user and database. */
  static async open(
    context: SessionContext,
    options: { database?: string; name?: string; signal?: AbortSignal } = {},
  ): Promise<Session> {
    const database = options.database ?? context.connection.database;
    const name = applicationName(options.name ?? 'isthmus', context.adapterName);
    let session: Session | undefined;
    try {
      const connection = new Connection(driverConfig(context.connection, database, name));
      session = new Session(connection, context);
      await logIn(connection, options.signal);
      return session;
    } catch (error) {
      await session?.close();
      options.signal?.throwIfAborted();
      throw connectionError(error, context.connection, database);
    }
  }

  /** What statements and errors of this session may show. */
  get concealment(): Concealment {
    return this.#concealment;
  }

  get broken(): boolean {
    return this.#broken !== undefined;
  }

  /** Runs one statement and returns its rows as texts. Throws the driver's own error. */
  async query(
    text: string,
    parameters: readonly SqlParameter[] = [],
    options: StatementOptions = {},
  ): Promise<readonly TextRow[]> {
    return (await this.execute(text, parameters, options)).rows;
  }

  /** The same, with the number of rows affected. */
  async execute(
    text: string,
    parameters: readonly SqlParameter[] = [],
    options: StatementOptions = {},
  ): Promise<StatementResult> {
    return this.#turns.run(() => this.#collect(text, parameters, options, 'statement'));
  }

  /**
   * A batch without parameters, as scripts have them between `GO`: what must not stand inside `sp_executesql`, such as
   * settings that are to last, and DDL that must be the first of its batch.
   */
  async batch(text: string, options: StatementOptions = {}): Promise<StatementResult> {
    return this.#turns.run(() => this.#collect(text, [], options, 'batch'));
  }

  /**
   * Streams the rows of one statement. Holds little more than a batch: while nobody takes rows, the driver does not read
   * them. Other statements of the session wait until all are read or the iteration ends.
   */
  async *rows(
    text: string,
    parameters: readonly SqlParameter[] = [],
    options: StatementOptions = {},
  ): AsyncGenerator<readonly TextRow[], void, undefined> {
    const release = await this.#turns.take();
    try {
      options.signal?.throwIfAborted();
      const batches = new RowBatches();
      const running = this.#start(text, parameters, { timeoutMilliseconds: 0, ...options }, 'statement', {
        row: (row) => batches.add(row),
        onRequest: (request) => batches.control(request),
      });
      running.then(
        () => batches.end(),
        (error: unknown) => batches.fail(error),
      );
      let isComplete = false;
      try {
        yield* batches.take();
        isComplete = true;
      } finally {
        if (!isComplete) {
          batches.discard();
          this.#connection.cancel();
          await this.#settled(running);
        }
      }
    } finally {
      release();
    }
  }

  /** The level stays that of the session until the next transaction begins. */
  async begin(isolation: Isolation = 'read committed'): Promise<void> {
    await this.#turns.run(() => {
      this.#print(`BEGIN TRANSACTION (${isolation})`, []);
      return this.#called((done) => this.#connection.beginTransaction(done, '', LEVELS[isolation]));
    });
  }

  async commit(): Promise<void> {
    await this.#turns.run(() => {
      this.#print('COMMIT TRANSACTION', []);
      return this.#called((done) => this.#connection.commitTransaction(done));
    });
  }

  /** Does nothing when the server has rolled back already, as it does after most errors. Never throws. */
  async rollback(): Promise<void> {
    await this.#turns.run(async () => {
      if (this.broken) return;
      this.#print(ROLL_BACK, []);
      await this.#run(ROLL_BACK, [], {}, 'batch', {}).catch((error: unknown) => {
        this.#broken ??= error instanceof Error ? error : new Error(String(error));
      });
    });
  }

  /** Runs `work` in a transaction, and rolls back what it throws at. */
  async transaction<T>(isolation: Isolation, work: () => Promise<T>): Promise<T> {
    await this.begin(isolation);
    try {
      const result = await work();
      await this.commit();
      return result;
    } catch (error) {
      await this.rollback();
      throw error;
    }
  }

  /** Ends the connection; a statement under way is given up. Never throws. */
  async close(): Promise<void> {
    // The driver must not lose its request while it waits for the server's answer to a cancellation.
    await this.#cancelling;
    this.#broken ??= new Error('Connection closed');
    this.#connection.close();
  }

  async #collect(
    text: string,
    parameters: readonly SqlParameter[],
    options: StatementOptions,
    kind: 'statement' | 'batch',
  ): Promise<StatementResult> {
    const rows: TextRow[] = [];
    const count = await this.#start(text, parameters, options, kind, { row: (row) => rows.push(row) });
    return { rows, count };
  }

  #start(
    text: string,
    parameters: readonly SqlParameter[],
    options: StatementOptions,
    kind: 'statement' | 'batch',
    receive: Receive,
  ): Promise<number> {
    this.#print(text, parameters, options.bound);
    return this.#run(text, parameters, options, kind, receive);
  }

  async #run(
    text: string,
    parameters: readonly SqlParameter[],
    { signal, timeoutMilliseconds }: StatementOptions,
    kind: 'statement' | 'batch',
    { row, onRequest }: Receive,
  ): Promise<number> {
    signal?.throwIfAborted();
    const ended = Promise.withResolvers<number>();
    const request = new Request(text, (error, count) => {
      if (error) ended.reject(error);
      else ended.resolve(count ?? 0);
    });
    if (row !== undefined) request.on('row', (columns: readonly DriverValue[]) => row(columns.map(asText)));
    if (timeoutMilliseconds !== undefined) request.setTimeout(timeoutMilliseconds);
    bind(request, parameters);
    onRequest?.(request);
    const cancel = (): void => {
      request.cancel();
      void this.#settled(ended.promise);
    };
    signal?.addEventListener('abort', cancel, { once: true });
    try {
      if (kind === 'batch') this.#connection.execSqlBatch(request);
      else this.#connection.execSql(request);
      return await ended.promise;
    } catch (error) {
      signal?.throwIfAborted();
      throw error;
    } finally {
      signal?.removeEventListener('abort', cancel);
    }
  }

  /** Resolves when a statement that was cancelled has ended, which the driver sees to within its cancelTimeout. */
  async #settled(running: Promise<unknown>): Promise<void> {
    const settled = running.then(
      () => {},
      () => {},
    );
    this.#cancelling = settled;
    await settled;
    if (this.#cancelling === settled) this.#cancelling = undefined;
  }

  async #called(call: (done: (error: Error | null | undefined) => void) => void): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    call((error) => (error ? reject(error) : resolve()));
    await promise;
  }

  #print(text: string, parameters: readonly SqlParameter[], bound?: BoundRows): void {
    if (!this.#context.printCommands) return;
    const values = shownValues(parameters, bound, this.#concealment);
    const shown = values.length === 0 ? {} : { values };
    this.#context.logger.verbose('SQL', { text, ...shown });
  }
}

type Receive = {
  readonly row?: (row: TextRow) => void;
  readonly onRequest?: (request: Request) => void;
};
