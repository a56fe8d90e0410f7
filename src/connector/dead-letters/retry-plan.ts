/**
 * What another attempt at a dead letter writes: pure, from the letter and the realm as it is now. The realm has gone on
 * since the letter was put aside, and so has the database, whose changes the realm holds. Hence nothing is written
 * that would turn a newer value back: a value counts only while the realm still has it, an insertion brings the object
 * as it is now, a list becomes what it is now, and what is gone by now stays gone.
 */
import type { MergedInstruction } from '../../adapter/merged-instruction.ts';
import { keyToken, type PrimaryKey } from '../../schema/value.ts';
import type { ReplicaReader } from '../../store/replica/contract.ts';
import { readField } from '../../store/state/default-value.ts';
import type { StateValue } from '../../store/state/object-state.ts';
import { sameState } from '../../store/state/same-state.ts';
import type { LetterInstruction, LetterValue } from './letter-text.ts';
import { insertionOf, listOf, listsOf } from './present-state.ts';

export type RetryPlan = {
  readonly instructions: readonly MergedInstruction[];
  /** Objects of the letter of which nothing is left to be written, because all of it was changed again since. */
  readonly overtaken: number;
};

/** What a letter wanted of one object, its deletions and insertions reduced to the last of them. */
type Wish = {
  readonly table: string;
  readonly key: PrimaryKey;
  operation: 'insert' | 'update' | 'delete';
  readonly values: Map<string, LetterValue>;
  readonly lists: Set<string>;
};

/** `isAbsent` says of which objects the database may have no row. */
export function planRetry(
  letter: readonly LetterInstruction[],
  replica: ReplicaReader,
  isAbsent: (table: string, key: PrimaryKey) => boolean,
): RetryPlan {
  const structure: MergedInstruction[] = [];
  const objects: MergedInstruction[] = [];
  const wishes = new Map<string, Wish>();
  for (const instruction of letter) {
    switch (instruction.type) {
      case 'ADD_TYPE':
      case 'ADD_PROPERTIES':
        structure.push(instruction);
        break;
      case 'CLEAR':
        if (replica.count(instruction.table) === 0) structure.push(instruction);
        break;
      default:
        addWish(wishes, instruction);
    }
  }
  let overtaken = 0;
  for (const wish of wishes.values()) {
    const wanted = instructionsFor(wish, replica, isAbsent);
    if (wanted.length === 0) overtaken += 1;
    objects.push(...wanted);
  }
  return { instructions: [...structure, ...objects], overtaken };
}

function addWish(
  wishes: Map<string, Wish>,
  instruction: Exclude<LetterInstruction, { type: 'ADD_TYPE' | 'ADD_PROPERTIES' | 'CLEAR' }>,
): void {
  const { table, key } = instruction;
  const token = `${table}\0${keyToken(key)}`;
  let wish = wishes.get(token);
  if (wish === undefined) {
    wish = { table, key, operation: 'update', values: new Map(), lists: new Set() };
    wishes.set(token, wish);
  }
  switch (instruction.type) {
    case 'INSERT':
      wish.operation = 'insert';
      break;
    case 'SET':
      for (const [property, value] of instruction.values) wish.values.set(property, value);
      break;
    case 'DELETE':
      wish.operation = 'delete';
      break;
    default:
      wish.lists.add(instruction.property);
  }
}

function instructionsFor(
  wish: Wish,
  replica: ReplicaReader,
  isAbsent: (table: string, key: PrimaryKey) => boolean,
): MergedInstruction[] {
  const { table, key } = wish;
  const object = replica.object(table, key);
  if (object === undefined) return wish.operation === 'delete' ? [{ type: 'DELETE', table, key }] : [];
  if (wish.operation === 'delete') return []; // it was made anew since
  if (wish.operation === 'insert' || isAbsent(table, key)) {
    return [insertionOf(replica, table, key, object), ...listsOf(replica, table, key, object)];
  }
  const columns = replica.schema.get(table)?.columns;
  const values = new Map<string, StateValue>();
  for (const [property, written] of wish.values) {
    const column = columns?.get(property);
    if (column === undefined) continue;
    const present = readField(object, property, column);
    if (written.type === 'secret' || sameState(written, present)) values.set(property, present);
  }
  const lists = [...wish.lists].flatMap((property) => listOf(table, key, property, object));
  return values.size === 0 ? lists : [{ type: 'SET', table, key, values }, ...lists];
}
