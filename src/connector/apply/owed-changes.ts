/**
 * What dead letters still owe the database, object by object: rows that were never inserted, values, lists and
 * deletions that were refused. The next change of such an object brings along what is owed of it, as the realm has it
 * by then, so that an app which corrects its mistake makes all of it good (DESIGN §7).
 *
 * A missing row has to come along, because an UPDATE of it would be dropped without a word. Owed values may come along:
 * one of them may still be what is refused, and must not take later changes with it. Lists wait for another attempt at
 * their letter, since items that are under way would be written twice.
 */
import { z } from 'zod';
import type { MergedInstruction } from '../../adapter/merged-instruction.ts';
import { keyToken, type PrimaryKey } from '../../schema/value.ts';
import type { ReplicaStore } from '../../store/replica/contract.ts';
import { readField } from '../../store/state/default-value.ts';
import type { ObjectState, StateValue } from '../../store/state/object-state.ts';
import type { Shadow } from '../capture/shadow.ts';
import { insertionOf } from '../dead-letters/present-state.ts';
import type { SyncedRealm } from '../realms.ts';

const MARK = 'absent:';

type Debt = {
  /** The row was never inserted. */
  row: boolean;
  /** The row was not deleted. */
  deletion: boolean;
  readonly properties: Set<string>;
  readonly lists: Set<string>;
  /** Sequences of the dead letters that owe it. */
  readonly letters: Set<number>;
};

const debtSchema = z.object({
  row: z.boolean(),
  deletion: z.boolean(),
  properties: z.array(z.string()),
  lists: z.array(z.string()),
  letters: z.array(z.number()),
});

export type Completed = {
  /** With all that is owed. */
  readonly all: readonly MergedInstruction[];
  /** With the missing rows alone; the same array when nothing else is owed. */
  readonly needed: readonly MergedInstruction[];
};

type OnObject = Extract<MergedInstruction, { key: PrimaryKey }>;

export class OwedChanges {
  readonly #store: ReplicaStore;
  readonly #debts = new Map<string, Debt>();
  /** By realm and sequence, how many objects a letter owes. */
  readonly #objects = new Map<string, number>();

  constructor(store: ReplicaStore) {
    this.#store = store;
    for (const [name, text] of store.marks(MARK)) this.#put(name, readDebt(text));
  }

  /** The instructions become the dead letter `sequence`. */
  add(realmPath: string, sequence: number, instructions: readonly MergedInstruction[]): void {
    this.#store.transaction(() => {
      for (const instruction of instructions) {
        if (!isOnObject(instruction)) continue;
        const name = markOf(realmPath, instruction.table, instruction.key);
        const debt = this.#debts.get(name) ?? noDebt();
        this.#remove(name);
        incur(debt, instruction);
        debt.letters.add(sequence);
        this.#put(name, debt);
        this.#store.setMark(name, textOf(debt));
      }
    });
  }

  /** True when the database may have no row of the object. */
  isAbsent(realmPath: string, table: string, key: PrimaryKey): boolean {
    return this.#debts.get(markOf(realmPath, table, key))?.row ?? false;
  }

  /**
   * What dead letters that wait still want of an object, for comparisons of tables and realms: those must not settle in
   * the database's favour what an operator has yet to decide.
   */
  waiting(
    realmPath: string,
    table: string,
    key: PrimaryKey,
  ): { readonly row: boolean; readonly properties: ReadonlySet<string> } | undefined {
    if (this.#debts.size === 0) return undefined;
    const debt = this.#debts.get(markOf(realmPath, table, key));
    return debt === undefined || debt.letters.size === 0 ? undefined : debt;
  }

  /** As {@link waiting}, for rows of the feed that only we have written: they are older than what was refused. */
  shadowOf(realmPath: string, table: string, key: PrimaryKey): Shadow | undefined {
    if (this.#debts.size === 0) return undefined;
    const debt = this.#debts.get(markOf(realmPath, table, key));
    if (debt === undefined || debt.letters.size === 0) return undefined;
    const { deletion, properties, lists } = debt;
    const covers = (property: string): boolean => properties.has(property) || lists.has(property);
    return { deleted: deletion, inserted: false, covers };
  }

  /** The instructions, with what is owed of the objects that they change. */
  completed(realm: SyncedRealm, instructions: readonly MergedInstruction[]): Completed {
    if (this.#debts.size === 0) return { all: instructions, needed: instructions };
    const rows = new Map<MergedInstruction, MergedInstruction>();
    const values = new Map<MergedInstruction, MergedInstruction>();
    const met = new Set<string>();
    for (const instruction of instructions) {
      if (!isOnObject(instruction)) continue;
      const name = markOf(realm.path, instruction.table, instruction.key);
      const debt = this.#debts.get(name);
      if (debt === undefined || met.has(name)) continue;
      met.add(name);
      if (instruction.type === 'INSERT' || instruction.type === 'DELETE') continue;
      const object = realm.replica.object(instruction.table, instruction.key);
      if (object === undefined) continue;
      if (debt.row) {
        rows.set(instruction, insertionOf(realm.replica, instruction.table, instruction.key, object));
      } else if (debt.properties.size > 0) {
        values.set(instruction, owedValues(realm, instruction, debt, object));
      }
    }
    const needed = rows.size === 0 ? instructions : preceded(instructions, rows);
    return { needed, all: values.size === 0 ? needed : preceded(needed, values) };
  }

  /** The instructions are in the database. Returns the sequences of letters that owe nothing any more. */
  applied(realmPath: string, instructions: readonly MergedInstruction[]): readonly number[] {
    if (this.#debts.size === 0) return [];
    const paid = new Set<number>();
    this.#store.transaction(() => {
      for (const instruction of instructions) {
        if (!isOnObject(instruction)) continue;
        const name = markOf(realmPath, instruction.table, instruction.key);
        const debt = this.#debts.get(name);
        if (debt === undefined || !pay(debt, instruction)) continue;
        if (isOwing(debt)) this.#store.setMark(name, textOf(debt));
        else {
          this.#remove(name);
          this.#store.setMark(name, undefined);
          for (const letter of debt.letters) paid.add(letter);
        }
      }
    });
    return [...paid].filter((letter) => !this.#objects.has(letterName(realmPath, letter)));
  }

  /** Nobody waits for the letter any more. */
  forgive(realmPath: string, sequence: number): void {
    if (!this.#objects.has(letterName(realmPath, sequence))) return;
    this.#store.transaction(() => {
      for (const [name, debt] of [...this.#debts]) {
        if (realmOf(name) !== realmPath || !debt.letters.has(sequence)) continue;
        this.#remove(name);
        debt.letters.delete(sequence);
        // Rows that are missing stay missing, whatever becomes of the letter.
        if (debt.letters.size > 0 || debt.row) this.#put(name, debt);
        this.#store.setMark(name, this.#debts.has(name) ? textOf(debt) : undefined);
      }
    });
  }

  #put(name: string, debt: Debt): void {
    this.#debts.set(name, debt);
    this.#count(name, debt, 1);
  }

  #remove(name: string): void {
    const debt = this.#debts.get(name);
    if (debt === undefined) return;
    this.#debts.delete(name);
    this.#count(name, debt, -1);
  }

  #count(name: string, debt: Debt, step: 1 | -1): void {
    for (const letter of debt.letters) {
      const key = letterName(realmOf(name), letter);
      const count = (this.#objects.get(key) ?? 0) + step;
      if (count > 0) this.#objects.set(key, count);
      else this.#objects.delete(key);
    }
  }
}

