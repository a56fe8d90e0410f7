/**
 * What a database must provide to be a connector: its catalog, its value texts, its change feed, its snapshot and its
 * writer. Everything else about syncing lives once, in this folder. Values travel as the database's own text form
 * (`null` is SQL NULL), so that nothing is lost on the way (anchors: numeric, microseconds, infinity).
 */
import type { ClassDefinition, ColumnDefinition } from '../schema/definition.ts';
import type { DeadLetterBox } from './dead-letters/contract.ts';
import type {
  ChangeFeed,
  FeedHealth,
  FeedKnown,
  FeedStanding,
  Position,
  SnapshotReader,
} from './dialect/feed.ts';
import type { SqlWriter } from './dialect/statements.ts';
import type {
  Catalog,
  CatalogWatch,
  ColumnInfo,
  TableInfo,
  TableName,
  WantedTable,
} from './dialect/tables.ts';
import type { SqlText, StateCodec, ValueCodec } from './dialect/values.ts';
import type { MendingStatements } from './mending.ts';

export type * from './dialect/feed.ts';
export type * from './dialect/statements.ts';
export * from './dialect/tables.ts';
export * from './dialect/values.ts';

/** One database's side of a connector. */
export interface SourceDialect {
  readonly name: string;
  readonly defaultSchema: string;
  /** Statements that remedies name; those of the standard unless given. */
  readonly mending?: MendingStatements;
  /** Insertions turn into updates by columns that no unique index keeps apart, too. */
  readonly matchesWithoutIndex?: boolean;
  /** The feed shows what became of rows since it was asked last instead of each change. */
  readonly feedsNetChanges?: boolean;
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
