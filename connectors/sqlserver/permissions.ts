/** What a login must be allowed on tables (reference, "Running the adapter without a sysadmin"), and the GRANTs for it. */
import type { TableInfo, TableName } from '../../src/connector/dialect.ts';
import { SqlServerPermissionError } from './errors.ts';
import { CHECKPOINT_TABLE } from './own-tables.ts';
import { longText } from './parameters.ts';
import type { Session } from './session.ts';
import { quoteTable } from './sql-text.ts';
import { shown } from './tracking-statements.ts';

const NEEDED = ['SELECT', 'INSERT', 'UPDATE', 'DELETE'] as const;
const NEEDED_TO_FOLLOW = [...NEEDED, 'VIEW CHANGE TRACKING'] as const;

/** Rows for what is lacking; `@wanted` is a JSON array of places, names and permissions. */
export const LACKING =
  'SELECT CONVERT(varchar(10), w.[place]), w.[permission], USER_NAME() ' +
  "FROM OPENJSON(@wanted) WITH ([place] int '$[0]', [name] nvarchar(300) '$[1]', [permission] nvarchar(60) '$[2]') AS w " +
  "WHERE ISNULL(HAS_PERMS_BY_NAME(w.[name], N'OBJECT', w.[permission]), 0) = 0 ORDER BY w.[place];";

/** The permissions that the login lacks on a table, as written in a GRANT. */
export type MissingPermissions = {
  readonly table: TableName;
  readonly user: string;
  readonly permissions: string;
};

/** Of tables that are followed and written; giving keys that the database makes itself needs ALTER, too. */
export async function missingPermissions(
  session: Session,
  tables: readonly TableInfo[],
): Promise<readonly MissingPermissions[]> {
  const wanted = tables.flatMap(({ table, columns, primaryKey }, place) => {
    const isGenerated = columns.some(({ name, readOnly }) => readOnly && primaryKey.includes(name));
    return [...NEEDED_TO_FOLLOW, ...(isGenerated ? ['ALTER'] : [])].map((permission) => [
      place,
      quoteTable(table),
      permission,
    ]);
  });
  return lacking(
    session,
    tables.map(({ table }) => table),
    wanted,
  );
}

/** Of the connector's own tables, of which the feed follows the checkpoints. */
export async function missingOnOwnTables(
  session: Session,
  tables: readonly TableName[],
): Promise<readonly MissingPermissions[]> {
  const wanted = tables.flatMap((table, place) =>
    (table === CHECKPOINT_TABLE ? NEEDED_TO_FOLLOW : NEEDED).map((permission) => [
      place,
      quoteTable(table),
      permission,
    ]),
  );
  return lacking(session, tables, wanted);
}

/** Those of the tables on which the login lacks one permission. */
export async function tablesWithout(
  session: Session,
  tables: readonly TableName[],
  permission: string,
): Promise<readonly TableName[]> {
  const wanted = tables.map((table, place) => [place, quoteTable(table), permission]);
  return (await lacking(session, tables, wanted)).map(({ table }) => table);
}

async function lacking(
  session: Session,
  tables: readonly TableName[],
  wanted: readonly (readonly (string | number)[])[],
): Promise<readonly MissingPermissions[]> {
  const rows = await session.query(LACKING, [longText('wanted', JSON.stringify(wanted))]);
  const missing: MissingPermissions[] = [];
  for (const [place, lacks] of Map.groupBy(rows, ([at]) => Number(at))) {
    const table = tables[place];
    if (table === undefined) continue;
    missing.push({
      table,
      user: lacks[0]?.[2] ?? '',
      permissions: lacks.map(([, permission]) => permission ?? '').join(', '),
    });
  }
  return missing;
}

export function grant(permissions: string, { schema, name }: TableName, user: string): string {
  return `GRANT ${permissions} ON ${shown(schema)}.${shown(name)} TO ${shown(user)}`;
}

/** Names the first table, and every GRANT that is missing. */
export function permissionError(missing: readonly MissingPermissions[]): SqlServerPermissionError {
  const [first] = missing;
  const name = first === undefined ? '' : `${first.table.schema}.${first.table.name}`;
  const statements = missing.map(({ table, user, permissions }) => grant(permissions, table, user));
  return new SqlServerPermissionError(`the user ${first?.user} lacks ${first?.permissions} on ${name}`, {
    remedy: `run ${statements.join('; ')}`,
  });
}

/** Throws `SqlServerPermissionError` naming the table and the GRANT that is missing. */
export async function checkTablePermissions(session: Session, tables: readonly TableInfo[]): Promise<void> {
  const missing = await missingPermissions(session, tables);
  if (missing.length > 0) throw permissionError(missing);
}
