/** Reads the tables of one schema from pg_catalog. */
import {
  type Catalog,
  type ColumnInfo,
  type ForeignKey,
  type StoredType,
  type TableInfo,
  type TableName,
  tableId,
} from '../../src/connector/dialect.ts';
import { type CatalogType, readTypes } from './catalog-types.ts';
import type { Session } from './session.ts';

/** What becomes of changes of a table in the log: pg_class.relreplident, with the columns of an index identity. */
export type ReplicaIdentity =
  /** `deferrable`: the primary key is, and then the server does not take it for an identity. */
  | { readonly kind: 'default' | 'full' | 'nothing' | 'deferrable' }
  | { readonly kind: 'index'; readonly columns: readonly string[] };

/** Partitions are left out: their rows are those of the partitioned table. */
const TABLES = `SELECT c.oid, c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
  WHERE n.nspname = $1 AND c.relkind IN ('r', 'p') AND NOT c.relispartition ORDER BY c.relname`;

const COLUMNS = `SELECT a.attrelid, a.attname, format_type(a.atttypid, a.atttypmod), a.atttypid, a.attndims,
    NOT (a.attnotnull OR t.typnotnull), a.atthasdef OR a.attidentity <> '' OR t.typdefault IS NOT NULL,
    a.attidentity = 'a' OR coalesce(to_jsonb(a) ->> 'attgenerated', '') <> '',
    coalesce(to_jsonb(a) ->> 'attgenerated', '') <> ''
  FROM pg_attribute a JOIN pg_type t ON t.oid = a.atttypid
  WHERE a.attrelid = ANY ($1::oid[]) AND a.attnum > 0 AND NOT a.attisdropped ORDER BY a.attrelid, a.attnum`;

const KEYS = `SELECT i.indrelid, a.attname FROM pg_index i
    CROSS JOIN LATERAL unnest(i.indkey::int2[]) WITH ORDINALITY k (attnum, place)
    JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = k.attnum
  WHERE i.indrelid = ANY ($1::oid[]) AND i.indisprimary AND k.place <= i.indnkeyatts ORDER BY i.indrelid, k.place`;

/** Deferrable keys are checked too late for ON CONFLICT. */
const UNIQUE_KEYS = `SELECT i.indrelid, i.indexrelid, a.attname FROM pg_index i
    CROSS JOIN LATERAL unnest(i.indkey::int2[]) WITH ORDINALITY k (attnum, place)
    LEFT JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = k.attnum AND k.attnum > 0
  WHERE i.indrelid = ANY ($1::oid[]) AND i.indisunique AND i.indimmediate AND i.indisvalid
    AND i.indpred IS NULL AND i.indexprs IS NULL AND k.place <= i.indnkeyatts
  ORDER BY i.indrelid, i.indisprimary DESC, i.indexrelid, k.place`;

const FOREIGN_KEYS = `SELECT o.conrelid, o.conname, n.nspname, c.relname, a.attname, f.attname
  FROM pg_constraint o JOIN pg_class c ON c.oid = o.confrelid JOIN pg_namespace n ON n.oid = c.relnamespace
    CROSS JOIN LATERAL unnest(o.conkey, o.confkey) WITH ORDINALITY k (own, other, place)
    JOIN pg_attribute a ON a.attrelid = o.conrelid AND a.attnum = k.own
    JOIN pg_attribute f ON f.attrelid = o.confrelid AND f.attnum = k.other
  WHERE o.contype = 'f' AND o.conrelid = ANY ($1::oid[]) ORDER BY o.conrelid, o.conname, k.place`;

/** `customTypes` says which type a custom type is to be treated as. */
export async function readCatalog(
  session: Session,
  schema: string,
  customTypes: ReadonlyMap<string, string>,
): Promise<Catalog> {
  const tables = await session.query(TABLES, [schema]);
  const oids = [`{${tables.map(([oid]) => oid).join(',')}}`];
  const columns = groupByFirst(await session.query(COLUMNS, oids));
  const types = await readTypes(session, oids[0] ?? '{}');
  const keys = groupByFirst(await session.query(KEYS, oids));
  const uniqueKeys = groupByFirst(await session.query(UNIQUE_KEYS, oids));
  const foreignKeys = groupByFirst(await session.query(FOREIGN_KEYS, oids));
  const catalog = new Map<string, TableInfo>();
  for (const [oid = '', name] of tables) {
    const table: TableName = { schema, name: name ?? '' };
    catalog.set(tableId(table), {
      table,
      columns: (columns.get(oid ?? '') ?? []).map((row) => columnOf(row, types, customTypes)),
      primaryKey: (keys.get(oid ?? '') ?? []).map(([, column]) => column ?? ''),
      foreignKeys: foreignKeysOf(foreignKeys.get(oid ?? '') ?? []),
      uniqueKeys: uniqueKeysOf(uniqueKeys.get(oid ?? '') ?? []),
    });
  }
  return catalog;
}

