/** What a table is made of. Definitions are changed in place, under a lock of the table, with an undo in the transaction. */
import type { SqlType } from '../../contract.ts';

export type Column = {
  /** Stays the column's own for its life, also when others go. */
  readonly id: number;
  name: string;
  type: SqlType;
  nullable: boolean;
  collation: string | undefined;
  /** Where the value is in a row's data; never used again after the column is dropped. */
  readonly slot: number;
  identity: Identity | undefined;
  default: DefaultConstraint | undefined;
  /** A computed column: its expression's text. */
  computed: { readonly text: string; readonly persisted: boolean } | undefined;
  rowGuid: boolean;
};

export type Identity = {
  readonly seed: bigint;
  readonly increment: bigint;
  /** The value handed out last. */
  last: bigint | undefined;
};

export type DefaultConstraint = {
  readonly objectId: number;
  name: string;
  readonly text: string;
  readonly systemNamed: boolean;
};

export type IndexColumn = { readonly column: Column; readonly descending: boolean };

export type Index = {
  /** 1 for the clustered one, 2 and more for others. */
  readonly id: number;
  name: string;
  readonly kind: 'primary key' | 'unique constraint' | 'index';
  /** Of the constraint, for constraints. */
  readonly objectId: number | undefined;
  readonly unique: boolean;
  readonly clustered: boolean;
  readonly columns: readonly IndexColumn[];
  readonly included: readonly Column[];
  /** The text of a filtered index's condition. */
  readonly filter: string | undefined;
  readonly systemNamed: boolean;
};

export type ReferentialAction = 'no action' | 'cascade' | 'set null' | 'set default';

export type ForeignKey = {
  readonly objectId: number;
  name: string;
  readonly columns: readonly Column[];
  /** The object id of the table referred to, in the same database. */
  readonly referencedTable: number;
  readonly referencedColumns: readonly Column[];
  readonly onDelete: ReferentialAction;
  readonly onUpdate: ReferentialAction;
  disabled: boolean;
  trusted: boolean;
  readonly systemNamed: boolean;
};

export type Check = {
  readonly objectId: number;
  name: string;
  readonly text: string;
  /** The column that it was written at; undefined for the table's own. */
  readonly column: Column | undefined;
  disabled: boolean;
  readonly systemNamed: boolean;
};
