/** Applies the instructions that change the schema (spec/merge-rules.md §9.2). */
import type {
  AddColumn,
  AddTable,
  EraseColumn,
  EraseTable,
  SchemaInstruction,
} from '../../changeset/instruction.ts';
import type { ClassDefinition, ColumnDefinition } from '../../schema/definition.ts';
import { applyError } from './apply-error.ts';
import type { StateView } from './view.ts';

/** Limits of the clients' storage in bytes (spec/changeset-format.md §6): longer names could never be applied there. */
const MAX_CLASS_NAME = 57;
const MAX_FIELD_NAME = 63;

/** Throws `BadChangesetError` when the schema does not admit the instruction. */
export function applySchemaInstruction(view: StateView, instruction: SchemaInstruction): void {
  switch (instruction.op) {
    case 'AddTable':
      addTable(view, instruction);
      return;
    case 'EraseTable':
      eraseTable(view, instruction);
      return;
    case 'AddColumn':
      addColumn(view, instruction);
      return;
    case 'EraseColumn':
      eraseColumn(view, instruction);
      return;
  }
}

function addTable(view: StateView, instruction: AddTable): void {
  const { table, kind, primaryKey } = instruction;
  const existing = view.schema.get(table);
  if (existing !== undefined) {
    const old = existing.primaryKey;
    const same =
      existing.kind === kind &&
      old?.field === primaryKey?.field &&
      old?.type === primaryKey?.type &&
      old?.nullable === primaryKey?.nullable;
    if (!same) throw applyError(instruction, 'the class exists with another definition');
    return;
  }
  if (Buffer.byteLength(table) > MAX_CLASS_NAME) throw applyError(instruction, 'the class name is too long');
  if ((kind === 'embedded') !== (primaryKey === undefined)) {
    throw applyError(instruction, 'exactly the embedded classes have no primary key');
  }
  const columns = new Map<string, ColumnDefinition>();
  view.addClass(
    primaryKey === undefined ? { name: table, kind, columns } : { name: table, kind, primaryKey, columns },
  );
}

function eraseTable(view: StateView, instruction: EraseTable): void {
  const { table } = instruction;
  if (!view.schema.has(table)) throw applyError(instruction, 'there is no such class');
  // The merge erases such columns first (spec/merge-rules.md §5); the clients' storage refuses what is left over.
  for (const { name, columns } of view.schema.values()) {
    if (name === table) continue;
    for (const [field, { linkTarget }] of columns) {
      if (linkTarget === table) throw applyError(instruction, `${name}.${field} still links to it`);
    }
  }
  view.eraseClass(table);
}

function addColumn(view: StateView, instruction: AddColumn): void {
  const { table, field, column } = instruction;
  const definition = view.schema.get(table);
  if (definition === undefined) throw applyError(instruction, 'there is no such class');
  const existing = definition.columns.get(field) ?? keyColumn(definition, field);
  if (existing !== undefined) {
    // Nullability is not compared (spec/merge-rules.md §9.2).
    const same =
      existing.type === column.type &&
      existing.collection === column.collection &&
      existing.linkTarget === column.linkTarget;
    if (!same) throw applyError(instruction, 'the field exists with another type');
    return;
  }
  if (Buffer.byteLength(field) > MAX_FIELD_NAME) throw applyError(instruction, 'the field name is too long');
  if ((column.type === 'link') !== (column.linkTarget !== undefined)) {
    throw applyError(instruction, 'exactly the links have a target class');
  }
  if (column.linkTarget !== undefined && column.linkTarget !== '') {
    const target = view.schema.get(column.linkTarget);
    if (target === undefined) throw applyError(instruction, `there is no class ${column.linkTarget}`);
    if (target.kind === 'embedded' && column.collection === 'set') {
      throw applyError(instruction, 'a set cannot hold embedded objects');
    }
  }
  view.addColumn(table, field, column);
}

function eraseColumn(view: StateView, instruction: EraseColumn): void {
  const { table, field } = instruction;
  if (!view.schema.get(table)?.columns.has(field)) throw applyError(instruction, 'there is no such field');
  view.eraseColumn(table, field);
}

function keyColumn({ primaryKey }: ClassDefinition, field: string): ColumnDefinition | undefined {
  if (primaryKey === undefined || primaryKey.type === 'globalKey' || primaryKey.field !== field)
    return undefined;
  return { type: primaryKey.type, nullable: primaryKey.nullable, collection: 'single' };
}
