/** Which rule applies to two instructions (spec/merge-rules.md §3). Every rule is written once, for one order. */
import type { Instruction } from '../changeset/instruction.ts';
import { pathLength, sameColumn } from './addressing.ts';
import * as list from './list-rules.ts';
import { nest } from './nesting-rules.ts';
import type { Operand } from './operand.ts';
import * as schema from './schema-rules.ts';
import * as value from './value-rules.ts';

/**
 * Merges one local with one incoming instruction, both still present. Either may be replaced or discarded, and
 * either may get another one prepended.
 */
export function mergePair(local: Operand, incoming: Operand): void {
  const localLength = pathLength(local.instruction!);
  const incomingLength = pathLength(incoming.instruction!);
  if (localLength < incomingLength) {
    nest(local, incoming);
    if (incoming.instruction === undefined) return;
  } else if (incomingLength < localLength) {
    nest(incoming, local);
    if (local.instruction === undefined) return;
  }
  applyPairRule(local, incoming);
}

/** In the order of the tables: a pair is handled with the instruction of lower rank first. */
const RANK: Readonly<Record<Instruction['op'], number>> = {
  EraseTable: 0,
  AddTable: 1,
  EraseColumn: 2,
  AddColumn: 3,
  EraseObject: 4,
  CreateObject: 5,
  Update: 6,
  ArrayMove: 7,
  ArrayInsert: 8,
  ArrayErase: 9,
  Clear: 10,
  AddInteger: 11,
  SetErase: 12,
  SetInsert: 13,
};

function applyPairRule(local: Operand, incoming: Operand): void {
  const inOrder = RANK[local.instruction!.op] <= RANK[incoming.instruction!.op];
  const left = inOrder ? local : incoming;
  const right = inOrder ? incoming : local;
  const a = left.instruction!;
  const b = right.instruction!;
  switch (a.op) {
    case 'EraseTable':
      if (b.op === 'EraseTable') schema.eraseTableEraseTable(left, right, a, b);
      else if (b.op === 'AddTable') schema.eraseTableAddTable(right, a, b);
      else if (b.op === 'AddColumn') schema.eraseTableAddColumn(left, right, a, b);
      return;
    case 'AddTable':
      if (b.op === 'AddTable') schema.addTableAddTable(left, right, a, b);
      return;
    case 'EraseColumn':
      if (b.op === 'EraseColumn') schema.eraseColumnEraseColumn(left, right, a, b);
      else if (b.op === 'AddColumn') schema.eraseColumnAddColumn(right, a, b);
      else if (b.op === 'Update' && sameColumn(a, b)) right.discard();
      return;
    case 'AddColumn':
      if (b.op === 'AddColumn') schema.addColumnAddColumn(left, right, a, b);
      return;
    case 'EraseObject':
      if (b.op === 'EraseObject') schema.eraseObjectEraseObject(left, right, a, b);
      else if (b.op === 'CreateObject') schema.eraseObjectCreateObject(right, a, b);
      return;
    default:
      applyPathRule(left, right, a, b);
  }
}

function applyPathRule(left: Operand, right: Operand, a: Instruction, b: Instruction): void {
  switch (a.op) {
    case 'Update':
      if (b.op === 'Update') value.updateUpdate(left, right, a, b);
      else if (b.op === 'AddInteger') value.updateAddInteger(left, right, a, b);
      else if (b.op === 'ArrayInsert') value.updateArrayInsert(left, a, b);
      else if (b.op === 'ArrayErase') value.updateArrayErase(left, a, b);
      else if (b.op === 'ArrayMove') value.updateArrayMove(left, a, b);
      else if (b.op === 'Clear') value.updateClear(left, right, a, b);
      return;
    case 'ArrayMove':
      if (b.op === 'ArrayMove') list.moveMove(left, right, a, b);
      else if (b.op === 'ArrayInsert') list.moveInsert(left, right, a, b);
      else if (b.op === 'ArrayErase') list.moveErase(left, right, a, b);
      return;
    case 'ArrayInsert':
      if (b.op === 'ArrayInsert') list.insertInsert(left, right, a, b);
      else if (b.op === 'ArrayErase') list.insertErase(left, right, a, b);
      return;
    case 'ArrayErase':
      if (b.op === 'ArrayErase') list.eraseErase(left, right, a, b);
      return;
    case 'Clear':
      if (b.op === 'Clear') value.clearClear(left, right, a, b);
      else if (b.op === 'AddInteger' || b.op === 'SetInsert' || b.op === 'SetErase') {
        value.clearDiscards(right, a, b);
      }
      return;
    case 'SetErase':
    case 'SetInsert':
      if (b.op === 'SetErase' || b.op === 'SetInsert') value.setChangeSetChange(left, right, a, b);
      return;
    default:
      return;
  }
}
