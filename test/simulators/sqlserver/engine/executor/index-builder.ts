/** Builds indexes from their definitions. */
import { SqlFailure } from '../../contract.ts';
import type { IndexDefinition } from '../../sql/ast.ts';
import type { Session } from '../session/session.ts';
import type { Database } from '../storage/database.ts';
import type { Column, Index } from '../storage/definition.ts';
import type { Table } from '../storage/table.ts';
import { compileFilter } from './table-expressions.ts';

export function requireColumn(table: Table, name: string, line: number): Column {
  const column = table.column(name);
  if (!column) {
    throw new SqlFailure(1911, `Column name '${name}' does not exist in the target table or view.`, { line });
  }
  return column;
}

export function requireIndexable(table: Table, column: Column, line: number): void {
  const { type } = column;
  const large = 'length' in type && type.length === 'max';
  if (large || ['text', 'ntext', 'image', 'xml'].includes(type.kind)) {
    throw new SqlFailure(
      1919,
      `Column '${column.name}' in table '${table.name}' is of a type that is invalid for use as a key column in an index.`,
      { line },
    );
  }
}

export function nextIndexId(table: Table): number {
  return Math.max(1, ...table.indexes.map((one) => one.id)) + 1;
}

export function addIndex(
  session: Session,
  _database: Database,
  table: Table,
  definition: IndexDefinition,
): Index {
  const { line, name } = definition;
  if (table.index(name)) {
    throw new SqlFailure(
      1913,
      `The operation failed because an index or statistics with name '${name}' already exists on table '${table.name}'.`,
      { line },
    );
  }
  if (definition.clustered && table.indexes.some((one) => one.clustered)) {
    throw new SqlFailure(
      1902,
      `Cannot create more than one clustered index on table '${table.name}'. Drop the existing clustered index '${table.indexes.find((one) => one.clustered)!.name}' before creating another.`,
      { line, state: 3 },
    );
  }
  const columns = definition.columns.map((one) => {
    const column = requireColumn(table, one.name, line);
    requireIndexable(table, column, line);
    return { column, descending: one.descending };
  });
  const index: Index = {
    id: definition.clustered ? 1 : nextIndexId(table),
    name,
    kind: 'index',
    objectId: undefined,
    unique: definition.unique,
    clustered: definition.clustered,
    columns,
    included: definition.included.map((one) => requireColumn(table, one, line)),
    filter: definition.filter && filterText(definition.filter, table),
    systemNamed: false,
  };
  table.indexes.push(index);
  table.buildIndex(
    index,
    index.filter === undefined ? undefined : compileFilter(session, table, index.filter),
  );
  return index;
}

/** As the catalog shows it; conditions of several parts are shown as they were written. */
function filterText({ condition, text }: NonNullable<IndexDefinition['filter']>, table: Table): string {
  if (condition.kind !== 'isNull' || condition.operand.kind !== 'column') return `(${text})`;
  const { name } = requireColumn(table, condition.operand.parts.at(-1) ?? '', condition.line);
  return `([${name.replaceAll(']', ']]')}] IS ${condition.negated ? 'NOT ' : ''}NULL)`;
}
