/**
 * What a database must bring to be tested as a connector: a way to make tables and to write into them as an application
 * does, in terms that every SQL database has, and a list of what it can do beyond that. The cases know nothing else of
 * it, so that each dialect runs the very same ones.
 */
import type { Position, SourceDialect } from '../../src/connector/dialect.ts';

/** What not every database can do. A case that needs one is skipped, with its name in the report, where it is missing. */
export type Capability =
  /** Constraints that are checked at COMMIT. */
  | 'deferredConstraints'
  /** The feed shows a TRUNCATE. */
  | 'truncate'
  /** The feed shows every change of a row; otherwise only what became of it, when several came before it was read. */
  | 'everyChange'
  /** The value of a primary key may be changed. */
  | 'keyUpdates'
  /** Columns of an array type. */
  | 'arrays'
  /** Columns that hold JSON documents. */
  | 'documents'
  /** Keys that the database makes (IDENTITY). */
  | 'generatedKeys';

export type PortableType =
  | 'int'
  | 'bigint'
  | 'text'
  | 'bool'
  | 'double'
  | 'decimal'
  | 'instant'
  | 'bytes'
  | 'uuid'
  | 'document';

export type PortableColumn = {
  readonly name: string;
  readonly type: PortableType;
  /** True unless the column is one of the primary key. */
  readonly nullable?: boolean;
  readonly unique?: boolean;
  /** Numbered by the database. */
  readonly generated?: boolean;
};

export type PortableForeignKey = {
  readonly columns: readonly string[];
  readonly references: string;
  readonly referencedColumns: readonly string[];
  readonly onDelete?: 'cascade' | 'setNull';
  /** Checked at COMMIT. */
  readonly deferred?: boolean;
};

export type PortableTable = {
  readonly name: string;
  readonly columns: readonly PortableColumn[];
  readonly primaryKey: readonly string[];
  readonly foreignKeys?: readonly PortableForeignKey[];
};

export type PortableValue = string | number | bigint | boolean | Date | Uint8Array | null;
export type PortableRow = Readonly<Record<string, PortableValue>>;

/** Statements of one transaction of an application. */
export interface Application {
  insert(table: string, ...rows: readonly PortableRow[]): Promise<void>;
  /** `key` selects the rows; all of them when it is empty. Returns how many there were. */
  update(table: string, key: PortableRow, values: PortableRow): Promise<number>;
  remove(table: string, key: PortableRow): Promise<number>;
  truncate(table: string): Promise<void>;
}

export interface TestDatabase {
  /** The schema in which the tables are made. */
  readonly schema: string;
  /** A dialect on this database; whoever asks for it closes it. */
  dialect(adapterName: string): SourceDialect;
  create(...tables: readonly PortableTable[]): Promise<void>;
  /** True when a transaction failed because the connector was in the same rows: an application tries again or lets it be. */
  lostRace(error: unknown): boolean;
  /** Commits what `work` did, or rolls it back when `work` throws. */
  transaction<T>(work: (application: Application) => Promise<T>): Promise<T>;
  /** The rows as texts in the database's own form, in the order of all columns. */
  rows(table: string, columns: readonly string[]): Promise<readonly (readonly (string | null)[])[]>;
  /** Asking for the position moves it on, so that it says nothing about rest. */
  readonly positionMoves?: boolean;
  /** Where the feed stands when it has delivered everything committed until now. */
  position(): Promise<Position>;
  drop(): Promise<void>;
}

export interface ConformanceTarget {
  readonly name: string;
  readonly capabilities: ReadonlySet<Capability>;
  start(): Promise<void>;
  /** An empty database. */
  open(): Promise<TestDatabase>;
  stop(): Promise<void>;
}
