import type { ClassDefinition, RealmSchema } from '../schema/definition.ts';
import type { PathInstruction } from './instruction.ts';

/** The class of the innermost embedded object that a path enters; `undefined` when it enters none that is known. */
export function innermostEmbeddedClass(
  schema: RealmSchema,
  { table, field, path }: PathInstruction,
): string | undefined {
  let column = schema.get(table)?.columns.get(field);
  let inside: ClassDefinition | undefined;
  let at = 0;
  while (column?.type === 'link') {
    // A list index or a dictionary key leads to the element before a field name leads into it.
    if (column.collection !== 'single') at += 1;
    const step = path[at];
    if (step === undefined) break;
    const target = schema.get(column.linkTarget ?? '');
    if (target?.kind !== 'embedded') break;
    inside = target;
    column = target.columns.get(String(step));
    at += 1;
  }
  return inside?.name;
}
