/** Which objects of a class hold a value in an indexed column, by the value's token. */
import type { DatabaseSync, StatementSync } from 'node:sqlite';
import type { StoredKey } from './object-key.ts';
import type { StoredObject } from './object-table.ts';

export class IndexTable {
  readonly #columns: StatementSync;
  readonly #addColumn: StatementSync;
  readonly #completeColumn: StatementSync;
  readonly #forgetColumn: StatementSync;
  readonly #put: StatementSync;
  readonly #remove: StatementSync;
  readonly #removeColumn: StatementSync;
  readonly #first: StatementSync;
  readonly #after: StatementSync;

  constructor(database: DatabaseSync) {
    this.#columns = database.prepare('SELECT column, complete FROM indexed_columns WHERE class = ?');
    this.#addColumn = database.prepare(
      'INSERT OR IGNORE INTO indexed_columns (class, column, complete) VALUES (?, ?, 0)',
    );
    this.#completeColumn = database.prepare(
      'UPDATE indexed_columns SET complete = 1 WHERE class = ? AND column = ?',
    );
    this.#forgetColumn = database.prepare('DELETE FROM indexed_columns WHERE class = ? AND column = ?');
    this.#put = database.prepare(
      'INSERT OR IGNORE INTO indexed_values (class, column, value, key) VALUES (?, ?, ?, ?)',
    );
    this.#remove = database.prepare(
      'DELETE FROM indexed_values WHERE class = ? AND column = ? AND value = ? AND key = ?',
    );
    this.#removeColumn = database.prepare('DELETE FROM indexed_values WHERE class = ? AND column = ?');
    const select = `SELECT o.key, o.state FROM indexed_values i JOIN objects o ON o.class = i.class AND o.key = i.key
      WHERE i.class = ? AND i.column = ? AND i.value = ?`;
    this.#first = database.prepare(`${select} ORDER BY i.key LIMIT ?`);
    this.#after = database.prepare(`${select} AND i.key > ? ORDER BY i.key LIMIT ?`);
    this.#first.setReadBigInts(true);
    this.#after.setReadBigInts(true);
  }

  /** Indexed columns of a class by number, and whether each index is complete. */
  columns(classId: bigint): ReadonlyMap<number, boolean> {
    return new Map(this.#columns.all(classId).map((row) => [Number(row.column), row.complete === 1]));
  }

  addColumn(classId: bigint, column: number): void {
    this.#addColumn.run(classId, column);
  }

  completeColumn(classId: bigint, column: number): void {
    this.#completeColumn.run(classId, column);
  }

  /** Removes the index with its values. */
  removeColumn(classId: bigint, column: number): void {
    this.#forgetColumn.run(classId, column);
    this.#removeColumn.run(classId, column);
  }

  put(classId: bigint, column: number, value: string, key: StoredKey): void {
    this.#put.run(classId, column, value, key);
  }

  remove(classId: bigint, column: number, value: string, key: StoredKey): void {
    this.#remove.run(classId, column, value, key);
  }

  /** At most `limit` objects that hold the value, in key order, after the key `after` if there is one. */
  scan(
    classId: bigint,
    column: number,
    value: string,
    after: StoredKey | undefined,
    limit: number,
  ): readonly StoredObject[] {
    const rows =
      after === undefined
        ? this.#first.all(classId, column, value, limit)
        : this.#after.all(classId, column, value, after, limit);
    return rows as unknown as readonly StoredObject[];
  }
}
