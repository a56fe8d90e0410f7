/**
 * What a database must provide to be a connector: its catalog, its value texts, its change feed, its snapshot and its
 * writer. Everything else about syncing lives once, in this folder. Values travel as the database's own text form
 * (`null` is SQL NULL), so that nothing is lost on the way (anchors: numeric, microseconds, infinity).
 */
import type { ClassDefinition, ColumnDefinition } from '../schema/definition.ts';
import type { ScalarValue } from '../schema/value.ts';
import type { StateValue } from '../store/state/object-state.ts';

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
};

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
  | { readonly kind: 'insert'; readonly table: FeedTable; readonly row: readonly FeedValue[] }
  | {
      readonly kind: 'update';
      readonly table: FeedTable;
      readonly row: readonly FeedValue[];
      /** The old row (all columns, or only those of the key with the rest `UNCHANGED`) when the database sent one. */
      readonly old: readonly FeedValue[] | undefined;
    }
  | { readonly kind: 'delete'; readonly table: FeedTable; readonly old: readonly FeedValue[] }
  | { readonly kind: 'truncate'; readonly tables: readonly FeedTable[] };

/**
 * One step of the feed. A transaction is `begin`, any number of `change`, `commit`; `own` inside a transaction says
 * that it was written by our writer with that checkpoint (it always precedes the changes it marks). `idle` says that
 * nothing before `position` remains to be delivered; it never comes inside a transaction.
 *
 * `begin.position` names the transaction and is the same whenever it is delivered again (on PostgreSQL the LSN of its
 * commit record); `commit.position` and `idle.position` are what may be confirmed and resumed from (the end of that record).
 */
export type FeedEvent =
  | { readonly kind: 'begin'; readonly transaction: string; readonly position: Position }
  | { readonly kind: 'own'; readonly checkpoint: Checkpoint }
  | { readonly kind: 'change'; readonly change: FeedChange }
  | { readonly kind: 'commit'; readonly position: Position; readonly committedAt: Date }
  | { readonly kind: 'idle'; readonly position: Position };

export interface ChangeFeed {
  /** Events in commit order, in arrays as they arrive together. Ends when the signal given at opening aborts. */
  readonly events: AsyncIterable<readonly FeedEvent[]>;
  /** Everything up to and including `position` is durable on our side; the database may forget it. */
  confirm(position: Position): void;
  close(): Promise<void>;
}

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

/** Set-based statements; `rows` are aligned to `keyColumns` followed by `columns`. */
export type ApplyStatement =
  | {
      readonly kind: 'upsert' | 'update';
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
  | {
      readonly kind: 'listInsert';
      readonly table: TableInfo;
      readonly oid: string;
      readonly index: number;
      readonly target: SqlText;
    }
  | {
      readonly kind: 'listSet';
      readonly table: TableInfo;
      readonly oid: string;
      readonly index: number;
      readonly target: SqlText;
    }
  | { readonly kind: 'listErase'; readonly table: TableInfo; readonly oid: string; readonly index: number }
  | { readonly kind: 'listClear'; readonly table: TableInfo; readonly oid: string };

export type ErrorClass = 'transient' | 'data' | 'fatal';

export interface SqlWriter {
  /** The sequence applied per realm path. */
  checkpoints(): Promise<ReadonlyMap<string, number>>;
  /**
   * Runs the statements in order and moves the checkpoints, all in one SQL transaction whose very first write is the
   * checkpoint (so that the feed can tell our transactions from their first change on). Throws `ApplyError`.
   */
  apply(statements: readonly ApplyStatement[], checkpoints: readonly Checkpoint[]): Promise<void>;
  /** Moves the checkpoint past a transaction that cannot be applied and keeps it, with its reason, in one commit. */
  deadLetter(checkpoint: Checkpoint, payload: string, reason: string): Promise<void>;
  close(): Promise<void>;
}

/** A table to be made (or extended) from the models. */
export type WantedColumn = { readonly name: string; readonly type: string; readonly nullable: boolean };
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

/** One database's side of a connector. */
export interface SourceDialect {
  readonly name: string;
  readonly defaultSchema: string;
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
  /** The property type that suits a column best; what conversion hooks see. */
  naturalDefinition(column: ColumnInfo): ColumnDefinition;
  /**
   * Makes publication and slot (or their equivalent) for the tables. A new feed comes with the snapshot at its start;
   * an existing one returns without. `reset` drops and makes them anew.
   */
  prepareFeed(
    tables: readonly TableInfo[],
    options: { reset: boolean },
  ): Promise<{ created: boolean; snapshot: SnapshotReader | undefined }>;
  /** A snapshot of now. */
  openSnapshot(): Promise<SnapshotReader>;
  snapshotIncludes(visibility: string, transaction: string): boolean;
  /** Streams from the feed's confirmed position; events at or before `after` are not delivered again. */
  openFeed(after: Position | undefined, signal: AbortSignal): Promise<ChangeFeed>;
  comparePositions(a: Position, b: Position): number;
  /** True for failures of a connection, of the feed or any other, that another attempt may mend. */
  isTransient(error: unknown): boolean;
  /** Removes slot and publication (or their equivalent), as when an adapter is retired. */
  dropFeed(): Promise<void>;
  openWriter(): Promise<SqlWriter>;
  /** Current column texts of the rows with these keys (for values that the feed left out). */
  fetchRows(
    table: TableInfo,
    columns: readonly string[],
    keys: readonly (readonly string[])[],
  ): Promise<readonly (readonly SqlText[])[]>;
  close(): Promise<void>;
}
