/**
 * The state of one realm in a store, open for reading and applying. Changed objects are held until they are flushed;
 * changes of the schema are written at once. Everything that changes runs inside a transaction of the database, and
 * when that is rolled back the view is told by {@link WorkingView.discard}.
 */
import type { Instruction } from '../../changeset/instruction.ts';
import type { ClassDefinition, ColumnDefinition, RealmSchema } from '../../schema/definition.ts';
import { keyToken, type PrimaryKey } from '../../schema/value.ts';
import { keyFault } from '../state/key-fault.ts';
import { ObjectDecoder } from '../state/object-decoder.ts';
import { ObjectEncoder } from '../state/object-encoder.ts';
import type { ObjectState } from '../state/object-state.ts';
import type { StateView } from '../state/view.ts';
import { fromStoredKey, toStoredKey } from './object-key.ts';
import type { ObjectTable } from './object-table.ts';
import { PendingPuts } from './pending-puts.ts';
import type { SchemaTable, StoredClass } from './schema-table.ts';

/** Changed objects held before they are written out, whatever the size of the transaction: some 10 MB of them. */
const MAX_CHANGED_OBJECTS = 8192;
/** Objects read at once in a scan. */
const SCAN_BATCH = 256;

const BELOW_ALL = -(1n << 63n) - 1n;
const ABOVE_ALL = 1n << 63n;

type ChangedObject = {
  readonly key: PrimaryKey;
  /** `undefined` when the object was erased. */
  state: ObjectState | undefined;
};

export class WorkingView implements StateView {
  readonly #realm: number;
  readonly #schemas: SchemaTable;
  readonly #objects: ObjectTable;
  readonly #encoder = new ObjectEncoder((table) => this.#classes.get(table));
  readonly #decoder = new ObjectDecoder((table) => this.#classes.get(table));
  #classes: Map<string, StoredClass>;
  #schema: Map<string, ClassDefinition>;
  #schemaChanged = false;
  /** By class, then by key token. */
  readonly #changed = new Map<StoredClass, Map<string, ChangedObject>>();
  #changedCount = 0;
  /** Complete objects; none of them is among the changed ones. */
  readonly #pending: PendingPuts;
  /** For classes with integer keys: no object has a higher one. */
  #highest = new WeakMap<StoredClass, bigint>();

  constructor(realm: number, schemas: SchemaTable, objects: ObjectTable) {
    this.#realm = realm;
    this.#schemas = schemas;
    this.#objects = objects;
    this.#pending = new PendingPuts(objects);
    this.#classes = schemas.load(realm);
    this.#schema = schemaOf(this.#classes);
  }

  get schema(): RealmSchema {
    return this.#schema;
  }

  addClass(definition: ClassDefinition): void {
    this.#schemaChanged = true;
    const stored = this.#schemas.addClass(this.#realm, definition);
    this.#classes.set(definition.name, stored);
    this.#schema.set(definition.name, stored.definition);
  }

  eraseClass(table: string): void {
    const stored = this.#stored(table);
    this.#schemaChanged = true;
    this.#changedCount -= this.#changed.get(stored)?.size ?? 0;
    this.#changed.delete(stored);
    this.#pending.drain();
    this.#objects.removeClass(stored.id);
    this.#schemas.eraseClass(stored);
    this.#classes.delete(table);
    this.#schema.delete(table);
  }

  addColumn(table: string, field: string, column: ColumnDefinition): void {
    this.#schemaChanged = true;
    this.#schemas.addColumn(this.#stored(table), field, column);
  }

  eraseColumn(table: string, field: string): void {
    const stored = this.#stored(table);
    // Whatever is read again after this lacks the column's values.
    this.flush();
    this.#schemaChanged = true;
    this.#schemas.eraseColumn(stored, field);
  }

  object(table: string, key: PrimaryKey): ObjectState | undefined {
    const stored = this.#classes.get(table);
    if (stored === undefined) return undefined;
    const changed = this.#changed.get(stored)?.get(keyToken(key));
    return changed === undefined ? this.#load(stored, key) : changed.state;
  }

  createObject(table: string, key: PrimaryKey): ObjectState {
    const state: ObjectState = { fields: new Map() };
    this.#change(this.#stored(table), keyToken(key), key, state);
    return state;
  }

  eraseObject(table: string, key: PrimaryKey): boolean {
    if (this.object(table, key) === undefined) return false;
    this.#change(this.#stored(table), keyToken(key), key, undefined);
    return true;
  }

  touch(table: string, key: PrimaryKey): ObjectState | undefined {
    const stored = this.#stored(table);
    const token = keyToken(key);
    const changed = this.#changed.get(stored)?.get(token);
    if (changed !== undefined) return changed.state;
    const state = this.#load(stored, key);
    if (state !== undefined) this.#change(stored, token, key, state);
    return state;
  }

