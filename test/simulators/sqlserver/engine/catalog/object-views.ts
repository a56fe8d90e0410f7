/** sys.objects, tables, schemas, indexes and the like. */
import type { Session } from '../session/session.ts';
import type { Database } from '../storage/database.ts';
import type { Table } from '../storage/table.ts';
import { objectsOf } from './object-names.ts';
import { catalogView } from './view-definition.ts';

export function tablesOf(session: Session, database: Database): Table[] {
  const tables = [...database.tables.values()].filter((table) => session.access.sees(database, table));
  // What somebody else is just defining has to be waited for.
  for (const table of tables) session.instance.locks.checkDefinition(session.owner, table);
  return tables;
}

export function schemaId(database: Database, schema: string): number | undefined {
  return database.schemas.get(schema.toLowerCase())?.id;
}

const typeWords: Readonly<Record<string, string>> = {
  U: 'USER_TABLE',
  V: 'VIEW',
  PK: 'PRIMARY_KEY_CONSTRAINT',
  UQ: 'UNIQUE_CONSTRAINT',
  F: 'FOREIGN_KEY_CONSTRAINT',
  C: 'CHECK_CONSTRAINT',
  D: 'DEFAULT_CONSTRAINT',
  SO: 'SEQUENCE_OBJECT',
};

const OBJECT =
  'name name, object_id int, principal_id int, schema_id int, parent_object_id int, type code, type_desc words, create_date datetime, modify_date datetime, is_ms_shipped bit, is_published bit, is_schema_published bit';

function* objectRows(session: Session, database: Database, wanted?: readonly string[]) {
  for (const found of objectsOf(session, database)) {
    if (wanted && !wanted.includes(found.type)) continue;
    const { table } = found;
    const date = table ?? database;
    yield {
      name: found.name,
      object_id: found.id,
      schema_id: schemaId(database, found.schema),
      parent_object_id: table && table.id !== found.id ? table.id : 0,
      type: found.type,
      type_desc: typeWords[found.type],
      create_date: date.createDate,
      modify_date: table ? table.modifyDate : date.createDate,
      is_ms_shipped: false,
      is_published: false,
      is_schema_published: false,
      is_replicated: false,
      is_tracked_by_cdc: false,
      has_replication_filter: false,
      lock_escalation: 0,
      lock_escalation_desc: 'TABLE',
      is_memory_optimized: false,
      temporal_type: 0,
      temporal_type_desc: 'NON_TEMPORAL_TABLE',
      is_filetable: false,
      is_external: false,
      max_column_id_used: table ? table.nextColumnId - 1 : undefined,
    };
  }
}

