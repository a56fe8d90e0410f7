/** Builds foreign keys from their definitions. */
import { SqlFailure } from '../../contract.ts';
import type { TableConstraint } from '../../sql/ast.ts';
import type { Session } from '../session/session.ts';
import type { Column, ForeignKey, ReferentialAction } from '../storage/definition.ts';
import type { Table } from '../storage/table.ts';

const actions: Readonly<Record<string, ReferentialAction>> = {
  noAction: 'no action',
  cascade: 'cascade',
  setNull: 'set null',
  setDefault: 'set default',
};

export function buildForeignKey(
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
