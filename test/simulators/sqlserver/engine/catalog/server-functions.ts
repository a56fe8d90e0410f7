/** SERVERPROPERTY, DATABASEPROPERTYEX, permissions and principals. */
import type { Datum, SqlType } from '../../contract.ts';
import { codePageOf } from '../../sql/types/code-page.ts';
import type { Run } from '../executor/environment.ts';
import type { Database } from '../storage/database.ts';
import type { EngineFunctions } from './functions.ts';
import { findObject } from './object-names.ts';

const NAME: SqlType = { kind: 'nvarchar', length: 128 };
const INT: SqlType = { kind: 'int' };
const TEXT: SqlType = { kind: 'nvarchar', length: 4000 };
const text = (value: Datum | undefined) =>
  value === null || value === undefined ? undefined : String(value);
const flag = (value: boolean) => (value ? 1n : 0n);

/** The version that the simulator says it is: SQL Server 2019. */
export const PRODUCT_VERSION = '15.0.4430.1';

const serverProperties: Readonly<Record<string, Datum>> = {
  productversion: PRODUCT_VERSION,
  productmajorversion: '15',
  productminorversion: '0',
  productlevel: 'RTM',
  edition: 'Developer Edition (64-bit)',
  engineedition: 3n,
  collation: 'SQL_Latin1_General_CP1_CI_AS',
  isintegratedsecurityonly: 0n,
  isclustered: 0n,
  ishadrenabled: 0n,
  isfulltextinstalled: 0n,
  issingleuser: 0n,
  lcid: 1033n,
};

/** Of Azure SQL Database, whose version says nothing of how new it is. */
const azureProperties: Readonly<Record<string, Datum>> = {
  productversion: '12.0.2000.8',
  productmajorversion: '12',
  edition: 'SQL Azure',
  engineedition: 5n,
};

function databaseNamed(run: Run, name: Datum | undefined): Database | undefined {
  return run.session.instance.database(text(name) ?? '');
}

