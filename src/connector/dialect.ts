/**
 * What a database must provide to be a connector: its catalog, its value texts, its change feed, its snapshot and its
 * writer. Everything else about syncing lives once, in this folder. Values travel as the database's own text form
 * (`null` is SQL NULL), so that nothing is lost on the way (anchors: numeric, microseconds, infinity).
 */
import type { ClassDefinition, ColumnDefinition } from '../schema/definition.ts';
import type { ScalarValue } from '../schema/value.ts';
import type { StateValue } from '../store/state/object-state.ts';
import type { DeadLetterBox, NewLetter, ShownStatement } from './dead-letters/contract.ts';
import type { Finding } from './finding.ts';
import type { MendingStatements } from './mending.ts';

export type SqlText = string | null;
/** The database did not send this column because it did not change (an unchanged TOAST value). Never NULL. */
export const UNCHANGED: unique symbol = Symbol('unchanged');
export type FeedValue = SqlText | typeof UNCHANGED;

export type TableName = { readonly schema: string; readonly name: string };

export type ColumnInfo = {
  readonly name: string;
  /** As the database formats it, with length or precision: `numeric(10,2)`. */
  readonly type: string;
  /** The bare type name: `numeric`, `int4`. */
  readonly baseType: string;
  readonly nullable: boolean;
  readonly hasDefault: boolean;
  /** Never written by us: generated columns and identity columns GENERATED ALWAYS. */
  readonly readOnly: boolean;
  /** The feed never shows the column, as if it did not change: whoever wants its value has to ask. */
  readonly unfed?: boolean;
  /** The type as the database has it, when the dialect needs to know more than its name. */
  readonly storage?: StoredType;
};

/** A type as the database has it, whatever the configuration has it treated as. Only dialects look inside. */
export type StoredType = {
  /** As casts want it: without length or precision. */
  readonly type: string;
  readonly baseType: string;
  /** What stands between the elements of an array of this type. */
  readonly delimiter?: string;
  readonly structure?: TypeStructure;
};

export type TypeStructure =
  /** `dimensions` are those declared, which bind nobody. */
  | { readonly kind: 'array'; readonly element: StoredType; readonly dimensions: number }
  | {
      readonly kind: 'record';
      readonly fields: readonly { readonly name: string; readonly type: StoredType }[];
    }
  | { readonly kind: 'range'; readonly bound: StoredType }
  /** An amount in the smallest unit of a currency; `places` is how many decimals that unit has. */
  | { readonly kind: 'money'; readonly places: number }
  /** Characters of one code page only (65001 is UTF-8), compared as the collation says. */
  | { readonly kind: 'characters'; readonly collation: string; readonly codePage: number };

export type ForeignKey = {
  readonly name: string;
  readonly columns: readonly string[];
  readonly referenced: TableName;
  readonly referencedColumns: readonly string[];
};

export type TableInfo = {
  readonly table: TableName;
  readonly columns: readonly ColumnInfo[];
  /** Column names of the primary key in key order; empty without one. */
  readonly primaryKey: readonly string[];
  readonly foreignKeys: readonly ForeignKey[];
  /**
   * Sets of columns that tell rows apart and by which an insertion can turn into an update: unique indexes without
   * condition that are checked at once, the primary key's among them. Absent where the dialect does not say.
   */
  readonly uniqueKeys?: readonly (readonly string[])[];
};

/** Tables by {@link tableId}. */
export type Catalog = ReadonlyMap<string, TableInfo>;

export function tableId(table: TableName): string {
  return `${table.schema}.${table.name}`;
}

/** Converts one column's texts to one property's values and back. Both throw `DataError` on what does not fit. */
export type ValueCodec = {
  readonly toRealm: (text: string) => ScalarValue;
  readonly toSql: (value: ScalarValue) => SqlText;
};

/**
 * Converts one column's texts to the whole value of a property that is no scalar of a fixed type (a collection, an
 * embedded object, a mixed value) and back. A value that `toRealm` made and `toSql` writes again is equal to the
 * database; one that `toSql` wrote reads back as the same value. Both throw `DataError` on what does not fit.
 */
export type StateCodec = {
  readonly toRealm: (text: string) => StateValue;
  /** `null` for null and for an absent embedded object; an empty collection has a text of its own. */
  readonly toSql: (value: StateValue) => SqlText;
};

// ---- database to realm ----------------------------------------------------------------------------------------

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

// ---- realm to database ----------------------------------------------------------------------------------------

/** How far a realm's queue is applied; written in the same SQL transaction as what it vouches for. */
export type Checkpoint = { readonly realmPath: string; readonly sequence: number };

/**
 * For columns that hold the key which the database made for a row, where the realm knows only the key of its object:
 * the text is that of column `by`, and what is meant is `column` of the row of `table` that has it. A row that is not
 * there is a violated reference; as a key to look for it matches nothing.
 */
export type KeyLookup = { readonly table: TableInfo; readonly by: string; readonly column: string };

/**
 * Set-based statements; `rows` are aligned to `keyColumns` followed by `columns`. `assign` sets columns only in rows
 * where they are NULL.
 */
