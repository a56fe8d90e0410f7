/** Logins, users and roles. */
import { randomBytes } from 'node:crypto';
import { SqlFailure } from '../../contract.ts';
import type { DataDefinition } from '../../sql/ast.ts';
import type { Run } from '../executor/environment.ts';
import type { Principal } from '../storage/database.ts';
import type { Login } from '../storage/instance.ts';
import { changing } from './change.ts';

function denied(line: number): SqlFailure {
  return new SqlFailure(15247, 'User does not have permission to perform this action.', { line });
}

function notFound(what: string, name: string, line: number): SqlFailure {
  return new SqlFailure(
    15151,
    `Cannot find the ${what} '${name}', because it does not exist or you do not have permission.`,
    { line },
  );
}

export function createLogin(
  statement: Extract<DataDefinition, { readonly kind: 'createLogin' | 'alterLogin' }>,
  run: Run,
): void {
  const { instance, access } = run.session;
  const { name, line } = statement;
  if (!access.hasOnServer('ALTER ANY LOGIN')) throw denied(line);
  const key = name.toLowerCase();
  if (instance.logins.has(key)) {
    throw new SqlFailure(15025, `The server principal '${name}' already exists.`, { line, state: 2 });
  }
  if (statement.password === undefined) {
    throw new SqlFailure(50900, 'CREATE LOGIN without a password is not supported by the simulator.', {
      line,
    });
  }
  instance.logins.set(key, {
    name,
    password: statement.password,
    sid: randomBytes(16),
    principalId: instance.nextPrincipalId++,
    disabled: false,
    defaultDatabase: statement.defaultDatabase ?? 'master',
    roles: new Set(),
    permissions: new Set(),
  });
  changing(run, run.database, () => instance.logins.delete(key));
}

export function alterLogin(
  statement: Extract<DataDefinition, { readonly kind: 'createLogin' | 'alterLogin' }>,
  run: Run,
): void {
  const { instance, access } = run.session;
  const { name, line } = statement;
  if (!access.hasOnServer('ALTER ANY LOGIN')) throw denied(line);
  const login = requireLogin(run, name, line);
  const before = { ...login };
  if (statement.password !== undefined) login.password = statement.password;
  if (statement.defaultDatabase !== undefined) login.defaultDatabase = statement.defaultDatabase;
  if (statement.enabled !== undefined) login.disabled = !statement.enabled;
  changing(run, run.database, () => Object.assign(login, before));
  instance.logins.set(name.toLowerCase(), login);
}

function requireLogin(run: Run, name: string, line: number): Login {
  const login = run.session.instance.logins.get(name.toLowerCase());
  if (!login) throw notFound('login', name, line);
  return login;
}

export function dropLogin(run: Run, name: string, line: number): void {
  const { instance, access } = run.session;
  if (!access.hasOnServer('ALTER ANY LOGIN')) throw denied(line);
  const login = requireLogin(run, name, line);
  instance.logins.delete(name.toLowerCase());
  changing(run, run.database, () => instance.logins.set(name.toLowerCase(), login));
}

export function createUser(
  statement: Extract<DataDefinition, { readonly kind: 'createUser' | 'alterUser' }>,
  run: Run,
): void {
  const { database, session } = run;
  const { name, line } = statement;
  if (!session.access.has('ALTER ANY USER', database)) throw denied(line);
  const key = name.toLowerCase();
  if (database.principals.has(key)) {
    throw new SqlFailure(15023, `User, group, or role '${name}' already exists in the current database.`, {
      line,
    });
  }
  const login = statement.login === null ? undefined : (statement.login ?? name);
  if (login !== undefined) {
    if (!session.instance.logins.has(login.toLowerCase())) {
      throw new SqlFailure(15007, `'${login}' is not a valid login or you do not have permission.`, { line });
    }
    const taken = [...database.principals.values()].find((one) => one.login === login.toLowerCase());
    if (taken)
      throw new SqlFailure(15063, `The login already has an account under a different user name.`, { line });
  }
  addPrincipal(run, {
    name,
    kind: 'user',
    login: login?.toLowerCase(),
    defaultSchema: statement.defaultSchema ?? 'dbo',
  });
}

