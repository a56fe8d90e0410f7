/** What a database tells a connector: the feed of its changes, and snapshots of its rows. */
import type { Finding } from '../finding.ts';
import type { Checkpoint } from './statements.ts';
import type { TableInfo, TableName } from './tables.ts';
import type { FeedValue, SqlText } from './values.ts';

/**
 * A place in the database's commit order, as text that sorts only through {@link SourceDialect.comparePositions};
 * on PostgreSQL the end LSN of a commit, never an event's LSN.
 */
export type Position = string & { readonly __brand: 'Position' };

export type FeedTable = { readonly table: TableName; readonly columns: readonly string[] };

export type FeedChange =
  | {
      readonly kind: 'insert';
      readonly table: FeedTable;
      readonly row: readonly FeedValue[];
      readonly isOwn?: boolean;
    }
  | {
      readonly kind: 'update';
      readonly table: FeedTable;
      readonly row: readonly FeedValue[];
      /** The old row (all columns, or only those of the key with the rest `UNCHANGED`) when the database sent one. */
      readonly old: readonly FeedValue[] | undefined;
      /** We were the last to write the row; told by feeds that show rows as they are now instead of their changes. */
      readonly isOwn?: boolean;
    }
  | { readonly kind: 'delete'; readonly table: FeedTable; readonly old: readonly FeedValue[] }
  | { readonly kind: 'truncate'; readonly tables: readonly FeedTable[] };

/**
 * One step of the feed. A transaction is `begin`, any number of `change`, `commit`; `own` inside a transaction says
 * that it was written by our writer with that checkpoint (it always precedes the changes it marks). `idle` says that
 * nothing before `position` remains to be delivered; it never comes inside a transaction, nor does `tablesChanged`, which
 * says that the tables are to be looked at soon.
 *
 * `begin.position` names the transaction and is the same whenever it is delivered again (on PostgreSQL the LSN of its
 * commit record). It is absent where a transaction that is delivered again may consist of other changes (a feed of net
 * changes, in which a row goes along with its last change): then all of it is written again, which must make no
 * difference. `commit.position` and `idle.position` are what may be confirmed and resumed from (the end of that record).
 */
export type FeedEvent =
  | { readonly kind: 'begin'; readonly transaction: string; readonly position: Position | undefined }
  | { readonly kind: 'own'; readonly checkpoint: Checkpoint }
  | { readonly kind: 'change'; readonly change: FeedChange }
  | { readonly kind: 'commit'; readonly position: Position; readonly committedAt: Date }
  | { readonly kind: 'idle'; readonly position: Position }
  | { readonly kind: 'tablesChanged' };

/** What the replicas remember of the feed that filled them. */
export type FeedKnown = {
  /** Where they stand: a commit, or an idle position beyond it. */
  readonly position: Position | undefined;
  /** The last commit among what they hold. */
  readonly committed: Position | undefined;
  /** {@link ChangeFeed.source} of the feed that these positions came from. */
  readonly source: string | undefined;
};

export interface ChangeFeed {
  /** Tells this database, and this line of its history, from every other; opaque text, to be remembered. */
  readonly source?: string;
  /** Where it really begins; not the position asked for when that lies on a line of history that was left (failover). */
  readonly after?: Position | undefined;
  /** Events in commit order, in arrays as they arrive together. Ends when the signal given at opening aborts. */
  readonly events: AsyncIterable<readonly FeedEvent[]>;
  /** Everything up to and including `position` is durable on our side; the database may forget it. */
  confirm(position: Position): void;
  close(): Promise<void>;
}

/** How the feed fares on the database's side, for the watch, for status displays and for `isthmus doctor`. */
export type FeedHealth = {
  readonly findings: readonly Finding[];
  /** Bytes of log that the database keeps for the feed. */
  readonly retainedBytes: number | undefined;
  /** Everything else worth showing, by name. */
  readonly facts: Readonly<Record<string, string | number>>;
};

/** How far the feed of a connector has come, for whoever wants to know whether it has passed a change on. */
export type FeedStanding = {
  /** Somebody reads the feed now. */
  readonly held: boolean;
  /** What was confirmed; undefined when there is no usable feed. */
  readonly confirmed: Position | undefined;
  /** Whatever is committed now lies at or before it. */
  readonly newest: Position;
};

export interface SnapshotReader {
  /** Estimated number of rows, for progress only. */
  estimate(table: TableInfo): Promise<number>;
  /**
   * Rows of one table in primary key order as texts, starting after the key texts `after`, in batches. Holds no more
   * than a batch in memory.
   */
  rows(
    table: TableInfo,
    columns: readonly string[],
    after: readonly string[] | undefined,
  ): AsyncIterable<readonly (readonly SqlText[])[]>;
  /** True when a transaction of the feed was already visible in this snapshot. */
  includes(transaction: string): boolean;
  /** Text from which {@link SourceDialect.snapshotIncludes} answers the same after a restart. */
  readonly visibility: string;
  close(): Promise<void>;
}
