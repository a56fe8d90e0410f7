/** Reads the tables of one schema from the catalog views. */
import {
  type Catalog,
  type ColumnInfo,
  type ForeignKey,
  type StoredType,
  type TableInfo,
  type TableName,
  tableId,
} from '../../src/connector/dialect.ts';
import { declaredType } from './catalog-types.ts';
import { shortText } from './parameters.ts';
import type { Session, TextRow } from './session.ts';

/** History tables of temporal ones are left out: nobody may write them. */
const OF_SCHEMA =
  'FROM sys.tables AS o WHERE o.[schema_id] = SCHEMA_ID(@schema) AND o.[is_ms_shipped] = 0 AND o.[temporal_type] <> 1';

/** The first column of each is the object id of the table. */
export const CATALOG_STATEMENTS = {
  tables: `SELECT CONVERT(varchar(20), o.[object_id]), o.[name] ${OF_SCHEMA} ORDER BY o.[name];`,

  columns:
    'SELECT CONVERT(varchar(20), c.[object_id]), c.[name], ISNULL(s.[name], u.[name]), CONVERT(varchar(10), c.[max_length]), ' +
    'CONVERT(varchar(10), c.[precision]), CONVERT(varchar(10), c.[scale]), CONVERT(varchar(1), c.[is_nullable]), ' +
    'CASE WHEN c.[default_object_id] <> 0 OR c.[is_identity] = 1 THEN 1 ELSE 0 END, ' +
    'CASE WHEN c.[is_computed] = 1 OR c.[is_identity] = 1 OR c.[generated_always_type] <> 0 THEN 1 ELSE 0 END, ' +
    "c.[collation_name], CONVERT(varchar(10), COLLATIONPROPERTY(c.[collation_name], 'CodePage')) " +
    'FROM sys.columns AS c LEFT JOIN sys.types AS s ON s.[user_type_id] = c.[system_type_id] ' +
    'LEFT JOIN sys.types AS u ON u.[user_type_id] = c.[user_type_id] ' +
    `WHERE c.[object_id] IN (SELECT o.[object_id] ${OF_SCHEMA}) ORDER BY c.[object_id], c.[column_id];`,

  /**
   * Of unique indexes that are in force; the primary key's first. One filter is read: `([column] IS NOT NULL)`. It is
   * NULL to a login without ALTER or VIEW DEFINITION on the table, to whom such an index is as if it were not there.
   */
  keys:
    'SELECT CONVERT(varchar(20), i.[object_id]), CONVERT(varchar(10), i.[index_id]), CONVERT(varchar(1), i.[is_primary_key]), ' +
    'c.[name], CONVERT(varchar(1), i.[has_filter]), i.[filter_definition] ' +
    'FROM sys.indexes AS i INNER JOIN sys.index_columns AS k ON k.[object_id] = i.[object_id] AND k.[index_id] = i.[index_id] ' +
    'INNER JOIN sys.columns AS c ON c.[object_id] = k.[object_id] AND c.[column_id] = k.[column_id] ' +
    'WHERE i.[is_unique] = 1 AND i.[is_disabled] = 0 AND i.[ignore_dup_key] = 0 AND k.[key_ordinal] > 0 ' +
    `AND i.[object_id] IN (SELECT o.[object_id] ${OF_SCHEMA}) ` +
    'ORDER BY i.[object_id], i.[is_primary_key] DESC, i.[index_id], k.[key_ordinal];',

  foreignKeys:
    'SELECT CONVERT(varchar(20), f.[parent_object_id]), f.[name], SCHEMA_NAME(r.[schema_id]), r.[name], p.[name], q.[name] ' +
    'FROM sys.foreign_keys AS f INNER JOIN sys.foreign_key_columns AS k ON k.[constraint_object_id] = f.[object_id] ' +
    'INNER JOIN sys.tables AS r ON r.[object_id] = f.[referenced_object_id] ' +
    'INNER JOIN sys.columns AS p ON p.[object_id] = k.[parent_object_id] AND p.[column_id] = k.[parent_column_id] ' +
    'INNER JOIN sys.columns AS q ON q.[object_id] = k.[referenced_object_id] AND q.[column_id] = k.[referenced_column_id] ' +
    `WHERE f.[parent_object_id] IN (SELECT o.[object_id] ${OF_SCHEMA}) ` +
    'ORDER BY f.[parent_object_id], f.[name], k.[constraint_column_id];',
} as const;

