/**
 * Puts the keys that the database made into statements that know rows only by the keys of their objects. They are
 * asked for right before each statement, inside its transaction, so that rows of earlier statements are found.
 */
import {
  type ApplyStatement,
  type KeyLookup,
  type SqlText,
  type TableInfo,
  tableId,
} from '../../../src/connector/dialect.ts';
import { ApplyError } from '../../../src/connector/errors.ts';
import { castType, quoteIdentifier, quoteTable, textArray } from '../sql-text.ts';
import type { ListStatement } from './list-statements.ts';
import { columnOf, MAX_ROWS_PER_STATEMENT } from './set-statements.ts';

type SetStatement = Extract<ApplyStatement, { kind: 'upsert' | 'update' }>;
/** Runs a query about a table and returns its rows. */
export type AskRows = (
  text: string,
  values: readonly unknown[],
  table: TableInfo,
) => Promise<readonly (readonly SqlText[])[]>;

/** SQLSTATE foreign_key_violation: a reference to a row that is not there, as the server itself would say it. */
const MISSING_REFERENCE = '23503';

/** Throws `ApplyError` for a reference to a row that is not there; rows to be looked for by such a key are left out. */
export async function resolvedStatement(statement: SetStatement, ask: AskRows): Promise<SetStatement> {
  if (statement.lookups === undefined || statement.lookups.size === 0) return statement;
  const { keyColumns, columns } = statement;
  let rows = statement.rows;
  for (const [place, name] of [...keyColumns, ...columns].entries()) {
    const lookup = statement.lookups.get(name);
    if (lookup === undefined) continue;
    const found = await lookUp(lookup, keysOf(rows, place), ask);
    const isKey = place < keyColumns.length;
    rows = rows.flatMap((row) => {
      const key = row[place] ?? null;
      if (key === null) return [row];
      const own = found.get(key);
      if (own !== undefined) return [row.with(place, own)];
      if (isKey) return [];
      throw missing(statement.table, name, key, lookup);
    });
  }
  return { ...statement, rows };
}

/** The same for list tables. Emptying the list of a row that is not there is no statement at all. */
export async function resolvedLists(
  statements: readonly ListStatement[],
  ask: AskRows,
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
  for (const [name, { lookup, keys }] of lookups) found.set(name, await lookUp(lookup, [...keys], ask));
  const own = (lookup: KeyLookup, key: string): string | undefined => found.get(nameOf(lookup))?.get(key);
  return statements.flatMap((statement): ListStatement[] => {
    const { oidLookup, targetLookup, table } = statement;
    const oid = oidLookup === undefined ? statement.oid : own(oidLookup, statement.oid);
    if (oid === undefined) {
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

async function lookUp(
  { table, by, column }: KeyLookup,
  keys: readonly string[],
  ask: AskRows,
): Promise<ReadonlyMap<string, string>> {
  const text =
    `SELECT v.place, t.${quoteIdentifier(column)} ` +
    `FROM unnest($1::${castType(columnOf(table, by))}[]) WITH ORDINALITY v (key, place) ` +
    `JOIN ${quoteTable(table.table)} t ON t.${quoteIdentifier(by)} = v.key`;
  const found = new Map<string, string>();
  for (let start = 0; start < keys.length; start += MAX_ROWS_PER_STATEMENT) {
    const chunk = keys.slice(start, start + MAX_ROWS_PER_STATEMENT);
    for (const [place, own] of await ask(text, [textArray(chunk)], table)) {
      const key = chunk[Number(place) - 1];
      if (key !== undefined && own !== null && own !== undefined) found.set(key, own);
    }
  }
  return found;
}

function keysOf(rows: readonly (readonly SqlText[])[], place: number): string[] {
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

function missing(table: TableInfo, column: string, key: string, { table: other, by }: KeyLookup): ApplyError {
  return new ApplyError(
    `${tableId(table.table)}.${column} refers to the row of ${tableId(other.table)} whose ${by} is ${key}, which is not there`,
    {
      errorClass: 'data',
      sqlState: MISSING_REFERENCE,
      remedy: `insert the row, or delete what refers to it in the realm`,
    },
  );
}
