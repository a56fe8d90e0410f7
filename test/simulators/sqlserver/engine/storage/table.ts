/** A table: its definition and its rows, each a chain of versions from the newest to the oldest that may still be seen. */
import type { Datum } from '../../contract.ts';
import type { TableTracking } from '../change-tracking/table-tracking.ts';
import { datumKey, tupleKey } from './datum-key.ts';
import type { Check, Column, ForeignKey, Index } from './definition.ts';
import { HashIndex } from './hash-index.ts';
import type { Transaction } from './transaction.ts';

export type Version = {
  /** Null: deleted. */
  readonly data: readonly Datum[] | null;
  /** Who wrote it, until that is committed. */
  writer: Transaction | undefined;
  /** The commit that made it, once committed. */
  commit: number;
  previous: Version | undefined;
};

export class Row {
  readonly id: number;
  head: Version;

  constructor(id: number, head: Version) {
    this.id = id;
    this.head = head;
  }

  *versions(): IterableIterator<readonly Datum[]> {
    for (let version: Version | undefined = this.head; version; version = version.previous) {
      if (version.data) yield version.data;
    }
  }
}

export type RowFilter = (data: readonly Datum[]) => boolean;

export class Table {
  readonly id: number;
  schema: string;
  name: string;
  columns: Column[] = [];
  indexes: Index[] = [];
  foreignKeys: ForeignKey[] = [];
  checks: Check[] = [];
  nextColumnId = 1;
  nextSlot = 0;
  nextRowId = 1;
  createDate: Date;
  modifyDate: Date;
  /** Counts changes of the definition, so that what was compiled for the old one is not used with the new one. */
  definition = 0;
  /** The commit that changed the definition last: older snapshots can no longer read the table (3961). */
  definedAt = 0;
  tracking: TableTracking | undefined;
  rows = new Map<number, Row>();
  /** Table variables and temporary tables: not in the journal, not tracked. */
  readonly temporary: boolean;
  #hashes = new Map<Index, HashIndex>();

  constructor(id: number, schema: string, name: string, now: Date, temporary = false) {
    this.id = id;
    this.schema = schema;
    this.name = name;
    this.createDate = now;
    this.modifyDate = now;
    this.temporary = temporary;
  }

  get primaryKey(): Index | undefined {
    return this.indexes.find((index) => index.kind === 'primary key');
  }

  /** By name, without regard to case, as the server's default collation has it. */
  column(name: string): Column | undefined {
    const wanted = name.toLowerCase();
    return this.columns.find((column) => column.name.toLowerCase() === wanted);
  }

  index(name: string): Index | undefined {
    const wanted = name.toLowerCase();
    return this.indexes.find((index) => index.name.toLowerCase() === wanted);
  }

  get identityColumn(): Column | undefined {
    return this.columns.find((column) => column.identity);
  }

  hash(index: Index): HashIndex {
    const hash = this.#hashes.get(index);
    if (!hash) throw new Error(`Index ${index.name} of ${this.name} was not built.`);
    return hash;
  }

  /** The key that a row has in an index. */
  keyOf(index: Index, data: readonly Datum[]): string {
    return indexKey(index, data);
  }

  /** Builds an index from all versions of all rows. `filter` says which rows a filtered index holds. */
  buildIndex(index: Index, filter: RowFilter | undefined): void {
    const hash = new HashIndex((data) => (filter && !filter(data) ? undefined : indexKey(index, data)));
    for (const row of this.rows.values()) for (const data of row.versions()) hash.add(row, data);
    this.#hashes.set(index, hash);
  }

  /** Builds all indexes anew after rows were exchanged, with the filters that they have. */
  rebuildIndexes(): void {
    for (const index of this.indexes) {
      const old = this.#hashes.get(index);
      const hash = new HashIndex(old ? old.keyOf : (data) => indexKey(index, data));
      for (const row of this.rows.values()) for (const data of row.versions()) hash.add(row, data);
      this.#hashes.set(index, hash);
    }
  }

  addVersion(row: Row, version: Version): void {
    row.head = version;
    if (version.data) for (const index of this.indexes) this.hash(index).add(row, version.data);
  }

  /** Takes the newest version of a row away again. */
  undoVersion(row: Row): void {
    const gone = row.head;
    if (gone.previous) row.head = gone.previous;
    else this.rows.delete(row.id);
    if (gone.data) this.#forget(row, gone.data, gone.previous);
  }

  /** Drops what no snapshot can see any more: everything older than the newest version that commit `oldest` sees. */
  prune(row: Row, oldest: number): void {
    let version: Version | undefined = row.head;
    while (version && (version.writer || version.commit > oldest)) version = version.previous;
    if (!version) return;
    let gone = version.previous;
    version.previous = undefined;
    for (; gone; gone = gone.previous) if (gone.data) this.#forget(row, gone.data, row.head);
    if (version === row.head && version.data === null) this.rows.delete(row.id);
  }

  #forget(row: Row, data: readonly Datum[], remaining: Version | undefined): void {
    const rest: (readonly Datum[])[] = [];
    for (let version = remaining; version; version = version.previous)
      if (version.data) rest.push(version.data);
    for (const index of this.indexes) this.hash(index).remove(row, data, rest);
  }
}

function indexKey(index: Index, data: readonly Datum[]): string {
  const { columns } = index;
  if (columns.length === 1) {
    const { column } = columns[0]!;
    return datumKey(data[column.slot] ?? null, column.collation);
  }
  return tupleKey(columns.map(({ column }) => datumKey(data[column.slot] ?? null, column.collation)));
}
