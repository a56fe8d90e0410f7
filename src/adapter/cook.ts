/**
 * Turns the instructions of one merged changeset into merged instructions in terms of objects and properties
 * (spec/server-history.md §10.3). Pure: reads the state as it is after the changeset.
 */
import { deserialize, serialize } from 'node:v8';
import type { Instruction, PathInstruction, Payload } from '../changeset/instruction.ts';
import type { ColumnDefinition } from '../schema/definition.ts';
import { keyToken, NULL, type PrimaryKey, type ScalarValue } from '../schema/value.ts';
import type { ReplicaReader } from '../store/replica/contract.ts';
import type { StateValue } from '../store/state/object-state.ts';
import type { MergedInstruction } from './merged-instruction.ts';

type Values = Map<string, StateValue>;

/**
 * `instructions` are those of one changeset after merging; `state` is the realm after they were applied. Field
 * updates of an object gather in the preceding INSERT or SET, column additions in the preceding ADD_TYPE or
 * ADD_PROPERTIES. Erasing a whole class or column is not handed on: it concerns the realm's structure, and the rows
 * behind it are not the realm's to drop.
 */
export function cookInstructions(
  instructions: readonly Instruction[],
  state: ReplicaReader,
): MergedInstruction[] {
  const cook = new Cook(state);
  for (const instruction of instructions) cook.add(instruction);
  return cook.result;
}

class Cook {
  readonly result: MergedInstruction[] = [];
  readonly #state: ReplicaReader;
  /** Open INSERT or SET values by object. */
  readonly #open = new Map<string, Values>();
  /** Properties by object that were already handed on with their final value. */
  readonly #whole = new Map<string, Set<string>>();
  readonly #openColumns = new Map<string, Map<string, ColumnDefinition>>();

  constructor(state: ReplicaReader) {
    this.#state = state;
  }

  add(instruction: Instruction): void {
    switch (instruction.op) {
      case 'AddTable':
        this.#addTable(instruction);
        return;
      case 'AddColumn':
        this.#addColumn(instruction.table, instruction.field, instruction.column);
        return;
      case 'EraseTable':
      case 'EraseColumn':
        return;
      case 'CreateObject': {
        const values: Values = new Map();
        this.result.push({ type: 'INSERT', table: instruction.table, key: instruction.key, values });
        this.#forget(instruction.table, instruction.key);
        this.#open.set(objectToken(instruction.table, instruction.key), values);
        return;
      }
      case 'EraseObject':
        this.result.push({ type: 'DELETE', table: instruction.table, key: instruction.key });
        this.#forget(instruction.table, instruction.key);
        return;
      default:
        this.#change(instruction);
    }
  }

