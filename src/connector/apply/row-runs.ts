/**
 * What a statement about rows comes to once the keys that the database made are put in: runs of rows, each for one text
 * of the dialect.
 */
import type { SqlText, TableInfo } from '../dialect.ts';
import { type LookUpKeys, resolvedStatement } from './resolved-keys.ts';
import type { SetStatement } from './statement-units.ts';

export type RowRun = {
  readonly kind: 'upsert' | 'update' | 'assign' | 'delete' | 'insert';
  readonly table: TableInfo;
  readonly keyColumns: readonly string[];
  readonly columns: readonly string[];
  /** Aligned to `keyColumns` followed by `columns`. */
  readonly rows: readonly (readonly SqlText[])[];
  /** For messages: what failed when it fails. */
  readonly doing: string;
};

type RowStatement = Exclude<SetStatement, { kind: 'deleteAll' }>;
type ReplaceItems = Extract<SetStatement, { kind: 'replaceItems' }>;

const DOING = {
  upsert: 'writing rows',
  update: 'setting columns',
  assign: 'giving rows their keys',
  delete: 'deleting rows',
} as const;

/** Throws `ApplyError` for a reference to a row that is not there. */
export async function rowRuns(given: RowStatement, lookUp: LookUpKeys): Promise<readonly RowRun[]> {
  if (given.kind === 'replaceItems') return replacementRuns(given, lookUp);
  const statement =
    given.kind === 'upsert' || given.kind === 'update' ? await resolvedStatement(given, lookUp) : given;
  const { kind, table, keyColumns, rows } = statement;
  const columns = statement.kind === 'delete' ? [] : statement.columns;
  if (columns.length === 0 && (kind === 'update' || kind === 'assign')) return [];
  return [{ kind, table, keyColumns, columns, rows, doing: DOING[kind] }];
}

async function replacementRuns(
  { table, columns, oids, rows, lookups }: ReplaceItems,
  lookUp: LookUpKeys,
): Promise<readonly RowRun[]> {
  const of = lookups === undefined ? {} : { lookups };
  const parents = oids.map((oid) => [oid]);
  const gone = await resolvedStatement(
    { kind: 'update', table, keyColumns: ['oid'], columns: [], rows: parents, ...of },
    lookUp,
  );
  const fresh = await resolvedStatement(
    { kind: 'upsert', table, keyColumns: [], columns: ['oid', ...columns], rows, ...of },
    lookUp,
  );
  const doing = 'replacing the items of a collection';
  return [
    { kind: 'delete', table, keyColumns: ['oid'], columns: [], rows: gone.rows, doing },
    { kind: 'insert', table, keyColumns: [], columns: fresh.columns, rows: fresh.rows, doing },
  ];
}
