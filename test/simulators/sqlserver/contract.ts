/**
 * What the simulator's two halves know of each other: the TDS server (`tds/`), which speaks to drivers, and the engine
 * behind it (`sql/`, `engine/`), which executes a strict subset of T-SQL. Neither shares code with the connector or
 * with its driver, so that none of their mistakes can cancel out.
 */

/** A type as columns, parameters and results have it. `length` counts characters or bytes as declared. */
export type SqlType =
  | { readonly kind: 'bit' | 'tinyint' | 'smallint' | 'int' | 'bigint' }
  | { readonly kind: 'real' | 'float' }
  | { readonly kind: 'money' | 'smallmoney' }
  | { readonly kind: 'decimal'; readonly precision: number; readonly scale: number }
  | { readonly kind: 'date' | 'datetime' | 'smalldatetime' }
  | { readonly kind: 'time' | 'datetime2' | 'datetimeoffset'; readonly scale: number }
  | { readonly kind: 'uniqueidentifier' | 'xml' | 'sql_variant' | 'hierarchyid' }
  | { readonly kind: 'text' | 'ntext' | 'image' }
  | { readonly kind: 'rowversion' }
  | {
      readonly kind: 'char' | 'varchar' | 'nchar' | 'nvarchar' | 'binary' | 'varbinary';
      readonly length: number | 'max';
    };

export type SqlKind = SqlType['kind'];

/** Days since 0001-01-01 and ticks of 100 ns since midnight. */
export type DateAndTime = { readonly days: number; readonly ticks: bigint };
/** As {@link DateAndTime} in UTC, shown `offset` minutes east of it. */
export type OffsetDateAndTime = DateAndTime & { readonly offset: number };
export type Variant = { readonly type: SqlType; readonly value: SqlValue };

/**
 * A value that is not NULL, by kind of its type:
 * `bit` boolean · all integers bigint · `real`, `float` number · `money`, `smallmoney` bigint in 1/10000 ·
 * `decimal` bigint in units of its scale · `date` number of days since 0001-01-01 · `time` bigint ticks of 100 ns ·
 * `datetime`, `smalldatetime`, `datetime2` DateAndTime (rounded as the type has it) · `datetimeoffset`
 * OffsetDateAndTime · characters, `xml`, `text`, `ntext` string · `uniqueidentifier` string in upper case with hyphens ·
 * binaries, `image`, `rowversion`, `hierarchyid` Uint8Array · `sql_variant` Variant.
 */
export type SqlValue =
  | boolean
  | bigint
  | number
  | string
  | Uint8Array
  | DateAndTime
  | OffsetDateAndTime
  | Variant;
/** `null` is SQL NULL. */
export type Datum = SqlValue | null;

export type ResultColumn = {
  readonly name: string;
  readonly type: SqlType;
  readonly nullable: boolean;
  readonly identity?: boolean;
};

export type Parameter = {
  /** With its `@`. */
  readonly name: string;
  readonly type: SqlType;
  readonly value: Datum;
  readonly output?: boolean;
};

/** What the server says of an error or of something worth knowing; `severity` above 10 is an error. */
export type ServerMessage = {
  readonly number: number;
  readonly severity: number;
  readonly state: number;
  readonly message: string;
  readonly line: number;
  readonly procedure?: string;
};

/** Thrown by the engine for errors that end a statement or a batch. The connection is closed when `severity` is 20 or more. */
export class SqlFailure extends Error {
  readonly number: number;
  readonly severity: number;
  readonly state: number;
  readonly line: number;
  /** The transaction was rolled back (a deadlock, a snapshot conflict, XACT_ABORT). */
  readonly rolledBack: boolean;

  constructor(
    number: number,
    message: string,
    options: {
      readonly severity?: number;
      readonly state?: number;
      readonly line?: number;
      readonly rolledBack?: boolean;
    } = {},
  ) {
    super(message);
    this.number = number;
    this.severity = options.severity ?? 16;
    this.state = options.state ?? 1;
    this.line = options.line ?? 1;
    this.rolledBack = options.rolledBack ?? false;
  }
}

export type IsolationLevel =
  | 'read uncommitted'
  | 'read committed'
  | 'repeatable read'
  | 'serializable'
  | 'snapshot';

/** What comes back from a batch, in order. */
export type ResultPart =
  /** A result set begins. */
  | { readonly kind: 'columns'; readonly columns: readonly ResultColumn[] }
  /** Some rows of the result set that began last. */
  | { readonly kind: 'rows'; readonly rows: readonly (readonly Datum[])[] }
  /** A statement is done. `rowCount` is absent with NOCOUNT and for statements that count nothing. */
  | {
      readonly kind: 'done';
      readonly command: 'select' | 'insert' | 'update' | 'delete' | 'merge' | 'other';
      readonly rowCount?: number;
    }
  /** An error after which the batch goes on, or a message (PRINT, severity 10 and less). */
  | { readonly kind: 'message'; readonly message: ServerMessage }
  | { readonly kind: 'database'; readonly name: string }
  /** The session's transaction began (`id` is its descriptor) or ended by a statement in the batch. */
  | {
      readonly kind: 'transaction';
      readonly change: 'begun' | 'committed' | 'rolledBack';
      readonly id: bigint;
    }
  | { readonly kind: 'output'; readonly name: string; readonly type: SqlType; readonly value: Datum }
  | { readonly kind: 'returnStatus'; readonly value: number };

export type BulkColumn = { readonly name: string; readonly type: SqlType };

export interface SqlSession {
  /** The process id that the client is told. */
  readonly id: number;
  readonly database: string;
  /** The descriptor of the open transaction. */
  readonly transaction: bigint | undefined;
  /**
   * Executes a batch. Parts come as they are made; an error that ends the batch is thrown (`SqlFailure`) after the parts
   * before it. When `signal` aborts, waiting for locks and reading end at once, and so does the iteration. What SET changes
   * in an `inner` batch, which is the statement of a procedure such as `sp_executesql`, ends with it.
   */
  execute(
    batch: string,
    parameters: readonly Parameter[],
    signal: AbortSignal,
    scope?: 'outer' | 'inner',
  ): AsyncIterable<ResultPart>;
  /** A stored procedure called by name over RPC, other than those that only prepare statements. */
  call(procedure: string, parameters: readonly Parameter[], signal: AbortSignal): AsyncIterable<ResultPart>;
  begin(isolation: IsolationLevel | undefined): bigint;
  commit(): Promise<void>;
  rollback(): void;
  savepoint(name: string): void;
  rollbackTo(name: string): void;
  /** Rows of a bulk load, for the table and columns that the `INSERT BULK` statement before it named. Returns their number. */
  bulkLoad(
    columns: readonly BulkColumn[],
    rows: AsyncIterable<readonly (readonly Datum[])[]>,
    signal: AbortSignal,
  ): Promise<number>;
  /** As a connection taken from a pool: rolls back, forgets temporary tables, options and locks of the session. */
  reset(): void;
  close(): void;
}

export interface SqlEngine {
  /** Throws `SqlFailure` 18456 for a wrong password and 4060 for a database that cannot be opened. */
  login(login: {
    readonly user: string;
    readonly password: string;
    readonly database: string | undefined;
    readonly host: string;
    readonly program: string;
  }): SqlSession;
}
