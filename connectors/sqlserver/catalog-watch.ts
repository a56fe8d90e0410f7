/** What tells that somebody changed the tables: fingerprints of the catalog, and the faults of single tables. */
import { createHash } from 'node:crypto';
import type {
  CatalogWatch,
  SqlText,
  TableInfo,
  TableName,
  TableVersion,
} from '../../src/connector/dialect.ts';
import { tableId } from '../../src/connector/dialect.ts';
import type { UseSession } from '../../src/connector/lasting-session.ts';
import { numberOf } from './error-numbers.ts';
import { mayNotEnable, untrackedTables, withoutKey } from './feed/tracking.ts';
import { shortText } from './parameters.ts';
import { missingPermissions, permissionError, tablesWithout } from './permissions.ts';
import type { Session } from './session.ts';

const NAME = "QUOTENAME(@schema) + N'.' + QUOTENAME(t.[name])";
const IN_SCHEMA = 't.[schema_id] = SCHEMA_ID(@schema)';

export const WATCH_STATEMENTS = {
  /** With what decides whether changes of the table can be read. */
  tables:
    'SELECT CONVERT(varchar(20), t.[object_id]), t.[name], CONVERT(varchar(20), s.[begin_version]), ' +
    `CONVERT(varchar(5), HAS_PERMS_BY_NAME(${NAME}, N'OBJECT', N'SELECT')), ` +
    `CONVERT(varchar(5), HAS_PERMS_BY_NAME(${NAME}, N'OBJECT', N'VIEW CHANGE TRACKING')) ` +
    'FROM sys.tables AS t LEFT JOIN sys.change_tracking_tables AS s ON s.[object_id] = t.[object_id] ' +
    `WHERE ${IN_SCHEMA} ORDER BY t.[object_id];`,
  columns:
    'SELECT CONVERT(varchar(20), c.[object_id]), c.[name], CONVERT(varchar(10), c.[column_id]), ' +
    'CONVERT(varchar(10), c.[user_type_id]), CONVERT(varchar(10), c.[max_length]), CONVERT(varchar(10), c.[precision]), ' +
    'CONVERT(varchar(10), c.[scale]), CONVERT(varchar(5), c.[is_nullable]), CONVERT(varchar(5), c.[is_identity]), ' +
    'CONVERT(varchar(5), c.[is_computed]), CONVERT(varchar(20), c.[default_object_id]), c.[collation_name] ' +
    'FROM sys.columns AS c INNER JOIN sys.tables AS t ON t.[object_id] = c.[object_id] ' +
    `WHERE ${IN_SCHEMA} ORDER BY c.[object_id], c.[column_id];`,
  keys:
    'SELECT CONVERT(varchar(20), i.[object_id]), CONVERT(varchar(10), i.[index_id]), CONVERT(varchar(5), i.[is_primary_key]), ' +
    'CONVERT(varchar(10), k.[column_id]), CONVERT(varchar(10), k.[key_ordinal]) ' +
    'FROM sys.indexes AS i INNER JOIN sys.tables AS t ON t.[object_id] = i.[object_id] ' +
    'INNER JOIN sys.index_columns AS k ON k.[object_id] = i.[object_id] AND k.[index_id] = i.[index_id] ' +
    `WHERE ${IN_SCHEMA} AND i.[is_unique] = 1 ORDER BY i.[object_id], i.[index_id], k.[key_ordinal], k.[column_id];`,
  references:
    'SELECT CONVERT(varchar(20), r.[constraint_object_id]), CONVERT(varchar(20), r.[parent_object_id]), ' +
    'CONVERT(varchar(10), r.[parent_column_id]), CONVERT(varchar(20), r.[referenced_object_id]), ' +
    'CONVERT(varchar(10), r.[referenced_column_id]) FROM sys.foreign_key_columns AS r ' +
    `INNER JOIN sys.tables AS t ON t.[object_id] = r.[parent_object_id] WHERE ${IN_SCHEMA} ` +
    'ORDER BY r.[constraint_object_id], r.[constraint_column_id];',
} as const;

