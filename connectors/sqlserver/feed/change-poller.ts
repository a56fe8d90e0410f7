/**
 * The change feed of one adapter, made of polls of change tracking over one connection.
 *
 * States, each with what leads out of it:
 *
 * - `waiting` for the next poll, as long as {@link PollInterval} says → `polling` when that time is over
 * - `polling`: a snapshot transaction is open and is read →
 *   `delivering` when there is something, the transaction being over by then;
 *   `streaming` when it is one version that is too large to be held: its rows are delivered as they are read;
 *   `waiting` when there was nothing, or when a table is not as it was known: whoever looks at the tables is told, and
 *   the same is asked again until it can be read or is no longer wanted. Nothing is passed over meanwhile;
 *   `failed` with the error that ends the iteration
 * - `delivering`, `streaming`: the consumer takes events, and nothing is read that it has not asked for → `waiting`
 * - `closed` from everywhere, by {@link close} or the signal given at opening
 *
 * There is never more than one poll's content in memory, and no poll before the one before it was taken.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { type ChangeFeed, type FeedEvent, type Position, tableId } from '../../../src/connector/dialect.ts';
import type { Logger } from '../../../src/log.ts';
import { recordMissing } from './feed-errors.ts';
import { feedFailure, isCausedByTables } from './feed-failure.ts';
import { releaseLock } from './feed-lock.ts';
import { confirmRecord, moveVersionOn, releaseRecord } from './feed-record.ts';
import type { FeedSession } from './feed-session.ts';
import type { FollowedTable } from './followed-table.ts';
import {
  type Blocked,
  type Changes,
  changesOf,
  type Look,
  look,
  MOST_CHANGES,
  type PollRequest,
  readChanges,
  requireStillValid,
} from './poll.ts';
import { PollInterval } from './poll-interval.ts';
import { beginOf, eventsOf, feedChanges, regroup } from './regroup.ts';
import { positionOf, versionOf } from './version.ts';
import { WaitingNotice } from './waiting-notice.ts';

/** Events handed over at a time: what the engine commits together. */
const EVENTS_AT_A_TIME = 2_000;
/** An idle position is worth a commit of the engine this often, also where others change tables all the time. */
const IDLE_MILLISECONDS = 250;
/** How often the record says how far we are, at the most and (while changes come without a pause) at the least. */
const CONFIRM_MILLISECONDS = 1_000;
const CONFIRM_BUSY_MILLISECONDS = 10_000;
/** A poll begins with a question that takes no time. Whoever does not answer it is gone. */
const DEFAULT_ANSWER_MILLISECONDS = 30_000;
export const DEFAULT_POLL_INTERVAL_MILLISECONDS = 1_000;

export type ChangePollerOptions = {
  readonly session: FeedSession;
  readonly adapter: string;
  readonly database: string;
  readonly source: string;
  /** Name of the line of history that this opening began. */
  readonly line: string;
  readonly after: Position;
  /** What the record says. */
  readonly recorded: bigint;
  /** The tables to follow, asked before each poll. */
  readonly tables: () => readonly FollowedTable[];
  /** Hears what the record says from now on. */
  readonly onRecorded: (position: bigint) => void;
  readonly pollIntervalMilliseconds?: number | undefined;
  readonly answerMilliseconds?: number | undefined;
  readonly mostChanges?: number | undefined;
  readonly logger: Logger;
};

export class ChangePoller implements ChangeFeed {
  readonly source: string;
  readonly after: Position;
  readonly events: AsyncIterable<readonly FeedEvent[]>;
  readonly #options: ChangePollerOptions;
  readonly #session: FeedSession;
  readonly #closing = new AbortController();
  readonly #signal: AbortSignal;
  readonly #interval: PollInterval;
  /** Everything up to it was delivered. */
  #cursor: bigint;
  /** Up to where the consumer was told that there is nothing left. */
  #told: bigint;
  #toldAt = 0;
  #confirmed: bigint;
  #recorded: bigint;
  #recordedAt = Date.now();
  #isFirst = true;
  /** Whether the consumer has the beginning of a transaction of which the end is still to be read. */
  #delivering: 'whole' | 'part' = 'whole';
  /** By realm path, what was told of our own transactions. */
  readonly #own = new Map<string, number>();
  /** By table, when its tracking began at the last look. */
  readonly #begun = new Map<string, bigint>();
  readonly #notice: WaitingNotice;

