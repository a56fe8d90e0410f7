/** Identities at rest: what a user logs in with. */
import { newHexId } from './hex-id.ts';
import { optionalText, type Row, type Statements, text } from './statements.ts';

export type IdentityRow = {
  readonly id: string;
  readonly userId: string | undefined;
  readonly provider: string;
  /** Which of several issuers of one provider vouches for the name; empty when there is but one. */
  readonly source: string;
  readonly name: string;
  readonly secret: string | undefined;
  /** Its owner has yet to prove that the address is theirs. */
  readonly unconfirmed: boolean;
  /** As JSON: texts that the provider told about the user. */
  readonly data: string;
};

/** The provider whose names are the same in any case of the letters. */
export const USERPASS = 'local-userpass';

/** A new identity by which a user logs in with a password, with nothing left to confirm. */
export function passwordIdentity(userId: string, name: string, secret: string): IdentityRow {
  const rest = { source: '', unconfirmed: false, data: '{}' } as const;
  return { id: newHexId(), userId, provider: USERPASS, name, secret, ...rest };
}

const COLUMNS = 'id, user_id, provider, source, name, secret, unconfirmed, data';

export class IdentityTable {
  readonly #statements: Statements;

  constructor(statements: Statements) {
    this.#statements = statements;
  }

  get(id: string): IdentityRow | undefined {
    const row = this.#statements.prepare(`SELECT ${COLUMNS} FROM identities WHERE id = ?`).get(id);
    return row && identityOf(row);
  }

  find(provider: string, name: string, source = ''): IdentityRow | undefined {
    const row = this.#statements
      .prepare(`SELECT ${COLUMNS} FROM identities WHERE provider = ? AND source = ? AND lookup = ?`)
      .get(provider, source, lookupOf(provider, name));
    return row && identityOf(row);
  }

  /** In the order in which they came about. */
  ofUser(userId: string): readonly IdentityRow[] {
    return this.#statements
      .prepare(`SELECT ${COLUMNS} FROM identities WHERE user_id = ? ORDER BY rowid`)
      .all(userId)
      .map(identityOf);
  }

  add(identity: IdentityRow, now: number): void {
    this.#statements
      .prepare(
        `INSERT INTO identities (id, user_id, provider, source, name, lookup, secret, unconfirmed, data, created_at)
         VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
      )
      .run(
        identity.id,
        identity.userId ?? null,
        identity.provider,
        identity.source,
        identity.name,
        lookupOf(identity.provider, identity.name),
        identity.secret ?? null,
        identity.unconfirmed ? 1 : 0,
        identity.data,
        now,
      );
  }

  giveTo(id: string, userId: string): void {
    this.#statements.prepare('UPDATE identities SET user_id = ? WHERE id = ?').run(userId, id);
  }

  confirm(id: string): void {
    this.#statements.prepare('UPDATE identities SET unconfirmed = 0 WHERE id = ?').run(id);
  }

  setSecret(id: string, secret: string): void {
    this.#statements.prepare('UPDATE identities SET secret = ? WHERE id = ?').run(secret, id);
  }

  setData(id: string, json: string): void {
    this.#statements.prepare('UPDATE identities SET data = ? WHERE id = ?').run(json, id);
  }

  remove(id: string): void {
    this.#statements.atomically(() => {
      this.#statements.prepare('DELETE FROM email_tokens WHERE identity_id = ?').run(id);
      this.#statements.prepare('DELETE FROM identities WHERE id = ?').run(id);
    });
  }
}

/** Only the letters A to Z are folded, as in the tables of the first version. */
function lookupOf(provider: string, name: string): string {
  return provider === USERPASS ? name.replace(/[A-Z]/g, (letter) => letter.toLowerCase()) : name;
}

function identityOf(row: Row): IdentityRow {
  return {
    id: text(row, 'id'),
    userId: optionalText(row, 'user_id'),
    provider: text(row, 'provider'),
    source: text(row, 'source'),
    name: text(row, 'name'),
    secret: optionalText(row, 'secret'),
    unconfirmed: row.unconfirmed === 1,
    data: text(row, 'data'),
  };
}
