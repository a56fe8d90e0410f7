/**
 * Puts the keys that the database made into statements that know rows only by the keys of their objects. They are
 * asked for right before each statement, inside its transaction, so that rows of earlier statements are found.
 */
import { type ApplyStatement, type KeyLookup, type SqlText, type TableInfo, tableId } from '../dialect.ts';
import { ApplyError } from '../errors.ts';
import type { ListStatement } from './list-changes.ts';

type SetStatement = Extract<ApplyStatement, { kind: 'upsert' | 'update' }>;

/** The keys that the database made, by the keys of the objects; those that are not there are left out. */
export type LookUpKeys = (lookup: KeyLookup, keys: readonly string[]) => Promise<ReadonlyMap<string, string>>;

/** Throws `ApplyError` for a reference to a row that is not there; rows to be updated by such a key are left out. */
export async function resolvedStatement(statement: SetStatement, lookUp: LookUpKeys): Promise<SetStatement> {
  if (statement.lookups === undefined || statement.lookups.size === 0) return statement;
  const { keyColumns, columns } = statement;
  let rows = statement.rows;
  for (const [place, name] of [...keyColumns, ...columns].entries()) {
    const lookup = statement.lookups.get(name);
    if (lookup === undefined) continue;
    const found = await lookUp(lookup, keysOf(rows, place));
    const isKey = place < keyColumns.length;
    rows = rows.flatMap((row) => {
      const key = row[place] ?? null;
      if (key === null) return [row];
      const own = found.get(key);
      if (own !== undefined) return [row.with(place, own)];
      if (isKey && statement.kind === 'update') return [];
      throw missing(statement.table, name, key, lookup);
    });
  }
  return { ...statement, rows };
}

/** The same for list tables. Emptying the list of a row that is not there, nor was, is no statement at all. */
export async function resolvedLists(
  statements: readonly ListStatement[],
  lookUp: LookUpKeys,
): Promise<readonly ListStatement[]> {
  if (!statements.some((statement) => statement.oidLookup ?? statement.targetLookup)) return statements;
  const lookups = new Map<string, { readonly lookup: KeyLookup; readonly keys: Set<string> }>();
  const want = (lookup: KeyLookup | undefined, key: SqlText): void => {
    if (lookup === undefined || key === null) return;
    const wanted = lookups.get(nameOf(lookup)) ?? { lookup, keys: new Set() };
    lookups.set(nameOf(lookup), wanted);
    wanted.keys.add(key);
  };
  for (const statement of statements) {
    want(statement.oidLookup, statement.oid);
    if ('target' in statement) want(statement.targetLookup, statement.target);
  }
  const found = new Map<string, ReadonlyMap<string, string>>();
  for (const [name, { lookup, keys }] of lookups) found.set(name, await lookUp(lookup, [...keys]));
  const own = (lookup: KeyLookup, key: string): string | undefined => found.get(nameOf(lookup))?.get(key);
  return statements.flatMap((statement): ListStatement[] => {
    const { oidLookup, targetLookup, table } = statement;
    const oid = oidLookup === undefined ? statement.oid : own(oidLookup, statement.oid);
    if (oid === undefined) {
      if (statement.kind === 'listClear' && statement.knownOid !== undefined)
        return [{ ...statement, oid: statement.knownOid }];
      if (statement.kind === 'listClear' || oidLookup === undefined) return [];
      throw missing(table, 'oid', statement.oid, oidLookup);
    }
    if (!('target' in statement)) return [{ ...statement, oid }];
    if (targetLookup === undefined || statement.target === null) return [{ ...statement, oid }];
    const target = own(targetLookup, statement.target);
    if (target === undefined) throw missing(table, 'target', statement.target, targetLookup);
    return [{ ...statement, oid, target }];
  });
}

/** The texts at a place of the rows, once each. */
export function keysOf(rows: readonly (readonly SqlText[])[], place: number): string[] {
  const keys = new Set<string>();
  for (const row of rows) {
    const key = row[place];
    if (key !== null && key !== undefined) keys.add(key);
  }
  return [...keys];
}

function nameOf({ table, by, column }: KeyLookup): string {
  return `${tableId(table.table)}\0${by}\0${column}`;
}

/** As the database itself would say it of a foreign key. */
function missing(table: TableInfo, column: string, key: string, { table: other, by }: KeyLookup): ApplyError {
  return new ApplyError(
    `${tableId(table.table)}.${column} refers to the row of ${tableId(other.table)} whose ${by} is ${key}, which is not there`,
    {
      errorClass: 'data',
      violation: 'reference',
      place: { table: table.table.name, column },
      remedy: `insert the row, or delete what refers to it in the realm`,
    },
  );
}
