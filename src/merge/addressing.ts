/** When two instructions speak of the same thing (spec/merge-rules.md §3, "Equality notions"). */
import type { Instruction, Path, PathInstruction } from '../changeset/instruction.ts';
import type { PrimaryKey } from '../schema/value.ts';
import { sameKey } from '../schema/value.ts';

type OnObject = { readonly table: string; readonly key: PrimaryKey };

/** How deep an instruction reaches; the shorter one of a pair is the outer one. */
export function pathLength(instruction: Instruction): number {
  switch (instruction.op) {
    case 'AddTable':
    case 'EraseTable':
      return 1;
    case 'AddColumn':
    case 'EraseColumn':
    case 'CreateObject':
    case 'EraseObject':
      return 2;
    default:
      return 3 + instruction.path.length;
  }
}

export function sameObject(a: OnObject, b: OnObject): boolean {
  return a.table === b.table && sameKey(a.key, b.key);
}

export function sameField(a: PathInstruction, b: PathInstruction): boolean {
  return a.field === b.field && sameObject(a, b);
}

export function samePath(a: PathInstruction, b: PathInstruction): boolean {
  return a.path.length === b.path.length && sameField(a, b) && startsWith(a.path, b.path, b.path.length);
}

/** Equal but for the last element. Two empty paths count as the same container. */
export function sameContainer(a: PathInstruction, b: PathInstruction): boolean {
  return a.path.length === b.path.length && sameField(a, b) && startsWith(a.path, b.path, b.path.length - 1);
}

export function isPrefix(outer: PathInstruction, inner: PathInstruction): boolean {
  return (
    outer.path.length < inner.path.length &&
    sameField(outer, inner) &&
    startsWith(inner.path, outer.path, outer.path.length)
  );
}

/** The inner path runs through the container that the last element of the outer path points into. */
export function isContainerPrefix(outer: PathInstruction, inner: PathInstruction): boolean {
  return (
    outer.path.length > 0 &&
    outer.path.length < inner.path.length &&
    sameField(outer, inner) &&
    startsWith(inner.path, outer.path, outer.path.length - 1)
  );
}

export function sameColumn(
  a: { readonly table: string; readonly field: string },
  b: { readonly table: string; readonly field: string },
): boolean {
  return a.table === b.table && a.field === b.field;
}

export function isPathInstruction(instruction: Instruction): instruction is PathInstruction {
  return 'path' in instruction;
}

export function replaceElement(path: Path, position: number, element: number): Path {
  const copy = path.slice();
  copy[position] = element;
  return copy;
}

function startsWith(path: Path, start: Path, count: number): boolean {
  // From the end: siblings in a deep structure differ in their last elements.
  for (let i = count - 1; i >= 0; i--) if (path[i] !== start[i]) return false;
  return true;
}
