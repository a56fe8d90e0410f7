/** Asks for the keys that the database made (src/connector/apply/resolved-keys.ts). */
import type { KeyLookup, SqlText, TableInfo } from '../../../src/connector/dialect.ts';
import { castType, quoteIdentifier, quoteTable, textArray } from '../sql-text.ts';
import { columnOf, MAX_ROWS_PER_STATEMENT } from './set-statements.ts';

/** Runs a query about a table and returns its rows. */
export type AskRows = (
  text: string,
  values: readonly unknown[],
  table: TableInfo,
) => Promise<readonly (readonly SqlText[])[]>;

export async function lookUpKeys(
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