  constructor(options: ChangePollerOptions, signal: AbortSignal) {
    this.#options = options;
    this.#session = options.session;
    this.#signal = AbortSignal.any([signal, this.#closing.signal]);
    this.#interval = new PollInterval(options.pollIntervalMilliseconds ?? DEFAULT_POLL_INTERVAL_MILLISECONDS);
    this.#notice = new WaitingNotice(options.logger);
    this.source = options.source;
    this.after = options.after;
    this.#cursor = versionOf(options.after);
    this.#told = this.#cursor;
    this.#confirmed = this.#cursor;
    this.#recorded = options.recorded;
    this.events = { [Symbol.asyncIterator]: () => this.#read() };
  }

  confirm(position: Position): void {
    const version = versionOf(position);
    if (version > this.#confirmed) this.#confirmed = version;
  }

  async close(): Promise<void> {
    this.#closing.abort();
    const { adapter, line } = this.#options;
    try {
      if (!this.#session.broken) {
        await this.#record();
        await releaseRecord(this.#session, adapter, line);
        await releaseLock(this.#session, adapter);
      }
    } catch {
      // A connection that is gone takes the lock with it; what was not recorded is only told later.
    }
    await this.#session.close();
  }

  async *#read(): AsyncGenerator<readonly FeedEvent[], void, undefined> {
    while (!this.#signal.aborted) {
      try {
        await this.#wait();
        yield* this.#next();
      } catch (cause) {
        if (this.#signal.aborted) return;
        if (this.#delivering === 'whole' && isCausedByTables(cause)) {
          yield* this.#blockedBy({ kind: 'blocked', table: '', why: messageOf(cause) });
          continue;
        }
        throw feedFailure(cause, this.#options.adapter, this.#options.database);
      }
    }
  }

  async #wait(): Promise<void> {
    const { milliseconds } = this.#interval;
    const isIdle = milliseconds > 0;
    const quiet = Date.now() - this.#recordedAt;
    if (
      this.#confirmed > this.#recorded &&
      quiet >= (isIdle ? CONFIRM_MILLISECONDS : CONFIRM_BUSY_MILLISECONDS)
    )
      await this.#record();
    if (isIdle) await delay(milliseconds, undefined, { signal: this.#signal });
  }

  async *#next(): AsyncGenerator<readonly FeedEvent[], void, undefined> {
    const request = this.#request();
    const found = await look(this.#session, request);
    if (found.kind === 'blocked') {
      yield* this.#blockedBy(found);
      return;
    }
    // Before anybody compares: what is switched off and on after that has another beginning.
    if (found.tables.some(({ begin }) => begin >= found.current))
      await moveVersionOn(this.#session, this.#options.adapter);
    yield* this.#tellBegun(found);
    if (found.current === this.#cursor && !this.#isFirst) {
      this.#notice.over();
      this.#interval.idle();
      yield* this.#tellIdle();
      return;
    }
    await this.#session.begin('snapshot');
    let isOpen = true;
    try {
      const read = await readChanges(this.#session, request, found);
      if (read.isHuge) yield* this.#stream(request, read);
      await this.#session.commit();
      isOpen = false;
      this.#notice.over();
      if (!read.isHuge) yield* this.#deliver(read);
    } finally {
      if (isOpen) await this.#session.rollback();
    }
  }

  #request(): PollRequest {
    const { adapter, database, tables, answerMilliseconds, mostChanges } = this.#options;
    return {
      adapter,
      database,
      tables: tables(),
      cursor: this.#cursor,
      isFirst: this.#isFirst,
      answerMilliseconds: answerMilliseconds ?? DEFAULT_ANSWER_MILLISECONDS,
      mostChanges: mostChanges ?? MOST_CHANGES,
      signal: this.#signal,
    };
  }

  async *#deliver({
    upTo,
    changes,
    own: shown,
  }: Changes): AsyncGenerator<readonly FeedEvent[], void, undefined> {
    const own = this.#newOwn(shown);
    const transactions = regroup(changes, upTo);
    if (transactions.length === 0 && own.length > 0) transactions.push({ version: upTo, changes: [] });
    let batch: FeedEvent[] = [];
    const now = new Date();
    for (const [place, transaction] of transactions.entries()) {
      for (const event of eventsOf(transaction, place === 0 ? own : [], now)) {
        batch.push(event);
        if (batch.length < EVENTS_AT_A_TIME) continue;
        yield batch;
        batch = [];
      }
      this.#told = transaction.version;
    }
    if (batch.length > 0) yield batch;
    this.#delivered(shown, upTo);
    if (transactions.length > 0) this.#interval.busy();
    else this.#interval.idle();
    yield* this.#tellIdle();
  }

  /** One version with more changes than are held: table by table, as they are read. */
  async *#stream(
    request: PollRequest,
    { upTo, own, toRead }: Changes,
  ): AsyncGenerator<readonly FeedEvent[], void, undefined> {
    this.#delivering = 'part';
    yield [beginOf(upTo), ...this.#newOwn(own)];
    for (const table of toRead)
      for await (const changes of changesOf(this.#session, table, upTo, request))
        yield changes.flatMap(feedChanges).map((change) => ({ kind: 'change', change }));
    await requireStillValid(this.#session, request);
    yield [{ kind: 'commit', position: positionOf(upTo), committedAt: new Date() }];
    this.#delivering = 'whole';
    this.#told = upTo;
    this.#delivered(own, upTo);
    this.#interval.busy();
  }

  #delivered(own: Changes['own'], upTo: bigint): void {
    this.#cursor = upTo;
    this.#isFirst = false;
    for (const { realmPath, sequence } of own) this.#own.set(realmPath, sequence);
  }

  #newOwn(own: Changes['own']): FeedEvent[] {
    return own
      .filter(({ realmPath, sequence }) => this.#own.get(realmPath) !== sequence)
      .map((checkpoint) => ({ kind: 'own', checkpoint }));
  }

  /**
   * What was changed before the tracking of a table began (anew) is not delivered; it has to be compared. Between the
   * last look at the tables and our first one anything may have happened, so that they are looked at after that, too.
   */
  *#tellBegun({ tables }: Look): Generator<readonly FeedEvent[], void, undefined> {
    const fresh: string[] = [];
    let isFirst = false;
    for (const { table, begin, isNew } of tables) {
      const name = tableId(table.info.table);
      const before = this.#begun.get(name);
      if (before === undefined ? isNew : before !== begin) fresh.push(name);
      isFirst ||= before === undefined;
      this.#begun.set(name, begin);
    }
    if (fresh.length > 0)
      this.#options.logger.info('Change tracking of tables began anew', { tables: fresh });
    if (isFirst || fresh.length > 0) yield [{ kind: 'tablesChanged' }];
  }

  *#tellIdle(): Generator<readonly FeedEvent[], void, undefined> {
    if (this.#cursor <= this.#told || Date.now() - this.#toldAt < IDLE_MILLISECONDS) return;
    this.#told = this.#cursor;
    this.#toldAt = Date.now();
    yield [{ kind: 'idle', position: positionOf(this.#cursor) }];
  }

  /** Nothing is passed over: the same is asked again, until the table can be read or is no longer to be followed. */
  *#blockedBy({ table, why }: Blocked): Generator<readonly FeedEvent[], void, undefined> {
    this.#interval.idle();
    this.#notice.waiting(table, why);
    yield [{ kind: 'tablesChanged' }];
  }

  async #record(): Promise<void> {
    if (this.#confirmed <= this.#recorded) return;
    const position = this.#confirmed;
    const { adapter, line } = this.#options;
    if (!(await confirmRecord(this.#session, adapter, line, position))) throw recordMissing(adapter);
    this.#recorded = position;
    this.#recordedAt = Date.now();
    this.#options.onRecorded(position);
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
