/** The server's definitions as records. */
import type { TableTracking } from '../change-tracking/table-tracking.ts';
import type { Database } from '../storage/database.ts';
import type { Instance } from '../storage/instance.ts';
import type { Table } from '../storage/table.ts';
import type { DatabaseRecord, JournalRecord, ServerRecord, TableRecord } from './records.ts';
import { encodeRow } from './values.ts';

export function serverRecord(instance: Instance, commits: number): ServerRecord {
  return {
    k: 'server',
    commits,
    nextDatabaseId: instance.nextDatabaseId,
    nextPrincipalId: instance.nextPrincipalId,
    logins: [...instance.logins.values()].map((one) => ({
      ...one,
      sid: Buffer.from(one.sid).toString('hex'),
      roles: [...one.roles],
      permissions: [...one.permissions],
    })),
  };
}

export function databaseRecord(database: Database): DatabaseRecord {
  const { tracking } = database;
  return {
    k: 'database',
    id: database.id,
    name: database.name,
    owner: database.owner,
    created: database.createDate.getTime(),
    collation: database.collation,
    compatibilityLevel: database.compatibilityLevel,
    snapshotIsolation: database.snapshotIsolation,
    readCommittedSnapshot: database.readCommittedSnapshot,
    readOnly: database.readOnly,
    state: database.state,
    access: database.access,
    recovery: database.recovery,
    options: [...database.options],
    schemas: [...database.schemas.values()],
    principals: [...database.principals.values()].map(
      ({ createDate, memberOf, login, defaultSchema, ...one }) => ({
        ...one,
        ...(login === undefined ? {} : { login }),
        ...(defaultSchema === undefined ? {} : { defaultSchema }),
        memberOf: [...memberOf],
        created: createDate.getTime(),
      }),
    ),
    permissions: database.permissions,
    views: [...database.views.values()].map(({ createDate, ...one }) => ({
      ...one,
      created: createDate.getTime(),
    })),
    sequences: [...database.sequences.values()].map((one) => ({
      ...one,
      start: String(one.start),
      increment: String(one.increment),
      last: one.last === undefined ? null : String(one.last),
    })),
    tracking: tracking
      ? {
          autoCleanup: tracking.autoCleanup,
          ...tracking.retention,
          current: tracking.current,
          cleanupVersion: tracking.cleanupVersion,
        }
      : null,
    rowVersion: String(database.rowVersion),
    nextObjectId: database.nextObjectId,
    nextSchemaId: database.nextSchemaId,
    nextPrincipalId: database.nextPrincipalId,
  };
}

export function tableRecord(database: Database, table: Table): TableRecord {
  const { tracking } = table;
  return {
    k: 'table',
    database: database.id,
    id: table.id,
    schema: table.schema,
    name: table.name,
    created: table.createDate.getTime(),
    modified: table.modifyDate.getTime(),
    nextColumnId: table.nextColumnId,
    nextSlot: table.nextSlot,
    nextRowId: table.nextRowId,
    columns: table.columns.map(({ collation, identity, default: value, computed, ...one }) => ({
      ...one,
      ...(collation === undefined ? {} : { collation }),
      ...(identity
        ? {
            identity: {
              seed: String(identity.seed),
              increment: String(identity.increment),
              last: identity.last === undefined ? null : String(identity.last),
            },
          }
        : {}),
      ...(value ? { default: value } : {}),
      ...(computed ? { computed } : {}),
    })),
    indexes: table.indexes.map(({ objectId, filter, columns, included, ...one }) => ({
      ...one,
      ...(objectId === undefined ? {} : { objectId }),
      ...(filter === undefined ? {} : { filter }),
      columns: columns.map(({ column, descending }) => ({ id: column.id, descending })),
      included: included.map((column) => column.id),
    })),
    foreignKeys: table.foreignKeys.map((key) => ({
      ...key,
      columns: key.columns.map((column) => column.id),
      referencedColumns: key.referencedColumns.map((column) => column.id),
    })),
    checks: table.checks.map(({ column, ...one }) => ({ ...one, ...(column ? { column: column.id } : {}) })),
    tracking: tracking
      ? {
          columnsTracked: tracking.columnsTracked,
          beginVersion: tracking.beginVersion,
          minValidVersion: tracking.minValidVersion(),
          cleanupVersion: tracking.cleanupVersion,
          since: tracking.since,
        }
      : null,
  };
}

/** The rows of a table: those that are committed, or those that the transaction being committed leaves. */
export function rowsRecord(database: Database, table: Table): JournalRecord {
  const rows: [number, ReturnType<typeof encodeRow>][] = [];
  for (const row of table.rows.values()) {
    if (row.head.data) rows.push([row.id, encodeRow(row.head.data)]);
  }
  return { k: 'rows', database: database.id, table: table.id, rows };
}

export function trackedRecord(database: Database, table: Table, tracking: TableTracking): JournalRecord {
  return {
    k: 'tracked',
    database: database.id,
    table: table.id,
    keys: [...tracking.keys].map(([mapKey, { key, changes }]) => ({
      mapKey,
      key: encodeRow(key),
      changes: changes.map(({ version, operation, columns, context }) => ({
        v: version,
        o: operation,
        ...(columns ? { c: [...columns] } : {}),
        ...(context ? { x: Buffer.from(context).toString('base64') } : {}),
      })),
    })),
  };
}
