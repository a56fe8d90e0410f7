/** Asks for the keys that the database made (src/connector/apply/resolved-keys.ts). */
import type { KeyLookup, SqlText, TableInfo } from '../../../src/connector/dialect.ts';
import { readExpression, textReader } from '../column-text.ts';
import { quoteTable } from '../sql-text.ts';
import { cellText, chunksOf, columnOf, matches, rowSource } from './row-source.ts';

/** Runs a query about a table, with these rows as `@rows`. */
export type AskRows = (
  text: string,
  rows: readonly (readonly SqlText[])[],
  table: TableInfo,
) => Promise<readonly (readonly SqlText[])[]>;

/** Pairs of a key as it was asked for and the key that the database made. */
export function lookUpText({ table, by, column }: KeyLookup): string {
  return (
    `SELECT ${cellText(0)}, ${readExpression(columnOf(table, column), 't')} FROM ${rowSource(1)} ` +
    `INNER JOIN ${quoteTable(table.table)} AS t ON ${matches(table, by, cellText(0))};`
  );
}

export async function lookUpKeys(
  lookup: KeyLookup,
  keys: readonly string[],
  ask: AskRows,
): Promise<ReadonlyMap<string, string>> {
  const text = lookUpText(lookup);
  const reader = textReader(columnOf(lookup.table, lookup.column));
  const found = new Map<string, string>();
  for (const rows of chunksOf(keys.map((key) => [key]))) {
    for (const [key, own] of await ask(text, rows, lookup.table)) {
      const read = reader(own);
      if (typeof key === 'string' && read !== null) found.set(key, read);
    }
  }
  return found;
}
