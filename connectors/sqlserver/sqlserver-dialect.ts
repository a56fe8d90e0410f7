/** SQL Server behind the engine's contract; each method hands on to the file that knows how. */
import type { Concealment } from '../../src/connector/concealment.ts';
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
import { SqlServerCatalogWatch } from './catalog-watch.ts';
import { stateCodecFor } from './codec/state-codec.ts';
import { codecFor } from './codec/value-codec.ts';
import { columnTypeFor, hasProperty, isDocument, naturalDefinition } from './column-types.ts';
import { sqlServerConcealment } from './concealment.ts';
import { missingStatements, readCollations, runDdl } from './ddl.ts';
import { SqlServerDeadLetterBox } from './dead-letter-box.ts';
import { classOfFailure } from './error-numbers.ts';
import { isTransientSqlServerError, SqlServerError, SqlServerQueryError } from './errors.ts';
import { ChangeTrackingFeed } from './feed/change-tracking-feed.ts';
import { comparePositions } from './feed/version.ts';
import { fetchRows } from './fetch-rows.ts';
import { sqlServerMending } from './mending.ts';
import { message } from './message.ts';
import type { SqlServerConnectionOptions, SqlServerFeedOptions } from './options.ts';
import { checkTablePermissions } from './permissions.ts';
import { checkServer, ensureDatabase, prepareOwnTables } from './preparation.ts';
import { Session, type SessionContext } from './session.ts';
import { snapshotIncludes } from './snapshot/snapshot-reader.ts';
import { retryingWriter } from './writer/retrying-writer.ts';

/** The part of `SqlServerConnectorOptions` that the dialect needs; the whole fits. */
export type SqlServerDialectOptions = {
  readonly connection: SqlServerConnectionOptions;
  /** Schema of the tables. */
  readonly schema: string;
  readonly engine: {
    readonly adapterName: string;
    readonly logger: Logger;
    /** Log SQL statements at level verbose. */
    readonly printCommands: boolean;
  };
  readonly feed?: SqlServerFeedOptions;
};

export function createSqlServerDialect(options: SqlServerDialectOptions): SqlServerDialect {
  return new SqlServerDialect(options);
}

/** Long enough for a change of a table that has the lock; then whoever asked lets go of what it holds and tries again. */
const LOCK_TIMEOUT_MS = 5_000;
export const LIMIT_LOCKS = `SET LOCK_TIMEOUT ${LOCK_TIMEOUT_MS}`;

export class SqlServerDialect implements SourceDialect {
  readonly matchesWithoutIndex = true;
  readonly feedsNetChanges = true;
  readonly name = 'sqlserver';
  readonly defaultSchema: string;
  readonly mending = sqlServerMending;
  readonly catalogWatch: SqlServerCatalogWatch;
  readonly #options: SqlServerDialectOptions;
  readonly #context: SessionContext;
  readonly #concealment: Concealment = sqlServerConcealment();
  readonly #feed: ChangeTrackingFeed;
  /** For catalog and DDL. */
  readonly #session: LastingSession<Session>;
  /** For rows: a change of the table that waits must not keep the rest waiting. */
  readonly #reader: LastingSession<Session>;

  constructor(options: SqlServerDialectOptions) {
    this.#options = options;
    const { logger, printCommands, adapterName } = options.engine;
    const concealment = this.#concealment;
    this.#context = { connection: options.connection, logger, printCommands, adapterName, concealment };
    const connect = (): Promise<Session> => Session.open(this.#context);
    this.#session = new LastingSession(connect);
    this.#reader = new LastingSession(connect, (session) => session.batch(LIMIT_LOCKS));
    this.defaultSchema = options.schema;
    this.#feed = new ChangeTrackingFeed(this.#context, (doing, use) => this.#with(doing, use), {
      adapterName,
      logger,
      pollMilliseconds: options.feed?.pollMilliseconds,
    });
    this.catalogWatch = new SqlServerCatalogWatch(options.schema, (doing, use) => this.#with(doing, use));
  }

  async prepare(options: { createDatabase: boolean }): Promise<void> {
    if (options.createDatabase) await ensureDatabase(this.#context);
    await this.#with('checking the server', async (session) => {
      await checkServer(session);
      await prepareOwnTables(session);
    });
  }

  async catalog(): Promise<Catalog> {
    return this.#with('reading the catalog', (session) => readCatalog(session, this.#options.schema));
  }

  columnTypeFor(column: ColumnDefinition): string {
    return columnTypeFor(column);
  }

  naturalDefinition(column: ColumnInfo): ColumnDefinition {
    return naturalDefinition(column);
  }

  hasProperty(column: ColumnInfo): boolean {
    return hasProperty(column);
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
    const catalog = await this.catalog();
    const collations = await this.#with('reading the catalog', (session) =>
      readCollations(session, this.#options.schema),
    );
    const statements = missingStatements(tables, catalog, collations);
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

  async prepareFeed(
    tables: readonly TableInfo[],
    options: { reset: boolean; renewLost?: boolean; followed?: readonly string[] },
  ): Promise<{ created: boolean; snapshot: SnapshotReader | undefined; start?: Position }> {
    await this.#with('preparing the change feed', (session) => checkTablePermissions(session, tables));
    return this.#feed.prepare(tables, options);
  }

  checkSource(known: FeedKnown): Promise<string> {
    return this.#feed.checkSource(known);
  }

  openSnapshot(): Promise<SnapshotReader> {
    return this.#feed.openSnapshot();
  }

  snapshotIncludes(visibility: string, transaction: string): boolean {
    return snapshotIncludes(visibility, transaction);
  }

  /**
   * Throws `SqlServerFeedLostError` when the feed can no longer be read on, and `SqlServerFeedHeldError` when somebody else
   * goes on reading it.
   */
  openFeed(
    after: Position | undefined,
    signal: AbortSignal,
    known: FeedKnown = { position: after, committed: undefined, source: undefined },
  ): Promise<ChangeFeed> {
    return this.#feed.open(after, signal, known);
  }

  feedHealth(): Promise<FeedHealth> {
    return this.#feed.health();
  }

  feedStanding(): Promise<FeedStanding> {
    return this.#feed.standing();
  }

  comparePositions(a: Position, b: Position): number {
    return comparePositions(a, b);
  }

  isTransient(error: unknown): boolean {
    return isTransientSqlServerError(error);
  }

  dropFeed(): Promise<void> {
    return this.#feed.drop();
  }

  deadLetters(): DeadLetterBox {
    return new SqlServerDeadLetterBox(this.#options.engine.adapterName, (doing, use) =>
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
      if (cause instanceof SqlServerError) throw cause;
      const where = `database ${this.#options.connection.database}`;
      throw new SqlServerQueryError(`${doing} in ${where} failed: ${message(cause)}`, {
        errorClass: classOfFailure(cause) === 'transient' ? 'transient' : 'fatal',
        cause,
      });
    }
  }
}
