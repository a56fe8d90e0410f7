/**
 * What an instruction does to one that reaches deeper (spec/merge-rules.md §4). The outer one is the shorter; only
 * ArrayMove is ever changed by the inner one, which is a defect of the reference that every peer has to share.
 */
import type {
  ArrayErase,
  ArrayInsert,
  ArrayMove,
  PathInstruction,
  Update,
} from '../changeset/instruction.ts';
import { isContainerPrefix, isPathInstruction, isPrefix, replaceElement, sameObject } from './addressing.ts';
import type { Operand } from './operand.ts';
import { TransformError } from './transform-error.ts';

/** Applies the nesting rule to two operands that are both still present. */
export function nest(outerOperand: Operand, innerOperand: Operand): void {
  const outer = outerOperand.instruction!;
  const inner = innerOperand.instruction!;
  if (outer.op === 'EraseTable') {
    if (outer.table === inner.table) innerOperand.discard();
    return;
  }
  if (!isPathInstruction(inner)) return;
  switch (outer.op) {
    case 'EraseObject':
      if (sameObject(outer, inner)) innerOperand.discard();
      return;
    case 'Update':
      if (!leavesRoomFor(outer, inner) && isPrefix(outer, inner)) innerOperand.discard();
      return;
    case 'AddInteger':
    case 'Clear':
      if (isPrefix(outer, inner)) innerOperand.discard();
      return;
    case 'ArrayInsert':
      shiftForInsert(outer, inner, innerOperand);
      return;
    case 'ArrayErase':
      if (isPrefix(outer, inner)) innerOperand.discard();
      else shiftForErase(outer, inner, innerOperand);
      return;
    case 'ArrayMove':
      shiftMoveSource(outer, inner, outerOperand);
      return;
    default:
      return;
  }
}

/** True when the written value is a container that the inner path can run through. */
function leavesRoomFor(outer: Update, inner: PathInstruction): boolean {
  switch (outer.value.type) {
    case 'object':
      return true;
    case 'list':
      return typeof inner.path[outer.path.length] === 'number';
    case 'dictionary':
      return typeof inner.path[outer.path.length] === 'string';
    default:
      return false;
  }
}

function shiftForInsert(outer: ArrayInsert, inner: PathInstruction, innerOperand: Operand): void {
  if (!isContainerPrefix(outer, inner)) return;
  const position = outer.path.length - 1;
  const index = indexAt(outer, inner);
  if (index < lastIndex(outer)) return;
  innerOperand.instruction = { ...inner, path: replaceElement(inner.path, position, index + 1) };
}

function shiftForErase(outer: ArrayErase, inner: PathInstruction, innerOperand: Operand): void {
  if (!isContainerPrefix(outer, inner)) return;
  const position = outer.path.length - 1;
  const index = indexAt(outer, inner);
  if (index <= lastIndex(outer)) return;
  innerOperand.instruction = { ...inner, path: replaceElement(inner.path, position, index - 1) };
}

/** The reference moves the source of the move instead of the inner path; see spec/merge-rules.md §8. */
function shiftMoveSource(outer: ArrayMove, inner: PathInstruction, outerOperand: Operand): void {
  if (!isContainerPrefix(outer, inner)) return;
  const index = indexAt(outer, inner);
  let from = lastIndex(outer);
  if (from === index) {
    from = outer.destination;
  } else {
    if (from > index) from -= 1;
    if (from >= outer.destination) from += 1;
  }
  outerOperand.instruction = { ...outer, path: replaceElement(outer.path, outer.path.length - 1, from) };
}

/** The inner path's index into the list that the outer instruction changes. */
function indexAt(outer: PathInstruction, inner: PathInstruction): number {
  const element = inner.path[outer.path.length - 1];
  if (typeof element !== 'number') throw new TransformError('inconsistent paths', outer, inner);
  return element;
}

/** The index that a list instruction acts on. The codec accepts none without. */
function lastIndex(instruction: ArrayInsert | ArrayErase | ArrayMove): number {
  const element = instruction.path.at(-1);
  if (typeof element !== 'number') throw new TransformError('no list index', instruction, instruction);
  return element;
}