export async function readCatalog(session: Session, schema: string): Promise<Catalog> {
  const read = (text: string): Promise<readonly TextRow[]> =>
    session.query(text, [shortText('schema', schema)]);
  const tables = await read(CATALOG_STATEMENTS.tables);
  const columns = byTable(await read(CATALOG_STATEMENTS.columns));
  const keys = byTable(await read(CATALOG_STATEMENTS.keys));
  const foreignKeys = byTable(await read(CATALOG_STATEMENTS.foreignKeys));
  const catalog = new Map<string, TableInfo>();
  for (const [id, name] of tables) {
    const table: TableName = { schema, name: name ?? '' };
    const indexes = indexesOf(keys.get(id ?? '') ?? []);
    catalog.set(tableId(table), {
      table,
      columns: (columns.get(id ?? '') ?? []).map(columnOf),
      primaryKey: indexes.find(({ isPrimary }) => isPrimary)?.columns ?? [],
      foreignKeys: foreignKeysOf(foreignKeys.get(id ?? '') ?? []),
      uniqueKeys: indexes.map((index) => index.columns),
    });
  }
  return catalog;
}

function byTable(rows: readonly TextRow[]): Map<string, TextRow[]> {
  return Map.groupBy(rows, ([id]) => id ?? '');
}

function columnOf(row: TextRow): ColumnInfo {
  const [, name, base, length, precision, scale, nullable, hasDefault, readOnly, collation, codePage] = row;
  const baseType = base ?? '';
  const type = declaredType(baseType, Number(length), Number(precision), Number(scale));
  const storage = storageOf(type, baseType, collation ?? undefined, codePage ?? undefined);
  return {
    name: name ?? '',
    type,
    baseType,
    nullable: nullable === '1',
    hasDefault: hasDefault === '1',
    readOnly: readOnly === '1' || baseType === 'timestamp',
    ...(storage === undefined ? {} : { storage }),
  };
}

/** Compared as their collation says; those without `n` hold no other characters than its code page has. */
const CHARACTER_TYPES: ReadonlySet<string> = new Set([
  'char',
  'varchar',
  'text',
  'nchar',
  'nvarchar',
  'ntext',
]);

function storageOf(
  type: string,
  baseType: string,
  collation: string | undefined,
  codePage: string | undefined,
): StoredType | undefined {
  if (!CHARACTER_TYPES.has(baseType) || collation === undefined || codePage === undefined) return undefined;
  return { type, baseType, structure: { kind: 'characters', collation, codePage: Number(codePage) } };
}

type UniqueIndex = { readonly isPrimary: boolean; readonly columns: readonly string[] };

function indexesOf(rows: readonly TextRow[]): UniqueIndex[] {
  const indexes: UniqueIndex[] = [];
  for (const parts of Map.groupBy(rows, ([, index]) => index).values()) {
    const columns = parts.map(([, , , column]) => column ?? '');
    const [, , isPrimary, , hasFilter, filter] = parts[0] ?? [];
    if (hasFilter !== '1' || isWithoutNull(filter ?? '', columns))
      indexes.push({ isPrimary: isPrimary === '1', columns });
  }
  return indexes;
}

/** SQL Server takes two NULLs for the same; indexes that leave them out are unique as those of other databases are. */
function isWithoutNull(filter: string, [column, ...others]: readonly string[]): boolean {
  return others.length === 0 && filter === `([${column?.replaceAll(']', ']]')}] IS NOT NULL)`;
}

function foreignKeysOf(rows: readonly TextRow[]): ForeignKey[] {
  return [...Map.groupBy(rows, ([, name]) => name ?? '')].map(([name, parts]) => ({
    name,
    referenced: { schema: parts[0]?.[2] ?? '', name: parts[0]?.[3] ?? '' },
    columns: parts.map(([, , , , column]) => column ?? ''),
    referencedColumns: parts.map(([, , , , , column]) => column ?? ''),
  }));
}
