/** The tables of a database: those that are there, those that the models want, and how a change of them shows. */

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
