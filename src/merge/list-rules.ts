/**
 * Pair rules between insertions, erasures and moves in the same list (spec/merge-rules.md §6.2). Indexes are worked
 * out step by step exactly as the tables there say; each step uses the values that the earlier ones left.
 */
import type { ArrayErase, ArrayInsert, ArrayMove } from '../changeset/instruction.ts';
import { replaceElement, sameContainer } from './addressing.ts';
import { requireIndex, requireSameSize } from './list-consistency.ts';
import type { Operand } from './operand.ts';
import { isOlder } from './stamp.ts';
import { TransformError } from './transform-error.ts';

export function insertInsert(left: Operand, right: Operand, a: ArrayInsert, b: ArrayInsert): void {
  if (!sameContainer(a, b)) return;
  requireSameSize(a, b);
  let i = requireIndex(a, a.priorSize + 1);
  let j = requireIndex(b, b.priorSize + 1);
  if (i > j || (i === j && !isOlder(left.stamp, right.stamp))) i += 1;
  else j += 1;
  left.instruction = at(a, i, a.priorSize + 1);
  right.instruction = at(b, j, b.priorSize + 1);
}

export function insertErase(insert: Operand, erase: Operand, a: ArrayInsert, b: ArrayErase): void {
  if (!sameContainer(a, b)) return;
  requireSameSize(a, b);
  let inserted = requireIndex(a, a.priorSize + 1);
  let erased = requireIndex(b, b.priorSize);
  if (inserted <= erased) erased += 1;
  else inserted -= 1;
  insert.instruction = at(a, inserted, a.priorSize - 1);
  erase.instruction = at(b, erased, b.priorSize + 1);
}

export function eraseErase(left: Operand, right: Operand, a: ArrayErase, b: ArrayErase): void {
  if (!sameContainer(a, b)) return;
  requireSameSize(a, b);
  const i = requireIndex(a, a.priorSize);
  const j = requireIndex(b, b.priorSize);
  if (i === j) {
    left.discard();
    right.discard();
    return;
  }
  left.instruction = at(a, i > j ? i - 1 : i, a.priorSize - 1);
  right.instruction = at(b, j > i ? j - 1 : j, b.priorSize - 1);
}

export function moveInsert(move: Operand, insert: Operand, a: ArrayMove, b: ArrayInsert): void {
  if (!sameContainer(a, b)) return;
  let from = requireIndex(a, a.priorSize);
  let to = requireDestination(a);
  let inserted = requireIndex(b, b.priorSize + 1);
  if (inserted > from) inserted -= 1;
  else from += 1;
  if (inserted < to || (inserted === to && isOlder(move.stamp, insert.stamp))) to += 1;
  else inserted += 1;
  move.instruction = movedAs(a, from, to, a.priorSize + 1);
  insert.instruction = at(b, inserted, b.priorSize);
}

export function moveErase(move: Operand, erase: Operand, a: ArrayMove, b: ArrayErase): void {
  if (!sameContainer(a, b)) return;
  requireSameSize(a, b);
  let from = requireIndex(a, a.priorSize);
  let to = requireDestination(a);
  let erased = requireIndex(b, b.priorSize);
  if (erased === from) {
    erase.instruction = at(b, to, b.priorSize);
    move.discard();
    return;
  }
  if (erased > from) erased -= 1;
  else from -= 1;
  if (erased >= to) erased += 1;
  else to -= 1;
  erase.instruction = at(b, erased, b.priorSize);
  if (from === to) move.discard();
  else move.instruction = movedAs(a, from, to, a.priorSize - 1);
}

export function moveMove(left: Operand, right: Operand, a: ArrayMove, b: ArrayMove): void {
  if (!sameContainer(a, b)) return;
  requireSameSize(a, b);
  let f = requireIndex(a, a.priorSize);
  let g = requireIndex(b, b.priorSize);
  let t = requireDestination(a);
  let u = requireDestination(b);
  const leftOlder = isOlder(left.stamp, right.stamp);
  if (f === g) {
    // Both moved the same element: only the newer move goes on, from where the older one has put the element.
    if (leftOlder) settleMove(right, left, b, t, u);
    else settleMove(left, right, a, u, t);
    return;
  }
  if (f < g) g -= 1;
  else f -= 1;
  if (t > g) t -= 1;
  else g += 1;
  if (f < u) u -= 1;
  else f += 1;
  if (t < u || (t === u && leftOlder)) u += 1;
  else t += 1;
  if (f === t) left.discard();
  else left.instruction = movedAs(a, f, t, a.priorSize);
  if (g === u) right.discard();
  else right.instruction = movedAs(b, g, u, b.priorSize);
}

function settleMove(newer: Operand, older: Operand, move: ArrayMove, from: number, to: number): void {
  older.discard();
  if (from === to) newer.discard();
  else newer.instruction = movedAs(move, from, to, move.priorSize);
}

function at<T extends ArrayInsert | ArrayErase>(instruction: T, index: number, priorSize: number): T {
  const path = replaceElement(instruction.path, instruction.path.length - 1, index);
  return { ...instruction, path, priorSize };
}

function movedAs(move: ArrayMove, from: number, destination: number, priorSize: number): ArrayMove {
  return { ...move, path: replaceElement(move.path, move.path.length - 1, from), destination, priorSize };
}

function requireDestination(move: ArrayMove): number {
  if (move.destination >= move.priorSize) {
    throw new TransformError('list index out of range', move, move);
  }
  return move.destination;
}
