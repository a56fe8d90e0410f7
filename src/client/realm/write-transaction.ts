/**
 * The working set of one write: instructions are applied to copies of the objects they touch, in front of a reader
 * that stays as it is until the instructions are handed over.
 */
import type { Instruction } from '../../changeset/instruction.ts';
import type { RealmSchema } from '../../schema/definition.ts';
import { keyToken, type PrimaryKey, sameKey } from '../../schema/value.ts';
import { Applier } from '../../store/state/apply.ts';
import type { ObjectState, StateValue } from '../../store/state/object-state.ts';
import type { StateView } from '../../store/state/view.ts';
import { Deletion } from './deletion.ts';
import type { RealmReader } from './realm-core.ts';
import { RealmUsageError } from './realm-error.ts';

/** `state` is absent for an erased object. */
type Changed = {
  readonly key: PrimaryKey;
  readonly inReader: boolean;
  readonly state: ObjectState | undefined;
};

export class WriteTransaction implements StateView {
  readonly #reader: RealmReader;
  readonly #subscribed: ReadonlySet<string> | undefined;
  #deletion: Deletion | undefined;
  readonly #applier: Applier;
  readonly #instructions: Instruction[] = [];
  readonly #changed = new Map<string, Map<string, Changed>>();
  /** The latest object that the reader turned out not to have: creating one asks more than once. */
  #missing: { readonly table: string; readonly key: PrimaryKey } | undefined;
  /** Objects more than the reader has, by class. */
  readonly #growth = new Map<string, number>();

  /** With `subscribed`, objects of other classes cannot be written. */
  constructor(reader: RealmReader, subscribed?: ReadonlySet<string>) {
    this.#reader = reader;
    this.#subscribed = subscribed;
    this.#applier = new Applier(this);
  }

  get schema(): RealmSchema {
    return this.#reader.schema;
  }

  get instructions(): readonly Instruction[] {
    return this.#instructions;
  }

  /** Applies an instruction to the working set and keeps it. Throws `BadChangesetError` when it does not apply. */
  emit(instruction: Instruction): void {
    if (this.#subscribed !== undefined && 'key' in instruction)
      this.#checkSubscribed(instruction.table, this.#subscribed);
    this.#applier.apply(instruction);
    this.#instructions.push(instruction);
  }

  /** Creates an object and sets anew the links that waited for it. */
  create(table: string, key: PrimaryKey): void {
    this.emit({ op: 'CreateObject', table, key });
    if (this.#reader.incomingLinks !== undefined) this.#deleting().relink(table, key);
  }

  /** Removes the links to an object and erases it. */
  delete(table: string, key: PrimaryKey): void {
    this.#deleting().delete(table, key);
  }

  object(table: string, key: PrimaryKey): ObjectState | undefined {
    const changed = this.#changed.get(table)?.get(keyToken(key));
    return changed === undefined ? this.#read(table, key) : changed.state;
  }

  /** Objects in key order, created ones at the end. What is created during the iteration is not part of it. */
  *objects(table: string): IterableIterator<{ key: PrimaryKey; state: ObjectState }> {
    const created = [...this.#of(table).values()].filter(({ inReader }) => !inReader);
    for (const { key, state } of this.#reader.objects(table)) {
      const changed = this.#of(table).get(keyToken(key));
      if (changed === undefined) yield { key, state };
      else if (changed.inReader && changed.state !== undefined) yield { key, state: changed.state };
    }
    for (const { key } of created) {
      const state = this.object(table, key);
      if (state !== undefined) yield { key, state };
    }
  }

  count(table: string): number {
    return this.#reader.count(table) + (this.#growth.get(table) ?? 0);
  }

  createObject(table: string, key: PrimaryKey): ObjectState {
    const state: ObjectState = { fields: new Map() };
    const token = keyToken(key);
    // There is no such object, so that the reader has it only when this transaction has erased it.
    const inReader = this.#of(table).get(token)?.inReader ?? false;
    this.#of(table).set(token, { key, inReader, state });
    this.#grow(table, 1);
    return state;
  }

  eraseObject(table: string, key: PrimaryKey): boolean {
    const token = keyToken(key);
    const changed = this.#of(table).get(token);
    const exists =
      changed === undefined ? this.#reader.object(table, key) !== undefined : changed.state !== undefined;
    if (!exists) return false;
    const inReader = changed?.inReader ?? true;
    // An object that only this transaction knows leaves nothing behind.
    if (inReader) this.#of(table).set(token, { key, inReader, state: undefined });
    else this.#of(table).delete(token);
    this.#grow(table, -1);
    return true;
  }

  touch(table: string, key: PrimaryKey): ObjectState | undefined {
    const token = keyToken(key);
    const changed = this.#of(table).get(token);
    if (changed !== undefined) return changed.state;
    const original = this.#read(table, key);
    if (original === undefined) return undefined;
    const state: ObjectState = { fields: copyEntries(original.fields) };
    this.#of(table).set(token, { key, inReader: true, state });
    return state;
  }

  addClass(): void {
    throw schemaChange();
  }

  eraseClass(): void {
    throw schemaChange();
  }

  addColumn(): void {
    throw schemaChange();
  }

  eraseColumn(): void {
    throw schemaChange();
  }

  /** The server would only take it back: nothing of the class is in this realm's view. */
  #checkSubscribed(table: string, subscribed: ReadonlySet<string>): void {
    if (subscribed.has(table) || this.schema.get(table)?.kind !== 'topLevel') return;
    throw new RealmUsageError(`objects of class ${table} cannot be written: there is no subscription to it`, {
      remedy: 'add one with realm.subscriptions.update(…) first',
    });
  }

  #read(table: string, key: PrimaryKey): ObjectState | undefined {
    const missing = this.#missing;
    if (missing !== undefined && missing.table === table && sameKey(missing.key, key)) return undefined;
    const state = this.#reader.object(table, key);
    if (state === undefined) this.#missing = { table, key };
    return state;
  }

  #deleting(): Deletion {
    this.#deletion ??= new Deletion(this.#reader, this);
    return this.#deletion;
  }

  #of(table: string): Map<string, Changed> {
    let changed = this.#changed.get(table);
    if (changed === undefined) {
      changed = new Map();
      this.#changed.set(table, changed);
    }
    return changed;
  }

  #grow(table: string, by: number): void {
    this.#growth.set(table, (this.#growth.get(table) ?? 0) + by);
  }
}

function schemaChange(): RealmUsageError {
  return new RealmUsageError('classes and columns cannot change inside a write transaction');
}

function copyEntries(entries: ReadonlyMap<string, StateValue>): Map<string, StateValue> {
  const copy = new Map<string, StateValue>();
  for (const [name, value] of entries) copy.set(name, copyValue(value));
  return copy;
}

function copyValue(value: StateValue): StateValue {
  switch (value.type) {
    case 'object':
      return { type: 'object', fields: copyEntries(value.fields) };
    case 'list':
      return { type: 'list', items: value.items.map(copyValue) };
    case 'dictionary':
      return { type: 'dictionary', entries: copyEntries(value.entries) };
    case 'set':
      return { type: 'set', items: new Map(value.items) };
    default:
      return value;
  }
}
