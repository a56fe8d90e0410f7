/** PostgreSQL behind the engine's contract; each method hands on to the file that knows how. */
import type { DeadLetterBox } from '../../src/connector/dead-letters/contract.ts';
import type {
  Catalog,
  ChangeFeed,
  ColumnInfo,
  FeedHealth,
  FeedKnown,
  FeedStanding,
  Position,
  SnapshotReader,
  SourceDialect,
  SqlText,
  SqlWriter,
  StateCodec,
  TableInfo,
  TableName,
  ValueCodec,
  WantedTable,
} from '../../src/connector/dialect.ts';
import { LastingSession } from '../../src/connector/lasting-session.ts';
import type { Logger } from '../../src/log.ts';
import type { ClassDefinition, ColumnDefinition } from '../../src/schema/definition.ts';
import { readCatalog } from './catalog.ts';
import { PostgresCatalogWatch } from './catalog-watch.ts';
import { stateCodecFor } from './codec/state-codec.ts';
import { codecFor } from './codec/value-codec.ts';
import { columnTypeFor, isDocument, naturalDefinition } from './column-types.ts';
import { postgresConcealment } from './concealment.ts';
import { missingStatements, runDdl } from './ddl.ts';
import { PostgresDeadLetterBox } from './dead-letter-box.ts';
import { isTransientPostgresError, PostgresError, PostgresQueryError } from './errors.ts';
import { SlotFeed } from './feed/slot-feed.ts';
import type { SlotStatus } from './feed/slot-status.ts';
import { fetchRows } from './fetch-rows.ts';
import { compareLsn } from './lsn.ts';
import type { PostgresConnectionOptions, PostgresFeedOptions } from './options.ts';
import { checkServer, createOwnTables, ensureDatabase, message } from './preparation.ts';
import { Session, type SessionContext } from './session.ts';
import { SnapshotVisibility } from './snapshot/visibility.ts';
import { classOfFailure } from './sql-state.ts';
import { retryingWriter } from './writer/retrying-writer.ts';

/** The part of `PostgresConnectorOptions` that the dialect needs; the whole fits. */
export type PostgresDialectOptions = {
  readonly connection: PostgresConnectionOptions;
  /** Schema of the tables. */
  readonly schema: string;
  /** Custom type name to the type that it is treated as. */
  readonly customTypes: ReadonlyMap<string, string>;
  readonly engine: {
    readonly adapterName: string;
    readonly logger: Logger;
    /** Log SQL statements at level verbose. */
    readonly printCommands: boolean;
  };
  readonly feed?: PostgresFeedOptions;
};

export function createPostgresDialect(options: PostgresDialectOptions): PostgresDialect {
  return new PostgresDialect(options);
}

/** Long enough for a change of a table that has the lock; then whoever asked lets go of what it holds and tries again. */
const LOCK_TIMEOUT_MS = 5_000;

export class PostgresDialect implements SourceDialect {
  readonly name = 'postgres';
  readonly defaultSchema: string;
  readonly #options: PostgresDialectOptions;
  readonly #context: SessionContext;
  readonly #concealment = postgresConcealment();
  readonly catalogWatch: PostgresCatalogWatch;
  readonly #feed: SlotFeed;
  /** For catalog and DDL. */
  readonly #session: LastingSession<Session>;
  /** For rows: while a snapshot of ours is open, a change of the table waits for it, and what comes after for the change. */
  readonly #reader: LastingSession<Session>;

