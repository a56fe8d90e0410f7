/**
 * The merge of two lists of changesets that start from the same state (spec/merge-rules.md §2): afterwards the local
 * ones followed by the transformed incoming ones give the same state as the incoming ones followed by the
 * transformed local ones. Pure; server and clients both call it.
 */
import type { Changeset, Instruction } from '../changeset/instruction.ts';
import { conflictGroups } from './conflict-groups.ts';
import { Operand } from './operand.ts';
import { mergePair } from './pair-rules.ts';
import type { OriginStamp } from './stamp.ts';

export type StampedChangeset = OriginStamp & { readonly changeset: Changeset };

/** `changed` is false when the changeset is the very one that was passed in. */
export type TransformedChangeset = { readonly changeset: Changeset; readonly changed: boolean };

export type Transformation = {
  /** In the order of the arguments, one for each. */
  readonly local: readonly TransformedChangeset[];
  readonly incoming: readonly TransformedChangeset[];
  /** How many pairs of instructions were compared; the cost of the merge. */
  readonly visitedPairs: number;
};

/** Throws `TransformError` when the lists cannot have a common past. Neither argument is changed. */
export function transform(
  local: readonly StampedChangeset[],
  incoming: readonly StampedChangeset[],
): Transformation {
  const localOperands = local.map(operandsOf);
  const incomingOperands = incoming.map(operandsOf);
  const groupOf = conflictGroups([...local, ...incoming].map(({ changeset }) => changeset.instructions));
  const groups = Map.groupBy(incomingOperands.flat(), (operand) => groupOf(operand.original));
  const merge = new GroupMerge();
  for (const operands of localOperands) {
    for (const operand of operands) {
      const group = groups.get(groupOf(operand.original));
      if (group !== undefined) merge.meet(operand, group, 0);
    }
  }
  return {
    local: local.map(({ changeset }, i) => resultOf(changeset, localOperands[i]!)),
    incoming: incoming.map(({ changeset }, i) => resultOf(changeset, incomingOperands[i]!)),
    visitedPairs: merge.visitedPairs,
  };
}

class GroupMerge {
  visitedPairs = 0;

  /** Lets one local instruction meet the incoming ones from `start` on, in order, until it is discarded. */
  meet(local: Operand, incoming: Operand[], start: number): void {
    for (let i = start; i < incoming.length && local.instruction !== undefined; i++) {
      const other = incoming[i]!;
      if (other.instruction === undefined) continue;
      const localPrepended = local.prepended?.length ?? 0;
      const incomingPrepended = other.prepended?.length ?? 0;
      this.visitedPairs += 1;
      mergePair(local, other);
      const newLocal = local.prepended?.[localPrepended];
      // It stands before `local`, which has met everything up to `i`, the cause of the prepending included.
      if (newLocal !== undefined) this.meet(newLocal, incoming, i + 1);
      const newIncoming = other.prepended?.[incomingPrepended];
      if (newIncoming !== undefined) {
        // Later local instructions meet it, this one does not.
        incoming.splice(i, 0, newIncoming);
        i += 1;
      }
    }
  }
}

function operandsOf(stamped: StampedChangeset): Operand[] {
  return stamped.changeset.instructions.map((instruction) => new Operand(instruction, stamped));
}

function resultOf(changeset: Changeset, operands: readonly Operand[]): TransformedChangeset {
  const changed = operands.some(
    (operand) => operand.instruction !== operand.original || operand.prepended !== undefined,
  );
  if (!changed) return { changeset, changed };
  const instructions: Instruction[] = [];
  for (const operand of operands) {
    for (const before of operand.prepended ?? []) {
      if (before.instruction !== undefined) instructions.push(before.instruction);
    }
    if (operand.instruction !== undefined) instructions.push(operand.instruction);
  }
  return { changeset: { strings: changeset.strings, instructions }, changed };
}
