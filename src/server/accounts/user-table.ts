/** Users at rest. */
import { type Row, type Statements, text } from './statements.ts';

export type UserRow = {
  readonly id: string;
  readonly admin: boolean;
  readonly disabled: boolean;
  /** As JSON. */
  readonly customData: string;
};

/** A user, or a registration that nobody has logged in with yet. Times are in seconds since 1970. */
export type ListedRow = UserRow & {
  readonly createdAt: number;
  readonly lastLoginAt: number | undefined;
  readonly registered: boolean;
};

const LISTED = `SELECT id, admin, disabled, custom_data, created_at, last_login_at, 0 AS registered FROM users
  UNION ALL
  SELECT id, 0, 0, '{}', created_at, NULL, 1 FROM identities WHERE user_id IS NULL`;

export class UserTable {
  readonly #statements: Statements;

  constructor(statements: Statements) {
    this.#statements = statements;
  }

  get(id: string): UserRow | undefined {
    const row = this.#statements
      .prepare('SELECT id, admin, disabled, custom_data FROM users WHERE id = ?')
      .get(id);
    return row && userOf(row);
  }

  listed(id: string): ListedRow | undefined {
    const row = this.#statements.prepare(`SELECT * FROM (${LISTED}) WHERE id = ?`).get(id);
    return row && listedOf(row);
  }

  /** In the order of their ids. */
  list(after: string, limit: number): readonly ListedRow[] {
    return this.#statements
      .prepare(`SELECT * FROM (${LISTED}) WHERE id > ? ORDER BY id LIMIT ?`)
      .all(after, limit)
      .map(listedOf);
  }

  add(id: string, admin: boolean, now: number): void {
    this.#statements
      .prepare('INSERT INTO users (id, admin, created_at) VALUES (?, ?, ?)')
      .run(id, admin ? 1 : 0, now);
  }

  /** Removes a user with everything that is its. */
  remove(id: string): void {
    this.#statements.atomically(() => {
      this.#statements.prepare('DELETE FROM sessions WHERE user_id = ?').run(id);
      this.#statements.prepare('DELETE FROM api_keys WHERE user_id = ?').run(id);
      this.#statements
        .prepare(
          'DELETE FROM email_tokens WHERE identity_id IN (SELECT id FROM identities WHERE user_id = ?)',
        )
        .run(id);
      this.#statements.prepare('DELETE FROM identities WHERE user_id = ?').run(id);
      this.#statements.prepare('DELETE FROM users WHERE id = ?').run(id);
    });
  }

  setAdmin(id: string, admin: boolean): void {
    this.#statements.prepare('UPDATE users SET admin = ? WHERE id = ?').run(admin ? 1 : 0, id);
  }

  setDisabled(id: string, disabled: boolean): void {
    this.#statements.prepare('UPDATE users SET disabled = ? WHERE id = ?').run(disabled ? 1 : 0, id);
  }

  setCustomData(id: string, json: string): void {
    this.#statements.prepare('UPDATE users SET custom_data = ? WHERE id = ?').run(json, id);
  }

  setLastLogin(id: string, now: number): void {
    this.#statements.prepare('UPDATE users SET last_login_at = ? WHERE id = ?').run(now, id);
  }

  /** Whether somebody else than that user can administer the server. */
  hasOtherAdmin(id: string): boolean {
    const row = this.#statements
      .prepare('SELECT 1 AS found FROM users WHERE admin = 1 AND disabled = 0 AND id <> ? LIMIT 1')
      .get(id);
    return row !== undefined;
  }

  /** The name with which the first administrator logs in through that provider. */
  adminName(provider: string): string | undefined {
    const row = this.#statements
      .prepare(
        `SELECT identities.name FROM users JOIN identities ON identities.user_id = users.id
         WHERE users.admin = 1 AND identities.provider = ? ORDER BY users.rowid LIMIT 1`,
      )
      .get(provider);
    return row && text(row, 'name');
  }
}

function userOf(row: Row): UserRow {
  return {
    id: text(row, 'id'),
    admin: row.admin === 1,
    disabled: row.disabled === 1,
    customData: text(row, 'custom_data'),
  };
}

function listedOf(row: Row): ListedRow {
  return {
    ...userOf(row),
    createdAt: Number(row.created_at),
    lastLoginAt: typeof row.last_login_at === 'number' ? row.last_login_at : undefined,
    registered: row.registered === 1,
  };
}
