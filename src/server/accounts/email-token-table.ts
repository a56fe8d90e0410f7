/** Tokens that were sent to an address, at rest: only their hashes are kept. */
import { type Statements, text } from './statements.ts';

export type EmailTokenPurpose = 'confirm' | 'reset';

/** `expiresAt` is in seconds since 1970. */
export type EmailTokenRow = {
  readonly id: string;
  readonly identityId: string;
  readonly purpose: EmailTokenPurpose;
  readonly hash: Uint8Array;
  readonly expiresAt: number;
};

export class EmailTokenTable {
  readonly #statements: Statements;

  constructor(statements: Statements) {
    this.#statements = statements;
  }

  get(id: string): EmailTokenRow | undefined {
    const row = this.#statements
      .prepare('SELECT id, identity_id, purpose, hash, expires_at FROM email_tokens WHERE id = ?')
      .get(id);
    if (row === undefined || !(row.hash instanceof Uint8Array)) return undefined;
    return {
      id: text(row, 'id'),
      identityId: text(row, 'identity_id'),
      purpose: row.purpose === 'confirm' ? 'confirm' : 'reset',
      hash: row.hash,
      expiresAt: Number(row.expires_at),
    };
  }

  /** Whether somebody can still redeem a token of that identity. */
  hasGood(identityId: string, purpose: EmailTokenPurpose, now: number): boolean {
    const row = this.#statements
      .prepare(
        'SELECT 1 AS found FROM email_tokens WHERE identity_id = ? AND purpose = ? AND expires_at > ? LIMIT 1',
      )
      .get(identityId, purpose, now);
    return row !== undefined;
  }

  add(token: EmailTokenRow): void {
    this.#statements
      .prepare('INSERT INTO email_tokens (id, identity_id, purpose, hash, expires_at) VALUES (?, ?, ?, ?, ?)')
      .run(token.id, token.identityId, token.purpose, token.hash, token.expiresAt);
  }

  /** Those of that identity and purpose, all but the `kept` newest. */
  removeOldOf(identityId: string, purpose: EmailTokenPurpose, kept: number): void {
    this.#statements
      .prepare(
        `DELETE FROM email_tokens WHERE identity_id = ?1 AND purpose = ?2 AND rowid NOT IN (
           SELECT rowid FROM email_tokens WHERE identity_id = ?1 AND purpose = ?2 ORDER BY rowid DESC LIMIT ?3)`,
      )
      .run(identityId, purpose, kept);
  }

  removeExpiredBy(now: number): void {
    this.#statements.prepare('DELETE FROM email_tokens WHERE expires_at <= ?').run(now);
  }
}
