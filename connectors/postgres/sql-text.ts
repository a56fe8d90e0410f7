/** Writes names, literals, types and arrays into SQL. Identifiers are always quoted. */
import type { ColumnInfo, SqlText, TableName } from '../../src/connector/dialect.ts';
import { PostgresTableError } from './errors.ts';

/** NAMEDATALEN − 1: longer names would be cut silently, and two could become one. */
const LONGEST_IDENTIFIER_BYTES = 63;

/** Throws `PostgresTableError` on a name that the server would cut or refuse. */
export function quoteIdentifier(name: string): string {
  if (name === '' || name.includes('\0') || Buffer.byteLength(name) > LONGEST_IDENTIFIER_BYTES) {
    throw new PostgresTableError(`PostgreSQL cannot take the name ${JSON.stringify(name)}`, {
      remedy: `map it to a name of 1 to ${LONGEST_IDENTIFIER_BYTES} bytes`,
    });
  }
  return `"${name.replaceAll('"', '""')}"`;
}

export function quoteTable(table: TableName): string {
  return `${quoteIdentifier(table.schema)}.${quoteIdentifier(table.name)}`;
}

/** Every session has `standard_conforming_strings` on, so only quotes need care. */
export function quoteLiteral(text: string): string {
  return `'${text.replaceAll("'", "''")}'`;
}

/**
 * The type to which a text is cast before it meets the column: without length or precision, because an explicit cast
 * to `varchar(3)` cuts silently, while the assignment to the column refuses.
 */
export function castType(column: ColumnInfo): string {
  if (column.storage !== undefined) return column.storage.type;
  const bare = column.type.startsWith('"') ? column.type : column.type.replace(/\s*\([\d,\s-]*\)/, '');
  // `character` and `bit` alone mean length 1; the quoted names of the types have no length.
  return bare.replace(/^character(?! varying)/, '"bpchar"').replace(/^bit(?! varying)/, '"bit"');
}

/** A one-dimensional array of texts in the server's input form. */
export function textArray(values: Iterable<SqlText>): string {
  let text = '{';
  let separator = '';
  for (const value of values) {
    text += value === null ? `${separator}NULL` : `${separator}"${escaped(value)}"`;
    separator = ',';
  }
  return `${text}}`;
}

const SPECIAL = /["\\]/;

function escaped(value: string): string {
  return SPECIAL.test(value) ? value.replace(/["\\]/g, '\\$&') : value;
}
