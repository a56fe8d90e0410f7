/** Who may do what: principals of the database, their roles, and what was granted or denied to them. */
import { SqlFailure } from '../../contract.ts';
import type { Session } from '../session/session.ts';
import type { Database, Permission, Principal } from '../storage/database.ts';
import { Table } from '../storage/table.ts';
import type { UserView } from './views.ts';

/** Permissions that another one includes, at the same securable or at one around it. */
const includedIn: Readonly<Record<string, readonly string[]>> = {
  SELECT: ['CONTROL'],
  INSERT: ['CONTROL'],
  UPDATE: ['CONTROL'],
  DELETE: ['CONTROL'],
  REFERENCES: ['CONTROL'],
  EXECUTE: ['CONTROL'],
  ALTER: ['CONTROL'],
  'VIEW CHANGE TRACKING': ['CONTROL'],
  'VIEW DEFINITION': ['CONTROL'],
  'TAKE OWNERSHIP': ['CONTROL'],
  CONNECT: ['CONTROL'],
  'CREATE TABLE': ['ALTER', 'CONTROL'],
  'CREATE VIEW': ['ALTER', 'CONTROL'],
  'CREATE SCHEMA': ['ALTER', 'CONTROL'],
  'CREATE ROLE': ['ALTER ANY ROLE', 'ALTER', 'CONTROL'],
  'ALTER ANY USER': ['ALTER', 'CONTROL'],
  'ALTER ANY ROLE': ['ALTER', 'CONTROL'],
  'ALTER ANY SCHEMA': ['ALTER', 'CONTROL'],
  CONTROL: [],
};

export type Securable = { readonly schema: string; readonly id: number };

export class Access {
  readonly #session: Session;

  constructor(session: Session) {
    this.#session = session;
  }

  get isSysadmin(): boolean {
    return this.#session.login.roles.has('sysadmin');
  }

  /** The user that the login is in a database; undefined when it is none. */
  user(database: Database): Principal | undefined {
    const name = this.#session.login.name.toLowerCase();
    if (this.isSysadmin || database.owner.toLowerCase() === name) return database.principals.get('dbo');
    for (const principal of database.principals.values()) {
      if (principal.kind === 'user' && principal.login === name) return principal;
    }
    if (database.id <= 4) return database.principals.get('guest');
    return undefined;
  }

  mayUse(database: Database): boolean {
    return this.user(database) !== undefined;
  }

  defaultSchema(database: Database): string {
    return this.user(database)?.defaultSchema ?? 'dbo';
  }

  isOwner(database: Database): boolean {
    const user = this.user(database);
    return user?.name === 'dbo' || this.isMember(database, 'db_owner');
  }

  /** Whether the session's user is in the role, also through other roles. */
  isMember(database: Database, role: string): boolean {
    return this.#principals(database).has(role.toLowerCase());
  }

