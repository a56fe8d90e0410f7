/**
 * The connector's own tables, in a schema of their own inside the synced database: what was applied (`checkpoint`), what
 * could not be (`dead_letter`), and who reads the change feed and how far (`feed`). Changes of `checkpoint` are tracked, so
 * that the feed shows which of our own transactions it has come to.
 */
import type { TableName } from '../../src/connector/dialect.ts';

export const OWN_SCHEMA = 'isthmus';
export const CHECKPOINT_TABLE: TableName = { schema: OWN_SCHEMA, name: 'checkpoint' };
export const DEAD_LETTER_TABLE: TableName = { schema: OWN_SCHEMA, name: 'dead_letter' };
export const FEED_TABLE: TableName = { schema: OWN_SCHEMA, name: 'feed' };
export const OWN_TABLES: readonly TableName[] = [CHECKPOINT_TABLE, DEAD_LETTER_TABLE, FEED_TABLE];

/** Names are compared to the letter, whatever the collation of the database. */
const EXACT = 'COLLATE Latin1_General_100_BIN2';

export const CREATE_OWN_SCHEMA = `CREATE SCHEMA [${OWN_SCHEMA}]`;

/**
 * By table, what makes it. Index keys have at most 1,700 bytes outside of the clustered index, which is why the key of
 * `checkpoint` is none.
 */
const CREATE_TABLE: ReadonlyMap<TableName, readonly string[]> = new Map([
  [
    CHECKPOINT_TABLE,
    [
      `CREATE TABLE [${OWN_SCHEMA}].[checkpoint] (
    [adapter] nvarchar(128) ${EXACT} NOT NULL,
    [realm] nvarchar(700) ${EXACT} NOT NULL,
    [sequence] bigint NOT NULL,
    CONSTRAINT [pk_checkpoint] PRIMARY KEY NONCLUSTERED ([adapter], [realm])
)`,
    ],
  ],
  [
    DEAD_LETTER_TABLE,
    [
      `CREATE TABLE [${OWN_SCHEMA}].[dead_letter] (
    [id] bigint IDENTITY(1,1) NOT NULL,
    [adapter] nvarchar(128) ${EXACT} NOT NULL,
    [direction] nvarchar(20) NOT NULL,
    [realm] nvarchar(700) ${EXACT} NOT NULL,
    [sequence] bigint NOT NULL,
    [created_at] datetime2(3) NOT NULL CONSTRAINT [df_dead_letter_created_at] DEFAULT (SYSUTCDATETIME()),
    [state] nvarchar(20) NOT NULL CONSTRAINT [df_dead_letter_state] DEFAULT (N'waiting'),
    [state_since] datetime2(3) NOT NULL CONSTRAINT [df_dead_letter_state_since] DEFAULT (SYSUTCDATETIME()),
    [requested_at] datetime2(3) NULL,
    [attempts] int NOT NULL CONSTRAINT [df_dead_letter_attempts] DEFAULT (0),
    [outcome] nvarchar(max) NULL,
    [reason] nvarchar(max) NOT NULL,
    [sql_state] nvarchar(20) NULL,
    [table_name] nvarchar(400) NULL,
    [column_name] nvarchar(400) NULL,
    [constraint_name] nvarchar(400) NULL,
    [objects] nvarchar(max) NOT NULL,
    [payload] nvarchar(max) NOT NULL,
    [statements] nvarchar(max) NOT NULL,
    [subject] nvarchar(450) ${EXACT} NULL,
    CONSTRAINT [pk_dead_letter] PRIMARY KEY ([id])
)`,
      `CREATE INDEX [ix_dead_letter_subject] ON [${OWN_SCHEMA}].[dead_letter] ([adapter], [subject])`,
    ],
  ],
  [
    FEED_TABLE,
    [
      `CREATE TABLE [${OWN_SCHEMA}].[feed] (
    [adapter] nvarchar(128) ${EXACT} NOT NULL,
    [line] char(36) NOT NULL,
    [previous_line] char(36) NULL,
    [position] bigint NOT NULL,
    [confirmed_at] datetime2(3) NOT NULL CONSTRAINT [df_feed_confirmed_at] DEFAULT (SYSUTCDATETIME()),
    [holder] nvarchar(400) NULL,
    [held_since] datetime2(3) NULL,
    CONSTRAINT [pk_feed] PRIMARY KEY ([adapter])
)`,
    ],
  ],
]);

/** One row: what is there of the schema and of each table, in the order of {@link OWN_TABLES}; NULL for what is not. */
export const OWN_TABLES_STATE = `SELECT ${[
  `SCHEMA_ID(N'${OWN_SCHEMA}')`,
  ...OWN_TABLES.map(({ schema, name }) => `OBJECT_ID(N'[${schema}].[${name}]', N'U')`),
]
  .map((expression) => `CONVERT(varchar(20), ${expression})`)
  .join(', ')};`;

/** The statements that make what is missing; each is a batch of its own. `state` is the row of {@link OWN_TABLES_STATE}. */
export function missingOwnTables(state: readonly (string | null)[]): readonly string[] {
  const [schema, ...tables] = state;
  const statements = schema === null ? [CREATE_OWN_SCHEMA] : [];
  for (const [place, table] of OWN_TABLES.entries()) {
    if (tables[place] === null) statements.push(...(CREATE_TABLE.get(table) ?? []));
  }
  return statements;
}

/** All of them, for somebody who makes them by hand. */
export const OWN_TABLES_DDL: readonly string[] = missingOwnTables([null, ...OWN_TABLES.map(() => null)]);
