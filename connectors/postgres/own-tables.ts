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
];
