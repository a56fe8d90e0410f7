/** Builds tables, columns, constraints and indexes from their definitions. */
import { SqlFailure } from '../../contract.ts';
import type { ColumnDefinition, IndexDefinition, KeyColumn, TableConstraint } from '../../sql/ast.ts';
import { compileCondition, compileExpression } from '../../sql/expressions/compile.ts';
import { collation } from '../../sql/types/collation.ts';
import { resolveTypeName } from '../../sql/types/type-names.ts';
import type { Session } from '../session/session.ts';
import type { Database } from '../storage/database.ts';
import type { Check, Column, ForeignKey, Index, ReferentialAction } from '../storage/definition.ts';
import { Table } from '../storage/table.ts';
import { compileFilter, rowScope } from './table-expressions.ts';

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

/** The name that the server gives to a constraint without one. */
function systemName(prefix: string, parts: readonly string[], objectId: number): string {
  const middle = parts.map((part) => part.slice(0, parts.length > 1 ? 9 : 19)).join('__');
  const suffix = objectId.toString(16).toUpperCase().padStart(8, '0');
  return `${prefix}__${middle}__${suffix}`.slice(0, 128);
}

export function requireColumn(table: Table, name: string, line: number): Column {
  const column = table.column(name);
  if (!column) {
    throw new SqlFailure(1911, `Column name '${name}' does not exist in the target table or view.`, { line });
  }
  return column;
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

const actions: Readonly<Record<string, ReferentialAction>> = {
  noAction: 'no action',
  cascade: 'cascade',
  setNull: 'set null',
  setDefault: 'set default',
};

function buildForeignKey(
  session: Session,
  table: Table,
  body: Extract<TableConstraint['body'], { readonly kind: 'foreignKey' }>,
  line: number,
  name: string,
  objectId: number,
  systemNamed: boolean,
  check: boolean,
): ForeignKey {
  if (table.temporary)
    throw new SqlFailure(1766, 'Foreign keys are not allowed on temporary tables.', { line });
  const self =
    body.table.name.toLowerCase() === table.name.toLowerCase() &&
    (body.table.schema ?? table.schema).toLowerCase() === table.schema.toLowerCase();
  const parent = self ? table : session.findTable(body.table);
  if (!parent) {
    throw new SqlFailure(1767, `Foreign key '${name}' references invalid table '${fullName(body.table)}'.`, {
      line,
      state: 0,
    });
  }
  if (parent !== table) session.checkPermission('REFERENCES', parent, undefined, line);
  const columns = body.columns.map((one) => foreignColumn(table, one, name, 1769, 'referencing', line));
  const referenced = body.references
    ? body.references.map((one) => foreignColumn(parent, one, name, 1770, 'referenced', line))
    : (parent.primaryKey?.columns.map(({ column }) => column) ?? []);
  if (columns.length !== referenced.length) {
    throw new SqlFailure(
      8139,
      `Number of referencing columns in foreign key differs from number of referenced columns, table '${table.name}'.`,
      { line },
    );
  }
  const unique = parent.indexes.some(
    (index) =>
      index.unique &&
      index.filter === undefined &&
      index.columns.length === referenced.length &&
      index.columns.every(({ column }) => referenced.includes(column)),
  );
  if (!unique) {
    throw new SqlFailure(
      1776,
      `There are no primary or candidate keys in the referenced table '${fullName(body.table)}' that match the referencing column list in the foreign key '${name}'.`,
      { line, state: 0 },
    );
  }
  for (const [at, column] of columns.entries()) {
    const other = referenced[at]!;
    if (column.type.kind !== other.type.kind) {
      throw new SqlFailure(
        1778,
        `Column '${parent.name}.${other.name}' is not the same data type as referencing column '${table.name}.${column.name}' in foreign key '${name}'.`,
        { line, state: 0 },
      );
    }
  }
  return {
    objectId,
    name,
    columns,
    referencedTable: parent.id,
    referencedColumns: referenced,
    onDelete: actions[body.onDelete]!,
    onUpdate: actions[body.onUpdate]!,
    disabled: false,
    trusted: check,
    systemNamed,
  };
}

function foreignColumn(
  table: Table,
  name: string,
  key: string,
  number: number,
  role: string,
  line: number,
): Column {
  const column = table.column(name);
  if (!column) {
    throw new SqlFailure(
      number,
      `Foreign key '${key}' references invalid column '${name}' in ${role} table '${table.name}'.`,
      { line },
    );
  }
  return column;
}

function fullName(name: { readonly schema: string | undefined; readonly name: string }): string {
  return name.schema ? `${name.schema}.${name.name}` : name.name;
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

function requireIndexable(table: Table, column: Column, line: number): void {
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

function nextIndexId(table: Table): number {
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
    filter: definition.filter && `(${definition.filter.text})`,
    systemNamed: false,
  };
  table.indexes.push(index);
  table.buildIndex(
    index,
    index.filter === undefined ? undefined : compileFilter(session, table, index.filter),
  );
  return index;
}