type CatalogRow = readonly (string | null)[];

function groupByFirst(rows: readonly CatalogRow[]): Map<string, CatalogRow[]> {
  const groups = new Map<string, CatalogRow[]>();
  for (const row of rows) {
    const group = groups.get(row[0] ?? '');
    if (group === undefined) groups.set(row[0] ?? '', [row]);
    else group.push(row);
  }
  return groups;
}

function columnOf(
  row: CatalogRow,
  types: ReadonlyMap<string, CatalogType>,
  customTypes: ReadonlyMap<string, string>,
): ColumnInfo {
  const [, name, type, typeOid, dimensions, nullable, hasDefault, readOnly, isGenerated] = row;
  const { names = [], ...storage } = types.get(typeOid ?? '') ?? { type: type ?? '', baseType: type ?? '' };
  const custom = names.map((known) => customTypes.get(known)).find((treatedAs) => treatedAs !== undefined);
  return {
    name: name ?? '',
    type: type ?? '',
    baseType: custom === undefined ? storage.baseType : baseTypeName(custom),
    nullable: nullable === 't',
    hasDefault: hasDefault === 't',
    readOnly: readOnly === 't',
    // Publications leave generated columns out, unless version 18 is told otherwise, which we do not.
    ...(isGenerated === 't' ? { unfed: true } : {}),
    storage: withDimensions(storage, Number(dimensions ?? 1)),
  };
}

function withDimensions(type: StoredType, dimensions: number): StoredType {
  if (type.structure?.kind !== 'array' || dimensions <= 1) return type;
  return { ...type, structure: { ...type.structure, dimensions } };
}

/** The catalog's names of types that configurations call as SQL does. */
const TYPE_NAMES: Readonly<Record<string, string>> = {
  bigint: 'int8',
  integer: 'int4',
  int: 'int4',
  smallint: 'int2',
  decimal: 'numeric',
  real: 'float4',
  'double precision': 'float8',
  boolean: 'bool',
  'character varying': 'varchar',
  character: 'bpchar',
  char: 'bpchar',
  string: 'text',
  timestamp: 'timestamp',
  'timestamp without time zone': 'timestamp',
  'timestamp with time zone': 'timestamptz',
};

function baseTypeName(name: string): string {
  return TYPE_NAMES[name.toLowerCase()] ?? name;
}

function uniqueKeysOf(rows: readonly CatalogRow[]): string[][] {
  const byIndex = Map.groupBy(rows, ([, index]) => index);
  return [...byIndex.values()].map((columns) => columns.map(([, , column]) => column ?? ''));
}

function foreignKeysOf(rows: readonly CatalogRow[]): ForeignKey[] {
  const byName = new Map<string, { referenced: TableName; columns: string[]; referencedColumns: string[] }>();
  for (const [, name, schema, table, column, referencedColumn] of rows) {
    let key = byName.get(name ?? '');
    if (key === undefined) {
      key = { referenced: { schema: schema ?? '', name: table ?? '' }, columns: [], referencedColumns: [] };
      byName.set(name ?? '', key);
    }
    key.columns.push(column ?? '');
    key.referencedColumns.push(referencedColumn ?? '');
  }
  return [...byName].map(([name, key]) => ({ name, ...key }));
}

/** Replica identities of tables, in their order; undefined for a table that is gone. */
export async function readReplicaIdentities(
  session: Session,
  quotedTables: readonly string[],
): Promise<readonly (ReplicaIdentity | undefined)[]> {
  const rows = await session.query(
    `SELECT c.relreplident, (SELECT string_agg(a.attname, ',' ORDER BY a.attname) FROM pg_index i
        JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = ANY (i.indkey::int2[])
        WHERE i.indrelid = c.oid AND i.indisreplident),
       EXISTS (SELECT FROM pg_index i WHERE i.indrelid = c.oid AND i.indisprimary AND NOT i.indimmediate)
     FROM unnest($1::text[]) WITH ORDINALITY t (name, place) LEFT JOIN pg_class c ON c.oid = to_regclass(t.name)
     ORDER BY t.place`,
    [quotedTables],
  );
  return rows.map(([identity, columns, deferrable]) => {
    switch (identity) {
      case 'd':
        return { kind: deferrable === 't' ? 'deferrable' : 'default' };
      case 'f':
        return { kind: 'full' };
      case 'n':
        return { kind: 'nothing' };
      case 'i':
        // Without its index (dropped since) such an identity is none.
        return columns == null ? { kind: 'nothing' } : { kind: 'index', columns: columns.split(',') };
      default:
        return undefined;
    }
  });
}
