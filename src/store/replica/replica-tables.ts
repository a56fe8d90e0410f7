import type { Migrations } from '../sqlite/database.ts';

/**
 * What a client persists of each replica beside its state (spec/server-history.md §8). Commits without a changeset of
 * their own (ident assignment, integration) take a version but no row: nothing is ever read from them.
 */
export const REPLICA_TABLES: Migrations = {
  component: 'replica',
  steps: [
    `CREATE TABLE replicas (
      id INTEGER PRIMARY KEY AUTOINCREMENT,
      path TEXT NOT NULL UNIQUE,
      file_ident INTEGER NOT NULL DEFAULT 0,
      salt INTEGER NOT NULL DEFAULT 0,
      latest_version INTEGER NOT NULL DEFAULT 0,
      latest_salt INTEGER NOT NULL DEFAULT 0,
      download_server INTEGER NOT NULL DEFAULT 0,
      download_client INTEGER NOT NULL DEFAULT 0,
      upload_client INTEGER NOT NULL DEFAULT 0,
      upload_server INTEGER NOT NULL DEFAULT 0,
      version INTEGER NOT NULL DEFAULT 1,
      last_timestamp INTEGER NOT NULL DEFAULT 0,
      last_queued INTEGER NOT NULL DEFAULT 0
    ) STRICT;
    CREATE TABLE local_changesets (
      replica INTEGER NOT NULL,
      version INTEGER NOT NULL,
      remote_version INTEGER NOT NULL,
      timestamp INTEGER NOT NULL,
      touched BLOB,
      changeset BLOB NOT NULL,
      reciprocal BLOB,
      PRIMARY KEY (replica, version)
    ) STRICT, WITHOUT ROWID;
    CREATE TABLE queued_transactions (
      replica INTEGER NOT NULL,
      sequence INTEGER NOT NULL,
      server_version INTEGER NOT NULL,
      timestamp INTEGER NOT NULL,
      origin INTEGER NOT NULL,
      payload BLOB NOT NULL,
      PRIMARY KEY (replica, sequence)
    ) STRICT, WITHOUT ROWID;
    CREATE TABLE marks (
      name TEXT PRIMARY KEY,
      value TEXT NOT NULL
    ) STRICT, WITHOUT ROWID;`,
    // By how much versions in the queue are ahead of the server's, so that they increase across client resets.
    'ALTER TABLE replicas ADD COLUMN queue_offset INTEGER NOT NULL DEFAULT 0',
    // Client resets so far.
    'ALTER TABLE replicas ADD COLUMN generation INTEGER NOT NULL DEFAULT 0',
    // Flexible sync: what its user has asked for, and a bootstrap that is not applied yet.
    `CREATE TABLE subscription_sets (
      replica INTEGER NOT NULL,
      version INTEGER NOT NULL,
      state TEXT NOT NULL,
      snapshot_version INTEGER NOT NULL,
      snapshot_server INTEGER NOT NULL,
      error TEXT,
      subscriptions TEXT NOT NULL,
      PRIMARY KEY (replica, version)
    ) STRICT, WITHOUT ROWID;
    CREATE TABLE bootstraps (
      replica INTEGER PRIMARY KEY,
      query_version INTEGER NOT NULL,
      complete INTEGER NOT NULL,
      latest_version INTEGER NOT NULL,
      latest_salt INTEGER NOT NULL,
      download_server INTEGER NOT NULL,
      download_client INTEGER NOT NULL,
      upload_client INTEGER NOT NULL,
      upload_server INTEGER NOT NULL
    ) STRICT;
    CREATE TABLE bootstrap_changesets (
      replica INTEGER NOT NULL,
      position INTEGER NOT NULL,
      server_version INTEGER NOT NULL,
      client_version INTEGER NOT NULL,
      timestamp INTEGER NOT NULL,
      origin INTEGER NOT NULL,
      changeset BLOB NOT NULL,
      PRIMARY KEY (replica, position)
    ) STRICT, WITHOUT ROWID;`,
    // Tables whose rows have a key that the database makes, beside the key of their objects.
    `CREATE TABLE row_keys (
      source TEXT NOT NULL,
      row TEXT NOT NULL,
      key TEXT NOT NULL,
      owed INTEGER NOT NULL,
      PRIMARY KEY (source, row)
    ) STRICT, WITHOUT ROWID;
    CREATE INDEX row_keys_by_key ON row_keys (source, key);
    CREATE INDEX row_keys_owed ON row_keys (source, row) WHERE owed = 1;`,
  ],
};
