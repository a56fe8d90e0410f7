/** A session's state: who it is, which database it uses, its transaction, variables and temporary tables. */
import { type IsolationLevel, type ServerMessage, SqlFailure } from '../../contract.ts';
import type { ObjectName } from '../../sql/ast.ts';
import type { Compiled, Session as CompilerSession } from '../../sql/expressions/scope.ts';
import type { Access } from '../catalog/access.ts';
import { nextSequenceValue } from '../catalog/sequences.ts';
import { findView, type UserView } from '../catalog/views.ts';
import type { Env, Run } from '../executor/environment.ts';
import type { Database } from '../storage/database.ts';
import { objectKey } from '../storage/database.ts';
import type { Instance, Login } from '../storage/instance.ts';
import { LockOwner } from '../storage/locks.ts';
import type { Table } from '../storage/table.ts';
import type { Transaction } from '../storage/transaction.ts';
import { optionsAtFirst, type SessionOptions } from './options.ts';
import type { Variable } from './variables.ts';

/** An error in a CATCH block. */
export type Caught = ServerMessage;

export class Session {
  readonly instance: Instance;
  readonly id: number;
  readonly host: string;
  readonly program: string;
  readonly owner: LockOwner;
  /** Who logged in, or whom EXECUTE AS has made of him. */
  login: Login;
  readonly impersonated: Login[] = [];
  readonly access: Access;
  currentDatabase: Database;
  options: SessionOptions;
  variables = new Map<string, Variable>();
  tableVariables = new Map<string, Table>();
  /** Temporary tables by name in lower case. */
  readonly temporary = new Map<string, Table>();
  transaction: Transaction | undefined;
  transactionCount = 0;
  scopeIdentity: bigint | undefined;
  lastIdentity: bigint | undefined;
  rowCount = 0;
  lastError = 0;
  caught: Caught[] = [];
  identityInsert: Table | undefined;
  readonly context = new Map<string, { readonly value: unknown; readonly readOnly: boolean }>();
  statementTime: number;
  /** TRY blocks around what is being executed. */
  attempts = 0;
  procedureDepth = 0;
  /** Closed or killed: nothing is executed for it any more. */
  ended = false;

  constructor(
    instance: Instance,
    id: number,
    login: Login,
    database: Database,
    client: { readonly host: string; readonly program: string },
    access: (session: Session) => Access,
  ) {
    this.instance = instance;
    this.id = id;
    this.login = login;
    this.currentDatabase = database;
    this.host = client.host;
    this.program = client.program;
    this.owner = new LockOwner(id);
    this.statementTime = instance.now();
    this.options = optionsAtFirst(instance.faults.noCountAtFirst);
    this.access = access(this);
  }

  /** What KILL does; the connection says it. */
  end: () => void = () => {};

  get compilerSession(): CompilerSession {
    const { options, currentDatabase } = this;
    return {
      collation: currentDatabase.collation,
      dateFormat: options.dateFormat,
      dateFirst: options.dateFirst,
      now: () => this.statementTime,
    };
  }

  /** What conversions need to know of the session. */
  get conversion(): CompilerSession {
    return this.compilerSession;
  }

  get isolation(): IsolationLevel {
    return this.options.isolation;
  }

  /** The database that a name means: the session's own, or another that it may use. */
  databaseNamed(name: string | undefined, line: number): Database {
    if (name === undefined) return this.currentDatabase;
    const database = this.instance.database(name);
    if (!database || database.state === 'offline') {
      throw new SqlFailure(
        911,
        `Database '${name}' does not exist. Make sure that the name is entered correctly.`,
        {
          line,
        },
      );
    }
    if (!this.access.mayUse(database)) {
      throw new SqlFailure(
        916,
        `The server principal "${this.login.name}" is not able to access the database "${database.name}" under the current security context.`,
        { severity: 14, line },
      );
    }
    return database;
  }

  findTable(name: ObjectName): Table | undefined {
    if (name.name.startsWith('#')) return this.temporary.get(name.name.toLowerCase());
    const database = this.databaseNamed(name.database, name.line);
    if (name.schema !== undefined) return database.table(name.schema, name.name);
    return database.table(this.access.defaultSchema(database), name.name) ?? database.table('dbo', name.name);
  }

  /** 208 when there is no such table, or the session may not know of it. */
  requireTable(name: ObjectName): Table {
    const table = this.findTable(name);
    if (!table) throw noObject(name);
    return table;
  }

  findView(name: ObjectName): UserView | undefined {
    if (name.name.startsWith('#')) return undefined;
    const database = this.databaseNamed(name.database, name.line);
    const view =
      database.views.get(objectKey(name.schema ?? this.access.defaultSchema(database), name.name)) ??
      (name.schema === undefined ? database.views.get(objectKey('dbo', name.name)) : undefined);
    return view && findView(view);
  }

  tableVariable(name: string, line: number): Table {
    const table = this.tableVariables.get(name.toLowerCase());
    if (!table) {
      throw new SqlFailure(1087, `Must declare the table variable "${name}".`, {
        line,
        severity: 15,
        state: 2,
      });
    }
    return table;
  }

  checkPermission(
    permission: string,
    object: Table | UserView,
    columns: readonly number[] | undefined,
    line: number,
  ): void {
    if ('temporary' in object && object.temporary) return;
    this.access.require(permission, object, columns, line);
  }

  /** What forbids writing: a transaction that can only be rolled back, or a database that is read-only. */
  beforeWrite(run: Run, table: Table | undefined): void {
    if (table?.temporary) return;
    if (run.transaction.doomed) throw uncommittable();
    if (run.database.readOnly) {
      throw new SqlFailure(
        3906,
        `Failed to update database "${run.database.name}" because the database is read-only.`,
      );
    }
  }

  nextValueFor(sequence: readonly string[], line: number): Compiled<Env> {
    return nextSequenceValue(this, sequence, line);
  }
}

export function uncommittable(): SqlFailure {
  return new SqlFailure(
    3930,
    'The current transaction cannot be committed and cannot support operations that write to the log file. Roll back the transaction.',
  );
}

export function noObject(name: ObjectName): SqlFailure {
  const parts = [name.database, name.schema ?? (name.database === undefined ? undefined : ''), name.name];
  const full = parts.filter((part) => part !== undefined).join('.');
  return new SqlFailure(208, `Invalid object name '${full}'.`, { line: name.line });
}