function noDebt(): Debt {
  return { row: false, deletion: false, properties: new Set(), lists: new Set(), letters: new Set() };
}

function incur(debt: Debt, instruction: OnObject): void {
  switch (instruction.type) {
    case 'INSERT':
      debt.row = true;
      debt.deletion = false;
      debt.properties.clear();
      return;
    case 'SET':
      if (!debt.row) for (const property of instruction.values.keys()) debt.properties.add(property);
      return;
    case 'DELETE':
      debt.deletion = true;
      debt.properties.clear();
      debt.lists.clear();
      return;
    default:
      debt.lists.add(instruction.property);
  }
}

/** True when the instruction pays some of it. */
function pay(debt: Debt, instruction: OnObject): boolean {
  switch (instruction.type) {
    case 'DELETE':
      Object.assign(debt, { row: false, deletion: false });
      debt.properties.clear();
      debt.lists.clear();
      return true;
    case 'INSERT':
      Object.assign(debt, { row: false, deletion: false });
      debt.properties.clear();
      return true;
    case 'SET': {
      const before = debt.properties.size;
      for (const property of instruction.values.keys()) debt.properties.delete(property);
      return debt.properties.size < before;
    }
    case 'LIST_CLEAR':
      return debt.lists.delete(instruction.property);
    default:
      return false;
  }
}

function isOwing(debt: Debt): boolean {
  return debt.row || debt.deletion || debt.properties.size > 0 || debt.lists.size > 0;
}

function owedValues(
  { replica }: SyncedRealm,
  { table, key }: OnObject,
  debt: Debt,
  object: ObjectState,
): MergedInstruction {
  const columns = replica.schema.get(table)?.columns;
  const values = new Map<string, StateValue>();
  for (const property of debt.properties) {
    const column = columns?.get(property);
    if (column !== undefined) values.set(property, readField(object, property, column));
  }
  return { type: 'SET', table, key, values };
}

function preceded(
  instructions: readonly MergedInstruction[],
  before: ReadonlyMap<MergedInstruction, MergedInstruction>,
): MergedInstruction[] {
  return instructions.flatMap((instruction) => {
    const first = before.get(instruction);
    return first === undefined ? [instruction] : [first, instruction];
  });
}

function isOnObject(instruction: MergedInstruction): instruction is OnObject {
  return 'key' in instruction;
}

function markOf(realmPath: string, table: string, key: PrimaryKey): string {
  return `${MARK}${JSON.stringify([realmPath, table, keyToken(key)])}`;
}

function realmOf(mark: string): string {
  const [realmPath] = z.array(z.string()).parse(JSON.parse(mark.slice(MARK.length)));
  return realmPath ?? '';
}

function letterName(realmPath: string, sequence: number): string {
  return `${realmPath}\0${sequence}`;
}

function textOf(debt: Debt): string {
  const { row, deletion, properties, lists, letters } = debt;
  return JSON.stringify({
    row,
    deletion,
    properties: [...properties],
    lists: [...lists],
    letters: [...letters],
  });
}

/** Marks of earlier versions are empty and mean a missing row. */
function readDebt(text: string): Debt {
  if (text === '') return { ...noDebt(), row: true };
  const { properties, lists, letters, ...rest } = debtSchema.parse(JSON.parse(text));
  return {
    ...rest,
    properties: new Set(properties),
    lists: new Set(lists),
    letters: new Set(letters),
  };
}
