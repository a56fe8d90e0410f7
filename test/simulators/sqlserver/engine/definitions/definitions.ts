/** Statements that define objects, principals and permissions. */
import type { DataDefinition, Statement } from '../../sql/ast.ts';
import type { Run } from '../executor/environment.ts';
import type { StatementResult } from '../executor/statement-result.ts';
import { alterTable } from './alter-table.ts';
import { createTable } from './create-table.ts';
import { createDatabase } from './databases.ts';
import { dropObjects } from './drop.ts';
import { alterIndex, createIndex, dropIndexes } from './indexes.ts';
import { changePermissions } from './permissions.ts';
import { alterLogin, alterRole, alterUser, createLogin, createRole, createUser } from './principals.ts';
import { createSchema, createSequence, createView } from './schemas.ts';
import { truncateTable } from './truncate.ts';

type Handlers = {
  readonly [Kind in DataDefinition['kind']]: (
    statement: Extract<DataDefinition, { readonly kind: Kind }>,
    run: Run,
  ) => void;
};

const handlers: Handlers = {
  createTable,
  alterTable,
  drop: dropObjects,
  truncateTable,
  createIndex,
  alterIndex,
  dropIndex: dropIndexes,
  createSchema,
  createView,
  createSequence,
  createDatabase,
  createLogin,
  alterLogin,
  createUser,
  alterUser,
  createRole,
  alterRole,
  grant: changePermissions,
  deny: changePermissions,
  revoke: changePermissions,
};

export function isDataDefinition(statement: Statement): statement is DataDefinition {
  return Object.hasOwn(handlers, statement.kind);
}

export function executeDefinition(statement: DataDefinition, run: Run): StatementResult {
  const handler = handlers[statement.kind] as (one: DataDefinition, at: Run) => void;
  run.session.beforeWrite(run, undefined);
  handler(statement, run);
  return { command: 'other' };
}
