import type { Migrations } from '../sqlite/database.ts';

/**
 * What a server persists of each realm beside its state (spec/server-history.md §2). Large columns come last, so that
 * reading the others does not touch their pages.
 */
export const SERVER_TABLES: Migrations = {
  component: 'server',
  steps: [
    `CREATE TABLE realms (
      id INTEGER PRIMARY KEY AUTOINCREMENT,
      path TEXT NOT NULL UNIQUE
    ) STRICT;
    CREATE TABLE entries (
      realm INTEGER NOT NULL,
      version INTEGER NOT NULL,
      salt INTEGER NOT NULL,
      origin INTEGER NOT NULL,
      client_version INTEGER NOT NULL,
      timestamp INTEGER NOT NULL,
      cumulative_size INTEGER NOT NULL,
      changeset BLOB NOT NULL,
      PRIMARY KEY (realm, version)
    ) STRICT, WITHOUT ROWID;
    CREATE TABLE client_files (
      realm INTEGER NOT NULL,
      ident INTEGER NOT NULL,
      salt INTEGER NOT NULL,
      client_version INTEGER NOT NULL,
      reciprocal_base INTEGER NOT NULL,
      locked_version INTEGER NOT NULL,
      last_seen INTEGER NOT NULL,
      PRIMARY KEY (realm, ident)
    ) STRICT, WITHOUT ROWID;
    CREATE TABLE reciprocals (
      realm INTEGER NOT NULL,
      client INTEGER NOT NULL,
      version INTEGER NOT NULL,
      changeset BLOB NOT NULL,
      PRIMARY KEY (realm, client, version)
    ) STRICT, WITHOUT ROWID;`,
    // Until now last_seen was 1 for every file that had not expired.
    `ALTER TABLE realms ADD COLUMN flexible_since INTEGER;
    ALTER TABLE realms ADD COLUMN base_version INTEGER NOT NULL DEFAULT 0;
    ALTER TABLE realms ADD COLUMN base_salt INTEGER NOT NULL DEFAULT 0;
    ALTER TABLE realms ADD COLUMN base_size INTEGER NOT NULL DEFAULT 0;
    ALTER TABLE client_files ADD COLUMN owner TEXT;
    ALTER TABLE client_files ADD COLUMN identified INTEGER NOT NULL DEFAULT 1;
    ALTER TABLE client_files ADD COLUMN filled_from INTEGER;
    ALTER TABLE client_files ADD COLUMN first_filled_from INTEGER;
    CREATE TABLE earlier_states (
      class INTEGER NOT NULL,
      version INTEGER NOT NULL,
      key ANY NOT NULL,
      state BLOB NOT NULL,
      PRIMARY KEY (class, version, key)
    ) STRICT, WITHOUT ROWID;
    CREATE TABLE corrections (
      realm INTEGER NOT NULL,
      client INTEGER NOT NULL,
      version INTEGER NOT NULL,
      client_version INTEGER NOT NULL,
      objects TEXT NOT NULL,
      PRIMARY KEY (realm, client, version)
    ) STRICT, WITHOUT ROWID;
    CREATE TABLE flexible_views (
      realm INTEGER NOT NULL,
      client INTEGER NOT NULL,
      view TEXT NOT NULL,
      PRIMARY KEY (realm, client)
    ) STRICT, WITHOUT ROWID;`,
  ],
};
