/** Writes names and literals into SQL. Identifiers are always quoted. */
import type { TableName } from '../../src/connector/dialect.ts';
import { SqlServerTableError } from './errors.ts';

/** The server refuses longer names (`sysname`). */
export const LONGEST_IDENTIFIER = 128;

/** Throws `SqlServerTableError` on a name that the server would refuse. */
export function quoteIdentifier(name: string): string {
  if (name === '' || name.includes('\0') || name.length > LONGEST_IDENTIFIER) {
    throw new SqlServerTableError(`SQL Server cannot take the name ${JSON.stringify(name)}`, {
      remedy: `map it to a name of 1 to ${LONGEST_IDENTIFIER} characters`,
    });
  }
  return `[${name.replaceAll(']', ']]')}]`;
}

export function quoteTable(table: TableName): string {
  return `${quoteIdentifier(table.schema)}.${quoteIdentifier(table.name)}`;
}

/** Always of Unicode characters. */
export function quoteLiteral(text: string): string {
  return `N'${text.replaceAll("'", "''")}'`;
}
