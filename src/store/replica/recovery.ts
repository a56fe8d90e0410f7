/**
 * Makes unsynced local changes again on a fresh copy of the realm (spec/server-history.md §8.8): what still applies is
 * kept, what does not is left out. A list whose changes cannot be made one by one is written whole, as it was before.
 */
import { BadChangesetError } from '../../changeset/bad-changeset-error.ts';
import type { Instruction, ObjectInstruction, PathInstruction } from '../../changeset/instruction.ts';
import { keyToken, type PrimaryKey } from '../../schema/value.ts';
import { applyInstruction } from '../state/apply.ts';
import { type Address, writeField } from '../state/value-instructions.ts';
import type { StateView } from '../state/view.ts';
import { RecoveredList } from './recovered-list.ts';

export class Recovery {
  readonly #fresh: StateView;
  readonly #lists = new Map<string, RecoveredList>();
  #leftOut = 0;
  /** Fields to be written whole at the end. */
  readonly #whole = new Map<string, Address>();

  /** `fresh` is what the changes are made on; every method changes it by what it returns. */
  constructor(fresh: StateView) {
    this.#fresh = fresh;
  }

  /** Instructions that could not be made again. */
  get leftOut(): number {
    return this.#leftOut;
  }

  /** The instructions of one local changeset that still apply. */
  replay(instructions: readonly Instruction[]): Instruction[] {
    const kept: Instruction[] = [];
    for (const instruction of instructions) {
      const adapted = this.#adapted(instruction);
      if (adapted !== undefined && this.#applies(adapted)) kept.push(adapted);
    }
    return kept;
  }

  /** Writes the lists that could not be followed change by change; `before` is the realm as it was. */
  writeWholeLists(before: Pick<StateView, 'object'>): Instruction[] {
    const written: Instruction[] = [];
    for (const address of this.#whole.values()) {
      const { table, key, field } = address;
      const { schema } = this.#fresh;
      const column = schema.get(table)?.columns.get(field);
      const value = before.object(table, key)?.fields.get(field);
      if (column === undefined || value === undefined) continue;
      for (const instruction of writeField(schema, address, column, value))
        if (this.#applies(instruction)) written.push(instruction);
    }
    return written;
  }

  #adapted(instruction: Instruction): Instruction | undefined {
    switch (instruction.op) {
      case 'EraseTable':
      case 'EraseColumn':
        this.#leftOut += 1;
        return undefined; // what others have put there meanwhile is not ours to drop
      case 'AddTable':
        return this.#fresh.schema.has(instruction.table) ? undefined : instruction;
      case 'AddColumn':
        return this.#fresh.schema.get(instruction.table)?.columns.has(instruction.field)
          ? undefined
          : instruction;
      case 'CreateObject':
        return instruction;
      case 'EraseObject':
        return this.#exists(instruction) ? instruction : undefined;
      default:
        if (this.#exists(instruction)) return this.#onPath(instruction);
        this.#leftOut += 1;
        return undefined;
    }
  }

  #exists({ table, key }: ObjectInstruction): boolean {
    return this.#fresh.schema.has(table) && this.#fresh.object(table, key) !== undefined;
  }

  #onPath(instruction: PathInstruction): PathInstruction | undefined {
    const { table, key, field, path } = instruction;
    const token = fieldToken(table, key, field);
    if (this.#whole.has(token)) return undefined;
    const column = this.#fresh.schema.get(table)?.columns.get(field);
    if (column?.collection === 'list') {
      const adapted = this.#onList(instruction, token);
      if (adapted === undefined) this.#whole.set(token, { table, key, field, path: [] });
      return adapted;
    }
    if (!path.some((step) => typeof step === 'number')) return instruction;
    this.#whole.set(token, { table, key, field, path: [] });
    return undefined;
  }

  /** The same change at the place where the element is now; undefined when that is unknown. */
  #onList(instruction: PathInstruction, token: string): PathInstruction | undefined {
    let list = this.#lists.get(token);
    if (list === undefined) {
      list = new RecoveredList();
      this.#lists.set(token, list);
    }
    const [index, ...below] = instruction.path;
    if (typeof index !== 'number') {
      if (instruction.op === 'Clear') list.clear();
      return instruction.op === 'Clear' ? instruction : undefined;
    }
    const priorSize = this.#listSize(instruction);
    if (instruction.op === 'ArrayInsert' && below.length === 0) {
      return { ...instruction, path: [list.insert(index, priorSize)], priorSize };
    }
    const current = list.find(index);
    if (current === undefined || (instruction.op === 'ArrayMove' && below.length === 0)) return undefined;
    const path = [current, ...below];
    if (below.length > 0) return { ...instruction, path };
    if (instruction.op === 'ArrayErase') list.erase(index);
    return 'priorSize' in instruction ? { ...instruction, path, priorSize } : { ...instruction, path };
  }

  #listSize({ table, key, field }: PathInstruction): number {
    const list = this.#fresh.object(table, key)?.fields.get(field);
    return list?.type === 'list' ? list.items.length : 0;
  }

  #applies(instruction: Instruction): boolean {
    try {
      applyInstruction(this.#fresh, instruction);
      return true;
    } catch (error) {
      if (!(error instanceof BadChangesetError)) throw error;
      this.#leftOut += 1;
      return false;
    }
  }
}

function fieldToken(table: string, key: PrimaryKey, field: string): string {
  return `${table}\0${keyToken(key)}\0${field}`;
}
