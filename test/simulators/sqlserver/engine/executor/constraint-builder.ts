/** Builds constraints from their definitions. */
import { SqlFailure } from '../../contract.ts';
import type { TableConstraint } from '../../sql/ast.ts';
import { compileCondition } from '../../sql/expressions/compile.ts';
import type { Session } from '../session/session.ts';
import type { Database } from '../storage/database.ts';
import type { Check, Column, ForeignKey, Index } from '../storage/definition.ts';
import type { Table } from '../storage/table.ts';
import { buildForeignKey } from './foreign-key-builder.ts';
import { nextIndexId, requireColumn, requireIndexable } from './index-builder.ts';
import { rowScope } from './table-expressions.ts';

/** The name that the server gives to a constraint without one. */
function systemName(prefix: string, parts: readonly string[], objectId: number): string {
  const middle = parts.map((part) => part.slice(0, parts.length > 1 ? 9 : 19)).join('__');
  const suffix = objectId.toString(16).toUpperCase().padStart(8, '0');
  return `${prefix}__${middle}__${suffix}`.slice(0, 128);
}

/** Adds a constraint to the table's definition. Rows that are there are not looked at. */
export function addConstraint(
  session: Session,
  database: Database,
  table: Table,
  constraint: TableConstraint,
  check: boolean,
): Index | ForeignKey | Check | Column {
  const { body, line } = constraint;
  const objectId = database.takeObjectId();
  const systemNamed = constraint.name === undefined;
  const named = (prefix: string, ...parts: readonly string[]) => {
    const name = constraint.name ?? systemName(prefix, parts, objectId);
    if (!table.temporary) requireNewName(database, table, name, line);
    return name;
  };
  switch (body.kind) {
    case 'primaryKey':
    case 'unique': {
      const primary = body.kind === 'primaryKey';
      if (primary && table.primaryKey) {
        throw new SqlFailure(1779, `Table '${table.name}' already has a primary key defined on it.`, {
          line,
          state: 0,
        });
      }
      const clusteredTaken = table.indexes.some((one) => one.clustered);
      const clustered = body.clustered ?? (primary && !clusteredTaken);
      if (clustered && clusteredTaken) {
        throw new SqlFailure(
          1902,
          `Cannot create more than one clustered index on table '${table.name}'. Drop the existing clustered index '${table.indexes.find((one) => one.clustered)!.name}' before creating another.`,
          { line, state: 3 },
        );
      }
      const columns = body.columns.map((one) => ({
        column: requireColumn(table, one.name, line),
        descending: one.descending,
      }));
      const nullable = columns.find(({ column }) => column.nullable);
      if (primary && nullable) {
        throw new SqlFailure(
          8111,
          `Cannot define PRIMARY KEY constraint on nullable column in table '${table.name}'.`,
          { line },
        );
      }
      for (const { column } of columns) requireIndexable(table, column, line);
      const index: Index = {
        id: clustered ? 1 : nextIndexId(table),
        name: named(primary ? 'PK' : 'UQ', table.name),
        kind: primary ? 'primary key' : 'unique constraint',
        objectId,
        unique: true,
        clustered,
        columns,
        included: [],
        filter: undefined,
        systemNamed,
      };
      table.indexes.push(index);
      table.buildIndex(index, undefined);
      return index;
    }
    case 'check': {
      compileCondition(body.condition, rowScope(session, table));
      const one: Check = {
        objectId,
        name: named('CK', table.name),
        text: `(${body.text})`,
        column: body.column === undefined ? undefined : requireColumn(table, body.column, line),
        disabled: false,
        systemNamed,
      };
      table.checks.push(one);
      return one;
    }
    case 'default': {
      const column = requireColumn(table, body.column, line);
      if (column.default) {
        throw new SqlFailure(1781, 'Column already has a DEFAULT bound to it.', { line });
      }
      column.default = {
        objectId,
        name: named('DF', table.name, column.name),
        text: `(${body.text})`,
        systemNamed,
      };
      return column;
    }
    case 'foreignKey': {
      const key = buildForeignKey(
        session,
        table,
        body,
        line,
        named('FK', table.name, body.columns[0] ?? ''),
        objectId,
        systemNamed,
        check,
      );
      table.foreignKeys.push(key);
      return key;
    }
  }
}

/** 2714: names of constraints are unique in their schema. */
function requireNewName(database: Database, table: Table, name: string, line: number): void {
  const wanted = name.toLowerCase();
  const taken = [...database.tables.values(), table].some(
    (one) =>
      one.schema.toLowerCase() === table.schema.toLowerCase() &&
      (one.foreignKeys.some((key) => key.name.toLowerCase() === wanted) ||
        one.checks.some((check) => check.name.toLowerCase() === wanted) ||
        one.columns.some((column) => column.default?.name.toLowerCase() === wanted) ||
        one.indexes.some((index) => index.objectId !== undefined && index.name.toLowerCase() === wanted)),
  );
  if (taken || database.table(table.schema, name)) {
    throw new SqlFailure(2714, `There is already an object named '${name}' in the database.`, {
      line,
      state: 5,
    });
  }
}
