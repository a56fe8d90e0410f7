import type { Instruction } from '../changeset/instruction.ts';
import type { OriginStamp } from './stamp.ts';

/**
 * One instruction while it is being merged. Rules replace the instruction; they never change the object that the
 * caller passed in, so an operand that ends with its original instruction is unchanged.
 */
export class Operand {
  readonly original: Instruction;
  readonly stamp: OriginStamp;
  /** `undefined` once discarded: it has disappeared for this and all later steps. */
  instruction: Instruction | undefined;
  /** Operands that a rule placed directly before this one, in order. */
  prepended: Operand[] | undefined;

  constructor(instruction: Instruction, stamp: OriginStamp) {
    this.original = instruction;
    this.instruction = instruction;
    this.stamp = stamp;
  }

  discard(): void {
    this.instruction = undefined;
  }

  /** Places a new instruction, made by the merge itself, directly before this one. */
  prepend(instruction: Instruction): void {
    const operand = new Operand(instruction, this.stamp);
    if (this.prepended === undefined) this.prepended = [operand];
    else this.prepended.push(operand);
  }
}
