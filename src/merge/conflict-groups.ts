/**
 * Which incoming instructions a local one has to meet. No rule relates instructions on different objects, or a new
 * class or column to an object, so it is enough to meet those of the same group; all other pairs are no-ops. (The
 * reference joins linked objects into one group, spec/merge-rules.md §2.1; no rule needs that, and an object that
 * everything links to would make the merge quadratic.)
 */
import type { Instruction } from '../changeset/instruction.ts';
import { keyToken } from '../schema/value.ts';

/** Names the group of an instruction; two instructions can only interact when their groups are equal. */
export type Grouping = (instruction: Instruction) => string;

/** The group of everything that an erased class or column can touch. No class can have this name. */
const ERASED = '\u0000erased';

/** Chooses the groups for changesets that are to be merged with one another. */
export function conflictGroups(changesets: readonly (readonly Instruction[])[]): Grouping {
  const affected = tablesWithErasures(changesets);
  return (instruction) => {
    if (affected.has(instruction.table)) return ERASED;
    if ('key' in instruction) return `${instruction.table}\u0000${keyToken(instruction.key)}`;
    return instruction.table;
  };
}

/**
 * Classes that lose a column or are erased, and classes that get a link column to an erased one: the merge may make
 * an EraseColumn for that column (spec/merge-rules.md §5).
 */
function tablesWithErasures(changesets: readonly (readonly Instruction[])[]): ReadonlySet<string> {
  const erased = new Set<string>();
  const affected = new Set<string>();
  for (const instructions of changesets) {
    for (const instruction of instructions) {
      if (instruction.op === 'EraseTable') erased.add(instruction.table);
      if (instruction.op === 'EraseTable' || instruction.op === 'EraseColumn')
        affected.add(instruction.table);
    }
  }
  if (erased.size === 0) return affected;
  for (const instructions of changesets) {
    for (const instruction of instructions) {
      if (instruction.op !== 'AddColumn') continue;
      const target = instruction.column.linkTarget;
      if (target !== undefined && erased.has(target)) affected.add(instruction.table);
    }
  }
  return affected;
}
