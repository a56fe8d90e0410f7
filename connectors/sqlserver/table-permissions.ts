/** What the login may do with tables, asked of the server itself, so that roles and ownership count too. */
import type { TableName } from '../../src/connector/dialect.ts';
import { tableId } from '../../src/connector/dialect.ts';
import { SqlServerPermissionError } from './errors.ts';
import { longText } from './parameters.ts';
import type { Session } from './session.ts';
import { quoteIdentifier, quoteTable } from './sql-text.ts';

const NEEDED = ['SELECT', 'INSERT', 'UPDATE', 'DELETE', 'VIEW CHANGE TRACKING'] as const;

export const TABLE_PERMISSIONS = `SELECT CONVERT(varchar(20), w.[place]), USER_NAME(), ${[...NEEDED, 'ALTER']
  .map((permission) => `CONVERT(varchar(5), HAS_PERMS_BY_NAME(w.[name], N'OBJECT', N'${permission}'))`)
  .join(', ')} FROM OPENJSON(@tables) WITH ([place] int '$[0]', [name] nvarchar(300) '$[1]') AS w;`;

export type TablePermissions = {
  readonly table: TableName;
  readonly user: string;
  /** As written in a GRANT. */
  readonly missing: readonly string[];
  /** The login may switch change tracking on. */
  readonly mayAlter: boolean;
};

export async function tablePermissions(
  session: Session,
  tables: readonly TableName[],
): Promise<readonly TablePermissions[]> {
  const rows = await session.query(TABLE_PERMISSIONS, [
    longText('tables', JSON.stringify(tables.map((table, place) => [place, quoteTable(table)]))),
  ]);
  return rows.flatMap(([place, user, ...held]) => {
    const table = tables[Number(place)];
    if (table === undefined) return [];
    return [
      {
        table,
        user: user ?? '',
        missing: NEEDED.filter((_, index) => held[index] !== '1'),
        mayAlter: held[NEEDED.length] === '1',
      },
    ];
  });
}

/** Names the first table, and every GRANT that is missing. */
export function permissionError(lacking: readonly TablePermissions[]): SqlServerPermissionError {
  const [first] = lacking;
  const statements = lacking.map(
    ({ table, user, missing }) =>
      `GRANT ${missing.join(', ')} ON ${quoteTable(table)} TO ${quoteIdentifier(user)}`,
  );
  return new SqlServerPermissionError(
    `the user ${first?.user} lacks ${first?.missing.join(', ')} on ${first === undefined ? '' : tableId(first.table)}`,
    { remedy: `run ${statements.join('; ')}` },
  );
}