export const serverFunctions: EngineFunctions = {
  SERVERPROPERTY: {
    // Declared sql_variant; the callers that matter convert it, and text is what most properties are.
    type: TEXT,
    arity: [1, 1],
    evaluate: ([name], { session }) => {
      const wanted = text(name)?.toLowerCase() ?? '';
      if (wanted === 'servername' || wanted === 'machinename') return session.instance.serverName;
      const { azure } = session.instance.faults;
      const value = (azure ? azureProperties[wanted] : undefined) ?? serverProperties[wanted];
      return value === undefined || value === null ? null : String(value);
    },
  },
  COLLATIONPROPERTY: {
    // Declared sql_variant, as above.
    type: TEXT,
    arity: [2, 2],
    evaluate: ([name, property]) => {
      const collation = text(name);
      if (collation === undefined || text(property)?.toLowerCase() !== 'codepage') return null;
      return String(codePageOf(collation));
    },
  },
  DATABASEPROPERTYEX: {
    type: TEXT,
    arity: [2, 2],
    evaluate: ([name, property], run) => {
      const database = databaseNamed(run, name);
      if (!database) return null;
      switch (text(property)?.toLowerCase()) {
        case 'collation':
          return database.collation;
        case 'status':
          return database.state.toUpperCase();
        case 'updateability':
          return database.readOnly ? 'READ_ONLY' : 'READ_WRITE';
        case 'useraccess':
          return { multiUser: 'MULTI_USER', singleUser: 'SINGLE_USER', restrictedUser: 'RESTRICTED_USER' }[
            database.access
          ];
        case 'recovery':
          return { full: 'FULL', simple: 'SIMPLE', bulkLogged: 'BULK_LOGGED' }[database.recovery];
        case 'version':
          return '904';
        default:
          return null;
      }
    },
  },
  DB_ID: {
    type: { kind: 'smallint' },
    arity: [0, 1],
    evaluate: ([name], run) => {
      const found = name === undefined ? run.session.currentDatabase : databaseNamed(run, name);
      return found ? BigInt(found.id) : null;
    },
  },
  DB_NAME: {
    type: NAME,
    arity: [0, 1],
    evaluate: ([database], { session }) => {
      if (database === undefined || database === 0n) return session.currentDatabase.name;
      for (const one of session.instance.databases.values()) if (BigInt(one.id) === database) return one.name;
      return null;
    },
  },
  HAS_DBACCESS: {
    type: INT,
    arity: [1, 1],
    evaluate: ([name], run) => {
      const found = databaseNamed(run, name);
      return found ? flag(run.session.access.mayUse(found)) : null;
    },
  },
  HAS_PERMS_BY_NAME: {
    type: INT,
    arity: [3, 5],
    evaluate: ([securable, kind, permission, column, columnKind], run) => {
      const wanted = text(permission)?.toUpperCase();
      if (wanted === undefined) return null;
      return hasPermission(
        run,
        text(securable),
        text(kind)?.toUpperCase(),
        wanted,
        text(columnKind) ? text(column) : undefined,
      );
    },
  },
  IS_MEMBER: {
    type: INT,
    arity: [1, 1],
    evaluate: ([role], { session }) => {
      const database = session.currentDatabase;
      const name = text(role)?.toLowerCase() ?? '';
      if (database.principals.get(name)?.kind !== 'role') return null;
      return flag(
        session.access.isMember(database, name) || (session.access.isOwner(database) && name === 'db_owner'),
      );
    },
  },
  IS_ROLEMEMBER: {
    type: INT,
    arity: [1, 2],
    evaluate: ([role], { session }) => {
      const database = session.currentDatabase;
      const name = text(role)?.toLowerCase() ?? '';
      if (database.principals.get(name)?.kind !== 'role') return null;
      return flag(
        session.access.isMember(database, name) || (session.access.isOwner(database) && name === 'db_owner'),
      );
    },
  },
  IS_SRVROLEMEMBER: {
    type: INT,
    arity: [1, 2],
    evaluate: ([role, login], { session }) => {
      const who =
        text(login) === undefined ? session.login : session.instance.logins.get(text(login)!.toLowerCase());
      return who ? flag(who.roles.has(text(role)?.toLowerCase() ?? '')) : null;
    },
  },
  DATABASE_PRINCIPAL_ID: {
    type: INT,
    arity: [0, 1],
    evaluate: ([name], { session }) => {
      const database = session.currentDatabase;
      const found =
        name === undefined
          ? session.access.user(database)
          : database.principals.get(text(name)?.toLowerCase() ?? '');
      return found ? BigInt(found.id) : null;
    },
  },
};

function hasPermission(
  run: Run,
  securable: string | undefined,
  kind: string | undefined,
  permission: string,
  column: string | undefined,
): Datum {
  const { session } = run;
  const { access } = session;
  const database = session.currentDatabase;
  switch (kind) {
    case undefined:
    case 'SERVER':
      return flag(access.hasOnServer(permission));
    case 'DATABASE': {
      const wanted =
        securable === undefined
          ? database
          : session.instance.database(securable.replace(/^\[(.*)\]$/s, '$1'));
      if (!wanted) return null;
      return flag(access.mayUse(wanted) && access.has(permission, wanted));
    }
    case 'SCHEMA': {
      const schema = database.schemas.get((securable ?? '').replace(/^\[(.*)\]$/s, '$1').toLowerCase());
      return schema ? flag(access.has(permission, database, { schema: schema.name, id: -1 })) : null;
    }
    case 'OBJECT': {
      const found = findObject(session, securable ?? '');
      if (!found) return null;
      const at = column === undefined ? undefined : found.table?.column(column);
      if (column !== undefined && !at) return null;
      return flag(access.has(permission, found.database, found.owner, at ? [at.id] : undefined));
    }
    default:
      return null;
  }
}
