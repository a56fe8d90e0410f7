/** CREATE SCHEMA, VIEW and SEQUENCE. */
import { SqlFailure } from '../../contract.ts';
import type { DataDefinition } from '../../sql/ast.ts';
import { resolveTypeName } from '../../sql/types/type-names.ts';
import type { Run } from '../executor/environment.ts';
import { compileQuery } from '../executor/query.ts';
import { QueryScope } from '../executor/query-scope.ts';
import { objectKey } from '../storage/database.ts';
import { changing } from './change.ts';
import { createSchemaFor } from './create-table.ts';

export function createSchema(
  statement: Extract<DataDefinition, { readonly kind: 'createSchema' }>,
  run: Run,
): void {
  const { database, session } = run;
  const { name, line } = statement;
  if (!session.access.has('CREATE SCHEMA', database)) {
    throw new SqlFailure(
      2760,
      `The specified schema name "${name}" either does not exist or you do not have permission to use it.`,
      { line },
    );
  }
  const key = name.toLowerCase();
  if (database.schemas.has(key)) {
    throw new SqlFailure(2714, `There is already an object named '${name}' in the database.`, {
      line,
      state: 6,
    });
  }
  const owner = statement.owner ?? session.access.user(database)?.name ?? 'dbo';
  if (!database.principals.has(owner.toLowerCase())) {
    throw new SqlFailure(
      15151,
      `Cannot find the user '${owner}', because it does not exist or you do not have permission.`,
      { line },
    );
  }
  database.schemas.set(key, { id: database.nextSchemaId++, name, owner });
  changing(run, database, () => database.schemas.delete(key));
}

export function createView(
  statement: Extract<DataDefinition, { readonly kind: 'createView' }>,
  run: Run,
): void {
  const { session } = run;
  const { name } = statement;
  const database = session.databaseNamed(name.database, name.line);
  const schema = createSchemaFor(session, database, name);
  const key = objectKey(schema, name.name);
  if (database.views.has(key) || database.tables.has(key)) {
    throw new SqlFailure(2714, `There is already an object named '${name.name}' in the database.`, {
      line: statement.line,
      state: 3,
    });
  }
  const view = {
    id: database.takeObjectId(),
    schema,
    name: name.name,
    text: statement.text,
    createDate: new Date(session.statementTime),
  };
  if (statement.commonTables.length === 0) compileQuery(statement.query, new QueryScope(session, undefined));
  database.views.set(key, view);
  changing(run, database, () => database.views.delete(key));
}

export function createSequence(
  statement: Extract<DataDefinition, { readonly kind: 'createSequence' }>,
  run: Run,
): void {
  const { session } = run;
  const { name } = statement;
  const database = session.databaseNamed(name.database, name.line);
  const schema = createSchemaFor(session, database, name);
  const key = objectKey(schema, name.name);
  if (database.sequences.has(key) || database.tables.has(key)) {
    throw new SqlFailure(2714, `There is already an object named '${name.name}' in the database.`, {
      line: statement.line,
      state: 3,
    });
  }
  database.sequences.set(key, {
    id: database.takeObjectId(),
    schema,
    name: name.name,
    type: statement.type ? resolveTypeName(statement.type, 'column') : { kind: 'bigint' },
    start: statement.start ?? -9223372036854775808n,
    increment: statement.increment ?? 1n,
    last: undefined,
  });
  changing(run, database, () => database.sequences.delete(key));
}
