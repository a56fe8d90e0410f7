/** DROP of tables and of everything else that has a name. */
import { SqlFailure } from '../../contract.ts';
import type { DataDefinition, ObjectName } from '../../sql/ast.ts';
import type { Run } from '../executor/environment.ts';
import { objectKey } from '../storage/database.ts';
import { changing, lockForChange, shown } from './change.ts';
import { dropDatabase } from './databases.ts';
import { dropLogin, dropPrincipal } from './principals.ts';

type Drop = Extract<DataDefinition, { readonly kind: 'drop' }>;

export function dropObjects(statement: Drop, run: Run): void {
  for (const name of statement.names) {
    switch (statement.what) {
      case 'table':
        dropTable(run, name, statement);
        break;
      case 'view':
      case 'sequence':
        dropNamed(run, name, statement, statement.what === 'view' ? 'views' : 'sequences');
        break;
      case 'schema':
        dropSchema(run, name, statement);
        break;
      case 'database':
        dropDatabase(run, name.name, statement.ifExists, statement.line);
        break;
      case 'login':
        dropLogin(run, name.name, statement.line);
        break;
      case 'user':
      case 'role':
        dropPrincipal(run, name.name, statement.what, statement.ifExists, statement.line);
        break;
    }
  }
}

function missing(statement: Drop, name: ObjectName): SqlFailure {
  return new SqlFailure(
    3701,
    `Cannot drop the ${statement.what} '${shown(name)}', because it does not exist or you do not have permission.`,
    { severity: 11, line: statement.line, state: 5 },
  );
}

function dropTable(run: Run, name: ObjectName, statement: Drop): void {
  const { session, transaction } = run;
  const found = session.findTable(name);
  if (!found) {
    if (statement.ifExists) return;
    throw missing(statement, name);
  }
  if (found.temporary) {
    const key = found.name.toLowerCase();
    session.temporary.delete(key);
    transaction.changes.push({ kind: 'definition', undo: () => session.temporary.set(key, found) });
    return;
  }
  const owner = session.instance.databaseOf(found) ?? run.database;
  if (!session.access.has('ALTER', owner, found)) throw missing(statement, name);
  const { database, table } = lockForChange(run, found, name, statement.line);
  for (const other of database.tables.values()) {
    if (other !== table && other.foreignKeys.some((key) => key.referencedTable === table.id)) {
      throw new SqlFailure(
        3726,
        `Could not drop object '${shown(name)}' because it is referenced by a FOREIGN KEY constraint.`,
        { line: statement.line },
      );
    }
  }
  const key = objectKey(table.schema, table.name);
  const permissions = database.permissions;
  database.tables.delete(key);
  database.permissions = permissions.filter((one) => one.on !== 'object' || one.id !== table.id);
  changing(
    run,
    database,
    () => {
      database.tables.set(key, table);
      database.permissions = permissions;
    },
    table,
  );
  if (session.identityInsert === table) session.identityInsert = undefined;
}

function dropNamed(run: Run, name: ObjectName, statement: Drop, kind: 'views' | 'sequences'): void {
  const { session } = run;
  const database = session.databaseNamed(name.database, name.line);
  const key = objectKey(name.schema ?? session.access.defaultSchema(database), name.name);
  const all: Map<string, unknown> = database[kind];
  const found = all.get(key);
  if (found === undefined) {
    if (statement.ifExists) return;
    throw missing(statement, name);
  }
  all.delete(key);
  changing(run, database, () => all.set(key, found));
}

function dropSchema(run: Run, name: ObjectName, statement: Drop): void {
  const { database } = run;
  const key = name.name.toLowerCase();
  const schema = database.schemas.get(key);
  if (!schema || schema.id <= 4) {
    if (!schema && statement.ifExists) return;
    throw new SqlFailure(
      15151,
      `Cannot drop the schema '${name.name}', because it does not exist or you do not have permission.`,
      { line: statement.line },
    );
  }
  const holds = [...database.tables.values(), ...database.views.values()].find(
    (one) => one.schema.toLowerCase() === key,
  );
  if (holds) {
    throw new SqlFailure(
      3729,
      `Cannot drop schema '${name.name}' because it is being referenced by object '${holds.name}'.`,
      { line: statement.line },
    );
  }
  database.schemas.delete(key);
  changing(run, database, () => database.schemas.set(key, schema));
}
