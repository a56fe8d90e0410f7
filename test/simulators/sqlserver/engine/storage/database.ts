/** A database: its schemas, tables, principals, permissions and options. */
import type { SqlType } from '../../contract.ts';
import type { DatabaseTracking } from '../change-tracking/database-tracking.ts';
import { DEFAULT_COLLATION } from './datum-key.ts';
import type { Table } from './table.ts';

export type Schema = { readonly id: number; readonly name: string; owner: string };

export type Principal = {
  readonly id: number;
  name: string;
  readonly kind: 'user' | 'role';
  /** The login of a user, in lower case; undefined for users without one and for roles. */
  readonly login: string | undefined;
  defaultSchema: string | undefined;
  /** Roles that it is a member of, in lower case. */
  readonly memberOf: Set<string>;
  readonly createDate: Date;
};

export type Permission = {
  readonly state: 'grant' | 'deny';
  /** In upper case. */
  readonly permission: string;
  readonly on: 'database' | 'schema' | 'object';
  /** The schema's or object's id; 0 for the database. */
  readonly id: number;
  /** Column ids, when only some columns are meant. */
  readonly columns: readonly number[] | undefined;
  /** In lower case. */
  readonly principal: string;
  readonly grantOption: boolean;
};

export type Sequence = {
  readonly id: number;
  readonly schema: string;
  readonly name: string;
  readonly type: SqlType;
  readonly start: bigint;
  readonly increment: bigint;
  last: bigint | undefined;
};

export type View = {
  readonly id: number;
  readonly schema: string;
  readonly name: string;
  /** The statement that made it. */
  readonly text: string;
  readonly createDate: Date;
};

export const FIXED_DATABASE_ROLES: readonly string[] = [
  'db_owner',
  'db_accessadmin',
  'db_securityadmin',
  'db_ddladmin',
  'db_backupoperator',
  'db_datareader',
  'db_datawriter',
  'db_denydatareader',
  'db_denydatawriter',
];

export class Database {
  readonly id: number;
  name: string;
  readonly createDate: Date;
  collation: string = DEFAULT_COLLATION;
  compatibilityLevel = 150;
  snapshotIsolation = false;
  readCommittedSnapshot = false;
  readOnly = false;
  state: 'online' | 'offline' = 'online';
  access: 'multiUser' | 'singleUser' | 'restrictedUser' = 'multiUser';
  recovery: 'full' | 'simple' | 'bulkLogged' = 'full';
  /** ANSI_NULLS and the like: kept so that they can be shown. */
  readonly options = new Map<string, boolean>();
  /** The login that owns it, in lower case. */
  owner: string;
  readonly schemas = new Map<string, Schema>();
  /** By `schema.name` in lower case. */
  readonly tables = new Map<string, Table>();
  readonly views = new Map<string, View>();
  readonly sequences = new Map<string, Sequence>();
  readonly principals = new Map<string, Principal>();
  permissions: Permission[] = [];
  tracking: DatabaseTracking | undefined;
  /** The last value handed out to a rowversion column (@@DBTS). */
  rowVersion = 2000n;
  nextObjectId = 245575913;
  nextSchemaId = 5;
  nextPrincipalId = 5;

  constructor(id: number, name: string, owner: string, now: Date) {
    this.id = id;
    this.name = name;
    this.owner = owner;
    this.createDate = now;
    const fixed: readonly (readonly [number, string])[] = [
      [1, 'dbo'],
      [2, 'guest'],
      [3, 'INFORMATION_SCHEMA'],
      [4, 'sys'],
    ];
    for (const [schemaId, schema] of fixed) {
      this.schemas.set(schema.toLowerCase(), { id: schemaId, name: schema, owner: schema });
    }
    this.#addPrincipal(0, 'public', 'role', undefined, now);
    this.#addPrincipal(1, 'dbo', 'user', owner, now, 'dbo');
    this.#addPrincipal(2, 'guest', 'user', undefined, now, 'guest');
    for (const [at, role] of FIXED_DATABASE_ROLES.entries()) {
      this.#addPrincipal(16384 + at, role, 'role', undefined, now);
    }
  }

  #addPrincipal(
    id: number,
    name: string,
    kind: Principal['kind'],
    login: string | undefined,
    now: Date,
    defaultSchema?: string,
  ): void {
    this.principals.set(name.toLowerCase(), {
      id,
      name,
      kind,
      login,
      defaultSchema,
      memberOf: new Set(),
      createDate: now,
    });
  }

  table(schema: string, name: string): Table | undefined {
    return this.tables.get(objectKey(schema, name));
  }

  tableById(id: number): Table | undefined {
    for (const table of this.tables.values()) if (table.id === id) return table;
    return undefined;
  }

  takeObjectId(): number {
    this.nextObjectId += 16000057;
    if (this.nextObjectId > 2147000000) this.nextObjectId -= 2145000000;
    if (this.nextObjectId < 100) this.nextObjectId += 100;
    return this.nextObjectId;
  }
}

/** How objects are found: their names' case does not count. */
export function objectKey(schema: string, name: string): string {
  return `${schema.toLowerCase()}.${name.toLowerCase()}`;
}
