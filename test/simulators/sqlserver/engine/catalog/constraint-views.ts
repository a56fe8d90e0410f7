/** sys.key_constraints, foreign_keys and check_constraints. */
import type { ReferentialAction } from '../storage/definition.ts';
import type { Table } from '../storage/table.ts';
import { schemaId, tablesOf } from './object-views.ts';
import { catalogView } from './view-definition.ts';

const actionCodes: Readonly<Record<ReferentialAction, number>> = {
  'no action': 0,
  cascade: 1,
  'set null': 2,
  'set default': 3,
};

const CONSTRAINT =
  'name name, object_id int, principal_id int, schema_id int, parent_object_id int, type code, type_desc words, create_date datetime, modify_date datetime, is_ms_shipped bit';

function base(table: Table, schema: number | undefined) {
  return {
    schema_id: schema,
    parent_object_id: table.id,
    create_date: table.createDate,
    modify_date: table.modifyDate,
    is_ms_shipped: false,
  };
}

function words(action: ReferentialAction): string {
  return action.toUpperCase().replaceAll(' ', '_');
}

export const constraintViews = {
  key_constraints: catalogView(
    `${CONSTRAINT}, unique_index_id int, is_system_named bit, is_enforced bit`,
    (session, database) =>
      tablesOf(session, database).flatMap((table) =>
        table.indexes
          .filter((index) => index.objectId !== undefined)
          .map((index) => ({
            ...base(table, schemaId(database, table.schema)),
            name: index.name,
            object_id: index.objectId,
            type: index.kind === 'primary key' ? 'PK' : 'UQ',
            type_desc: index.kind === 'primary key' ? 'PRIMARY_KEY_CONSTRAINT' : 'UNIQUE_CONSTRAINT',
            unique_index_id: index.id,
            is_system_named: index.systemNamed,
            is_enforced: true,
          })),
      ),
  ),
  foreign_keys: catalogView(
    `${CONSTRAINT}, referenced_object_id int, key_index_id int, is_disabled bit, is_not_for_replication bit, is_not_trusted bit, delete_referential_action tinyint, delete_referential_action_desc words, update_referential_action tinyint, update_referential_action_desc words, is_system_named bit`,
    (session, database) =>
      tablesOf(session, database).flatMap((table) =>
        table.foreignKeys.map((key) => ({
          ...base(table, schemaId(database, table.schema)),
          name: key.name,
          object_id: key.objectId,
          type: 'F',
          type_desc: 'FOREIGN_KEY_CONSTRAINT',
          referenced_object_id: key.referencedTable,
          key_index_id: 1,
          is_disabled: key.disabled,
          is_not_for_replication: false,
          is_not_trusted: !key.trusted,
          delete_referential_action: actionCodes[key.onDelete],
          delete_referential_action_desc: words(key.onDelete),
          update_referential_action: actionCodes[key.onUpdate],
          update_referential_action_desc: words(key.onUpdate),
          is_system_named: key.systemNamed,
        })),
      ),
  ),
  foreign_key_columns: catalogView(
    'constraint_object_id int, constraint_column_id int, parent_object_id int, parent_column_id int, referenced_object_id int, referenced_column_id int',
    (session, database) =>
      tablesOf(session, database).flatMap((table) =>
        table.foreignKeys.flatMap((key) =>
          key.columns.map((column, at) => ({
            constraint_object_id: key.objectId,
            constraint_column_id: at + 1,
            parent_object_id: table.id,
            parent_column_id: column.id,
            referenced_object_id: key.referencedTable,
            referenced_column_id: key.referencedColumns[at]!.id,
          })),
        ),
      ),
  ),
  check_constraints: catalogView(
    `${CONSTRAINT}, is_disabled bit, is_not_for_replication bit, is_not_trusted bit, parent_column_id int, definition text, is_system_named bit`,
    (session, database) =>
      tablesOf(session, database).flatMap((table) =>
        table.checks.map((check) => ({
          ...base(table, schemaId(database, table.schema)),
          name: check.name,
          object_id: check.objectId,
          type: 'C',
          type_desc: 'CHECK_CONSTRAINT',
          is_disabled: check.disabled,
          is_not_for_replication: false,
          is_not_trusted: check.disabled,
          parent_column_id: check.column?.id ?? 0,
          definition: session.access.seesDefinitions(database, table) ? check.text : undefined,
          is_system_named: check.systemNamed,
        })),
      ),
  ),
};