  constructor(options: PostgresDialectOptions) {
    this.#options = options;
    const { logger, printCommands, adapterName } = options.engine;
    this.#context = {
      connection: options.connection,
      logger,
      printCommands,
      adapterName,
      concealment: this.#concealment,
    };
    const connect = (): Promise<Session> => Session.open(this.#context);
    this.#session = new LastingSession(connect);
    this.#reader = new LastingSession(connect, (session) =>
      session.script(`SET lock_timeout = ${LOCK_TIMEOUT_MS}`),
    );
    this.defaultSchema = options.schema;
    this.#feed = new SlotFeed(
      this.#context,
      (doing, use) => this.#with(doing, use),
      adapterName,
      options.feed,
    );
    this.catalogWatch = new PostgresCatalogWatch(
      { schema: options.schema, feedName: this.feedName, logger },
      (doing, use) => this.#with(doing, use),
    );
  }

  /** Name of slot and publication. */
  get feedName(): string {
    return this.#feed.name;
  }

  async prepare(options: { createDatabase: boolean }): Promise<void> {
    if (options.createDatabase) await ensureDatabase(this.#context);
    await this.#with('checking the server', async (session) => {
      await checkServer(session, this.feedName);
      await createOwnTables(session);
    });
  }

  async catalog(): Promise<Catalog> {
    const { schema, customTypes } = this.#options;
    return this.#with('reading the catalog', (session) => readCatalog(session, schema, customTypes));
  }

  columnTypeFor(column: ColumnDefinition): string {
    return columnTypeFor(column);
  }

  naturalDefinition(column: ColumnInfo): ColumnDefinition {
    return naturalDefinition(column);
  }

  shownDefinition(column: ColumnInfo): ColumnDefinition | undefined {
    return isDocument(column) ? { type: 'mixed', nullable: true, collection: 'single' } : undefined;
  }

  codec(column: ColumnInfo, property: ColumnDefinition): ValueCodec {
    return codecFor(column, property);
  }

  stateCodec(
    column: ColumnInfo,
    property: ColumnDefinition,
    definitions: ReadonlyMap<string, ClassDefinition>,
  ): StateCodec {
    return stateCodecFor(column, property, definitions);
  }

  async createMissing(tables: readonly WantedTable[]): Promise<readonly string[]> {
    const statements = missingStatements(tables, await this.catalog());
    if (statements.length === 0) return statements;
    // On a connection of its own: nothing else may slip into its transaction.
    const session = await Session.open(this.#context);
    try {
      await runDdl(session, statements);
    } finally {
      await session.close();
    }
    return statements;
  }

  prepareFeed(
    tables: readonly TableInfo[],
    options: { reset: boolean; followed?: readonly string[] },
  ): Promise<{ created: boolean; snapshot: SnapshotReader | undefined; start?: Position }> {
    return this.#feed.prepare(tables, options);
  }

  openSnapshot(): Promise<SnapshotReader> {
    return this.#feed.openSnapshot();
  }

  snapshotIncludes(visibility: string, transaction: string): boolean {
    return new SnapshotVisibility(visibility).includes(transaction);
  }

  /** A commit is in the log a moment before other transactions see it. */
  async visibility(): Promise<string> {
    const read = async (session: Session): Promise<string> => {
      const [row] = await session.query('SELECT txid_current_snapshot()::text');
      return row?.[0] ?? '';
    };
    return this.#with('reading what is visible', read, this.#reader);
  }

  checkSource(known: FeedKnown): Promise<string> {
    return this.#feed.checkSource(known);
  }

  /**
   * Throws `PostgresFeedLostError` when the slot is gone, invalidated, or not the one that was followed so far, and
   * `PostgresSlotHeldError` when somebody else goes on reading it.
   */
  openFeed(
    after: Position | undefined,
    signal: AbortSignal,
    known: FeedKnown = { position: after, committed: undefined, source: undefined },
  ): Promise<ChangeFeed> {
    return this.#feed.open({ ...known, position: after }, signal);
  }

  feedHealth(): Promise<FeedHealth> {
    return this.#feed.health();
  }

  slotStatus(): Promise<SlotStatus> {
    return this.#feed.slotStatus();
  }

  feedStanding(): Promise<FeedStanding> {
    return this.#feed.standing();
  }

  comparePositions(a: Position, b: Position): number {
    return compareLsn(a, b);
  }

  isTransient(error: unknown): boolean {
    return isTransientPostgresError(error);
  }

  dropFeed(): Promise<void> {
    return this.#feed.drop();
  }

  deadLetters(): DeadLetterBox {
    return new PostgresDeadLetterBox(this.#options.engine.adapterName, (doing, use) =>
      this.#with(doing, use),
    );
  }

  feedHolder(): Promise<string | undefined> {
    return this.#feed.holder();
  }

  conceal(isSecret: (table: TableName, column: string) => boolean): void {
    this.#concealment.use(isSecret);
  }

  async openWriter(): Promise<SqlWriter> {
    return retryingWriter(this.#context, this.#options.engine.adapterName);
  }

  async fetchRows(
    table: TableInfo,
    columns: readonly string[],
    keys: readonly (readonly string[])[],
    keyColumns?: readonly string[],
  ): Promise<readonly (readonly SqlText[])[]> {
    return this.#with(
      'reading rows',
      (session) => fetchRows(session, table, columns, keys, keyColumns),
      this.#reader,
    );
  }

  async close(): Promise<void> {
    await Promise.all([this.#session.close(), this.#reader.close()]);
  }

  async #with<T>(
    doing: string,
    use: (session: Session) => Promise<T>,
    lasting: LastingSession<Session> = this.#session,
  ): Promise<T> {
    const session = await lasting.open();
    try {
      return await use(session);
    } catch (cause) {
      if (cause instanceof PostgresError) throw cause;
      const where = `database ${this.#options.connection.database}`;
      throw new PostgresQueryError(`${doing} in ${where} failed: ${message(cause)}`, {
        errorClass: classOfFailure(cause) === 'transient' ? 'transient' : 'fatal',
        cause,
      });
    }
  }
}
