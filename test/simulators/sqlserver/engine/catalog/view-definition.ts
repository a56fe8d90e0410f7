/** How a view of the catalog is described: its columns, and how its rows are made for a session. */
import type { Datum, SqlType } from '../../contract.ts';
import type { SourceColumn } from '../executor/query-scope.ts';
import type { Session } from '../session/session.ts';
import type { Database } from '../storage/database.ts';
import { DEFAULT_COLLATION } from '../storage/datum-key.ts';

type Plain = Datum | number | Date | undefined;

export type CatalogView = {
  readonly columns: readonly Omit<SourceColumn, 'slot'>[];
  readonly rows: (session: Session, database: Database) => readonly (readonly Datum[])[];
};

const types: Readonly<Record<string, SqlType>> = {
  int: { kind: 'int' },
  smallint: { kind: 'smallint' },
  tinyint: { kind: 'tinyint' },
  bigint: { kind: 'bigint' },
  bit: { kind: 'bit' },
  name: { kind: 'nvarchar', length: 128 },
  text: { kind: 'nvarchar', length: 'max' },
  words: { kind: 'nvarchar', length: 60 },
  uniqueidentifier: { kind: 'uniqueidentifier' },
  code: { kind: 'char', length: 2 },
  letter: { kind: 'char', length: 1 },
  datetime: { kind: 'datetime' },
  binary: { kind: 'varbinary', length: 85 },
  variant: { kind: 'nvarchar', length: 4000 },
};

/**
 * A view from the description of its columns, `name type` each, separated by commas, and objects that hold their
 * values under the same names. What an object lacks is NULL.
 */
export function catalogView(
  description: string,
  rows: (session: Session, database: Database) => Iterable<Readonly<Record<string, Plain>>>,
): CatalogView {
  const columns = description.split(',').map((one) => {
    const [name, type] = one.trim().split(/\s+/);
    const found = types[type ?? ''];
    if (!name || !found) throw new Error(`The catalog's column ${one} is not described well.`);
    const collation = { name: DEFAULT_COLLATION, label: 'implicit' as const };
    return { name, type: found, nullable: true, ...(/char$/.test(found.kind) ? { collation } : {}) };
  });
  return {
    columns,
    rows: (session, database) =>
      [...rows(session, database)].map((row) => columns.map(({ name, type }) => datum(row[name], type))),
  };
}

const DAYS_TO_1970 = 719162;

function datum(value: Plain, type: SqlType): Datum {
  if (value === undefined || value === null) return null;
  if (value instanceof Date) {
    const milliseconds = value.getTime();
    const days = Math.floor(milliseconds / 86_400_000);
    // A datetime counts thirds of hundredths of a second.
    const ticks = Math.round(((milliseconds - days * 86_400_000) * 3) / 10);
    return { days: days + DAYS_TO_1970, ticks: BigInt(Math.round((ticks * 100_000) / 3)) };
  }
  if (typeof value === 'number') return type.kind === 'bit' ? value !== 0 : BigInt(value);
  if (type.kind === 'char' && typeof value === 'string' && type.length !== 'max')
    return value.padEnd(type.length);
  return value;
}
