/**
 * What applying a changeset needs of the state of one realm. Synchronous: an implementation over storage reads
 * through, remembers what was touched, and writes it out or throws it away later.
 */
import type { Instruction } from '../../changeset/instruction.ts';
import type { ClassDefinition, ColumnDefinition, RealmSchema } from '../../schema/definition.ts';
import { keyFromToken, keyToken, type PrimaryKey } from '../../schema/value.ts';
import { MutableSchema } from './mutable-schema.ts';
import type { ObjectState, StateValue } from './object-state.ts';

export interface StateView {
  readonly schema: RealmSchema;
  addClass(definition: ClassDefinition): void;
  /** Removes the class with all its objects. */
  eraseClass(table: string): void;
  addColumn(table: string, field: string, column: ColumnDefinition): void;
  /** Removes the column with its values, also inside embedded objects. */
  eraseColumn(table: string, field: string): void;

  object(table: string, key: PrimaryKey): ObjectState | undefined;
  /** Adds an object without values. The caller has made sure that there is none with that key. */
  createObject(table: string, key: PrimaryKey): ObjectState;
  /** Returns false when there is no such object. */
  eraseObject(table: string, key: PrimaryKey): boolean;
  /** The object for changing its fields; {@link object} is for reading only. */
  touch(table: string, key: PrimaryKey): ObjectState | undefined;
  /**
   * Takes the creation of an object at `instructions[from]` together with the values that follow it, if it can be done
   * in one go: valid instructions that make one object, new and complete. Returns the index after the last instruction
   * taken; `from` when nothing was.
   */
  takeWhole?(instructions: readonly Instruction[], from: number): number;
}

/** A realm state held in maps. */
export class MemoryView implements StateView {
  readonly #schema = new MutableSchema();
  readonly #objects = new Map<string, Map<string, ObjectState>>();

  get schema(): RealmSchema {
    return this.#schema.classes;
  }

  addClass(definition: ClassDefinition): void {
    this.#schema.addClass(definition);
    this.#objects.set(definition.name, new Map());
  }

  eraseClass(table: string): void {
    this.#schema.eraseClass(table);
    this.#objects.delete(table);
  }

  addColumn(table: string, field: string, column: ColumnDefinition): void {
    this.#schema.addColumn(table, field, column);
  }

  eraseColumn(table: string, field: string): void {
    const embedded = this.schema.get(table)?.kind === 'embedded';
    if (embedded) {
      for (const [owner, objects] of this.#objects) {
        for (const { fields } of objects.values())
          eraseEmbeddedField(this.schema, owner, fields, table, field);
      }
    } else {
      for (const { fields } of this.#objects.get(table)?.values() ?? []) fields.delete(field);
    }
    this.#schema.eraseColumn(table, field);
  }

  object(table: string, key: PrimaryKey): ObjectState | undefined {
    return this.#objects.get(table)?.get(keyToken(key));
  }

  createObject(table: string, key: PrimaryKey): ObjectState {
    const state: ObjectState = { fields: new Map() };
    this.#objects.get(table)?.set(keyToken(key), state);
    return state;
  }

  eraseObject(table: string, key: PrimaryKey): boolean {
    return this.#objects.get(table)?.delete(keyToken(key)) ?? false;
  }

  touch(table: string, key: PrimaryKey): ObjectState | undefined {
    return this.object(table, key);
  }

  /** All objects of a class in order of creation. */
  *objects(table: string): IterableIterator<{ key: PrimaryKey; state: ObjectState }> {
    for (const [token, state] of this.#objects.get(table) ?? []) yield { key: keyFromToken(token), state };
  }
}

/** Removes `field` from every embedded object of class `erasedFrom` below `fields`, which belong to class `owner`. */
export function eraseEmbeddedField(
  schema: RealmSchema,
  owner: string,
  fields: Map<string, StateValue>,
  erasedFrom: string,
  field: string,
): void {
  if (owner === erasedFrom) fields.delete(field);
  for (const [name, value] of fields) {
    const target = schema.get(owner)?.columns.get(name)?.linkTarget;
    if (target === undefined || schema.get(target)?.kind !== 'embedded') continue;
    for (const element of elementsOf(value)) {
      if (element.type === 'object') eraseEmbeddedField(schema, target, element.fields, erasedFrom, field);
    }
  }
}

function elementsOf(value: StateValue): Iterable<StateValue> {
  switch (value.type) {
    case 'list':
      return value.items;
    case 'dictionary':
      return value.entries.values();
    default:
      return [value];
  }
}
