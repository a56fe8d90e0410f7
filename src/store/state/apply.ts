/**
 * Applies changesets to the state of a realm with the checks and quirks of the reference (spec/merge-rules.md §9),
 * so that server and clients accept the same changesets and end with the same state.
 */
import type { Instruction, PathInstruction } from '../../changeset/instruction.ts';
import type { ClassDefinition } from '../../schema/definition.ts';
import { type PrimaryKey, sameKey } from '../../schema/value.ts';
import { applyError } from './apply-error.ts';
import { applyToSlot } from './apply-path.ts';
import { applySchemaInstruction } from './apply-schema.ts';
import { keyFault } from './key-fault.ts';
import type { ObjectState } from './object-state.ts';
import { findSlot } from './slot.ts';
import type { StateView } from './view.ts';

/**
 * Applies one instruction. Throws `BadChangesetError` naming class, key and field when the state does not admit it;
 * the view may then hold a part of the change and must be rolled back by its owner.
 */
export function applyInstruction(view: StateView, instruction: Instruction): void {
  new Applier(view).apply(instruction);
}

/** Applies instructions in order; see {@link applyInstruction}. */
export function applyInstructions(view: StateView, instructions: readonly Instruction[]): void {
  const applier = new Applier(view);
  let at = 0;
  while (at < instructions.length) {
    const after = applier.takeWhole(instructions, at);
    if (after === at) applier.apply(instructions[at++]!);
    else at = after;
  }
}

/**
 * Applies instructions one after the other, as {@link applyInstruction}. Remembers the object that the last one changed,
 * since the next one mostly changes it, too; the view must not change by other ways in between.
 */
export class Applier {
  readonly #view: StateView;
  #definition: ClassDefinition | undefined;
  #key: PrimaryKey | undefined;
  #state: ObjectState | undefined;

  constructor(view: StateView) {
    this.#view = view;
  }

  /** See {@link StateView.takeWhole}. */
  takeWhole(instructions: readonly Instruction[], from: number): number {
    if (instructions[from]?.op !== 'CreateObject' || this.#view.takeWhole === undefined) return from;
    const after = this.#view.takeWhole(instructions, from);
    if (after > from) this.#state = undefined;
    return after;
  }

  apply(instruction: Instruction): void {
    switch (instruction.op) {
      case 'Update':
      case 'AddInteger':
      case 'ArrayInsert':
      case 'ArrayMove':
      case 'ArrayErase':
      case 'Clear':
      case 'SetInsert':
      case 'SetErase':
        this.#change(instruction);
        return;
      case 'CreateObject':
        this.#create(instruction.table, instruction.key, instruction);
        return;
      case 'EraseObject':
        this.#definitionFor(instruction, instruction.key);
        this.#state = undefined;
        this.#view.eraseObject(instruction.table, instruction.key);
        return;
      default:
        this.#definition = undefined;
        this.#state = undefined;
        applySchemaInstruction(this.#view, instruction);
    }
  }

  #create(table: string, key: PrimaryKey, instruction: Instruction): void {
    this.#definitionFor(instruction, key);
    this.#state = this.#view.touch(table, key) ?? this.#view.createObject(table, key);
    this.#key = key;
  }

  #change(instruction: PathInstruction): void {
    const { table, key, field, path } = instruction;
    const { fields } = this.#objectFor(instruction, table, key);
    const column = this.#definition?.columns.get(field);
    if (column === undefined) throw applyError(instruction, 'there is no such field');
    if (instruction.op === 'Update' && path.length === 0 && column.collection === 'single') {
      const { value } = instruction;
      if (value.type === column.type && value.type !== 'link') {
        fields.set(field, value);
        return;
      }
    }
    const { schema } = this.#view;
    applyToSlot(schema, findSlot(schema, fields, column, instruction), instruction);
  }

  #objectFor(instruction: Instruction, table: string, key: PrimaryKey): ObjectState {
    const known = this.#state;
    if (known !== undefined && this.#definition?.name === table && sameKey(this.#key as PrimaryKey, key)) {
      return known;
    }
    this.#definitionFor(instruction, key);
    const state = this.#view.touch(table, key);
    if (state === undefined) throw applyError(instruction, 'there is no such object');
    this.#key = key;
    this.#state = state;
    return state;
  }

  #definitionFor(instruction: Instruction, key: PrimaryKey): void {
    const { table } = instruction;
    let definition = this.#definition;
    if (definition?.name !== table) definition = this.#view.schema.get(table);
    if (definition === undefined) throw applyError(instruction, 'there is no such class');
    const fault = keyFault(definition, key);
    if (fault !== undefined) throw applyError(instruction, fault);
    if (definition !== this.#definition) {
      this.#definition = definition;
      this.#state = undefined;
    }
  }
}
