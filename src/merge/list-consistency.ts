/** The checks that two list instructions must pass before their indexes may be compared (spec/merge-rules.md §6). */
import type { ArrayErase, ArrayInsert, ArrayMove, Update } from '../changeset/instruction.ts';
import { TransformError } from './transform-error.ts';

type ListInstruction = Update | ArrayInsert | ArrayErase | ArrayMove;

/** The index that the instruction's path ends in; it must be below `end`. */
export function requireIndex(instruction: ListInstruction, end: number): number {
  const index = instruction.path.at(-1);
  if (typeof index !== 'number' || index < 0 || index >= end) {
    throw new TransformError('list index out of range', instruction, instruction);
  }
  return index;
}

export function requireSameSize(a: ListInstruction, b: ListInstruction): void {
  if (a.priorSize !== b.priorSize) throw new TransformError('prior_size differs', a, b);
}
