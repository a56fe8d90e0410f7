import { BadChangesetError } from '../../changeset/bad-changeset-error.ts';
import type { Instruction } from '../../changeset/instruction.ts';
import { keyToken } from '../../schema/value.ts';

/** Keys and paths can be long; a message is for reading. */
const MAX_PLACE_LENGTH = 200;

/** The error of an instruction that the state does not admit; names class, key and field. */
export function applyError(instruction: Instruction, reason: string): BadChangesetError {
  return new BadChangesetError(`Bad changeset: ${instruction.op} on ${placeOf(instruction)}: ${reason}`);
}

function placeOf(instruction: Instruction): string {
  let place = instruction.table;
  if ('key' in instruction) place += `[${keyToken(instruction.key)}]`;
  if ('field' in instruction) place += `.${instruction.field}`;
  if ('path' in instruction) for (const step of instruction.path) place += `[${JSON.stringify(step)}]`;
  return place.length > MAX_PLACE_LENGTH ? `${place.slice(0, MAX_PLACE_LENGTH)}…` : place;
}
