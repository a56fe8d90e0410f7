/** Refresh sessions at rest. */
import { type Statements, text } from './statements.ts';

/** `expiresAt` is in seconds since 1970, as in the tokens. */
export type SessionRow = {
  readonly id: string;
  readonly userId: string;
  readonly deviceId: string;
  readonly expiresAt: number;
  /** The API key that opened it. */
  readonly keyId?: string | undefined;
};

export class SessionTable {
  readonly #statements: Statements;

  constructor(statements: Statements) {
    this.#statements = statements;
  }

  get(id: string): SessionRow | undefined {
    const row = this.#statements
      .prepare('SELECT id, user_id, device_id, expires_at FROM sessions WHERE id = ?')
      .get(id);
    return (
      row && {
        id: text(row, 'id'),
        userId: text(row, 'user_id'),
        deviceId: text(row, 'device_id'),
        expiresAt: Number(row.expires_at),
      }
    );
  }

  add(session: SessionRow): void {
    this.#statements
      .prepare('INSERT INTO sessions (id, user_id, device_id, expires_at, key_id) VALUES (?, ?, ?, ?, ?)')
      .run(session.id, session.userId, session.deviceId, session.expiresAt, session.keyId ?? null);
  }

  remove(id: string): void {
    this.#statements.prepare('DELETE FROM sessions WHERE id = ?').run(id);
  }

  /** Returns the ids of those that were removed. */
  removeOfKey(keyId: string): readonly string[] {
    return this.#statements
      .prepare('DELETE FROM sessions WHERE key_id = ? RETURNING id')
      .all(keyId)
      .map((row) => text(row, 'id'));
  }

  removeOf(userId: string): void {
    this.#statements.prepare('DELETE FROM sessions WHERE user_id = ?').run(userId);
  }

  removeExpiredBy(now: number): void {
    this.#statements.prepare('DELETE FROM sessions WHERE expires_at <= ?').run(now);
  }
}
