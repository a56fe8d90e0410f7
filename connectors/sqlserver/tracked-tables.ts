/** Which tables change tracking follows, as far as the login sees. */
import { type TableInfo, tableId } from '../../src/connector/dialect.ts';
import { type Finding, failed, fine } from '../../src/connector/finding.ts';
import { SqlServerTableError } from './errors.ts';
import { longText } from './parameters.ts';
import type { Session } from './session.ts';
import { quoteTable } from './sql-text.ts';
import { enableTracking } from './tracking-statements.ts';

/** Places of the tables that are not followed; `@tables` is a JSON array of places and names. */
export const UNTRACKED =
  "SELECT CONVERT(varchar(10), w.[place]) FROM OPENJSON(@tables) WITH ([place] int '$[0]', [name] nvarchar(300) '$[1]') AS w " +
  'WHERE NOT EXISTS (SELECT 1 FROM sys.change_tracking_tables AS t ' +
  "WHERE t.[object_id] = OBJECT_ID(w.[name], N'U')) ORDER BY w.[place];";

export async function untrackedTables(
  session: Session,
  tables: readonly TableInfo[],
): Promise<readonly TableInfo[]> {
  const names = tables.map(({ table }, place) => [place, quoteTable(table)]);
  const rows = await session.query(UNTRACKED, [longText('tables', JSON.stringify(names))]);
  const places = new Set(rows.map(([place]) => Number(place)));
  return tables.filter((_table, place) => places.has(place));
}

/** One for each table that cannot be followed as it is. */
export async function trackingFindings(
  session: Session,
  tables: readonly TableInfo[],
): Promise<readonly Finding[]> {
  const keyless = tables.filter(({ primaryKey }) => primaryKey.length === 0);
  const untracked = new Set(await untrackedTables(session, tables));
  return [
    ...keyless.map(({ table }) =>
      failed(
        'sqlserver/primary-key',
        new SqlServerTableError(`the table ${table.schema}.${table.name} has no primary key`, {
          remedy: `ALTER TABLE ${quoteTable(table)} ADD PRIMARY KEY (…)`,
        }),
      ),
    ),
    ...tables
      .filter((info) => info.primaryKey.length > 0)
      .map((info) =>
        untracked.has(info)
          ? failed('sqlserver/tracked-tables', untrackedError([info]))
          : fine('sqlserver/tracked-tables', `changes of ${tableId(info.table)} are tracked`),
      ),
  ];
}

/** Names all of them, with the statements to run. */
export function untrackedError(tables: readonly TableInfo[]): SqlServerTableError {
  const names = tables.map(({ table }) => tableId(table)).join(', ');
  const statements = tables.map(({ table }) => enableTracking(table)).join('; ');
  return new SqlServerTableError(`change tracking is off for ${names}`, {
    remedy: `run isthmus prepare-database, or ${statements}`,
  });
}

/** Throws `SqlServerTableError` for tables that cannot be followed as they are. */
export async function checkTracked(session: Session, tables: readonly TableInfo[]): Promise<void> {
  const keyless = tables.find(({ primaryKey }) => primaryKey.length === 0);
  if (keyless !== undefined) {
    throw new SqlServerTableError(`the table ${tableId(keyless.table)} has no primary key`, {
      remedy: `ALTER TABLE ${quoteTable(keyless.table)} ADD PRIMARY KEY (…)`,
    });
  }
  const untracked = await untrackedTables(session, tables);
  if (untracked.length > 0) throw untrackedError(untracked);
}
