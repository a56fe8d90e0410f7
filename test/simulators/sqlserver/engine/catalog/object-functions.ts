/** OBJECT_ID, COLUMNPROPERTY and the like. */
import type { SqlType } from '../../contract.ts';
import type { Run } from '../executor/environment.ts';
import type { Database } from '../storage/database.ts';
import type { Table } from '../storage/table.ts';
import type { EngineFunctions } from './functions.ts';
import { findObject, findObjectById } from './object-names.ts';
import { maxLength, precisionOf, scaleOf, typeIdOf, typeNameOf } from './type-facts.ts';

const NAME: SqlType = { kind: 'nvarchar', length: 128 };
const INT: SqlType = { kind: 'int' };
const text = (value: unknown) => (value === null || value === undefined ? undefined : String(value));
const id = (value: unknown) => (value === null || value === undefined ? Number.NaN : Number(value));
const flag = (value: boolean) => (value ? 1n : 0n);

function databaseOf(run: Run, value: unknown): Database | undefined {
  if (value === undefined || value === null) return run.session.currentDatabase;
  for (const one of run.session.instance.databases.values()) if (one.id === Number(value)) return one;
  return undefined;
}

function tableById(run: Run, value: unknown): Table | undefined {
  return findObjectById(run.session, id(value), run.session.currentDatabase)?.table;
}