export type ApplyStatement =
  | {
      readonly kind: 'upsert' | 'update';
      readonly table: TableInfo;
      readonly keyColumns: readonly string[];
      readonly columns: readonly string[];
      readonly rows: readonly (readonly SqlText[])[];
      /** By column name. */
      readonly lookups?: ReadonlyMap<string, KeyLookup>;
    }
  | {
      readonly kind: 'assign';
      readonly table: TableInfo;
      readonly keyColumns: readonly string[];
      readonly columns: readonly string[];
      readonly rows: readonly (readonly SqlText[])[];
    }
  | {
      readonly kind: 'delete';
      readonly table: TableInfo;
      readonly keyColumns: readonly string[];
      readonly rows: readonly (readonly SqlText[])[];
    }
  | { readonly kind: 'deleteAll'; readonly table: TableInfo }
  /** List tables `oid, idx, target`: indexes stay zero-based, contiguous and unique. */
  | (OnListTable & { readonly kind: 'listInsert'; readonly index: number; readonly target: SqlText })
  | (OnListTable & { readonly kind: 'listSet'; readonly index: number; readonly target: SqlText })
  | (OnListTable & { readonly kind: 'listErase'; readonly index: number })
  | (OnListTable & { readonly kind: 'listClear' })
  /**
   * Tables of items of other collections: what they have of these objects is deleted, and `rows` (`oid` followed by
   * `columns`) are inserted.
   */
  | {
      readonly kind: 'replaceItems';
      readonly table: TableInfo;
      readonly columns: readonly string[];
      readonly oids: readonly string[];
      readonly rows: readonly (readonly SqlText[])[];
      /** By column name. */
      readonly lookups?: ReadonlyMap<string, KeyLookup>;
    };

type OnListTable = {
  readonly table: TableInfo;
  readonly oid: string;
  readonly oidLookup?: KeyLookup;
  readonly targetLookup?: KeyLookup;
};

export type ErrorClass = 'transient' | 'data' | 'fatal';

/** What a rehearsal found out about statements that the database refuses. */
export type Rehearsal = {
  /** What was sent, for people to read. */
  readonly statements: readonly ShownStatement[];
  /** The row at which it failed; absent when row by row it did not, or not at a row. */
  readonly failed:
    | { readonly table: TableName; readonly key: readonly SqlText[]; readonly statement: ShownStatement }
    | undefined;
};

export interface SqlWriter {
  /** The sequence applied per realm path. */
  checkpoints(): Promise<ReadonlyMap<string, number>>;
  /**
   * Runs the statements in order and moves the checkpoints, all in one SQL transaction whose very first write is the
   * checkpoint (so that the feed can tell our transactions from their first change on). Throws `ApplyError`.
   */
  apply(statements: readonly ApplyStatement[], checkpoints: readonly Checkpoint[]): Promise<void>;
  /** Runs the statements row by row to find the one at fault, and takes all of it back. */
  rehearse(statements: readonly ApplyStatement[]): Promise<Rehearsal>;
  /** Moves the checkpoint past a transaction that cannot be applied and keeps it, with its reason, in one commit. */
  deadLetter(checkpoint: Checkpoint, letter: NewLetter): Promise<void>;
  close(): Promise<void>;
}

/** A table to be made (or extended) from the models. */
export type WantedColumn = {
  readonly name: string;
  readonly type: string;
  readonly nullable: boolean;
  /** The database makes its values, counting up, unless an insertion gives one. */
  readonly generated?: boolean;
  /** No two rows may have the same value; several may have none. */
  readonly unique?: boolean;
};
export type WantedTable = {
  readonly table: TableName;
  readonly columns: readonly WantedColumn[];
  readonly primaryKey: readonly string[];
  readonly foreignKeys: readonly {
    readonly columns: readonly string[];
    readonly referenced: TableName;
    readonly referencedColumns: readonly string[];
  }[];
  /** `list` is a list table `oid, idx, target`. */
  readonly kind: 'object' | 'list';
};

/** What a table is apart from its name; compared with what is remembered to see what has changed. */
export type TableVersion = {
  /** Another text for a table that was made anew. */
  readonly identity: string;
  /** By column name: another text for a column that was made anew or is of another type. */
  readonly columns: Readonly<Record<string, string>>;
  /** Parts that can be attached and detached without a word in the feed, by an id of their own. */
  readonly parts: Readonly<Record<string, 'empty' | 'filled'>>;
  /** Another text after the feed had left the table out for a while; absent while it does. */
  readonly followed?: string | undefined;
};

/** How a running connector notices that somebody changed its tables. */
export interface CatalogWatch {
  /** Another text after any change that may concern the tables or the feed. Cheap: asked once a minute. */
  version(): Promise<string>;
  /** By {@link tableId}. */
  tableVersions(): Promise<ReadonlyMap<string, TableVersion>>;
  /** The tables that cannot be followed or written as they are, by {@link tableId}, with what says why. */
  faults(tables: readonly TableInfo[]): Promise<ReadonlyMap<string, Error>>;
  /**
   * Resolves when the transactions that write to the table now are over: of one that began to write before the feed
   * took the table in, nothing may be delivered.
   */
  writersDone(table: TableName, signal: AbortSignal): Promise<void>;
  /** True for a failure that a change of the tables may have caused. */
  mayBeCausedByChange(error: unknown): boolean;
}

