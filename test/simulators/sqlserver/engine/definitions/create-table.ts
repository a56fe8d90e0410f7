/** CREATE TABLE. */
import { SqlFailure } from '../../contract.ts';
import type { DataDefinition, ObjectName } from '../../sql/ast.ts';
import type { Run } from '../executor/environment.ts';
import { buildTable } from '../executor/table-builder.ts';
import type { Session } from '../session/session.ts';
import { type Database, objectKey } from '../storage/database.ts';
import type { Table } from '../storage/table.ts';
import { refuseInSnapshot } from './snapshot.ts';

export function createTable(
  statement: Extract<DataDefinition, { readonly kind: 'createTable' }>,
  run: Run,
): void {
  const { session } = run;
  const { name } = statement;
  const temporary = name.name.startsWith('#');
  const database = session.databaseNamed(name.database, name.line);
  const schema = temporary ? 'dbo' : createSchemaFor(session, database, name);
  if (!temporary) refuseInSnapshot(run, database);
  requireFree(session, database, schema, name);
  const { columns, constraints, indexes } = statement;
  const table = buildTable(session, database, {
    schema,
    name: name.name,
    columns,
    constraints,
    indexes,
    temporary,
  });
  addTable(run, database, table, statement.line);
}

/** The schema in which the session may create something by that name: 2760 and 262 otherwise. */
export function createSchemaFor(session: Session, database: Database, name: ObjectName): string {
  const wanted = name.schema ?? session.access.defaultSchema(database);
  const schema = database.schemas.get(wanted.toLowerCase());
  const noSchema = () =>
    new SqlFailure(
      2760,
      `The specified schema name "${wanted}" either does not exist or you do not have permission to use it.`,
      { line: name.line },
    );
  if (!schema) throw noSchema();
  if (!session.access.has('CREATE TABLE', database)) {
    throw new SqlFailure(262, `CREATE TABLE permission denied in database '${database.name}'.`, {
      severity: 14,
      line: name.line,
    });
  }
  const ofSchema = { schema: schema.name, id: -1 };
  if (!session.access.has('ALTER', database, ofSchema)) throw noSchema();
  return schema.name;
}

function requireFree(session: Session, database: Database, schema: string, name: ObjectName): void {
  const key = objectKey(schema, name.name);
  const taken = name.name.startsWith('#')
    ? session.temporary.has(name.name.toLowerCase())
    : database.tables.has(key) || database.views.has(key) || database.sequences.has(key);
  if (!taken) return;
  throw new SqlFailure(2714, `There is already an object named '${name.name}' in the database.`, {
    line: name.line,
    state: 6,
  });
}

/** Puts a new table where it is found, until the transaction is undone. */
export function addTable(run: Run, database: Database, table: Table, line: number): void {
  const { session, transaction } = run;
  if (table.temporary) {
    const key = table.name.toLowerCase();
    requireFree(session, database, 'dbo', { line, database: undefined, schema: undefined, name: table.name });
    session.temporary.set(key, table);
    transaction.changes.push({ kind: 'definition', undo: () => session.temporary.delete(key) });
    return;
  }
  const key = objectKey(table.schema, table.name);
  requireFree(session, database, table.schema, {
    line,
    database: undefined,
    schema: table.schema,
    name: table.name,
  });
  session.instance.locks.acquire(session.owner, table, 'M');
  database.tables.set(key, table);
  transaction.changes.push({ kind: 'definition', undo: () => database.tables.delete(key), database, table });
}
