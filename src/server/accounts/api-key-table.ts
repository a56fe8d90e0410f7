/** API keys at rest: only their hashes are kept. */
import { type Row, type Statements, text } from './statements.ts';

/** Stands for the user of a key that belongs to the server. */
export const SERVER_OWNER = '';

export type ApiKeyRow = {
  readonly id: string;
  /** The user, or {@link SERVER_OWNER}. */
  readonly owner: string;
  readonly name: string;
  readonly hash: Uint8Array;
  readonly disabled: boolean;
};

const COLUMNS = 'id, user_id, name, hash, disabled';

export class ApiKeyTable {
  readonly #statements: Statements;

  constructor(statements: Statements) {
    this.#statements = statements;
  }

  get(id: string): ApiKeyRow | undefined {
    const row = this.#statements.prepare(`SELECT ${COLUMNS} FROM api_keys WHERE id = ?`).get(id);
    return row && keyOf(row);
  }

  named(owner: string, name: string): ApiKeyRow | undefined {
    const row = this.#statements
      .prepare(`SELECT ${COLUMNS} FROM api_keys WHERE user_id = ? AND name = ?`)
      .get(owner, name);
    return row && keyOf(row);
  }

  /** In the order in which they were made. */
  ofOwner(owner: string): readonly ApiKeyRow[] {
    return this.#statements
      .prepare(`SELECT ${COLUMNS} FROM api_keys WHERE user_id = ? ORDER BY rowid`)
      .all(owner)
      .map(keyOf);
  }

  add(key: ApiKeyRow, now: number): void {
    this.#statements
      .prepare(
        'INSERT INTO api_keys (id, user_id, name, hash, disabled, created_at) VALUES (?, ?, ?, ?, ?, ?)',
      )
      .run(key.id, key.owner, key.name, key.hash, key.disabled ? 1 : 0, now);
  }

  setDisabled(id: string, disabled: boolean): void {
    this.#statements.prepare('UPDATE api_keys SET disabled = ? WHERE id = ?').run(disabled ? 1 : 0, id);
  }

  remove(id: string): void {
    this.#statements.prepare('DELETE FROM api_keys WHERE id = ?').run(id);
  }
}

function keyOf(row: Row): ApiKeyRow {
  return {
    id: text(row, 'id'),
    owner: text(row, 'user_id'),
    name: text(row, 'name'),
    hash: row.hash instanceof Uint8Array ? row.hash : new Uint8Array(),
    disabled: row.disabled === 1,
  };
}