/** One database's side of a connector. */
export interface SourceDialect {
  readonly name: string;
  readonly defaultSchema: string;
  /** Statements that remedies name; those of the standard unless given. */
  readonly mending?: MendingStatements;
  /** Insertions turn into updates by columns that no unique index keeps apart, too. */
  readonly matchesWithoutIndex?: boolean;
  /** Without it a change of the tables is noticed at the next start. */
  readonly catalogWatch?: CatalogWatch;
  /** Creates the database when it is missing and `create` allows it. Checks connection, server settings and privileges; throws errors that name the remedy. */
  prepare(options: { createDatabase: boolean }): Promise<void>;
  catalog(): Promise<Catalog>;
  /** Default column type for a property, as written in DDL. */
  columnTypeFor(column: ColumnDefinition): string;
  /** Creates what is missing of the wanted tables and columns; returns the statements that it ran. */
  createMissing(tables: readonly WantedTable[]): Promise<readonly string[]>;
  /** Throws `MappingError` (src/connector/errors.ts) when the two types have no way to each other. */
  codec(column: ColumnInfo, property: ColumnDefinition): ValueCodec;
  /**
   * The same for properties of which one column holds all: collections, embedded objects and mixed. `definitions` are
   * the classes of the models, for the fields of embedded objects and the keys of linked ones.
   */
  stateCodec(
    column: ColumnInfo,
    property: ColumnDefinition,
    definitions: ReadonlyMap<string, ClassDefinition>,
  ): StateCodec;
  /** The property type that suits a column best. */
  naturalDefinition(column: ColumnInfo): ColumnDefinition;
  /** False for columns of types that no property can be; models made from the tables do without them. */
  hasProperty?(column: ColumnInfo): boolean;
  /** What conversion hooks see of a column, where that is not its natural type: the contents of a document. */
  shownDefinition?(column: ColumnInfo): ColumnDefinition | undefined;
  /**
   * Makes publication and slot (or their equivalent) for the tables. A new feed comes with the snapshot at its start,
   * and its position where the dialect knows it; an existing one returns without. `reset` drops and makes them anew;
   * `renewLost` does so with a feed that no longer has what comes next, for whoever compares afterwards.
   * Throws when one of the `followed` tables (by {@link tableId}) was not followed completely since.
   */
  prepareFeed(
    tables: readonly TableInfo[],
    options: { reset: boolean; renewLost?: boolean; followed?: readonly string[] },
  ): Promise<{ created: boolean; snapshot: SnapshotReader | undefined; start?: Position }>;
  /**
   * Throws when the database is not the one, or not that line of its history, from which the replicas were filled.
   * Resolves with what it is, as {@link ChangeFeed.source}.
   */
  checkSource?(known: FeedKnown): Promise<string>;
  feedHealth?(): Promise<FeedHealth>;
  feedStanding?(): Promise<FeedStanding>;
  /** A snapshot of now. */
  openSnapshot(): Promise<SnapshotReader>;
  snapshotIncludes(visibility: string, transaction: string): boolean;
  /**
   * What rows that are read from now on show, for {@link snapshotIncludes}. Absent where the feed brings no transaction
   * before everybody sees it.
   */
  visibility?(): Promise<string>;
  /**
   * Streams from the feed's confirmed position; events at or before `after` are not delivered again. `known` lets it see
   * that the database is another one than before; then it may begin earlier ({@link ChangeFeed.after}), or refuse.
   */
  openFeed(after: Position | undefined, signal: AbortSignal, known?: FeedKnown): Promise<ChangeFeed>;
  comparePositions(a: Position, b: Position): number;
  /** True for failures of a connection, of the feed or any other, that another attempt may mend. */
  isTransient(error: unknown): boolean;
  /** Removes slot and publication (or their equivalent), as when an adapter is retired. */
  dropFeed(): Promise<void>;
  openWriter(): Promise<SqlWriter>;
  /** What this adapter could not bring over. */
  deadLetters(): DeadLetterBox;
  /** Who holds the feed now, in words; `undefined` when nobody does. */
  feedHolder(): Promise<string | undefined>;
  /** From now on the values of such columns are not shown in printed statements, errors and dead letters. */
  conceal(isSecret: (table: TableName, column: string) => boolean): void;
  /**
   * Current column texts of the rows with these keys (for values that the feed left out). `keyColumns` says which
   * columns the keys are of; they are those of the primary key unless given.
   */
  fetchRows(
    table: TableInfo,
    columns: readonly string[],
    keys: readonly (readonly string[])[],
    keyColumns?: readonly string[],
  ): Promise<readonly (readonly SqlText[])[]>;
  close(): Promise<void>;
}
