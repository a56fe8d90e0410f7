/** Pair rules between writes of values, counters, sets and clears (spec/merge-rules.md §6.1 and §6.3). */
import type {
  AddInteger,
  ArrayErase,
  ArrayInsert,
  ArrayMove,
  Clear,
  SetErase,
  SetInsert,
  Update,
} from '../changeset/instruction.ts';
import { replaceElement, sameContainer, samePath } from './addressing.ts';
import { requireIndex, requireSameSize } from './list-consistency.ts';
import type { Operand } from './operand.ts';
import { samePayload } from './payload-equality.ts';
import { discardOlder } from './schema-rules.ts';
import { isOlder } from './stamp.ts';
import { TransformError } from './transform-error.ts';

export function updateUpdate(left: Operand, right: Operand, a: Update, b: Update): void {
  if (!samePath(a, b)) return;
  if (a.priorSize !== b.priorSize) throw new TransformError('prior_size differs', a, b);
  const createsObject = a.value.type === 'object';
  if (createsObject !== (b.value.type === 'object')) {
    (createsObject ? left : right).discard();
  } else if (a.value.type === b.value.type && (a.value.type === 'list' || a.value.type === 'dictionary')) {
    // Both made the same container there; what they put into it merges on its own.
  } else if (a.isDefault !== b.isDefault) {
    (a.isDefault === true ? left : right).discard();
  } else {
    discardOlder(left, right);
  }
}

export function updateAddInteger(update: Operand, add: Operand, a: Update, b: AddInteger): void {
  if (!samePath(a, b)) return;
  const addsToIt = a.isDefault === true || isOlder(update.stamp, add.stamp);
  if (addsToIt && a.value.type === 'null') return;
  if (addsToIt && a.value.type === 'int') {
    const value = BigInt.asIntN(64, a.value.value + b.addend);
    update.instruction = { ...a, value: { type: 'int', value } };
    return;
  }
  add.discard();
}

export function updateArrayInsert(update: Operand, a: Update, b: ArrayInsert): void {
  if (!sameContainer(a, b)) return;
  const updated = updatedIndex(a, b);
  const inserted = requireIndex(b, b.priorSize + 1);
  requireSameSize(a, b);
  const path = updated >= inserted ? replaceElement(a.path, a.path.length - 1, updated + 1) : a.path;
  update.instruction = { ...a, path, priorSize: b.priorSize + 1 };
}

export function updateArrayErase(update: Operand, a: Update, b: ArrayErase): void {
  if (!sameContainer(a, b)) return;
  const updated = updatedIndex(a, b);
  const erased = requireIndex(b, b.priorSize);
  requireSameSize(a, b);
  if (updated === erased) {
    update.discard();
    return;
  }
  const path = updated > erased ? replaceElement(a.path, a.path.length - 1, updated - 1) : a.path;
  update.instruction = { ...a, path, priorSize: b.priorSize - 1 };
}

export function updateArrayMove(update: Operand, a: Update, b: ArrayMove): void {
  if (!sameContainer(a, b)) return;
  let index = updatedIndex(a, b);
  const from = requireIndex(b, b.priorSize);
  if (b.destination >= b.priorSize) throw new TransformError('list index out of range', b, a);
  if (index === from) {
    index = b.destination;
  } else {
    if (index > from) index -= 1;
    if (index >= b.destination) index += 1;
  }
  update.instruction = { ...a, path: replaceElement(a.path, a.path.length - 1, index) };
}

export function updateClear(update: Operand, clear: Operand, a: Update, b: Clear): void {
  if (!samePath(a, b)) return;
  if (a.value.type === 'set') throw new TransformError('a set cannot be nested in a mixed value', a, b);
  const keepsKind =
    (a.value.type === 'list' || a.value.type === 'dictionary') && a.value.type === b.collection;
  if (!keepsKind) discardOlder(update, clear);
}

export function clearClear(left: Operand, right: Operand, a: Clear, b: Clear): void {
  if (samePath(a, b)) discardOlder(left, right);
}

/** Clearing wins over what it clears, whatever the timestamps. */
export function clearDiscards(other: Operand, a: Clear, b: AddInteger | SetInsert | SetErase): void {
  if (samePath(a, b)) other.discard();
}

export function setChangeSetChange(
  left: Operand,
  right: Operand,
  a: SetInsert | SetErase,
  b: SetInsert | SetErase,
): void {
  if (samePath(a, b) && samePayload(a.value, b.value)) discardOlder(left, right);
}

/** The index an update writes to, given that `other` treats the container as a list. */
function updatedIndex(update: Update, other: ArrayInsert | ArrayErase | ArrayMove): number {
  const element = update.path.at(-1);
  if (typeof element !== 'number' || update.priorSize === undefined) {
    throw new TransformError(
      'inconsistent paths: a list on one side, a dictionary on the other',
      update,
      other,
    );
  }
  return requireIndex(update, update.priorSize);
}