function addPrincipal(run: Run, one: Pick<Principal, 'name' | 'kind' | 'login' | 'defaultSchema'>): void {
  const { database, session } = run;
  const key = one.name.toLowerCase();
  database.principals.set(key, {
    ...one,
    id: database.nextPrincipalId++,
    memberOf: new Set(),
    createDate: new Date(session.statementTime),
  });
  changing(run, database, () => database.principals.delete(key));
}

export function alterUser(
  statement: Extract<DataDefinition, { readonly kind: 'createUser' | 'alterUser' }>,
  run: Run,
): void {
  const { database, session } = run;
  if (!session.access.has('ALTER ANY USER', database)) throw denied(statement.line);
  const key = statement.name.toLowerCase();
  const user = database.principals.get(key);
  if (user?.kind !== 'user') throw notFound('user', statement.name, statement.line);
  const changed: Principal = {
    ...user,
    login: statement.login ? statement.login.toLowerCase() : user.login,
    defaultSchema: statement.defaultSchema ?? user.defaultSchema,
  };
  database.principals.set(key, changed);
  changing(run, database, () => database.principals.set(key, user));
}

export function createRole(
  statement: Extract<DataDefinition, { readonly kind: 'createRole' }>,
  run: Run,
): void {
  const { database, session } = run;
  if (!session.access.has('CREATE ROLE', database)) throw denied(statement.line);
  if (database.principals.has(statement.name.toLowerCase())) {
    throw new SqlFailure(
      15023,
      `User, group, or role '${statement.name}' already exists in the current database.`,
      { line: statement.line },
    );
  }
  addPrincipal(run, { name: statement.name, kind: 'role', login: undefined, defaultSchema: undefined });
}

export function alterRole(
  statement: Extract<DataDefinition, { readonly kind: 'alterRole' }>,
  run: Run,
): void {
  const { database, session } = run;
  const { line } = statement;
  const role = statement.role.toLowerCase();
  const add = statement.change === 'add';
  if (statement.scope === 'server') {
    if (!session.access.isSysadmin) throw denied(line);
    const login = requireLogin(run, statement.member, line);
    const had = login.roles.has(role);
    if (add) login.roles.add(role);
    else login.roles.delete(role);
    changing(run, database, () => (had ? login.roles.add(role) : login.roles.delete(role)));
    return;
  }
  if (!session.access.has('ALTER ANY ROLE', database)) throw denied(line);
  if (database.principals.get(role)?.kind !== 'role') throw notFound('role', statement.role, line);
  const member = database.principals.get(statement.member.toLowerCase());
  if (!member) throw notFound('user', statement.member, line);
  const had = member.memberOf.has(role);
  if (add) member.memberOf.add(role);
  else member.memberOf.delete(role);
  changing(run, database, () => (had ? member.memberOf.add(role) : member.memberOf.delete(role)));
}

export function dropPrincipal(
  run: Run,
  name: string,
  what: 'user' | 'role',
  ifExists: boolean,
  line: number,
): void {
  const { database, session } = run;
  if (!session.access.has(what === 'user' ? 'ALTER ANY USER' : 'ALTER ANY ROLE', database))
    throw denied(line);
  const key = name.toLowerCase();
  const found = database.principals.get(key);
  if (found?.kind !== what) {
    if (ifExists) return;
    throw notFound(what, name, line);
  }
  const owned = [...database.schemas.values()].find((schema) => schema.owner.toLowerCase() === key);
  if (owned)
    throw new SqlFailure(
      15138,
      `The database principal owns a schema in the database, and cannot be dropped.`,
      { line },
    );
  const { permissions } = database;
  database.principals.delete(key);
  database.permissions = permissions.filter((one) => one.principal !== key);
  changing(run, database, () => {
    database.principals.set(key, found);
    database.permissions = permissions;
  });
}