  #addTable(instruction: Extract<Instruction, { op: 'AddTable' }>): void {
    const columns = new Map<string, ColumnDefinition>();
    const { table: name, kind, primaryKey } = instruction;
    this.result.push({
      type: 'ADD_TYPE',
      definition: primaryKey === undefined ? { name, kind, columns } : { name, kind, primaryKey, columns },
    });
    this.#openColumns.set(name, columns);
  }

  #addColumn(table: string, field: string, column: ColumnDefinition): void {
    let columns = this.#openColumns.get(table);
    if (columns === undefined) {
      columns = new Map();
      this.result.push({ type: 'ADD_PROPERTIES', table, columns });
      this.#openColumns.set(table, columns);
    }
    columns.set(field, column);
  }

  #change(instruction: PathInstruction): void {
    const column = this.#state.schema.get(instruction.table)?.columns.get(instruction.field);
    if (column !== undefined && this.#isLinkList(column)) {
      this.#changeLinkList(instruction);
    } else if (instruction.op === 'Update' && instruction.path.length === 0 && isScalar(instruction.value)) {
      this.#valuesOf(instruction.table, instruction.key).set(instruction.field, instruction.value);
    } else {
      this.#setWhole(instruction.table, instruction.key, instruction.field);
    }
  }

  #isLinkList(column: ColumnDefinition): boolean {
    if (column.collection !== 'list' || column.type !== 'link') return false;
    return this.#state.schema.get(column.linkTarget ?? '')?.kind !== 'embedded';
  }

  #changeLinkList(instruction: PathInstruction): void {
    const { table, key, field: property } = instruction;
    if (this.#isWhole(table, key, property)) return;
    const index = instruction.path[0];
    const at = typeof index === 'number' ? index : 0;
    switch (instruction.op) {
      case 'Update':
        this.result.push({
          type: 'LIST_SET',
          table,
          key,
          property,
          index: at,
          target: target(instruction.value),
        });
        break;
      case 'ArrayInsert':
        this.result.push({
          type: 'LIST_INSERT',
          table,
          key,
          property,
          index: at,
          target: target(instruction.value),
        });
        break;
      case 'ArrayErase':
        this.result.push({ type: 'LIST_ERASE', table, key, property, index: at });
        break;
      case 'Clear':
        this.result.push({ type: 'LIST_CLEAR', table, key, property });
        break;
      default:
        // A move names no target; the final list says all of it.
        this.#rewriteLinkList(table, key, property);
    }
    // Updates that follow must not be gathered into values that stand before this list change.
    this.#open.delete(objectToken(table, key));
  }

  #rewriteLinkList(table: string, key: PrimaryKey, property: string): void {
    this.#markWhole(table, key, property);
    const list = this.#state.object(table, key)?.fields.get(property);
    this.result.push({ type: 'LIST_CLEAR', table, key, property });
    if (list?.type !== 'list') return;
    list.items.forEach((item, index) => {
      this.result.push({ type: 'LIST_INSERT', table, key, property, index, target: target(item) });
    });
  }

  #setWhole(table: string, key: PrimaryKey, field: string): void {
    if (this.#isWhole(table, key, field)) return;
    const object = this.#state.object(table, key);
    if (object === undefined) return; // erased later in the same changeset
    this.#markWhole(table, key, field);
    this.#valuesOf(table, key).set(field, object.fields.get(field) ?? NULL);
  }

  #valuesOf(table: string, key: PrimaryKey): Values {
    const token = objectToken(table, key);
    let values = this.#open.get(token);
    if (values === undefined) {
      values = new Map();
      this.result.push({ type: 'SET', table, key, values });
      this.#open.set(token, values);
    }
    return values;
  }

  #forget(table: string, key: PrimaryKey): void {
    const token = objectToken(table, key);
    this.#open.delete(token);
    this.#whole.delete(token);
  }

  #isWhole(table: string, key: PrimaryKey, property: string): boolean {
    return this.#whole.get(objectToken(table, key))?.has(property) ?? false;
  }

  #markWhole(table: string, key: PrimaryKey, property: string): void {
    const token = objectToken(table, key);
    const properties = this.#whole.get(token);
    if (properties === undefined) this.#whole.set(token, new Set([property]));
    else properties.add(property);
  }
}

function objectToken(table: string, key: PrimaryKey): string {
  return `${table}\0${keyToken(key)}`;
}

function isScalar(value: Payload): value is ScalarValue {
  return (
    value.type !== 'object' &&
    value.type !== 'list' &&
    value.type !== 'dictionary' &&
    value.type !== 'set' &&
    value.type !== 'erased'
  );
}

function target(value: Payload | StateValue): ScalarValue {
  return value.type === 'link' ? value : NULL;
}

/** The queue's form of merged instructions; {@link decodeMerged} reads it back. */
export function encodeMerged(instructions: readonly MergedInstruction[]): Uint8Array {
  return serialize(instructions);
}

/** Reads what {@link encodeMerged} wrote into our own store. */
export function decodeMerged(payload: Uint8Array): MergedInstruction[] {
  return deserialize(payload) as MergedInstruction[];
}
