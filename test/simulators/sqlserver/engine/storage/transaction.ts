/** A transaction: what it has changed, in order, so that any suffix of it can be undone and all of it be recorded. */
import type { Datum, IsolationLevel } from '../../contract.ts';
import type { Database } from './database.ts';
import type { LockOwner } from './locks.ts';
import type { Row, Table } from './table.ts';

export type RowChange = {
  readonly kind: 'row';
  readonly table: Table;
  readonly row: Row;
  readonly before: readonly Datum[] | null;
  readonly after: readonly Datum[] | null;
  /** Of `WITH CHANGE_TRACKING_CONTEXT`. */
  readonly context: Uint8Array | null;
  /** Column ids that the statement set; undefined for inserts and deletes. */
  readonly updated: ReadonlySet<number> | undefined;
};

/** A change of definitions. `undo` puts everything back; what is named is written to the journal anew. */
export type DefinitionChange = {
  readonly kind: 'definition';
  readonly undo: () => void;
  readonly database?: Database;
  readonly table?: Table;
  /** All rows of the table have been written anew (ALTER TABLE with conversion, TRUNCATE). */
  readonly rewritten?: boolean;
};

export type Change = RowChange | DefinitionChange;

export class Transaction {
  readonly id: bigint;
  readonly owner: LockOwner;
  isolation: IsolationLevel;
  readonly changes: Change[] = [];
  readonly savepoints: { readonly name: string; readonly at: number }[] = [];
  /** Of a SNAPSHOT transaction: the last commit that it sees; set at its first access to data. */
  snapshot: number | undefined;
  /** It can only be rolled back (XACT_STATE() = -1). */
  doomed = false;
  /** Committed or rolled back. */
  ended = false;
  /** Began by itself for one statement. */
  readonly implicit: boolean;

  constructor(id: bigint, owner: LockOwner, isolation: IsolationLevel, implicit: boolean) {
    this.id = id;
    this.owner = owner;
    this.isolation = isolation;
    this.implicit = implicit;
  }
}
