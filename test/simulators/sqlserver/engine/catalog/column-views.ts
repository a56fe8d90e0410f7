/** sys.columns, types, identity and computed columns, defaults. */
import type { Session } from '../session/session.ts';
import type { Database } from '../storage/database.ts';
import type { Column } from '../storage/definition.ts';
import type { Table } from '../storage/table.ts';
import { schemaId, tablesOf } from './object-views.ts';
import { maxLength, precisionOf, scaleOf, systemTypeId, systemTypes, userTypeId } from './type-facts.ts';
import { catalogView } from './view-definition.ts';

const COLUMN =
  'object_id int, name name, column_id int, system_type_id tinyint, user_type_id int, max_length smallint, precision tinyint, scale tinyint, collation_name name, is_nullable bit, is_ansi_padded bit, is_rowguidcol bit, is_identity bit, is_computed bit, is_filestream bit, is_replicated bit, is_xml_document bit, xml_collection_id int, default_object_id int, rule_object_id int, is_sparse bit, is_column_set bit, generated_always_type tinyint, generated_always_type_desc words, is_hidden bit, is_masked bit, encryption_type int';

export function columnRow(table: Table, column: Column) {
  const { type } = column;
  return {
    object_id: table.id,
    name: column.name,
    column_id: column.id,
    system_type_id: systemTypeId(type),
    user_type_id: userTypeId(type),
    max_length: maxLength(type),
    precision: precisionOf(type),
    scale: scaleOf(type),
    collation_name: column.collation,
    is_nullable: column.nullable,
    is_ansi_padded: true,
    is_rowguidcol: column.rowGuid,
    is_identity: column.identity !== undefined,
    is_computed: column.computed !== undefined,
    is_filestream: false,
    is_replicated: false,
    is_xml_document: false,
    xml_collection_id: 0,
    default_object_id: column.default?.objectId ?? 0,
    rule_object_id: 0,
    is_sparse: false,
    is_column_set: false,
    generated_always_type: 0,
    generated_always_type_desc: 'NOT_APPLICABLE',
    is_hidden: false,
    is_masked: false,
  };
}

function columnsOf(
  session: Session,
  database: Database,
): { readonly table: Table; readonly column: Column }[] {
  return tablesOf(session, database).flatMap((table) => table.columns.map((column) => ({ table, column })));
}

const columns = catalogView(COLUMN, (session, database) =>
  columnsOf(session, database).map(({ table, column }) => columnRow(table, column)),
);

export const columnViews = {
  columns,
  all_columns: columns,
  types: catalogView(
    'name name, system_type_id tinyint, user_type_id int, schema_id int, principal_id int, max_length smallint, precision tinyint, scale tinyint, collation_name name, is_nullable bit, is_user_defined bit, is_assembly_type bit, default_object_id int, rule_object_id int, is_table_type bit',
    (_session, database) =>
      systemTypes.map((one) => ({
        name: one.name,
        system_type_id: one.systemId,
        user_type_id: one.userId,
        schema_id: 4,
        max_length: one.bytes,
        precision: one.precision,
        scale: one.scale,
        collation_name: /char$|text$|sysname/.test(one.name) ? database.collation : undefined,
        is_nullable: one.name !== 'sysname' && one.name !== 'timestamp',
        is_user_defined: false,
        is_assembly_type: one.systemId === 240,
        default_object_id: 0,
        rule_object_id: 0,
        is_table_type: false,
      })),
  ),
  identity_columns: catalogView(
    `${COLUMN}, seed_value variant, increment_value variant, last_value variant, is_not_for_replication bit`,
    (session, database) =>
      columnsOf(session, database).flatMap(({ table, column }) =>
        column.identity
          ? [
              {
                ...columnRow(table, column),
                seed_value: String(column.identity.seed),
                increment_value: String(column.identity.increment),
                last_value: column.identity.last === undefined ? undefined : String(column.identity.last),
                is_not_for_replication: false,
              },
            ]
          : [],
      ),
  ),
  computed_columns: catalogView(
    `${COLUMN}, definition text, uses_database_collation bit, is_persisted bit`,
    (session, database) =>
      columnsOf(session, database).flatMap(({ table, column }) =>
        column.computed
          ? [
              {
                ...columnRow(table, column),
                definition: session.access.seesDefinitions(database, table)
                  ? column.computed.text
                  : undefined,
                uses_database_collation: true,
                is_persisted: column.computed.persisted,
              },
            ]
          : [],
      ),
  ),
  default_constraints: catalogView(
    'name name, object_id int, schema_id int, parent_object_id int, type code, type_desc words, create_date datetime, modify_date datetime, parent_column_id int, definition text, is_system_named bit',
    (session, database) =>
      columnsOf(session, database).flatMap(({ table, column }) =>
        column.default
          ? [
              {
                name: column.default.name,
                object_id: column.default.objectId,
                schema_id: schemaId(database, table.schema),
                parent_object_id: table.id,
                type: 'D',
                type_desc: 'DEFAULT_CONSTRAINT',
                create_date: table.createDate,
                modify_date: table.modifyDate,
                parent_column_id: column.id,
                definition: session.access.seesDefinitions(database, table) ? column.default.text : undefined,
                is_system_named: column.default.systemNamed,
              },
            ]
          : [],
      ),
  ),
};