export const objectFunctions: EngineFunctions = {
  OBJECT_ID: {
    type: INT,
    arity: [1, 2],
    evaluate: ([name, type], { session }) => {
      const found = typeof name === 'string' ? findObject(session, name) : undefined;
      const wanted = text(type)?.trim().toUpperCase();
      if (!found || (wanted !== undefined && wanted !== found.type)) return null;
      return BigInt(found.id);
    },
  },
  OBJECT_NAME: {
    type: NAME,
    arity: [1, 2],
    evaluate: ([object, database], run) => {
      const inside = databaseOf(run, database);
      return (inside && findObjectById(run.session, id(object), inside)?.name) ?? null;
    },
  },
  OBJECT_SCHEMA_NAME: {
    type: NAME,
    arity: [1, 2],
    evaluate: ([object, database], run) => {
      const inside = databaseOf(run, database);
      return (inside && findObjectById(run.session, id(object), inside)?.schema) ?? null;
    },
  },
  SCHEMA_ID: {
    type: INT,
    arity: [0, 1],
    evaluate: ([name], { session }) => {
      const database = session.currentDatabase;
      const wanted = text(name) ?? session.access.defaultSchema(database);
      const found = database.schemas.get(wanted.toLowerCase());
      return found ? BigInt(found.id) : null;
    },
  },
  SCHEMA_NAME: {
    type: NAME,
    arity: [0, 1],
    evaluate: ([schema], { session }) => {
      const database = session.currentDatabase;
      if (schema === undefined) return session.access.defaultSchema(database);
      for (const one of database.schemas.values()) if (one.id === id(schema)) return one.name;
      return null;
    },
  },
  TYPE_NAME: { type: NAME, arity: [1, 1], evaluate: ([type]) => typeNameOf(id(type)) ?? null },
  TYPE_ID: {
    type: INT,
    arity: [1, 1],
    evaluate: ([name]) => {
      const found = typeIdOf(text(name)?.toLowerCase() ?? '');
      return found === undefined ? null : BigInt(found);
    },
  },
  COL_LENGTH: {
    type: { kind: 'smallint' },
    arity: [2, 2],
    evaluate: ([table, column], { session }) => {
      const found = findObject(session, text(table) ?? '')?.table?.column(text(column) ?? '');
      return found ? BigInt(maxLength(found.type)) : null;
    },
  },
  COL_NAME: {
    type: NAME,
    arity: [2, 2],
    evaluate: ([table, column], run) =>
      tableById(run, table)?.columns.find((one) => one.id === id(column))?.name ?? null,
  },
  COLUMNPROPERTY: {
    type: INT,
    arity: [3, 3],
    evaluate: ([object, name, property], run) => {
      const table = tableById(run, object);
      const column = table?.column(text(name) ?? '');
      if (!table || !column) return null;
      switch (text(property)?.toLowerCase()) {
        case 'columnid':
          return BigInt(column.id);
        case 'ordinal':
          return BigInt(table.columns.indexOf(column) + 1);
        case 'allowsnull':
          return flag(column.nullable);
        case 'isidentity':
          return flag(column.identity !== undefined);
        case 'iscomputed':
          return flag(column.computed !== undefined);
        case 'isrowguidcol':
          return flag(column.rowGuid);
        case 'precision':
          return BigInt(precisionOf(column.type));
        case 'scale':
          return BigInt(scaleOf(column.type));
        case 'charmaxlen': {
          const { type } = column;
          return 'length' in type ? BigInt(type.length === 'max' ? -1 : type.length) : null;
        }
        default:
          return null;
      }
    },
  },
  OBJECTPROPERTY: {
    type: INT,
    arity: [2, 2],
    evaluate: ([object, property], run) => objectProperty(run, object, property),
  },
  OBJECTPROPERTYEX: {
    type: INT,
    arity: [2, 2],
    evaluate: ([object, property], run) => objectProperty(run, object, property),
  },
  INDEXPROPERTY: {
    type: INT,
    arity: [3, 3],
    evaluate: ([object, name, property], run) => {
      const index = tableById(run, object)?.index(text(name) ?? '');
      if (!index) return null;
      switch (text(property)?.toLowerCase()) {
        case 'indexid':
          return BigInt(index.id);
        case 'isunique':
          return flag(index.unique);
        case 'isclustered':
          return flag(index.clustered);
        case 'isdisabled':
          return 0n;
        default:
          return null;
      }
    },
  },
  OBJECT_DEFINITION: {
    type: { kind: 'nvarchar', length: 'max' },
    arity: [1, 1],
    evaluate: ([object], { session }) => {
      const wanted = id(object);
      for (const view of session.currentDatabase.views.values()) if (view.id === wanted) return view.text;
      for (const table of session.currentDatabase.tables.values()) {
        const check = table.checks.find((one) => one.objectId === wanted);
        if (check) return check.text;
        const column = table.columns.find((one) => one.default?.objectId === wanted);
        if (column?.default) return column.default.text;
      }
      return null;
    },
  },
  IDENT_CURRENT: {
    type: { kind: 'decimal', precision: 38, scale: 0 },
    arity: [1, 1],
    evaluate: ([name], { session }) => {
      const identity = findObject(session, text(name) ?? '')?.table?.identityColumn?.identity;
      return identity ? (identity.last ?? identity.seed) : null;
    },
  },
  IDENT_SEED: {
    type: { kind: 'decimal', precision: 38, scale: 0 },
    arity: [1, 1],
    evaluate: ([name], { session }) =>
      findObject(session, text(name) ?? '')?.table?.identityColumn?.identity?.seed ?? null,
  },
  IDENT_INCR: {
    type: { kind: 'decimal', precision: 38, scale: 0 },
    arity: [1, 1],
    evaluate: ([name], { session }) =>
      findObject(session, text(name) ?? '')?.table?.identityColumn?.identity?.increment ?? null,
  },
};

function objectProperty(run: Run, object: unknown, property: unknown) {
  const found = findObjectById(run.session, id(object), run.session.currentDatabase);
  if (!found) return null;
  switch (text(property)?.toLowerCase()) {
    case 'isusertable':
    case 'istable':
      return flag(found.type === 'U');
    case 'isview':
      return flag(found.type === 'V');
    case 'isprimarykey':
      return flag(found.type === 'PK');
    case 'tablehasidentity':
      return flag(found.table?.identityColumn !== undefined);
    case 'tablehasprimarykey':
      return flag(found.table?.primaryKey !== undefined);
    case 'tablehaschangetracking':
      return flag(found.table?.tracking !== undefined);
    case 'ismsshipped':
      return 0n;
    case 'ownerid':
      return 1n;
    default:
      return null;
  }
}
