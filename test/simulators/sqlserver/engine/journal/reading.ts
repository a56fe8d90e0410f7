/** Rebuilds the server's state from records. */
import type { Datum } from '../../contract.ts';
import { DatabaseTracking } from '../change-tracking/database-tracking.ts';
import { cleanUpTracking, restoreVersion } from '../change-tracking/maintenance.ts';
import { recordChange } from '../change-tracking/recording.ts';
import { TableTracking } from '../change-tracking/table-tracking.ts';
import { Database, objectKey } from '../storage/database.ts';
import type { Column } from '../storage/definition.ts';
import type { Instance } from '../storage/instance.ts';
import { Row, Table } from '../storage/table.ts';
import type { CommitRecord, DatabaseRecord, JournalRecord, ServerRecord, TableRecord } from './records.ts';
import { decodeRow } from './values.ts';

export class Replay {
  readonly #instance: Instance;
  readonly #databases = new Map<number, Database>();
  readonly #definitions = new Map<Table, TableRecord>();

  constructor(instance: Instance) {
    this.#instance = instance;
    for (const database of instance.databases.values()) this.#databases.set(database.id, database);
  }

  apply(record: JournalRecord): void {
    switch (record.k) {
      case 'server':
        this.#server(record);
        return;
      case 'database':
        this.#database(record);
        return;
      case 'noDatabase': {
        const database = this.#databases.get(record.id);
        if (database) this.#instance.databases.delete(database.name.toLowerCase());
        this.#databases.delete(record.id);
        return;
      }
      case 'table':
        this.#table(record);
        return;
      case 'noTable': {
        const table = this.#tableById(record.database, record.id);
        if (table) this.#databases.get(record.database)!.tables.delete(objectKey(table.schema, table.name));
        return;
      }
      case 'rows': {
        const table = this.#tableById(record.database, record.table);
        if (!table) return;
        if (!record.more) table.rows = new Map();
        for (const [id, data] of record.rows) table.rows.set(id, rowOf(id, decodeRow(data)));
        return;
      }
      case 'tracked': {
        const tracking = this.#tableById(record.database, record.table)?.tracking;
        for (const { mapKey, key, changes } of record.keys) {
          for (const { v, o, c, x } of changes) {
            tracking?.record(mapKey, decodeRow(key), {
              version: v,
              operation: o,
              columns: c ? new Set(c) : undefined,
              context: x === undefined ? null : new Uint8Array(Buffer.from(x, 'base64')),
            });
          }
        }
        return;
      }
      case 'commits': {
        const tracking = this.#databases.get(record.database)?.tracking;
        for (const [commit, version, time] of record.commits)
          tracking?.commits.push({ commit, version, time });
        return;
      }
      case 'commit':
        this.#commit(record);
        return;
      case 'cleanup':
        cleanUpTracking(this.#instance, record.name, record.version);
        return;
      case 'restore':
        restoreVersion(this.#instance, record.name, record.version);
        return;
    }
  }

  /** Foreign keys and indexes, when all tables are there. `build` makes an index. */
  finish(build: (table: Table, database: Database, index: Table['indexes'][number]) => void): void {
    for (const database of this.#instance.databases.values()) {
      for (const table of database.tables.values()) {
        const record = this.#definitions.get(table);
        if (!record) continue;
        for (const key of record.foreignKeys) {
          const parent = database.tableById(key.referencedTable);
          if (!parent) continue;
          const columns = key.columns.map((id) => columnById(table, id));
          const referencedColumns = key.referencedColumns.map((id) => columnById(parent, id));
          table.foreignKeys.push({ ...key, columns, referencedColumns });
        }
        for (const index of table.indexes) build(table, database, index);
      }
    }
  }

  #server(record: ServerRecord): void {
    const instance = this.#instance;
    instance.commits = Math.max(instance.commits, record.commits);
    instance.nextDatabaseId = record.nextDatabaseId;
    instance.nextPrincipalId = record.nextPrincipalId;
    instance.logins.clear();
    for (const one of record.logins) {
      instance.logins.set(one.name.toLowerCase(), {
        ...one,
        sid: new Uint8Array(Buffer.from(one.sid, 'hex')),
        roles: new Set(one.roles),
        permissions: new Set(one.permissions),
      });
    }
  }

  #database(record: DatabaseRecord): void {
    const instance = this.#instance;
    let database = this.#databases.get(record.id);
    if (!database) {
      database = new Database(record.id, record.name, record.owner, new Date(record.created));
      this.#databases.set(record.id, database);
    }
    instance.databases.delete(database.name.toLowerCase());
    instance.databases.set(record.name.toLowerCase(), database);
    const plain = [
      'name',
      'owner',
      'collation',
      'compatibilityLevel',
      'snapshotIsolation',
      'readCommittedSnapshot',
      'readOnly',
      'state',
      'access',
      'recovery',
      'nextObjectId',
      'nextSchemaId',
      'nextPrincipalId',
    ] as const;
    for (const name of plain) Object.assign(database, { [name]: record[name] });
    database.rowVersion = BigInt(record.rowVersion);
    database.permissions = [...record.permissions];
    refill(database.options, record.options);
    refill(
      database.schemas,
      record.schemas.map((one) => [one.name.toLowerCase(), { ...one }] as const),
    );
    refill(
      database.principals,
      record.principals.map(
        ({ created, memberOf, ...one }) =>
          [
            one.name.toLowerCase(),
            {
              ...one,
              login: one.login,
              defaultSchema: one.defaultSchema,
              memberOf: new Set(memberOf),
              createDate: new Date(created),
            },
          ] as const,
      ),
    );
    refill(
      database.views,
      record.views.map(
        ({ created, ...one }) =>
          [objectKey(one.schema, one.name), { ...one, createDate: new Date(created) }] as const,
      ),
    );
    refill(
      database.sequences,
      record.sequences.map(
        (one) =>
          [
            objectKey(one.schema, one.name),
            {
              ...one,
              start: BigInt(one.start),
              increment: BigInt(one.increment),
              last: one.last === null ? undefined : BigInt(one.last),
            },
          ] as const,
      ),
    );
    if (!record.tracking) database.tracking = undefined;
    else {
      database.tracking ??= new DatabaseTracking();
      const { autoCleanup, period, unit, current, cleanupVersion } = record.tracking;
      Object.assign(database.tracking, { autoCleanup, retention: { period, unit }, current, cleanupVersion });
    }
  }

