/**
 * The merge for clients that see a part of a realm. What such a client writes to an object that it does not see, or that
 * it holds otherwise than the server does, may have no common past with what others wrote there (spec/merge-rules.md
 * §7). No rule relates instructions on different objects, so that these objects can be left out, and the rest merges.
 */
import type { Changeset, Instruction } from '../../changeset/instruction.ts';
import {
  type StampedChangeset,
  type Transformation,
  type TransformedChangeset,
  transform,
} from '../../merge/transform.ts';
import { TransformError } from '../../merge/transform-error.ts';
import { keyToken, type PrimaryKey } from '../../schema/value.ts';

/** Objects that were left out of a merge, and why. */
export class UnfitObjects {
  readonly #problems = new Map<string, TransformError>();

  problem(table: string, key: PrimaryKey): TransformError | undefined {
    return this.#problems.get(nameOf(table, key));
  }

  has(instruction: Instruction): boolean {
    return 'key' in instruction && this.#problems.has(nameOf(instruction.table, instruction.key));
  }

  get size(): number {
    return this.#problems.size;
  }

  add({ table, key }: ObjectName, problem: TransformError): void {
    this.#problems.set(nameOf(table, key), problem);
  }
}

type ObjectName = { readonly table: string; readonly key: PrimaryKey };

/**
 * As `transform`, without the objects in `unfit`, to which those are added that turn out not to fit. Their instructions
 * stay as they are, behind the others of their changeset. Throws `TransformError` when leaving out objects does not help.
 */
export function transformFitting(
  local: readonly StampedChangeset[],
  incoming: readonly StampedChangeset[],
  unfit: UnfitObjects,
): Transformation {
  for (;;) {
    const isFit = (instruction: Instruction): boolean => !unfit.has(instruction);
    try {
      const fitting = transform(only(local, isFit), only(incoming, isFit));
      if (unfit.size === 0) return fitting;
      return {
        ...fitting,
        local: fitting.local.map((result, i) => withUnfit(local[i]!.changeset, result, unfit)),
        incoming: fitting.incoming.map((result, i) => withUnfit(incoming[i]!.changeset, result, unfit)),
      };
    } catch (error) {
      if (!(error instanceof TransformError)) throw error;
      if (!findUnfit(only(local, isFit), only(incoming, isFit), unfit)) throw error;
    }
  }
}

/** Whether any object was found. */
function findUnfit(
  local: readonly StampedChangeset[],
  incoming: readonly StampedChangeset[],
  unfit: UnfitObjects,
): boolean {
  const before = unfit.size;
  const theirs = new Set(instructionsOf(local).map(objectName));
  const common = new Map<string, ObjectName>();
  for (const instruction of instructionsOf(incoming)) {
    const name = objectName(instruction);
    if ('key' in instruction && theirs.has(name)) common.set(name, instruction);
  }
  for (const [name, object] of common) {
    const isOfObject = (instruction: Instruction): boolean => objectName(instruction) === name;
    try {
      transform(only(local, isOfObject), only(incoming, isOfObject));
    } catch (error) {
      if (!(error instanceof TransformError)) throw error;
      unfit.add(object, error);
    }
  }
  return unfit.size > before;
}

function withUnfit(
  original: Changeset,
  result: TransformedChangeset,
  unfit: UnfitObjects,
): TransformedChangeset {
  if (!result.changed) return { changeset: original, changed: false };
  const leftOut = original.instructions.filter((instruction) => unfit.has(instruction));
  const { strings, instructions } = result.changeset;
  return { changeset: { strings, instructions: [...instructions, ...leftOut] }, changed: true };
}

function only(
  changesets: readonly StampedChangeset[],
  isMeant: (instruction: Instruction) => boolean,
): StampedChangeset[] {
  return changesets.map((stamped) => {
    const { strings, instructions } = stamped.changeset;
    if (instructions.every(isMeant)) return stamped;
    return { ...stamped, changeset: { strings, instructions: instructions.filter(isMeant) } };
  });
}

function instructionsOf(changesets: readonly StampedChangeset[]): Instruction[] {
  return changesets.flatMap(({ changeset }) => changeset.instructions);
}

/** The empty text for what concerns no single object. */
function objectName(instruction: Instruction): string {
  return 'key' in instruction ? nameOf(instruction.table, instruction.key) : '';
}

function nameOf(table: string, key: PrimaryKey): string {
  return `${table}\n${keyToken(key)}`;
}
