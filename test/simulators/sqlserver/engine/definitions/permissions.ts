/** GRANT, DENY and REVOKE. */
import { SqlFailure } from '../../contract.ts';
import type { PermissionStatement } from '../../sql/ast.ts';
import type { Run } from '../executor/environment.ts';
import type { Database, Permission } from '../storage/database.ts';
import type { Table } from '../storage/table.ts';
import { changing, shown } from './change.ts';

const serverPermissions = new Set([
  'VIEW SERVER STATE',
  'CREATE ANY DATABASE',
  'ALTER ANY DATABASE',
  'ALTER ANY LOGIN',
  'CONTROL SERVER',
  'VIEW ANY DATABASE',
  'VIEW ANY DEFINITION',
  'CONNECT SQL',
]);
const databasePermissions = new Set([
  'CONNECT',
  'CONTROL',
  'ALTER',
  'SELECT',
  'INSERT',
  'UPDATE',
  'DELETE',
  'EXECUTE',
  'REFERENCES',
  'VIEW DEFINITION',
  'VIEW CHANGE TRACKING',
  'VIEW DATABASE STATE',
  'CREATE TABLE',
  'CREATE VIEW',
  'CREATE SCHEMA',
  'CREATE ROLE',
  'CREATE PROCEDURE',
  'CREATE FUNCTION',
  'CREATE DATABASE',
  'ALTER ANY USER',
  'ALTER ANY ROLE',
  'ALTER ANY SCHEMA',
  'TAKE OWNERSHIP',
  'SHOWPLAN',
]);
const objectPermissions = new Set([
  'SELECT',
  'INSERT',
  'UPDATE',
  'DELETE',
  'REFERENCES',
  'ALTER',
  'CONTROL',
  'VIEW CHANGE TRACKING',
  'VIEW DEFINITION',
  'TAKE OWNERSHIP',
  'EXECUTE',
]);

type Where = { readonly on: Permission['on']; readonly id: number; readonly table?: Table };

export function changePermissions(statement: PermissionStatement, run: Run): void {
  const { database, session } = run;
  const { line } = statement;
  if (
    statement.securable.kind === 'current' &&
    statement.permissions.every(({ name }) => serverPermissions.has(name))
  ) {
    changeOnServer(statement, run);
    return;
  }
  const where = securable(statement, run, database);
  const allowed = where.on === 'object' || where.on === 'schema' ? objectPermissions : databasePermissions;
  const permissions = statement.permissions.flatMap((one) =>
    one.name === 'ALL'
      ? (where.on === 'object'
          ? ['SELECT', 'INSERT', 'UPDATE', 'DELETE', 'REFERENCES']
          : ['CREATE TABLE', 'CREATE VIEW']
        ).map((name) => ({ name, columns: undefined }))
      : [one],
  );
  for (const { name } of permissions) {
    if (!allowed.has(name))
      throw new SqlFailure(102, `Incorrect syntax near '${name}'.`, { severity: 15, line });
    if (name === 'CREATE DATABASE' && database.name !== 'master') {
      throw new SqlFailure(4621, 'CREATE DATABASE permission can only be granted in the master database.', {
        line,
      });
    }
  }
  if (
    !session.access.isOwner(database) &&
    !permissions.every(({ name }) => mayGrant(run, database, where, name))
  ) {
    throw new SqlFailure(
      15151,
      `Cannot find the object '${nameOf(statement)}', because it does not exist or you do not have permission.`,
      { line },
    );
  }
  const before = database.permissions;
  for (const principal of statement.principals) {
    const key = principal.toLowerCase();
    if (!database.principals.has(key)) {
      throw new SqlFailure(
        15151,
        `Cannot find the user '${principal}', because it does not exist or you do not have permission.`,
        { line },
      );
    }
    for (const { name, columns } of permissions) {
      const ids = columns?.map((one) => {
        const column = where.table?.column(one);
        if (!column) throw new SqlFailure(1750, `Invalid column name '${one}'.`, { line });
        return column.id;
      });
      const same = (one: Permission) =>
        one.principal === key &&
        one.permission === name &&
        one.on === where.on &&
        one.id === where.id &&
        JSON.stringify(one.columns) === JSON.stringify(ids);
      database.permissions = database.permissions.filter((one) => !same(one));
      if (statement.kind === 'revoke') continue;
      const entry: Permission = {
        state: statement.kind,
        permission: name,
        on: where.on,
        id: where.id,
        columns: ids,
        principal: key,
        grantOption: statement.grantOption,
      };
      database.permissions = [...database.permissions, entry];
    }
  }
  changing(run, database, () => {
    database.permissions = before;
  });
}

function nameOf({ securable: where }: PermissionStatement): string {
  return where.kind === 'object' ? shown(where.name) : where.kind === 'current' ? '' : where.name;
}

function mayGrant(run: Run, database: Database, where: Where, permission: string): boolean {
  return database.permissions.some(
    (one) =>
      one.grantOption &&
      one.permission === permission &&
      one.on === where.on &&
      one.id === where.id &&
      run.session.access.isMember(database, one.principal),
  );
}

function securable(statement: PermissionStatement, run: Run, database: Database): Where {
  const { securable: what, line } = statement;
  switch (what.kind) {
    case 'current':
      return { on: 'database', id: 0 };
    case 'database':
      if (what.name.toLowerCase() !== database.name.toLowerCase()) {
        throw new SqlFailure(
          15151,
          `Cannot find the database '${what.name}', because it does not exist or you do not have permission.`,
          { line },
        );
      }
      return { on: 'database', id: 0 };
    case 'schema': {
      const schema = database.schemas.get(what.name.toLowerCase());
      if (!schema)
        throw new SqlFailure(
          15151,
          `Cannot find the schema '${what.name}', because it does not exist or you do not have permission.`,
          { line },
        );
      return { on: 'schema', id: schema.id };
    }
    case 'object': {
      const table = run.session.findTable(what.name);
      const object = table ?? run.session.findView(what.name);
      if (!object)
        throw new SqlFailure(
          15151,
          `Cannot find the object '${what.name.name}', because it does not exist or you do not have permission.`,
          { line },
        );
      if (table && run.session.instance.databaseOf(table) !== database) {
        throw new SqlFailure(
          4610,
          'You can only grant or revoke permissions on objects in the current database.',
          { line },
        );
      }
      return { on: 'object', id: object.id, ...(table ? { table } : {}) };
    }
  }
}

function changeOnServer(statement: PermissionStatement, run: Run): void {
  const { instance, access } = run.session;
  if (run.database.name !== 'master') {
    throw new SqlFailure(
      4621,
      'Permissions at the server scope can only be granted when the current database is master.',
      { line: statement.line },
    );
  }
  if (!access.isSysadmin)
    throw new SqlFailure(15247, 'User does not have permission to perform this action.', {
      line: statement.line,
    });
  for (const principal of statement.principals) {
    const login = instance.logins.get(principal.toLowerCase());
    if (!login)
      throw new SqlFailure(
        15151,
        `Cannot find the login '${principal}', because it does not exist or you do not have permission.`,
        { line: statement.line },
      );
    for (const { name } of statement.permissions) {
      if (statement.kind === 'grant') login.permissions.add(name);
      else login.permissions.delete(name);
    }
  }
  changing(run, run.database, () => {});
}
