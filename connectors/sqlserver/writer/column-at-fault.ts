/**
 * Finds the column of a value that the server could not convert or store: its messages name the value, or not even that.
 * Asked only after a statement has failed.
 */
import type { BoundRows } from '../../../src/connector/concealment.ts';
import type { SqlText, TableInfo } from '../../../src/connector/dialect.ts';
import { writeExpression } from '../column-text.ts';
import { sqlTypeOf } from '../sql-type.ts';
import { cellText, columnOf, rowSource } from './row-source.ts';

/** Conversion failed, out of range, overflow, not a uniqueidentifier; 8152 is "would be truncated" of older levels. */
const CONVERSIONS: ReadonlySet<number> = new Set([
  220, 232, 234, 235, 241, 242, 244, 245, 248, 293, 295, 296, 8114, 8115, 8169,
]);
const TRUNCATIONS: ReadonlySet<number> = new Set([2628, 8152]);

/** Converts one column's values of all rows. */
export function probeText(table: TableInfo, name: string): string {
  const value = writeExpression(columnOf(table, name), cellText(0));
  return `SELECT COUNT(CASE WHEN ${value} IS NULL THEN NULL ELSE 1 END) FROM ${rowSource(1)};`;
}

/** `fails` tells whether the server refuses a text with these rows. */
export async function columnAtFault(
  number: number | undefined,
  bound: BoundRows | undefined,
  fails: (text: string, rows: readonly (readonly SqlText[])[]) => Promise<boolean>,
): Promise<string | undefined> {
  if (bound?.columns === undefined || number === undefined) return undefined;
  const { table, columns, rows } = bound;
  if (TRUNCATIONS.has(number)) {
    return columns.find((name, place) => rows.some((row) => isTooLong(table, name, row[place] ?? null)));
  }
  if (!CONVERSIONS.has(number)) return undefined;
  for (const [place, name] of columns.entries()) {
    const texts = rows.flatMap((row) => (typeof row[place] === 'string' ? [[row[place]]] : []));
    if (texts.length > 0 && (await fails(probeText(table, name), texts))) return name;
  }
  return undefined;
}

function isTooLong(table: TableInfo, name: string, text: SqlText): boolean {
  const { name: type, length } = sqlTypeOf(columnOf(table, name));
  if (text === null || typeof length !== 'number') return false;
  const stored = type.endsWith('binary') ? (text.length - 2) / 2 : text.trimEnd().length;
  return stored > length;
}
