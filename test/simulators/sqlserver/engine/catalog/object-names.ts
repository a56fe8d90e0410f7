/** Names of objects in strings, as OBJECT_ID and its kin take them. */
import type { ObjectName } from '../../sql/ast.ts';
import type { Session } from '../session/session.ts';
import { type Database, objectKey } from '../storage/database.ts';
import type { Table } from '../storage/table.ts';

/** `a.[b c].d` taken apart; undefined when it is no name. */
export function splitName(text: string): string[] | undefined {
  const parts: string[] = [];
  let rest = text.trim();
  for (;;) {
    const part = /^(?:\[((?:[^\]]|\]\])*)\]|"((?:[^"]|"")*)"|([^.[\]"]*))\s*/.exec(rest);
    if (!part) return undefined;
    if (part[1] !== undefined) parts.push(part[1].replaceAll(']]', ']'));
    else if (part[2] !== undefined) parts.push(part[2].replaceAll('""', '"'));
    else parts.push(part[3]!.trim());
    rest = rest.slice(part[0].length).trimStart();
    if (rest === '') return parts.length <= 4 ? parts : undefined;
    if (!rest.startsWith('.')) return undefined;
    rest = rest.slice(1).trimStart();
  }
}

export function objectNameOf(text: string): ObjectName | undefined {
  const parts = splitName(text);
  const name = parts?.at(-1);
  if (!parts || name === undefined || name === '' || parts.length > 3) return undefined;
  return { line: 0, database: parts.at(-3) || undefined, schema: parts.at(-2) || undefined, name };
}

export type Found = {
  readonly id: number;
  readonly schema: string;
  readonly name: string;
  /** As in sys.objects: U, V, PK, UQ, F, C, D, SO. */
  readonly type: string;
  readonly database: Database;
  readonly table: Table | undefined;
  /** The object that it is part of; itself for tables. */
  readonly owner: { readonly id: number; readonly schema: string };
};

/** All objects of a database that the session may see. */
export function* objectsOf(session: Session, database: Database): Iterable<Found> {
  for (const table of database.tables.values()) {
    if (!session.access.sees(database, table)) continue;
    session.instance.locks.checkDefinition(session.owner, table);
    const base = { schema: table.schema, database, table, owner: table };
    yield { ...base, id: table.id, name: table.name, type: 'U' };
    for (const index of table.indexes) {
      if (index.objectId === undefined) continue;
      yield {
        ...base,
        id: index.objectId,
        name: index.name,
        type: index.kind === 'primary key' ? 'PK' : 'UQ',
      };
    }
    for (const key of table.foreignKeys) yield { ...base, id: key.objectId, name: key.name, type: 'F' };
    for (const check of table.checks) yield { ...base, id: check.objectId, name: check.name, type: 'C' };
    for (const column of table.columns) {
      if (column.default)
        yield { ...base, id: column.default.objectId, name: column.default.name, type: 'D' };
    }
  }
  for (const view of database.views.values()) {
    if (session.access.sees(database, view)) {
      yield { ...view, type: 'V', database, table: undefined, owner: view };
    }
  }
  for (const one of database.sequences.values()) {
    if (session.access.sees(database, one)) {
      yield { ...one, type: 'SO', database, table: undefined, owner: one };
    }
  }
}

export function findObject(session: Session, name: string): Found | undefined {
  const parsed = objectNameOf(name);
  if (!parsed) return undefined;
  if (parsed.name.startsWith('#')) {
    const table = session.temporary.get(parsed.name.toLowerCase());
    return (
      table && {
        id: table.id,
        schema: 'dbo',
        name: table.name,
        type: 'U',
        database: session.currentDatabase,
        table,
        owner: table,
      }
    );
  }
  const database = parsed.database ? session.instance.database(parsed.database) : session.currentDatabase;
  if (!database || !session.access.mayUse(database)) return undefined;
  const schemas = parsed.schema ? [parsed.schema] : [session.access.defaultSchema(database), 'dbo'];
  for (const schema of schemas) {
    const table = database.tables.get(objectKey(schema, parsed.name));
    if (table) {
      if (!session.access.sees(database, table)) return undefined;
      session.instance.locks.checkDefinition(session.owner, table);
      return {
        id: table.id,
        schema: table.schema,
        name: table.name,
        type: 'U',
        database,
        table,
        owner: table,
      };
    }
    for (const found of objectsOf(session, database)) {
      if (
        found.schema.toLowerCase() === schema.toLowerCase() &&
        found.name.toLowerCase() === parsed.name.toLowerCase()
      )
        return found;
    }
  }
  return undefined;
}

export function findObjectById(session: Session, id: number, database: Database): Found | undefined {
  for (const table of session.temporary.values()) {
    if (table.id === id)
      return { id, schema: 'dbo', name: table.name, type: 'U', database, table, owner: table };
  }
  for (const found of objectsOf(session, database)) if (found.id === id) return found;
  return undefined;
}
