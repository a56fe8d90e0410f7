/**
 * What a client without write access may still upload. An SDK that opens a realm writes its schema locally before
 * anything was downloaded, so that even a pure reader has a changeset to upload: one that changes nothing, when the
 * realm has those classes and properties already.
 */
import { decodeChangeset } from '../../changeset/codec.ts';
import type { AddColumn, AddTable, Instruction } from '../../changeset/instruction.ts';
import type { RealmSchema } from '../../schema/definition.ts';
import type { UploadEntry } from '../../store/server/contract.ts';

/** Whether the changesets only state what the schema says already. Throws `BadChangesetError`. */
export function changesNothing(entries: readonly UploadEntry[], schema: RealmSchema): boolean {
  return entries.every(({ changeset }) =>
    decodeChangeset(changeset).instructions.every((instruction) => isKnown(instruction, schema)),
  );
}

export function isKnown(instruction: Instruction, schema: RealmSchema): boolean {
  switch (instruction.op) {
    case 'AddTable':
      return isKnownClass(instruction, schema);
    case 'AddColumn':
      return isKnownColumn(instruction, schema);
    default:
      return false;
  }
}

function isKnownClass({ table, kind, primaryKey }: AddTable, schema: RealmSchema): boolean {
  const known = schema.get(table);
  return (
    known?.kind === kind &&
    known.primaryKey?.field === primaryKey?.field &&
    known.primaryKey?.type === primaryKey?.type &&
    known.primaryKey?.nullable === primaryKey?.nullable
  );
}

function isKnownColumn({ table, field, column }: AddColumn, schema: RealmSchema): boolean {
  const known = schema.get(table)?.columns.get(field);
  return (
    known?.type === column.type &&
    known.nullable === column.nullable &&
    known.collection === column.collection &&
    known.linkTarget === column.linkTarget
  );
}