  takeWhole(instructions: readonly Instruction[], from: number): number {
    const created = instructions[from];
    if (created?.op !== 'CreateObject') return from;
    const { table, key } = created;
    const stored = this.#classes.get(table);
    if (stored === undefined || keyFault(stored.definition, key) !== undefined) return from;
    if (!this.#isNew(stored, key)) return from;
    const after = this.#encoder.encodeFresh(instructions, from, stored, this.#schema);
    // Without values yet, more is to come that is not one of this object's own values.
    if (after <= from + 1) return from;
    this.#pending.put(stored.id, key, this.#encoder.bytes);
    this.#raise(stored, key);
    return after;
  }

  /** Objects of a class in key order, starting after `after`. Safe against changes during the iteration. */
  *objects(table: string, after?: PrimaryKey): IterableIterator<{ key: PrimaryKey; state: ObjectState }> {
    let last = after;
    for (;;) {
      const batch = this.batch(table, last, SCAN_BATCH);
      yield* batch;
      last = batch.at(-1)?.key;
      if (last === undefined) return;
    }
  }

  /** At most `limit` objects of a class in key order, after the key `after` if there is one. */
  batch(
    table: string,
    after: PrimaryKey | undefined,
    limit: number,
  ): readonly { key: PrimaryKey; state: ObjectState }[] {
    const stored = this.#classes.get(table);
    const keyType = stored?.definition.primaryKey?.type;
    if (stored === undefined || keyType === undefined) return [];
    this.flush();
    const rows = this.#objects.scan(stored.id, after === undefined ? undefined : toStoredKey(after), limit);
    return rows.map((row) => ({
      key: fromStoredKey(row.key, keyType),
      state: this.#decoder.decode(row.state, stored),
    }));
  }

  count(table: string): number {
    const stored = this.#classes.get(table);
    if (stored === undefined) return 0;
    this.flush();
    return this.#objects.count(stored.id);
  }

  /** Writes the changed objects. Call it before the transaction commits. */
  flush(): void {
    this.#pending.drain();
    if (this.#changedCount === 0) return;
    for (const [stored, objects] of this.#changed) {
      for (const { key, state } of objects.values()) {
        if (state === undefined) this.#objects.remove(stored.id, toStoredKey(key));
        else {
          this.#pending.put(stored.id, key, this.#encoder.encode(state, stored));
          this.#raise(stored, key);
        }
      }
    }
    this.#pending.drain();
    this.#changed.clear();
    this.#changedCount = 0;
  }

  /** Call it when the transaction commits: the schema as it is now stays. */
  keep(): void {
    this.flush();
    this.#schemaChanged = false;
  }

  /** Forgets what was changed since {@link keep}. Call it after the transaction was rolled back. */
  discard(): void {
    this.#pending.forget();
    this.#changed.clear();
    this.#changedCount = 0;
    if (!this.#schemaChanged) return;
    this.#schemaChanged = false;
    this.#classes = this.#schemas.load(this.#realm);
    this.#schema = schemaOf(this.#classes);
  }

  #stored(table: string): StoredClass {
    const stored = this.#classes.get(table);
    if (stored === undefined) throw new RangeError(`there is no class ${table}`);
    return stored;
  }

  /** True when there is no such object, neither stored nor held here. */
  #isNew(stored: StoredClass, key: PrimaryKey): boolean {
    if (this.#changed.get(stored)?.has(keyToken(key)) === true) return false;
    if (key.type === 'int' && key.value > this.#highestOf(stored)) return true;
    return !this.#pending.has(stored.id, key) && !this.#objects.has(stored.id, toStoredKey(key));
  }

  /** Rows mostly come in the order of their keys: comparing with the highest one spares looking each of them up. */
  #highestOf(stored: StoredClass): bigint {
    let highest = this.#highest.get(stored);
    if (highest === undefined) {
      this.#pending.drain();
      const key = this.#objects.highest(stored.id);
      // A null key, which sorts behind all integers, hides the highest of them: then each is looked up.
      highest = key === undefined ? BELOW_ALL : typeof key === 'bigint' ? key : ABOVE_ALL;
      this.#highest.set(stored, highest);
    }
    return highest;
  }

  #raise(stored: StoredClass, key: PrimaryKey): void {
    if (key.type !== 'int') return;
    const highest = this.#highest.get(stored);
    if (highest !== undefined && key.value > highest) this.#highest.set(stored, key.value);
  }

  #load(stored: StoredClass, key: PrimaryKey): ObjectState | undefined {
    this.#pending.drain();
    const bytes = this.#objects.load(stored.id, toStoredKey(key));
    return bytes === undefined ? undefined : this.#decoder.decode(bytes, stored);
  }

  #change(stored: StoredClass, token: string, key: PrimaryKey, state: ObjectState | undefined): void {
    const known = this.#changed.get(stored)?.get(token);
    if (known !== undefined) {
      known.state = state;
      return;
    }
    // The object changed last is complete by now, since whoever changes objects went on to this one.
    if (this.#changedCount >= MAX_CHANGED_OBJECTS) this.flush();
    let objects = this.#changed.get(stored);
    if (objects === undefined) {
      objects = new Map();
      this.#changed.set(stored, objects);
    }
    objects.set(token, { key, state });
    this.#changedCount += 1;
  }
}

function schemaOf(classes: ReadonlyMap<string, StoredClass>): Map<string, ClassDefinition> {
  return new Map([...classes].map(([name, { definition }]) => [name, definition]));
}
