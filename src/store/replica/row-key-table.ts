/** The keys of rows and of their objects, for tables where these are not the same (contract `RowKeys`). */
import type { DatabaseSync, StatementSync } from 'node:sqlite';
import type { RowKeyEntry, RowKeys } from './contract.ts';

/** In the column `owed`: the row is gone, but items of lists may still refer to it. */
const GONE = 2;
/** In the column `owed`: we have written the row, and were not shown it yet. */
const ANNOUNCED = 3;

export class RowKeyTable implements RowKeys {
  readonly #keyOf: StatementSync;
  readonly #rowOf: StatementSync;
  readonly #count: StatementSync;
  readonly #put: StatementSync;
  readonly #remove: StatementSync;
  readonly #clear: StatementSync;
  readonly #bury: StatementSync;
  readonly #announce: StatementSync;
  readonly #announced: StatementSync;
  readonly #former: StatementSync;
  readonly #owed: StatementSync;
  readonly #settle: StatementSync;

  constructor(database: DatabaseSync) {
    this.#keyOf = database.prepare(
      `SELECT key FROM row_keys WHERE source = ? AND row = ? AND owed < ${GONE}`,
    );
    this.#rowOf = database.prepare(
      `SELECT row FROM row_keys WHERE source = ? AND key = ? ORDER BY owed >= ${GONE}, owed = ${GONE} LIMIT 1`,
    );
    this.#count = database.prepare(
      `SELECT count(*) AS rows FROM row_keys WHERE source = ? AND owed < ${GONE}`,
    );
    this.#put = database.prepare(
      'INSERT OR REPLACE INTO row_keys (source, row, key, owed) VALUES (?, ?, ?, ?)',
    );
    this.#remove = database.prepare('DELETE FROM row_keys WHERE source = ? AND row = ?');
    this.#clear = database.prepare(`UPDATE row_keys SET owed = ${GONE} WHERE source = ?`);
    this.#bury = database.prepare(`UPDATE row_keys SET owed = ${GONE} WHERE source = ? AND row = ?`);
    this.#former = database.prepare(
      `SELECT row FROM row_keys WHERE source = ? AND key = ? AND owed >= ${GONE}`,
    );
    this.#announce = database.prepare(
      `INSERT INTO row_keys (source, row, key, owed) VALUES (?, ?, ?, ${ANNOUNCED})
       ON CONFLICT (source, row) DO UPDATE SET key = excluded.key, owed = excluded.owed WHERE owed >= ${GONE}`,
    );
    this.#announced = database.prepare(
      `SELECT key FROM row_keys WHERE source = ? AND row = ? AND owed = ${ANNOUNCED}`,
    );
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

  bury(table: string, row: string): void {
    this.#bury.run(table, row);
  }

  announce(table: string, row: string, key: string): void {
    this.#announce.run(table, row, key);
  }

  announcedKeyOf(table: string, row: string): string | undefined {
    return this.#announced.get(table, row)?.key as string | undefined;
  }

  formerRows(table: string, key: string): readonly string[] {
    return this.#former.all(table, key).map(({ row }) => row as string);
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
