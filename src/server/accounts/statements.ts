/** Prepared statements of one database, each prepared once. */
import type { DatabaseSync, StatementSync } from 'node:sqlite';
import { inTransaction } from '../../store/sqlite/database.ts';

export type Row = Record<string, unknown>;

export class Statements {
  readonly #database: DatabaseSync;
  readonly #prepared = new Map<string, StatementSync>();

  constructor(database: DatabaseSync) {
    this.#database = database;
  }

  prepare(sql: string): StatementSync {
    let statement = this.#prepared.get(sql);
    if (!statement) {
      statement = this.#database.prepare(sql);
      this.#prepared.set(sql, statement);
    }
    return statement;
  }

  atomically<T>(work: () => T): T {
    return inTransaction(this.#database, work);
  }
}

export function text(row: Row, column: string): string {
  return String(row[column]);
}

export function optionalText(row: Row, column: string): string | undefined {
  const value = row[column];
  return typeof value === 'string' ? value : undefined;
}
