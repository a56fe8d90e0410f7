import type { Migrations } from './database.ts';

/** The tables of {@link SchemaTable}, {@link ObjectTable} and {@link IndexTable}, for any store that holds the state of realms. */
export const STATE_TABLES: Migrations = {
  component: 'state',
  steps: [
    `CREATE TABLE classes (
      id INTEGER PRIMARY KEY AUTOINCREMENT,
      realm INTEGER NOT NULL,
      name TEXT NOT NULL,
      kind TEXT NOT NULL,
      key_field TEXT,
      key_type TEXT,
      key_nullable INTEGER NOT NULL,
      next_column INTEGER NOT NULL,
      UNIQUE (realm, name)
    ) STRICT;
    CREATE TABLE columns (
      class INTEGER NOT NULL,
      id INTEGER NOT NULL,
      name TEXT NOT NULL,
      type TEXT NOT NULL,
      nullable INTEGER NOT NULL,
      collection TEXT NOT NULL,
      link_target TEXT,
      PRIMARY KEY (class, id)
    ) STRICT, WITHOUT ROWID;
    CREATE TABLE objects (
      class INTEGER NOT NULL,
      key ANY NOT NULL,
      state BLOB NOT NULL,
      PRIMARY KEY (class, key)
    ) STRICT, WITHOUT ROWID;`,
    `CREATE TABLE indexed_columns (
      class INTEGER NOT NULL,
      column INTEGER NOT NULL,
      complete INTEGER NOT NULL,
      PRIMARY KEY (class, column)
    ) STRICT, WITHOUT ROWID;
    CREATE TABLE indexed_values (
      class INTEGER NOT NULL,
      column INTEGER NOT NULL,
      value TEXT NOT NULL,
      key ANY NOT NULL,
      PRIMARY KEY (class, column, value, key)
    ) STRICT, WITHOUT ROWID;`,
  ],
};