  #tableById(database: number, id: number): Table | undefined {
    return this.#databases.get(database)?.tableById(id);
  }

  #table(record: TableRecord): void {
    const database = this.#databases.get(record.database)!;
    const old = database.tableById(record.id);
    const table = tableOf(record);
    if (old) {
      database.tables.delete(objectKey(old.schema, old.name));
      table.rows = old.rows;
      this.#definitions.delete(old);
      if (old.tracking && record.tracking && old.tracking.since === record.tracking.since) {
        table.tracking = old.tracking;
      }
    }
    database.tables.set(objectKey(table.schema, table.name), table);
    this.#instance.belongs(table, database);
    this.#definitions.set(table, record);
  }

  #commit(record: CommitRecord): void {
    const { commit, time } = record;
    this.#instance.commits = commit;
    const versions = new Map(record.versions);
    for (const id of versions.keys()) this.#databases.get(id)?.tracking?.next(commit, time);
    for (const [database, tableId, rowId, values, context, updated] of record.changes) {
      const table = this.#tableById(database, tableId);
      if (!table) continue;
      const row = table.rows.get(rowId);
      const before = row?.head.data ?? null;
      const after = values && decodeRow(values);
      const changed = rowOf(rowId, after ?? []);
      if (after) table.rows.set(rowId, changed);
      else table.rows.delete(rowId);
      table.nextRowId = Math.max(table.nextRowId, rowId + 1);
      const version = versions.get(database);
      if (version === undefined) continue;
      recordChange(
        {
          kind: 'row',
          table,
          row: changed,
          before,
          after,
          context: context === null ? null : new Uint8Array(Buffer.from(context, 'base64')),
          updated: updated ? new Set(updated) : undefined,
        },
        version,
      );
    }
    for (const [database, table, last] of record.identities) {
      const identity = this.#tableById(database, table)?.identityColumn?.identity;
      if (identity) identity.last = BigInt(last);
    }
    for (const [id, value] of record.rowVersions) {
      const database = this.#databases.get(id);
      if (database) database.rowVersion = BigInt(value);
    }
  }
}

function refill<Key, Value>(map: Map<Key, Value>, entries: Iterable<readonly [Key, Value]>): void {
  map.clear();
  for (const [key, value] of entries) map.set(key, value);
}

function rowOf(id: number, data: readonly Datum[]): Row {
  return new Row(id, { data, writer: undefined, commit: 0, previous: undefined });
}

function columnById(table: Table, id: number): Column {
  const column = table.columns.find((one) => one.id === id);
  if (!column) throw new Error(`The journal names column ${id} of ${table.name}, which it does not have.`);
  return column;
}

function tableOf(record: TableRecord): Table {
  const table = new Table(record.id, record.schema, record.name, new Date(record.created));
  table.modifyDate = new Date(record.modified);
  table.nextColumnId = record.nextColumnId;
  table.nextSlot = record.nextSlot;
  table.nextRowId = record.nextRowId;
  table.columns = record.columns.map((one) => ({
    ...one,
    collation: one.collation,
    identity: one.identity && {
      seed: BigInt(one.identity.seed),
      increment: BigInt(one.identity.increment),
      last: one.identity.last === null ? undefined : BigInt(one.identity.last),
    },
    default: one.default && { ...one.default },
    computed: one.computed,
  }));
  table.indexes = record.indexes.map((one) => ({
    ...one,
    objectId: one.objectId,
    filter: one.filter,
    columns: one.columns.map(({ id, descending }) => ({ column: columnById(table, id), descending })),
    included: one.included.map((id) => columnById(table, id)),
  }));
  table.checks = record.checks.map((one) => ({
    ...one,
    column: one.column === undefined ? undefined : columnById(table, one.column),
  }));
  const { tracking } = record;
  if (tracking) {
    table.tracking = new TableTracking(tracking.columnsTracked, tracking.beginVersion, tracking.since);
    table.tracking.cleanupVersion = tracking.cleanupVersion;
    table.tracking.raiseMinValid(tracking.minValidVersion, 0);
  }
  return table;
}
