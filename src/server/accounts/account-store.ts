/** Users, identities, sessions and keys at rest: one SQLite file in the server's directory. */
import type { DatabaseSync } from 'node:sqlite';
import { openDatabase } from '../../store/sqlite/database.ts';
import { ACCOUNT_MIGRATIONS } from './account-migrations.ts';
import { ApiKeyTable } from './api-key-table.ts';
import { EmailTokenTable } from './email-token-table.ts';
import { IdentityTable } from './identity-table.ts';
import { SessionTable } from './session-table.ts';
import { Statements } from './statements.ts';
import { UserTable } from './user-table.ts';

export class AccountStore {
  readonly users: UserTable;
  readonly identities: IdentityTable;
  readonly sessions: SessionTable;
  readonly emailTokens: EmailTokenTable;
  readonly apiKeys: ApiKeyTable;
  readonly #database: DatabaseSync;
  readonly #statements: Statements;

  constructor(file: string) {
    this.#database = openDatabase(file, [ACCOUNT_MIGRATIONS]);
    const statements = new Statements(this.#database);
    this.#statements = statements;
    this.users = new UserTable(statements);
    this.identities = new IdentityTable(statements);
    this.sessions = new SessionTable(statements);
    this.emailTokens = new EmailTokenTable(statements);
    this.apiKeys = new ApiKeyTable(statements);
  }

  atomically<T>(work: () => T): T {
    return this.#statements.atomically(work);
  }

  /** The stored key of that name; `make` provides it the first time. */
  key(name: string, make: () => Uint8Array): Uint8Array {
    return this.atomically(() => {
      const row = this.#statements.prepare('SELECT value FROM keys WHERE name = ?').get(name);
      if (row?.value instanceof Uint8Array) return row.value;
      const value = make();
      this.#statements.prepare('INSERT INTO keys (name, value) VALUES (?, ?)').run(name, value);
      return value;
    });
  }

  close(): void {
    this.#database.close();
  }
}
