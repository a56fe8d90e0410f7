/** What has to be done to one generation of a realm to make it the other, in instructions. */
import type { Instruction } from '../../changeset/instruction.ts';
import { schemaInstructions } from '../../changeset/schema-difference.ts';
import type { RealmSchema } from '../../schema/definition.ts';
import type { PrimaryKey } from '../../schema/value.ts';
import { defaultValue, readField } from '../state/default-value.ts';
import type { ObjectState } from '../state/object-state.ts';
import { sameState } from '../state/same-state.ts';
import { writeField } from '../state/value-instructions.ts';
import type { ReplicaReader } from './contract.ts';

/**
 * Pieces of about `pieceSize` instructions that turn `before` into `after`: new and changed objects first, then the
 * erased ones. An object is never spread over two pieces. What only `before` has of the schema stays out.
 */
export function* generationDifference(
  before: ReplicaReader,
  after: ReplicaReader,
  pieceSize: number,
): IterableIterator<Instruction[]> {
  let piece: Instruction[] = schemaInstructions(before.schema, after.schema);
  const tables = [...after.schema.values()].filter(({ kind }) => kind === 'topLevel').map(({ name }) => name);
  for (const table of tables) {
    for (const { key, state } of after.objects(table)) {
      for (const change of changes(after.schema, table, key, before.object(table, key), state))
        piece.push(change);
      if (piece.length < pieceSize) continue;
      yield piece;
      piece = [];
    }
  }
  for (const table of tables) {
    for (const { key } of before.objects(table)) {
      if (after.object(table, key) === undefined) piece.push({ op: 'EraseObject', table, key });
      if (piece.length < pieceSize) continue;
      yield piece;
      piece = [];
    }
  }
  if (piece.length > 0) yield piece;
}

function changes(
  schema: RealmSchema,
  table: string,
  key: PrimaryKey,
  before: ObjectState | undefined,
  after: ObjectState,
): Instruction[] {
  const changed: Instruction[] = before === undefined ? [{ op: 'CreateObject', table, key }] : [];
  for (const [field, column] of schema.get(table)?.columns ?? []) {
    const was = before === undefined ? defaultValue(column) : readField(before, field, column);
    const is = readField(after, field, column);
    if (sameState(was, is)) continue;
    changed.push(...writeField(schema, { table, key, field, path: [] }, column, is));
  }
  return changed;
}