  /** The user and all its roles, in lower case. */
  #principals(database: Database): Set<string> {
    const found = new Set<string>(['public']);
    const visit = (name: string) => {
      if (found.has(name)) return;
      found.add(name);
      for (const role of database.principals.get(name)?.memberOf ?? []) visit(role);
    };
    const user = this.user(database);
    if (user) visit(user.name.toLowerCase());
    return found;
  }

  /** Whether the session has the permission on an object (`columns`: on these columns of it). */
  has(permission: string, database: Database, object?: Securable, columns?: readonly number[]): boolean {
    if (this.isOwner(database)) return true;
    const principals = this.#principals(database);
    const schema = object && database.schemas.get(object.schema.toLowerCase());
    const applies = (one: Permission) =>
      principals.has(one.principal) &&
      (one.on === 'database' ||
        (one.on === 'schema' && schema?.id === one.id) ||
        (one.on === 'object' && object?.id === one.id));
    const relevant = database.permissions.filter(applies);
    const names = new Set([permission, ...(includedIn[permission] ?? [])]);
    const covers = (one: Permission, column: number | undefined) =>
      one.columns === undefined || (column !== undefined && one.columns.includes(column));
    const wanted: readonly (number | undefined)[] = columns && columns.length > 0 ? columns : [undefined];
    if (this.#deniedByRole(principals, permission)) return false;
    return wanted.every((column) => {
      const concerned = relevant.filter((one) => names.has(one.permission) && covers(one, column));
      if (concerned.some((one) => one.state === 'deny' && one.permission === permission)) return false;
      if (concerned.some((one) => one.state === 'grant')) return true;
      if (schema && principals.has(schema.owner.toLowerCase()) && schema.owner !== 'dbo') return true;
      return this.#grantedByRole(principals, permission, object !== undefined);
    });
  }

  #deniedByRole(principals: ReadonlySet<string>, permission: string): boolean {
    if (permission === 'SELECT') return principals.has('db_denydatareader');
    return ['INSERT', 'UPDATE', 'DELETE'].includes(permission) && principals.has('db_denydatawriter');
  }

  #grantedByRole(principals: ReadonlySet<string>, permission: string, object: boolean): boolean {
    if (permission === 'SELECT') return object && principals.has('db_datareader');
    if (['INSERT', 'UPDATE', 'DELETE'].includes(permission)) return object && principals.has('db_datawriter');
    if (principals.has('db_ddladmin')) {
      return ['ALTER', 'CREATE TABLE', 'CREATE VIEW', 'CREATE SCHEMA', 'REFERENCES'].includes(permission);
    }
    return permission === 'CONNECT';
  }

  /** Throws 229 when the permission on the object is missing; 230 for single columns. */
  require(
    permission: string,
    object: Table | UserView,
    columns: readonly number[] | undefined,
    line: number,
  ): void {
    const { instance, currentDatabase } = this.#session;
    const database = (object instanceof Table ? instance.databaseOf(object) : undefined) ?? currentDatabase;
    if (this.has(permission, database, object, columns)) return;
    // Permissions on single columns allow reading those; which ones a query names is not followed further.
    const some = database.permissions.some(
      (one) =>
        one.state === 'grant' &&
        one.permission === permission &&
        one.id === object.id &&
        one.columns !== undefined &&
        this.#principals(database).has(one.principal),
    );
    if (some && permission === 'SELECT') return;
    throw new SqlFailure(
      229,
      `The ${permission} permission was denied on the object '${object.name}', database '${database.name}', schema '${object.schema}'.`,
      { severity: 14, state: 5, line },
    );
  }

  /** Whether the session may know that an object exists: any permission on it does. */
  sees(database: Database, object: Securable): boolean {
    if (this.isOwner(database)) return true;
    const every = [
      'VIEW DEFINITION',
      'SELECT',
      'INSERT',
      'UPDATE',
      'DELETE',
      'ALTER',
      'REFERENCES',
      'VIEW CHANGE TRACKING',
      'CONTROL',
    ];
    if (every.some((permission) => this.has(permission, database, object))) return true;
    const principals = this.#principals(database);
    return database.permissions.some(
      (one) =>
        one.on === 'object' && one.id === object.id && one.state === 'grant' && principals.has(one.principal),
    );
  }

  /** Whether the session may see the text of filters, defaults, checks and computed columns; it is NULL to others. */
  seesDefinitions(database: Database, object: Securable): boolean {
    if (this.isOwner(database)) return true;
    return ['VIEW DEFINITION', 'ALTER', 'TAKE OWNERSHIP', 'CONTROL'].some((permission) =>
      this.has(permission, database, object),
    );
  }

  /** Server permissions such as CREATE ANY DATABASE. */
  hasOnServer(permission: string): boolean {
    const { roles, permissions } = this.#session.login;
    if (this.isSysadmin || permissions.has(permission) || permissions.has('CONTROL SERVER')) return true;
    if (roles.has('dbcreator'))
      return permission === 'CREATE ANY DATABASE' || permission === 'ALTER ANY DATABASE';
    if (roles.has('securityadmin')) return permission === 'ALTER ANY LOGIN';
    return permission === 'VIEW ANY DATABASE' || permission === 'CONNECT SQL';
  }
}
