/** The reading side of a connector to PostgreSQL: makes, opens, judges and removes the slot and publication of one adapter. */
import {
  type ChangeFeed,
  type FeedHealth,
  type FeedKnown,
  type FeedStanding,
  type Position,
  type SnapshotReader,
  type TableInfo,
  tableId,
} from '../../../src/connector/dialect.ts';
import type { UseSession } from '../../../src/connector/lasting-session.ts';
import { compareLsn } from '../lsn.ts';
import type { PostgresFeedOptions } from '../options.ts';
import { checkTablePrivileges } from '../preparation.ts';
import { Session, type SessionContext } from '../session.ts';
import { PostgresSnapshotReader } from '../snapshot/snapshot-reader.ts';
import { alterFailover, requireFailoverSlots } from './failover.ts';
import { streamFailure } from './feed-failure.ts';
import { feedName } from './feed-name.ts';
import { feedStanding } from './feed-standing.ts';
import {
  checkReplicaIdentities,
  dropPublication,
  ensurePublication,
  publicationExists,
} from './publication.ts';
import { openReplicationStream } from './replication-stream.ts';
import { createSlot, dropSlot } from './slot.ts';
import { slotAhead, slotLost, slotMissing } from './slot-errors.ts';
import { DEFAULT_WARN_BYTES, slotHealth } from './slot-health.ts';
import { holderText, slotHolder } from './slot-holder.ts';
import { type SlotStatus, slotStatus } from './slot-status.ts';
import { resumePoint } from './source.ts';

export class SlotFeed {
  readonly #context: SessionContext;
  readonly #with: UseSession<Session>;
  readonly #adapterName: string;
  /** Of slot and publication. */
  readonly name: string;
  readonly #options: PostgresFeedOptions | undefined;
  /** Ids of the tables that the publication was made for. */
  #followed: readonly string[] = [];

  constructor(
    context: SessionContext,
    using: UseSession<Session>,
    adapterName: string,
    options: PostgresFeedOptions | undefined,
  ) {
    this.#context = context;
    this.#with = using;
    this.#adapterName = adapterName;
    this.name = feedName(adapterName);
    this.#options = options;
  }

  async prepare(
    tables: readonly TableInfo[],
    { reset, followed = [] }: { reset: boolean; followed?: readonly string[] },
  ): Promise<{ created: boolean; snapshot: SnapshotReader | undefined; start?: Position }> {
    const created = await this.#with('preparing the change feed', async (session) => {
      await checkReplicaIdentities(session, tables);
      await checkTablePrivileges(session, tables);
      if (this.#failover) await requireFailoverSlots(session, this.#context.logger);
      if (reset) {
        await dropSlot(session, this.name);
        await dropPublication(session, this.name);
      }
      const status = await this.#usableStatus(session);
      if (status.state === 'lost') {
        // No use to anybody; whoever has followed it learns of the new one and must compare.
        this.#context.logger.warn('The replication slot is lost, making it anew', {
          slot: this.name,
          reason: status.reason,
        });
        await dropSlot(session, this.name);
      }
      // Before the slot: what the slot delivers is looked up in the publication as it was at that time.
      await ensurePublication(session, this.name, tables, status.state === 'ok' ? followed : []);
      this.#followed = tables.map(({ table }) => tableId(table));
      if (status.state === 'ok' && this.#failover && !status.failover) await this.#becomeFailover(session);
      return status.state !== 'ok';
    });
    if (!created) return { created, snapshot: undefined };
    const { snapshotName, start, connection } = await createSlot(this.#context, this.name, {
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
    const status = await slotStatus(session, this.name);
    if (status.state !== 'ok' || (await publicationExists(session, this.name))) return status;
    return { state: 'lost', reason: 'its publication was dropped' };
  }

  get #failover(): boolean {
    return this.#options?.failover === true;
  }

  /** A slot that was made before `failoverSlot` was set. Nobody may be reading it while it is changed. */
  async #becomeFailover(session: Session): Promise<void> {
    try {
      await alterFailover(this.#context, this.name);
    } catch (cause) {
      const holder = await slotHolder(session, this.name);
      if (holder === undefined) throw cause;
      this.#context.logger.warn('The replication slot stays without failover while somebody reads it', {
        slot: this.name,
        holder: holderText(holder),
        remedy: 'start the adapter again after that one has ended',
      });
    }
  }

  async openSnapshot(): Promise<SnapshotReader> {
    const session = await Session.open(this.#context, { name: 'isthmus snapshot' });
    return PostgresSnapshotReader.open(session);
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
      throw streamFailure(cause, this.name);
    } finally {
      await session.close();
    }
  }

  #requireNotAhead(confirmed: string, after: Position | undefined): void {
    if (after !== undefined && compareLsn(confirmed, after) > 0) throw slotAhead(this.name, confirmed, after);
  }

  /**
   * Throws `PostgresFeedLostError` when the slot is gone, invalidated, or not the one that was followed so far, and
   * `PostgresSlotHeldError` when somebody else goes on reading it.
   */
  async open(known: FeedKnown, signal: AbortSignal): Promise<ChangeFeed> {
    return openReplicationStream(
      this.#context,
      {
        slot: this.name,
        publication: this.name,
        adapterName: this.#adapterName,
        known,
        checkSlot: (from) => this.#checkSlot(from),
        holder: () => this.#with('asking who holds the slot', (session) => slotHolder(session, this.name)),
        waitMilliseconds: this.#options?.waitMilliseconds,
      },
      signal,
    );
  }

  async #checkSlot(after: Position | undefined): Promise<void> {
    const status = await this.slotStatus();
    if (status.state === 'missing') throw slotMissing(this.name);
    if (status.state === 'lost') throw slotLost(this.name, status.reason);
    this.#requireNotAhead(status.confirmed, after);
  }

  /** What the server says about slot and publication, judged. */
  async health(): Promise<FeedHealth> {
    const warnBytes = this.#options?.warnBytes ?? DEFAULT_WARN_BYTES;
    return this.#with('watching the slot', (session) =>
      slotHealth(session, this.name, this.#followed, warnBytes),
    );
  }

  async slotStatus(): Promise<SlotStatus> {
    return this.#with('asking for the replication slot', (session) => slotStatus(session, this.name));
  }

  async standing(): Promise<FeedStanding> {
    return this.#with('asking for the replication slot', (session) => feedStanding(session, this.name));
  }

  async drop(): Promise<void> {
    await this.#with('removing the change feed', async (session) => {
      await dropSlot(session, this.name);
      await dropPublication(session, this.name);
    });
  }

  async holder(): Promise<string | undefined> {
    const holder = await this.#with('asking who reads the slot', (session) => slotHolder(session, this.name));
    return holder === undefined ? undefined : holderText(holder);
  }
}
