/** What a connector has a database do. */
import type { NewLetter, ShownStatement } from '../dead-letters/contract.ts';
import type { TableInfo, TableName } from './tables.ts';
import type { SqlText } from './values.ts';

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
      /** Wants the keys that the database made for the rows; told before the commit, by the first key column. */
      readonly numbers?: {
        readonly lookup: KeyLookup;
        readonly tell: (rows: ReadonlyMap<string, string>) => void;
      };
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
  /** What `oidLookup` found when it was asked before: a list is emptied by it where that finds nothing any more. */
  readonly knownOid?: string;
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
