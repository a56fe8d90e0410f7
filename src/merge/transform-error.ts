import type { Instruction } from '../changeset/instruction.ts';
import { IsthmusError } from '../errors.ts';
import { keyToken } from '../schema/value.ts';

/** Two instructions that no common history can have produced (spec/merge-rules.md §7); protocol error 212. */
export class TransformError extends IsthmusError {
  readonly code = 'merge/transform';
  /** What the peers tell each other: "bad changeset" (spec/wire-protocol.md §7.1). */
  readonly protocolCode = 212;

  constructor(problem: string, left: Instruction, right: Instruction) {
    super(`cannot merge ${nameOf(left)} with ${nameOf(right)}: ${problem}`);
  }
}

function nameOf(instruction: Instruction): string {
  const parts: (string | number)[] = [instruction.table];
  if ('key' in instruction) parts.push(`[${keyToken(instruction.key)}]`);
  if ('field' in instruction) parts.push(`.${instruction.field}`);
  if ('path' in instruction) parts.push(...instruction.path.map((element) => `[${element}]`));
  return `${instruction.op} ${parts.join('')}`;
}
