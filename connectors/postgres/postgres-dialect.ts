/** PostgreSQL behind the engine's contract; each method hands on to the file that knows how. */
import { createHash } from 'node:crypto';
import type { DeadLetterBox } from '../../src/connector/dead-letters/contract.ts';
import {
  type Catalog,
  type ChangeFeed,
  type ColumnInfo,
  type FeedHealth,
  type FeedKnown,
  type FeedStanding,
  type Position,
  type SnapshotReader,
  type SourceDialect,
  type SqlText,
  type SqlWriter,
  type StateCodec,
  type TableInfo,
  type TableName,
  tableId,
  type ValueCodec,
  type WantedTable,
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
import { alterFailover, requireFailoverSlots } from './feed/failover.ts';
import { streamFailure } from './feed/feed-failure.ts';
import { feedStanding } from './feed/feed-standing.ts';
import {
  checkReplicaIdentities,
  dropPublication,
  ensurePublication,
  publicationExists,
} from './feed/publication.ts';
import { openReplicationStream } from './feed/replication-stream.ts';
import { createSlot, dropSlot } from './feed/slot.ts';
import { slotAhead, slotLost, slotMissing } from './feed/slot-errors.ts';
import { DEFAULT_WARN_BYTES, slotHealth } from './feed/slot-health.ts';
import { holderText, slotHolder } from './feed/slot-holder.ts';
import { type SlotStatus, slotStatus } from './feed/slot-status.ts';
import { resumePoint } from './feed/source.ts';
import { fetchRows } from './fetch-rows.ts';
import { compareLsn } from './lsn.ts';
import type { PostgresConnectionOptions, PostgresFeedOptions } from './options.ts';
import {
  checkServer,
  checkTablePrivileges,
  createOwnTables,
  ensureDatabase,
  message,
} from './preparation.ts';
import { Session, type SessionContext } from './session.ts';
import { PostgresSnapshotReader } from './snapshot/snapshot-reader.ts';
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

/** NAMEDATALEN − 1, for slots as for all names. */
const LONGEST_NAME = 63;
const DIGEST_LENGTH = 10;
/** Long enough for a change of a table that has the lock; then whoever asked lets go of what it holds and tries again. */
const LOCK_TIMEOUT_MS = 5_000;

/**
 * Slot and publication share this name, made from the adapter's. Slots take only small letters, digits and `_`; what is
 * lost or cut for that is told apart by a digest, because two adapters must never share a slot.
 */
export function feedName(adapterName: string): string {
  const plain = adapterName.toLowerCase().replace(/[^a-z0-9_]/g, '_');
  const name = plain.startsWith('isthmus_') ? plain : `isthmus_${plain}`;
  if (plain === adapterName && name.length <= LONGEST_NAME) return name;
  const digest = createHash('sha256').update(adapterName).digest('hex').slice(0, DIGEST_LENGTH);
  return `${name.slice(0, LONGEST_NAME - DIGEST_LENGTH - 1)}_${digest}`;
}

export class PostgresDialect implements SourceDialect {
  readonly name = 'postgres';
  readonly defaultSchema: string;
  readonly #options: PostgresDialectOptions;
  readonly #context: SessionContext;
  readonly #concealment = postgresConcealment();
  /** Name of slot and publication. */
  readonly feedName: string;
  readonly catalogWatch: PostgresCatalogWatch;
  /** Ids of the tables that the publication was made for. */
  #followed: readonly string[] = [];
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
    this.feedName = feedName(adapterName);
    this.catalogWatch = new PostgresCatalogWatch(
      { schema: options.schema, feedName: this.feedName, logger },
      (doing, use) => this.#with(doing, use),
    );
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

  async prepareFeed(
    tables: readonly TableInfo[],
    { reset, followed = [] }: { reset: boolean; followed?: readonly string[] },
  ): Promise<{ created: boolean; snapshot: SnapshotReader | undefined; start?: Position }> {
    const created = await this.#with('preparing the change feed', async (session) => {
      await checkReplicaIdentities(session, tables);
      await checkTablePrivileges(session, tables);
      if (this.#failover) await requireFailoverSlots(session, this.#context.logger);
      if (reset) {
        await dropSlot(session, this.feedName);
        await dropPublication(session, this.feedName);
      }
      const status = await this.#usableStatus(session);
      if (status.state === 'lost') {
        // No use to anybody; whoever has followed it learns of the new one and must compare.
        this.#context.logger.warn('The replication slot is lost, making it anew', {
          slot: this.feedName,
          reason: status.reason,
        });
        await dropSlot(session, this.feedName);
      }
      // Before the slot: what the slot delivers is looked up in the publication as it was at that time.
      await ensurePublication(session, this.feedName, tables, status.state === 'ok' ? followed : []);
      this.#followed = tables.map(({ table }) => tableId(table));
      if (status.state === 'ok' && this.#failover && !status.failover) await this.#becomeFailover(session);
      return status.state !== 'ok';
    });
    if (!created) return { created, snapshot: undefined };
    const { snapshotName, start, connection } = await createSlot(this.#context, this.feedName, {
      failover: this.#failover,
    });
    try {
      const session = await Session.open(this.#context, { name: 'isthmus snapshot' });
      return { created, start, snapshot: await PostgresSnapshotReader.open(session, snapshotName) };
    } finally {
      await connection.close();
    }
  }

  /** What happened while the slot had no publication is not delivered, or not without an error: it is lost too. */
  async #usableStatus(session: Session): Promise<SlotStatus> {
    const status = await slotStatus(session, this.feedName);
    if (status.state !== 'ok' || (await publicationExists(session, this.feedName))) return status;
    return { state: 'lost', reason: 'its publication was dropped' };
  }

  get #failover(): boolean {
    return this.#options.feed?.failover === true;
  }

  /** A slot that was made before `failoverSlot` was set. Nobody may be reading it while it is changed. */
  async #becomeFailover(session: Session): Promise<void> {
    try {
      await alterFailover(this.#context, this.feedName);
    } catch (cause) {
      const holder = await slotHolder(session, this.feedName);
      if (holder === undefined) throw cause;
      this.#context.logger.warn('The replication slot stays without failover while somebody reads it', {
        slot: this.feedName,
        holder: holderText(holder),
        remedy: 'start the adapter again after that one has ended',
      });
    }
  }

  async openSnapshot(): Promise<SnapshotReader> {
    const session = await Session.open(this.#context, { name: 'isthmus snapshot' });
    return PostgresSnapshotReader.open(session);
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

  /**
   * Throws `PostgresFeedLostError` when the database is another one than `known` comes from, or its slot has moved on
   * without us. That the slot may be missing or lost is not looked at: it can be made anew.
   */
  async checkSource(known: FeedKnown): Promise<string> {
    const session = await Session.open(this.#context, { replication: true, name: 'isthmus check' });
    try {
      const { source, after } = await resumePoint(session, known);
      const status = await this.slotStatus();
      if (status.state === 'ok') this.#requireNotAhead(status.confirmed, after);
      return source;
    } catch (cause) {
      throw streamFailure(cause, this.feedName);
    } finally {
      await session.close();
    }
  }

  #requireNotAhead(confirmed: string, after: Position | undefined): void {
    if (after !== undefined && compareLsn(confirmed, after) > 0)
      throw slotAhead(this.feedName, confirmed, after);
  }

  /**
   * Throws `PostgresFeedLostError` when the slot is gone, invalidated, or not the one that was followed so far, and
   * `PostgresSlotHeldError` when somebody else goes on reading it.
   */
  async openFeed(
    after: Position | undefined,
    signal: AbortSignal,
    known: FeedKnown = { position: after, committed: undefined, source: undefined },
  ): Promise<ChangeFeed> {
    const { adapterName } = this.#options.engine;
    return openReplicationStream(
      this.#context,
      {
        slot: this.feedName,
        publication: this.feedName,
        adapterName,
        known: { ...known, position: after },
        checkSlot: (from) => this.#checkSlot(from),
        holder: () =>
          this.#with('asking who holds the slot', (session) => slotHolder(session, this.feedName)),
        waitMilliseconds: this.#options.feed?.waitMilliseconds,
      },
      signal,
    );
  }

  async #checkSlot(after: Position | undefined): Promise<void> {
    const status = await this.slotStatus();
    if (status.state === 'missing') throw slotMissing(this.feedName);
    if (status.state === 'lost') throw slotLost(this.feedName, status.reason);
    this.#requireNotAhead(status.confirmed, after);
  }

  /** What the server says about slot and publication, judged. */
  async feedHealth(): Promise<FeedHealth> {
    const warnBytes = this.#options.feed?.warnBytes ?? DEFAULT_WARN_BYTES;
    return this.#with('watching the slot', (session) =>
      slotHealth(session, this.feedName, this.#followed, warnBytes),
    );
  }

  async slotStatus(): Promise<SlotStatus> {
    return this.#with('asking for the replication slot', (session) => slotStatus(session, this.feedName));
  }

  async feedStanding(): Promise<FeedStanding> {
    return this.#with('asking for the replication slot', (session) => feedStanding(session, this.feedName));
  }

  comparePositions(a: Position, b: Position): number {
    return compareLsn(a, b);
  }

  isTransient(error: unknown): boolean {
    return isTransientPostgresError(error);
  }

  async dropFeed(): Promise<void> {
    await this.#with('removing the change feed', async (session) => {
      await dropSlot(session, this.feedName);
      await dropPublication(session, this.feedName);
    });
  }

  deadLetters(): DeadLetterBox {
    return new PostgresDeadLetterBox(this.#options.engine.adapterName, (doing, use) =>
      this.#with(doing, use),
    );
  }

  async feedHolder(): Promise<string | undefined> {
    const holder = await this.#with('asking who reads the slot', (session) =>
      slotHolder(session, this.feedName),
    );
    return holder === undefined ? undefined : holderText(holder);
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
