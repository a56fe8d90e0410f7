/**
 * Rows that we insert and that the database numbers, where the feed shows only what became of them: one that is deleted,
 * or loses the key of its object, before it is shown comes without what tells whose it was, though tables of collections
 * know the object by that number. The writer therefore tells the numbers before it commits.
 */
import type { ReplicaStore } from '../../store/replica/contract.ts';
import { type ApplyStatement, tableId } from '../dialect.ts';
import type { ClassMapping, Mapping } from '../mapping/class-mapping.ts';
import type { KeyDirectory } from './key-directory.ts';
import { isListTarget } from './row-translation.ts';

export type AnnouncedRowsOptions = {
  readonly store: Pick<ReplicaStore, 'transaction'>;
  readonly directory: KeyDirectory;
  readonly mapping: () => Mapping;
};

export class AnnouncedRows {
  readonly #options: AnnouncedRowsOptions;

  constructor(options: AnnouncedRowsOptions) {
    this.#options = options;
  }

  /** The statements, those that insert such rows asking for the numbers of these. */
  asked(statements: readonly ApplyStatement[]): readonly ApplyStatement[] {
    const { mapping } = this.#options;
    return statements.map((statement) => {
      if (statement.kind !== 'upsert') return statement;
      const id = tableId(statement.table.table);
      const mapped = mapping().forTable(id);
      const lookup = mapped?.key.row?.lookup;
      if (mapped === undefined || lookup === undefined || !this.#isInCollections(mapped)) return statement;
      return { ...statement, numbers: { lookup, tell: (rows) => this.#announce(id, rows) } };
    });
  }

  #announce(table: string, rows: ReadonlyMap<string, string>): void {
    const { store, directory } = this.#options;
    store.transaction(() => directory.announce(table, rows));
  }

  #isInCollections({ className, lists, itemTables }: ClassMapping): boolean {
    return lists.size > 0 || itemTables.size > 0 || isListTarget(className, this.#options.mapping());
  }
}