export const objectViews = {
  objects: catalogView(OBJECT, (session, database) => objectRows(session, database)),
  all_objects: catalogView(OBJECT, (session, database) => objectRows(session, database)),
  tables: catalogView(
    `${OBJECT}, max_column_id_used int, is_replicated bit, is_tracked_by_cdc bit, has_replication_filter bit, lock_escalation tinyint, lock_escalation_desc words, is_memory_optimized bit, temporal_type tinyint, temporal_type_desc words, is_filetable bit, is_external bit`,
    (session, database) => objectRows(session, database, ['U']),
  ),
  views: catalogView(OBJECT, (session, database) => objectRows(session, database, ['V'])),
  schemas: catalogView('name name, schema_id int, principal_id int', (_session, database) =>
    [...database.schemas.values()].map(({ id, name, owner }) => ({
      name,
      schema_id: id,
      principal_id: database.principals.get(owner.toLowerCase())?.id ?? id,
    })),
  ),
  indexes: catalogView(
    'object_id int, name name, index_id int, type tinyint, type_desc words, is_unique bit, data_space_id int, ignore_dup_key bit, is_primary_key bit, is_unique_constraint bit, fill_factor tinyint, is_padded bit, is_disabled bit, is_hypothetical bit, allow_row_locks bit, allow_page_locks bit, has_filter bit, filter_definition text',
    (session, database) =>
      tablesOf(session, database).flatMap((table) => {
        const shared = {
          object_id: table.id,
          data_space_id: 1,
          ignore_dup_key: false,
          fill_factor: 0,
          is_padded: false,
          is_disabled: false,
          is_hypothetical: false,
          allow_row_locks: true,
          allow_page_locks: true,
        };
        const rows = table.indexes.map((index) => ({
          ...shared,
          name: index.name as string | null,
          index_id: index.id,
          type: index.clustered ? 1 : 2,
          type_desc: index.clustered ? 'CLUSTERED' : 'NONCLUSTERED',
          is_unique: index.unique,
          is_primary_key: index.kind === 'primary key',
          is_unique_constraint: index.kind === 'unique constraint',
          has_filter: index.filter !== undefined,
          filter_definition: session.access.seesDefinitions(database, table) ? index.filter : undefined,
        }));
        if (table.indexes.some((index) => index.clustered)) return rows;
        const heap = {
          ...shared,
          name: null,
          index_id: 0,
          type: 0,
          type_desc: 'HEAP',
          is_unique: false,
          is_primary_key: false,
          is_unique_constraint: false,
          has_filter: false,
          filter_definition: undefined,
        };
        return [heap, ...rows];
      }),
  ),
  index_columns: catalogView(
    'object_id int, index_id int, index_column_id int, column_id int, key_ordinal tinyint, partition_ordinal tinyint, is_descending_key bit, is_included_column bit',
    (session, database) =>
      tablesOf(session, database).flatMap((table) =>
        table.indexes.flatMap((index) => [
          ...index.columns.map(({ column, descending }, at) => ({
            object_id: table.id,
            index_id: index.id,
            index_column_id: at + 1,
            column_id: column.id,
            key_ordinal: at + 1,
            partition_ordinal: 0,
            is_descending_key: descending,
            is_included_column: false,
          })),
          ...index.included.map((column, at) => ({
            object_id: table.id,
            index_id: index.id,
            index_column_id: index.columns.length + at + 1,
            column_id: column.id,
            key_ordinal: 0,
            partition_ordinal: 0,
            is_descending_key: false,
            is_included_column: true,
          })),
        ]),
      ),
  ),
  partitions: catalogView(
    'partition_id bigint, object_id int, index_id int, partition_number int, hobt_id bigint, rows bigint',
    (session, database) =>
      tablesOf(session, database).flatMap((table) => {
        let rows = 0;
        for (const row of table.rows.values()) if (row.head.data) rows++;
        const ids = table.indexes.map((index) => index.id);
        if (!ids.includes(1)) ids.unshift(0);
        return ids.map((index) => ({
          partition_id: table.id * 1000 + index,
          object_id: table.id,
          index_id: index,
          partition_number: 1,
          hobt_id: table.id * 1000 + index,
          rows,
        }));
      }),
  ),
  sequences: catalogView(
    'name name, object_id int, schema_id int, start_value variant, increment variant, current_value variant',
    (_session, database) =>
      [...database.sequences.values()].map((one) => ({
        name: one.name,
        object_id: one.id,
        schema_id: schemaId(database, one.schema),
        start_value: String(one.start),
        increment: String(one.increment),
        current_value: String(one.last ?? one.start),
      })),
  ),
  change_tracking_tables: catalogView(
    'object_id int, is_track_columns_updated_on bit, min_valid_version bigint, begin_version bigint, cleanup_version bigint',
    (session, database) =>
      tablesOf(session, database).flatMap(({ id, tracking }) =>
        tracking
          ? [
              {
                object_id: id,
                is_track_columns_updated_on: tracking.columnsTracked,
                min_valid_version: tracking.minValidVersion(),
                begin_version: tracking.beginVersion,
                cleanup_version: tracking.cleanupVersion,
              },
            ]
          : [],
      ),
  ),
  internal_tables: catalogView(
    'name name, object_id int, schema_id int, parent_id int, internal_type_desc words',
    () => [],
  ),
  triggers: catalogView(
    'name name, object_id int, parent_id int, is_disabled bit, is_instead_of_trigger bit',
    () => [],
  ),
  security_predicates: catalogView(
    'object_id int, target_object_id int, predicate_definition words',
    () => [],
  ),
  extended_properties: catalogView(
    'class tinyint, major_id int, minor_id int, name name, value variant',
    () => [],
  ),
  sysobjects: catalogView('name name, id int, xtype code, uid smallint', (session, database) =>
    [...objectsOf(session, database)].map((one) => ({
      name: one.name,
      id: one.id,
      xtype: one.type,
      uid: schemaId(database, one.schema),
    })),
  ),
};
