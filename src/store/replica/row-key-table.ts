/** The keys of rows and of their objects, for tables where these are not the same (contract `RowKeys`). */
import type { DatabaseSync, StatementSync } from 'node:sqlite';
import type { RowKeyEntry, RowKeys } from './contract.ts';

export class RowKeyTable implements RowKeys {
  readonly #keyOf: StatementSync;
  readonly #rowOf: StatementSync;
  readonly #count: StatementSync;
  readonly #put: StatementSync;
  readonly #remove: StatementSync;
  readonly #clear: StatementSync;
  readonly #owed: StatementSync;
  readonly #settle: StatementSync;

  constructor(database: DatabaseSync) {
    this.#keyOf = database.prepare('SELECT key FROM row_keys WHERE source = ? AND row = ?');
    this.#rowOf = database.prepare('SELECT row FROM row_keys WHERE source = ? AND key = ?');
    this.#count = database.prepare('SELECT count(*) AS rows FROM row_keys WHERE source = ?');
    this.#put = database.prepare(
      'INSERT OR REPLACE INTO row_keys (source, row, key, owed) VALUES (?, ?, ?, ?)',
    );
    this.#remove = database.prepare('DELETE FROM row_keys WHERE source = ? AND row = ?');
    this.#clear = database.prepare('DELETE FROM row_keys WHERE source = ?');
    this.#owed = database.prepare('SELECT source, row, key FROM row_keys WHERE owed = 1 LIMIT ?');
    this.#settle = database.prepare(
      'UPDATE row_keys SET owed = 0 WHERE source = ? AND row = ? AND key = ? AND owed = 1',
    );
  }

  keyOf(table: string, row: string): string | undefined {
    return this.#keyOf.get(table, row)?.key as string | undefined;
  }

  rowOf(table: string, key: string): string | undefined {
    return this.#rowOf.get(table, key)?.row as string | undefined;
  }

  count(table: string): number {
    return Number(this.#count.get(table)?.rows ?? 0);
  }

  set(table: string, row: string, key: string, owed: boolean): void {
    this.#put.run(table, row, key, owed ? 1 : 0);
  }

  remove(table: string, row: string): void {
    this.#remove.run(table, row);
  }

  clear(table: string): void {
    this.#clear.run(table);
  }

  owed(limit: number): readonly RowKeyEntry[] {
    return this.#owed
      .all(limit)
      .map(({ source, row, key }) => ({ table: source as string, row: row as string, key: key as string }));
  }

  settle({ table, row, key }: RowKeyEntry): void {
    this.#settle.run(table, row, key);
  }
}
