/**
 * The directory of the keys that the database makes, for verify's own use: links and side tables are told by them. It
 * is filled from the tables, and brought up to date before every look.
 */
import type { ReplicaStore } from '../../store/replica/contract.ts';
import type { SourceDialect } from '../dialect.ts';
import { tableId } from '../dialect.ts';
import { KeyDirectory } from '../keys/key-directory.ts';
import type { Mapping } from '../mapping/class-mapping.ts';

export class RowKeyIndex {
  readonly directory: KeyDirectory;
  readonly #store: ReplicaStore;

  constructor(store: ReplicaStore) {
    this.#store = store;
    this.directory = new KeyDirectory(store.rowKeys);
  }

  /** Reads the keys of all rows that have one, where the database makes them; nothing anywhere else. */
  async refresh(
    mapping: Mapping,
    dialect: Pick<SourceDialect, 'openSnapshot'>,
    signal: AbortSignal,
  ): Promise<void> {
    const numbered = mapping.order.filter(({ key }) => key.row !== undefined);
    if (numbered.length === 0) return;
    const snapshot = await dialect.openSnapshot();
    try {
      for (const { key, table } of numbered) {
        const columns = [key.row?.column ?? '', ...key.columns];
        for await (const batch of snapshot.rows(table, columns, undefined)) {
          signal.throwIfAborted();
          this.#store.transaction(() => {
            for (const [own, text] of batch) {
              if (typeof own === 'string' && typeof text === 'string') {
                this.directory.set(tableId(table.table), own, text);
              }
            }
            this.directory.write();
          });
        }
      }
    } finally {
      await snapshot.close();
    }
  }
}
