/** What a realm needs to take on a schema: only additions can be synced (changeset-format.md §8). */
import type { ClassDefinition, ColumnDefinition, RealmSchema } from '../schema/definition.ts';
import { SchemaError } from '../schema/schema-error.ts';
import type { AddColumn, AddTable, SchemaInstruction } from './instruction.ts';

const REMEDY = 'keep the definition as it is and use a new name, or start a new realm with the new schema';

/**
 * The instructions that add to `current` what `wanted` has more, in the order of the reference: all new classes, then
 * the columns class by class, both in the order of `wanted`. Throws the first of {@link schemaConflicts}, if any.
 */
export function schemaInstructions(current: RealmSchema, wanted: RealmSchema): SchemaInstruction[] {
  const [conflict] = schemaConflicts(current, wanted);
  if (conflict !== undefined) throw conflict;
  const tables: AddTable[] = [];
  const columns: AddColumn[] = [];
  for (const { name: table, kind, primaryKey, columns: wantedColumns } of wanted.values()) {
    const existing = current.get(table);
    if (existing === undefined) {
      tables.push({ op: 'AddTable', table, kind, ...(primaryKey === undefined ? {} : { primaryKey }) });
    }
    for (const [field, column] of wantedColumns) {
      if (!existing?.columns.has(field)) columns.push({ op: 'AddColumn', table, field, column });
    }
  }
  return [...tables, ...columns];
}

/** Everything in `wanted` that contradicts `current`. What `current` has more is no contradiction. */
export function schemaConflicts(current: RealmSchema, wanted: RealmSchema): SchemaError[] {
  const conflicts: SchemaError[] = [];
  for (const definition of wanted.values()) {
    const existing = current.get(definition.name);
    if (existing !== undefined) conflicts.push(...classConflicts(existing, definition));
  }
  return conflicts;
}

function classConflicts(existing: ClassDefinition, wanted: ClassDefinition): SchemaError[] {
  const className = existing.name;
  if (existing.kind !== wanted.kind) {
    return [
      new SchemaError(
        { className },
        `is ${existing.kind} in the realm and cannot become ${wanted.kind}`,
        REMEDY,
      ),
    ];
  }
  const conflicts: SchemaError[] = [];
  const [was, is] = [keyText(existing), keyText(wanted)];
  if (was !== is) {
    conflicts.push(
      new SchemaError(
        { className },
        `its primary key is ${was} in the realm and cannot become ${is}`,
        REMEDY,
      ),
    );
  }
  for (const [property, column] of wanted.columns) {
    const stored = existing.columns.get(property);
    if (stored === undefined) continue;
    const [before, after] = [columnText(stored), columnText(column)];
    if (before === after) continue;
    conflicts.push(
      new SchemaError(
        { className, property },
        `is ${before} in the realm and cannot become ${after}`,
        REMEDY,
      ),
    );
  }
  return conflicts;
}

function keyText({ primaryKey }: ClassDefinition): string {
  if (primaryKey === undefined || primaryKey.type === 'globalKey') return 'none';
  return `${primaryKey.field} (${primaryKey.type}${primaryKey.nullable ? '?' : ''})`;
}

function columnText({ type, nullable, collection, linkTarget }: ColumnDefinition): string {
  const element = type === 'link' ? `link to ${linkTarget}` : type;
  // Nullability of links and mixed follows from the collection.
  const optional = nullable && type !== 'link' && type !== 'mixed';
  const text = optional
    ? `optional ${element}`
    : type === 'link' || type === 'mixed'
      ? element
      : `required ${element}`;
  return collection === 'single' ? `a ${text}` : `a ${collection} of ${text}`;
}
