/** The reading side of a connector to SQL Server: begins, opens, judges and removes the feed of one adapter. */
import { randomUUID } from 'node:crypto';
import type {
  ChangeFeed,
  FeedHealth,
  FeedKnown,
  FeedStanding,
  Position,
  SnapshotReader,
  TableInfo,
} from '../../../src/connector/dialect.ts';
import { tableId } from '../../../src/connector/dialect.ts';
import type { UseSession } from '../../../src/connector/lasting-session.ts';
import type { Logger } from '../../../src/log.ts';
import { writerText } from '../change-context.ts';
import { SqlServerFeedOutdatedError } from '../errors.ts';
import { Session, type SessionContext } from '../session.ts';
import { SqlServerSnapshotReader } from '../snapshot/snapshot-reader.ts';
import { CURRENT_VERSION } from '../snapshot/snapshot-statements.ts';
import { ChangePoller } from './change-poller.ts';
import { recordMissing, trackingOff } from './feed-errors.ts';
import { feedFailure } from './feed-failure.ts';
import { readHealth } from './feed-health.ts';
import { holderText, isHeld, takeLock, thisHolder } from './feed-lock.ts';
import { beginRecord, dropRecord, holdRecord, moveVersionOn, readRecord } from './feed-record.ts';
import { FollowedTable } from './followed-table.ts';
import { look } from './poll.ts';
import { databaseIdentity, lineOf, type OwnRecord, requireSame, sourceText } from './source.ts';
import { ensureTracked } from './tracking.ts';
import { positionOf, versionFrom, versionOf } from './version.ts';

export type ChangeTrackingOptions = {
  readonly adapterName: string;
  readonly logger: Logger;
  /** The longest pause between two polls of a quiet database. */
  readonly pollMilliseconds?: number | undefined;
  /** How long to wait for a feed that another connection holds. */
  readonly waitMilliseconds?: number | undefined;
  /** How long the server may leave the shortest question unanswered. */
  readonly answerMilliseconds?: number | undefined;
  /** Changes of one table that a poll holds in memory. */
  readonly mostChanges?: number | undefined;
};

/** Enough to see whether everything can be read; nothing is. */
const LOOK_MILLISECONDS = 30_000;

export class ChangeTrackingFeed {
  readonly #context: SessionContext;
  readonly #using: UseSession<Session>;
  readonly #options: ChangeTrackingOptions;
  #followed: readonly FollowedTable[] = [];
  /** Of a feed that would begin now. */
  #nextLine = randomUUID();
  /** What the replicas know, from when that was compared until the tables are known too. */
  #known: FeedKnown | undefined;
  /** What this process has recorded last. */
  #own: OwnRecord | undefined;

  constructor(context: SessionContext, using: UseSession<Session>, options: ChangeTrackingOptions) {
    this.#context = context;
    this.#using = using;
    this.#options = options;
  }

  /** Tables whose changes are followed. */
  get followed(): readonly FollowedTable[] {
    return this.#followed;
  }

  /**
   * Throws `SqlServerFeedLostError` when the database is another one than `known` comes from, or an earlier state of it.
   * That changes were cleaned up is not looked at before the tables are known.
   */
  async checkSource(known: FeedKnown): Promise<string> {
    this.#known = known;
    return this.#using('looking at the change feed', (session) => this.#sameSource(session, known));
  }

