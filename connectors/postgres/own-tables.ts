/**
 * The connector's own tables, in a schema of their own. `checkpoint` is in the publication: a change of it marks a
 * transaction as ours (DESIGN §4).
 */
import type { TableName } from '../../src/connector/dialect.ts';

export const OWN_SCHEMA = 'isthmus';
export const CHECKPOINT_TABLE: TableName = { schema: OWN_SCHEMA, name: 'checkpoint' };
export const DEAD_LETTER_TABLE: TableName = { schema: OWN_SCHEMA, name: 'dead_letter' };

export const OWN_TABLES_DDL: readonly string[] = [
  `CREATE SCHEMA IF NOT EXISTS ${OWN_SCHEMA}`,
  `CREATE TABLE IF NOT EXISTS ${OWN_SCHEMA}.checkpoint (
    adapter text NOT NULL,
    realm text NOT NULL,
    sequence bigint NOT NULL,
    PRIMARY KEY (adapter, realm)
  )`,
  `CREATE TABLE IF NOT EXISTS ${OWN_SCHEMA}.dead_letter (
    id bigserial PRIMARY KEY,
    adapter text NOT NULL,
    realm text NOT NULL,
    sequence bigint NOT NULL,
    reason text NOT NULL,
    payload text NOT NULL,
    created_at timestamp with time zone NOT NULL DEFAULT now()
  )`,
  // Tables of earlier versions had only the columns above. Documents are text: jsonb cannot hold every text of a realm.
  `ALTER TABLE ${OWN_SCHEMA}.dead_letter
    ADD COLUMN IF NOT EXISTS direction text NOT NULL DEFAULT 'toSql',
    ADD COLUMN IF NOT EXISTS state text NOT NULL DEFAULT 'waiting',
    ADD COLUMN IF NOT EXISTS state_since timestamp with time zone NOT NULL DEFAULT now(),
    ADD COLUMN IF NOT EXISTS sql_state text,
    ADD COLUMN IF NOT EXISTS table_name text,
    ADD COLUMN IF NOT EXISTS column_name text,
    ADD COLUMN IF NOT EXISTS constraint_name text,
    ADD COLUMN IF NOT EXISTS objects text NOT NULL DEFAULT '[]',
    ADD COLUMN IF NOT EXISTS statements text NOT NULL DEFAULT '[]',
    ADD COLUMN IF NOT EXISTS subject text,
    ADD COLUMN IF NOT EXISTS requested_at timestamp with time zone,
    ADD COLUMN IF NOT EXISTS attempts integer NOT NULL DEFAULT 0,
    ADD COLUMN IF NOT EXISTS outcome text`,
  `CREATE UNIQUE INDEX IF NOT EXISTS dead_letter_subject ON ${OWN_SCHEMA}.dead_letter (adapter, subject)`,
  `CREATE INDEX IF NOT EXISTS dead_letter_requested ON ${OWN_SCHEMA}.dead_letter (adapter, id)
    WHERE requested_at IS NOT NULL`,
];

/** True when all of the above is there and may be used. `to_regclass` gives NULL for what is missing. */
export const OWN_TABLES_EXIST = `SELECT to_regclass('${OWN_SCHEMA}.checkpoint') IS NOT NULL
  AND has_schema_privilege('${OWN_SCHEMA}', 'USAGE')
  AND to_regclass('${OWN_SCHEMA}.dead_letter_requested') IS NOT NULL
  AND EXISTS (SELECT FROM pg_attribute WHERE attrelid = to_regclass('${OWN_SCHEMA}.dead_letter')
    AND attname = 'outcome' AND NOT attisdropped)`;
