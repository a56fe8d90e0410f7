/** The tables of users, in the steps in which they came about. */
import type { Migrations } from '../../store/sqlite/database.ts';

export const ACCOUNT_MIGRATIONS: Migrations = {
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
    // Names of email accounts are the same in any case of the letters, those that other issuers give are not: what
    // is compared stands in "lookup". "source" tells apart issuers that share a provider.
    `ALTER TABLE users ADD COLUMN custom_data TEXT NOT NULL DEFAULT '{}';
     ALTER TABLE users ADD COLUMN last_login_at INTEGER;
     ALTER TABLE sessions ADD COLUMN key_id TEXT;
     CREATE INDEX sessions_of_key ON sessions (key_id) WHERE key_id IS NOT NULL;
     CREATE TABLE linked_identities (
       id TEXT PRIMARY KEY, user_id TEXT, provider TEXT NOT NULL, source TEXT NOT NULL DEFAULT '',
       name TEXT NOT NULL, lookup TEXT NOT NULL, secret TEXT, unconfirmed INTEGER NOT NULL DEFAULT 0,
       data TEXT NOT NULL DEFAULT '{}', created_at INTEGER NOT NULL, UNIQUE (provider, source, lookup)
     ) STRICT;
     INSERT INTO linked_identities (id, user_id, provider, name, lookup, secret, created_at)
       SELECT id, user_id, provider, name, lower(name), secret, created_at FROM identities ORDER BY rowid;
     DROP TABLE identities;
     ALTER TABLE linked_identities RENAME TO identities;
     CREATE INDEX identities_of_user ON identities (user_id);
     CREATE TABLE email_tokens (
       id TEXT PRIMARY KEY, identity_id TEXT NOT NULL, purpose TEXT NOT NULL, hash BLOB NOT NULL,
       expires_at INTEGER NOT NULL
     ) STRICT;
     CREATE INDEX email_tokens_of_identity ON email_tokens (identity_id, purpose);
     CREATE INDEX email_tokens_by_expiry ON email_tokens (expires_at);
     -- A key of the server itself has the empty text for its user.
     CREATE TABLE api_keys (
       id TEXT PRIMARY KEY, user_id TEXT NOT NULL, name TEXT NOT NULL, hash BLOB NOT NULL,
       disabled INTEGER NOT NULL DEFAULT 0, created_at INTEGER NOT NULL, UNIQUE (user_id, name)
     ) STRICT;`,
  ],
};