  /** The source of a feed that would begin now. */
  async #sameSource(session: Session, known: FeedKnown): Promise<string> {
    const found = await databaseIdentity(session);
    const [row] = await session.query(CURRENT_VERSION);
    const current = versionFrom(row?.[0]);
    if (current === undefined) throw trackingOff(found.name);
    requireSame(found, await readRecord(session, this.#options.adapterName), current, known, this.#own);
    return sourceText(found, this.#nextLine);
  }

  /**
   * Has the changes of the tables tracked, and begins the feed when it is new or `reset`, with a snapshot of that moment.
   * Throws `SqlServerFeedLostError` when the feed that is there can no longer be read on; with `renewLost` one whose
   * changes were cleaned up is begun anew.
   */
  async prepare(
    tables: readonly TableInfo[],
    { reset, renewLost = false }: { reset: boolean; renewLost?: boolean },
  ): Promise<{ created: boolean; snapshot: SnapshotReader | undefined; start?: Position }> {
    const { adapterName, logger } = this.#options;
    const known = this.#known;
    this.#known = undefined;
    const created = await this.#using('preparing the change feed', async (session) => {
      const enabled = await ensureTracked(session, tables);
      if (enabled.length > 0) {
        logger.info('Switched change tracking on', { tables: enabled });
        await moveVersionOn(session, adapterName);
      }
      this.#follow(tables);
      if (reset || (await readRecord(session, adapterName)) === undefined) return true;
      return known?.position !== undefined && (await this.#isLost(session, known.position, renewLost));
    });
    if (!created) return { created, snapshot: undefined };
    const snapshot = await this.openSnapshot();
    try {
      await this.#using('beginning the change feed', (session) =>
        beginRecord(session, adapterName, this.#nextLine, snapshot.version),
      );
    } catch (error) {
      await snapshot.close();
      throw error;
    }
    this.#own = { line: this.#nextLine, position: snapshot.version };
    this.#nextLine = randomUUID();
    return { created, snapshot, start: positionOf(snapshot.version) };
  }

  /** Throws what is wrong with the feed at `position`, unless it is for the caller to renew. */
  async #isLost(session: Session, position: Position, renewLost: boolean): Promise<boolean> {
    const signal = AbortSignal.timeout(LOOK_MILLISECONDS);
    try {
      await look(session, this.#request(versionOf(position), this.#context.connection.database, signal));
      return false;
    } catch (error) {
      if (!renewLost || !(error instanceof SqlServerFeedOutdatedError)) throw error;
      this.#options.logger.warn('The change feed is begun anew, and tables and realms are compared', {
        reason: error.message,
      });
      return true;
    }
  }

  /** Tables that stayed the same keep their statements and their layout. */
  #follow(tables: readonly TableInfo[]): void {
    const before = new Map(this.#followed.map((table) => [tableId(table.info.table), table]));
    this.#followed = tables.map((info) => {
      const known = before.get(tableId(info.table));
      return known !== undefined && JSON.stringify(known.info) === JSON.stringify(info)
        ? known
        : new FollowedTable(info, writerText(this.#options.adapterName));
    });
  }

  async openSnapshot(): Promise<SqlServerSnapshotReader> {
    return SqlServerSnapshotReader.open(await Session.open(this.#context, { name: 'isthmus snapshot' }));
  }

  /**
   * Opens the feed for what comes after a position. Throws `SqlServerFeedLostError` when that is no longer to be had, and
   * `SqlServerFeedHeldError` when somebody else goes on reading the feed.
   */
  async open(after: Position | undefined, signal: AbortSignal, known: FeedKnown): Promise<ChangeFeed> {
    const { adapterName } = this.#options;
    const session = await Session.open(this.#context, { name: 'isthmus feed', signal });
    try {
      await takeLock(session, adapterName, this.#options, signal);
      return await this.#begin(session, after, signal, { ...known, position: after });
    } catch (cause) {
      await session.close();
      signal.throwIfAborted();
      throw feedFailure(cause, adapterName, this.#context.connection.database);
    }
  }

  async #begin(
    session: Session,
    wanted: Position | undefined,
    signal: AbortSignal,
    known: FeedKnown,
  ): Promise<ChangeFeed> {
    const { adapterName, logger } = this.#options;
    await this.#sameSource(session, known);
    const found = await databaseIdentity(session);
    const record = await readRecord(session, adapterName);
    if (record === undefined) throw recordMissing(adapterName);
    const after = wanted ?? positionOf(record.position);
    const seen = await look(session, this.#request(versionOf(after), found.name, signal));
    if (seen.kind === 'blocked') logger.verbose('A table is not ready to be followed', seen);
    const line = randomUUID();
    const previous = lineOf(known) ?? record.line;
    const holder = thisHolder();
    if (!(await holdRecord(session, adapterName, { line, previous, holder })))
      throw recordMissing(adapterName);
    this.#own = { line, position: record.position };
    return new ChangePoller(
      {
        session,
        adapter: adapterName,
        database: found.name,
        source: sourceText(found, line),
        line,
        after,
        recorded: record.position,
        tables: () => this.#followed,
        onRecorded: (position) => {
          this.#own = { line, position };
        },
        pollIntervalMilliseconds: this.#options.pollMilliseconds,
        answerMilliseconds: this.#options.answerMilliseconds,
        mostChanges: this.#options.mostChanges,
        logger,
      },
      signal,
    );
  }

  #request(cursor: bigint, database: string, signal: AbortSignal) {
    return {
      database,
      tables: this.#followed,
      cursor,
      answerMilliseconds: this.#options.answerMilliseconds ?? LOOK_MILLISECONDS,
      signal,
    };
  }

  health(): Promise<FeedHealth> {
    const tables = this.#followed.map(({ info }) => info);
    const { database } = this.#context.connection;
    return this.#using('looking at the change feed', (session) =>
      readHealth(session, this.#options.adapterName, database, tables),
    );
  }

  standing(): Promise<FeedStanding> {
    const { adapterName } = this.#options;
    return this.#using('looking at the change feed', async (session) => {
      const held = await isHeld(session, adapterName);
      const record = await readRecord(session, adapterName);
      const [row] = await session.query(CURRENT_VERSION);
      return {
        held,
        confirmed: record === undefined ? undefined : positionOf(record.position),
        newest: positionOf(versionFrom(row?.[0]) ?? 0n),
      };
    });
  }

  /** Who reads the feed now, in words; `undefined` when nobody does. */
  holder(): Promise<string | undefined> {
    const { adapterName } = this.#options;
    return this.#using('asking who reads the change feed', async (session) =>
      (await isHeld(session, adapterName)) ? holderText(await readRecord(session, adapterName)) : undefined,
    );
  }

  /** Forgets the feed; changes of the tables stay tracked, for others may read them. */
  drop(): Promise<void> {
    return this.#using('removing the change feed', (session) =>
      dropRecord(session, this.#options.adapterName),
    );
  }
}
