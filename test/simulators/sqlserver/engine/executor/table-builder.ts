/** Builds tables and columns from their definitions. */
import { SqlFailure } from '../../contract.ts';
import type { ColumnDefinition, IndexDefinition, KeyColumn, TableConstraint } from '../../sql/ast.ts';
import { compileExpression } from '../../sql/expressions/compile.ts';
import { collation } from '../../sql/types/collation.ts';
import { resolveTypeName } from '../../sql/types/type-names.ts';
import type { Session } from '../session/session.ts';
import type { Database } from '../storage/database.ts';
import type { Column } from '../storage/definition.ts';
import { Table } from '../storage/table.ts';
import { addConstraint } from './constraint-builder.ts';
import { addIndex } from './index-builder.ts';
import { rowScope } from './table-expressions.ts';

export type TableSpecification = {
  readonly schema: string;
  readonly name: string;
  readonly columns: readonly ColumnDefinition[];
  readonly constraints: readonly TableConstraint[];
  readonly indexes: readonly IndexDefinition[];
  readonly temporary: boolean;
};

/** A new table that is not yet in its database. */
export function buildTable(session: Session, database: Database, spec: TableSpecification): Table {
  const now = new Date(session.statementTime);
  const table = new Table(database.takeObjectId(), spec.schema, spec.name, now, spec.temporary);
  session.instance.belongs(table, database);
  for (const definition of spec.columns)
    table.columns.push(buildColumn(session, database, table, definition));
  // A key makes its columns NOT NULL before anything else looks at them.
  const all = [...spec.constraints, ...spec.columns.flatMap((one) => one.constraints)];
  const nullable = new Set(
    spec.columns.filter((one) => one.nullable === true).map((one) => one.name.toLowerCase()),
  );
  for (const { body, line } of all) {
    if (body.kind === 'primaryKey') requireKeyColumns(table, body.columns, nullable, line);
  }
  const first = [...all].sort((a, b) => rank(a) - rank(b));
  for (const constraint of first) addConstraint(session, database, table, constraint, true);
  for (const index of spec.indexes) addIndex(session, database, table, index);
  return table;
}

function rank({ body }: TableConstraint): number {
  return ['primaryKey', 'unique', 'default', 'check', 'foreignKey'].indexOf(body.kind);
}

function requireKeyColumns(
  table: Table,
  columns: readonly KeyColumn[],
  nullable: ReadonlySet<string>,
  line: number,
): void {
  for (const { name } of columns) {
    const column = table.column(name);
    if (!column) continue;
    if (nullable.has(name.toLowerCase())) {
      throw new SqlFailure(
        8111,
        `Cannot define PRIMARY KEY constraint on nullable column in table '${table.name}'.`,
        { line },
      );
    }
    column.nullable = false;
  }
}

export function buildColumn(
  session: Session,
  database: Database,
  table: Table,
  definition: ColumnDefinition,
): Column {
  const { name, line } = definition;
  if (table.column(name)) {
    throw new SqlFailure(
      2705,
      `Column names in each table must be unique. Column name '${name}' in table '${table.name}' is specified more than once.`,
      { line, state: 3 },
    );
  }
  if (definition.collation) collation(definition.collation);
  const computed = definition.computed && {
    text: `(${definition.computed.text})`,
    persisted: definition.computed.persisted,
  };
  const compiled =
    definition.computed && compileExpression(definition.computed.expression, rowScope(session, table));
  const type = compiled ? compiled.type : resolveTypeName(definition.type!, 'column');
  const isText = /char$|text$/.test(type.kind);
  const column: Column = {
    id: table.nextColumnId++,
    name,
    type,
    nullable: compiled
      ? compiled.nullable && definition.nullable !== false
      : (definition.nullable ?? (definition.identity === undefined && type.kind !== 'rowversion')),
    collation: isText ? (definition.collation ?? database.collation) : undefined,
    slot: table.nextSlot++,
    identity: undefined,
    default: undefined,
    computed,
    rowGuid: definition.rowGuid,
  };
  if (type.kind === 'rowversion' && table.columns.some((one) => one.type.kind === 'rowversion')) {
    throw new SqlFailure(
      2738,
      `A table can only have one timestamp column. Because table '${table.name}' already has one, the column '${name}' cannot be added.`,
      { line },
    );
  }
  if (definition.identity) setIdentity(table, column, definition);
  return column;
}

function setIdentity(table: Table, column: Column, definition: ColumnDefinition): void {
  const { name, line } = definition;
  const kinds = ['tinyint', 'smallint', 'int', 'bigint'];
  const exact =
    kinds.includes(column.type.kind) || (column.type.kind === 'decimal' && column.type.scale === 0);
  if (!exact || definition.nullable === true) {
    throw new SqlFailure(
      2749,
      `Identity column '${name}' must be of data type int, bigint, smallint, tinyint, or decimal or numeric with a scale of 0, unencrypted, and constrained to be nonnullable.`,
      { line, state: 2 },
    );
  }
  if (table.identityColumn) {
    throw new SqlFailure(
      2744,
      `Multiple identity columns specified for table '${table.name}'. Only one identity column per table is allowed.`,
      { line, state: 2 },
    );
  }
  column.nullable = false;
  column.identity = { ...definition.identity!, last: undefined };
}