/** Of a row of `columns`, what makes the column another one: its id, type, length, precision and scale. */
const OF_COLUMN = [2, 3, 4, 5, 6] as const;

/**
 * What a statement names is not there or not of that type (207, 208, 213, 206, 257, 260), a value does not fit (241–248,
 * 295, 2628, 8114, 8115, 8152) or must be given (515) or must not be (271, 544, 545), the table was changed since our
 * snapshot began (3961), is not tracked (22105), or has lost the index by which rows are told apart.
 */
const CAUSED_BY_CHANGE: ReadonlySet<number> = new Set([
  206, 207, 208, 213, 241, 242, 244, 245, 248, 257, 260, 271, 295, 515, 544, 545, 2628, 3961, 4104, 4891,
  8101, 8114, 8115, 8152, 22105, 22107,
]);

type Rows = readonly (readonly SqlText[])[];

export class SqlServerCatalogWatch implements CatalogWatch {
  readonly #schema: string;
  readonly #using: UseSession<Session>;

  /** `using` lends a session for the time of a call. */
  constructor(schema: string, using: UseSession<Session>) {
    this.#schema = schema;
    this.#using = using;
  }

  async version(): Promise<string> {
    const parts = await this.#using('looking for changes of the tables', async (session) => {
      const rows: Rows[] = [];
      for (const text of Object.values(WATCH_STATEMENTS)) rows.push(await this.#ask(session, text));
      return rows;
    });
    return createHash('sha256').update(JSON.stringify(parts)).digest('base64');
  }

  async tableVersions(): Promise<ReadonlyMap<string, TableVersion>> {
    const [tables, columns] = await this.#using(
      'reading the versions of the tables',
      async (session): Promise<[Rows, Rows]> => [
        await this.#ask(session, WATCH_STATEMENTS.tables),
        await this.#ask(session, WATCH_STATEMENTS.columns),
      ],
    );
    const columnsOf = Map.groupBy(columns, ([table]) => table);
    return new Map(
      tables.map(([id, name, begin]): [string, TableVersion] => [
        tableId({ schema: this.#schema, name: name ?? '' }),
        {
          identity: id ?? '',
          columns: Object.fromEntries(
            (columnsOf.get(id ?? '') ?? []).map((row) => [
              row[1] ?? '',
              OF_COLUMN.map((place) => row[place]).join(' '),
            ]),
          ),
          // Partitions are switched only while the table is not tracked.
          parts: {},
          // Tracking begins anew when it is switched on again, and with each TRUNCATE.
          ...(begin == null ? {} : { followed: begin }),
        },
      ]),
    );
  }

  async faults(tables: readonly TableInfo[]): Promise<ReadonlyMap<string, Error>> {
    return this.#using('checking the tables', async (session) => {
      const faults = new Map<string, Error>();
      const names = tables.map(({ table }) => table);
      const untracked = await untrackedTables(session, names);
      if (untracked.length > 0)
        for (const table of await tablesWithout(session, untracked, 'ALTER'))
          faults.set(tableId(table), mayNotEnable(table));
      for (const missing of await missingPermissions(session, tables))
        faults.set(tableId(missing.table), permissionError([missing]));
      for (const { table, primaryKey } of tables)
        if (primaryKey.length === 0) faults.set(tableId(table), withoutKey(table));
      return faults;
    });
  }

  /**
   * Nobody needs to be waited for: switching tracking on waits itself until no transaction has the table, and what is
   * committed after a snapshot has a version beyond that of the snapshot, however long ago it began to write.
   */
  async writersDone(_table: TableName, signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
  }

  mayBeCausedByChange(error: unknown): boolean {
    for (let cause = error; cause instanceof Error; cause = cause.cause)
      if (CAUSED_BY_CHANGE.has(numberOf(cause) ?? 0)) return true;
    return false;
  }

  #ask(session: Session, text: string): Promise<Rows> {
    return session.query(text, [shortText('schema', this.#schema)]);
  }
}
