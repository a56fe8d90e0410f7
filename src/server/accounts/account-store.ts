/** Users, identities, sessions and keys at rest: one SQLite file in the server's directory. */
import type { DatabaseSync, StatementSync } from 'node:sqlite';
import { inTransaction, type Migrations, openDatabase } from '../../store/sqlite/database.ts';

const MIGRATIONS: Migrations = {
  component: 'accounts',
  steps: [
    `CREATE TABLE users (
       id TEXT PRIMARY KEY, admin INTEGER NOT NULL, disabled INTEGER NOT NULL DEFAULT 0,
       created_at INTEGER NOT NULL
     ) STRICT;
     -- An identity without user is registered, but nobody has logged in with it yet.
     CREATE TABLE identities (
       id TEXT PRIMARY KEY, user_id TEXT, provider TEXT NOT NULL, name TEXT NOT NULL COLLATE NOCASE,
       secret TEXT, created_at INTEGER NOT NULL, UNIQUE (provider, name)
     ) STRICT;
     CREATE INDEX identities_of_user ON identities (user_id);
     CREATE TABLE sessions (
       id TEXT PRIMARY KEY, user_id TEXT NOT NULL, device_id TEXT NOT NULL, expires_at INTEGER NOT NULL
     ) STRICT;
     CREATE INDEX sessions_of_user ON sessions (user_id);
     CREATE INDEX sessions_by_expiry ON sessions (expires_at);
     CREATE TABLE keys (name TEXT PRIMARY KEY, value BLOB NOT NULL) STRICT;`,
  ],
};

export type UserRow = { readonly id: string; readonly admin: boolean; readonly disabled: boolean };
export type IdentityRow = {
  readonly id: string;
  readonly userId: string | undefined;
  readonly provider: string;
  readonly name: string;
  readonly secret: string | undefined;
};
/** `expiresAt` is in seconds since 1970, as in the tokens. */
export type SessionRow = {
  readonly id: string;
  readonly userId: string;
  readonly deviceId: string;
  readonly expiresAt: number;
};

type Row = Record<string, unknown>;

function text(row: Row, column: string): string {
  return String(row[column]);
}

function optionalText(row: Row, column: string): string | undefined {
  const value = row[column];
  return typeof value === 'string' ? value : undefined;
}

function identityOf(row: Row): IdentityRow {
  return {
    id: text(row, 'id'),
    userId: optionalText(row, 'user_id'),
    provider: text(row, 'provider'),
    name: text(row, 'name'),
    secret: optionalText(row, 'secret'),
  };
}

export class AccountStore {
  readonly #database: DatabaseSync;
  readonly #statements = new Map<string, StatementSync>();

  constructor(file: string) {
    this.#database = openDatabase(file, [MIGRATIONS]);
  }

  atomically<T>(work: () => T): T {
    return inTransaction(this.#database, work);
  }

  user(id: string): UserRow | undefined {
    const row = this.#prepare('SELECT id, admin, disabled FROM users WHERE id = ?').get(id);
    return row && { id: text(row, 'id'), admin: row.admin === 1, disabled: row.disabled === 1 };
  }

  /** The name with which the first administrator logs in through that provider. */
  adminName(provider: string): string | undefined {
    const row = this.#prepare(
      `SELECT identities.name FROM users JOIN identities ON identities.user_id = users.id
       WHERE users.admin = 1 AND identities.provider = ? ORDER BY users.rowid LIMIT 1`,
    ).get(provider);
    return row && text(row, 'name');
  }

  addUser(id: string, admin: boolean, now: number): void {
    this.#prepare('INSERT INTO users (id, admin, created_at) VALUES (?, ?, ?)').run(id, admin ? 1 : 0, now);
  }

  /** Removes a user with its identities and sessions. */
  removeUser(id: string): void {
    this.atomically(() => {
      this.#prepare('DELETE FROM sessions WHERE user_id = ?').run(id);
      this.#prepare('DELETE FROM identities WHERE user_id = ?').run(id);
      this.#prepare('DELETE FROM users WHERE id = ?').run(id);
    });
  }

  identity(provider: string, name: string): IdentityRow | undefined {
    const row = this.#prepare('SELECT * FROM identities WHERE provider = ? AND name = ?').get(provider, name);
    return row && identityOf(row);
  }

  /** In the order in which they were linked. */
  identitiesOf(userId: string): readonly IdentityRow[] {
    return this.#prepare('SELECT * FROM identities WHERE user_id = ? ORDER BY rowid')
      .all(userId)
      .map(identityOf);
  }

  addIdentity(identity: IdentityRow, now: number): void {
    this.#prepare(
      'INSERT INTO identities (id, user_id, provider, name, secret, created_at) VALUES (?, ?, ?, ?, ?, ?)',
    ).run(
      identity.id,
      identity.userId ?? null,
      identity.provider,
      identity.name,
      identity.secret ?? null,
      now,
    );
  }

  giveIdentity(id: string, userId: string): void {
    this.#prepare('UPDATE identities SET user_id = ? WHERE id = ?').run(userId, id);
  }

  setSecret(identityId: string, secret: string): void {
    this.#prepare('UPDATE identities SET secret = ? WHERE id = ?').run(secret, identityId);
  }

  session(id: string): SessionRow | undefined {
    const row = this.#prepare('SELECT * FROM sessions WHERE id = ?').get(id);
    return (
      row && {
        id: text(row, 'id'),
        userId: text(row, 'user_id'),
        deviceId: text(row, 'device_id'),
        expiresAt: Number(row.expires_at),
      }
    );
  }

  addSession(session: SessionRow): void {
    this.#prepare('INSERT INTO sessions (id, user_id, device_id, expires_at) VALUES (?, ?, ?, ?)').run(
      session.id,
      session.userId,
      session.deviceId,
      session.expiresAt,
    );
  }

  removeSession(id: string): void {
    this.#prepare('DELETE FROM sessions WHERE id = ?').run(id);
  }

  removeSessionsOf(userId: string): void {
    this.#prepare('DELETE FROM sessions WHERE user_id = ?').run(userId);
  }

  removeSessionsExpiredBy(now: number): void {
    this.#prepare('DELETE FROM sessions WHERE expires_at <= ?').run(now);
  }

  /** The stored key of that name; `make` provides it the first time. */
  key(name: string, make: () => Uint8Array): Uint8Array {
    return this.atomically(() => {
      const row = this.#prepare('SELECT value FROM keys WHERE name = ?').get(name);
      if (row?.value instanceof Uint8Array) return row.value;
      const value = make();
      this.#prepare('INSERT INTO keys (name, value) VALUES (?, ?)').run(name, value);
      return value;
    });
  }

  close(): void {
    this.#statements.clear();
    this.#database.close();
  }

  #prepare(sql: string): StatementSync {
    let statement = this.#statements.get(sql);
    if (!statement) {
      statement = this.#database.prepare(sql);
      this.#statements.set(sql, statement);
    }
    return statement;
  }
}
