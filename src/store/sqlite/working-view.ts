/**
 * The state of one realm in a store, open for reading and applying. Changed objects are held until they are flushed;
 * changes of the schema are written at once. Everything that changes runs inside a transaction of the database, and
 * when that is rolled back the view is told by {@link WorkingView.discard}.
 */
import type { Instruction } from '../../changeset/instruction.ts';
import type { ClassDefinition, ColumnDefinition, RealmSchema } from '../../schema/definition.ts';
import { keyToken, type PrimaryKey, type ScalarValue } from '../../schema/value.ts';
import { indexTokens } from '../state/index-token.ts';
import { keyFault } from '../state/key-fault.ts';
import { ObjectDecoder } from '../state/object-decoder.ts';
import { ObjectEncoder } from '../state/object-encoder.ts';
import type { ObjectState } from '../state/object-state.ts';
import type { StateReader, StoredState } from '../state/reader.ts';
import type { StateView } from '../state/view.ts';
import { type EarlierStates, EntryRecorder } from './entry-recorder.ts';
import { type ObjectTokens, replaceTokens, tokensOf, tokensOfWhole } from './index-tokens.ts';
import { type FindingPlace, ObjectFinder } from './object-finder.ts';
import { fromStoredKey, toStoredKey } from './object-key.ts';
import type { ObjectTable, StoredObject } from './object-table.ts';
import { PendingPuts } from './pending-puts.ts';
import type { IndexedColumn, SchemaTable, StoredClass } from './schema-table.ts';

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
  /** What the indexes of its class hold of it; `undefined` when they hold nothing. */
  readonly indexed: ObjectTokens | undefined;
};

export class WorkingView implements StateView, StateReader, FindingPlace {
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
  readonly #finder: ObjectFinder;
  /** Present while an entry is applied whose earlier states are kept. */
  #recorder: EntryRecorder | undefined;

  constructor(realm: number, schemas: SchemaTable, objects: ObjectTable) {
    this.#realm = realm;
    this.#schemas = schemas;
    this.#objects = objects;
    this.#pending = new PendingPuts(objects);
    this.#finder = new ObjectFinder(this, schemas.indexes);
    this.#classes = schemas.load(realm);
    this.#schema = schemaOf(this.#classes);
  }

  get schema(): RealmSchema {
    return this.#schema;
  }

  /** From now on the state of each object goes to `states` before it changes for the first time. */
  startEntry(version: number, states: EarlierStates): void {
    this.#recorder = new EntryRecorder(version, states, (table) => this.#classes.get(table));
  }

  endEntry(): void {
    this.#recorder = undefined;
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
    this.#recorder?.erasedClass(stored);
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

  has(table: string, key: PrimaryKey): boolean {
    const stored = this.#classes.get(table);
    if (stored === undefined) return false;
    const changed = this.#changed.get(stored)?.get(keyToken(key));
    if (changed !== undefined) return changed.state !== undefined;
    this.#pending.drain();
    return this.#objects.has(stored.id, toStoredKey(key));
  }

  createObject(table: string, key: PrimaryKey): ObjectState {
    const state: ObjectState = { fields: new Map() };
    const stored = this.#stored(table);
    const token = keyToken(key);
    this.#recorder?.settle(stored, token);
    this.#change(stored, token, key, state, undefined);
    return state;
  }

  eraseObject(table: string, key: PrimaryKey): boolean {
    if (this.touch(table, key) === undefined) return false;
    this.#change(this.#stored(table), keyToken(key), key, undefined, undefined);
    return true;
  }

  touch(table: string, key: PrimaryKey): ObjectState | undefined {
    const stored = this.#stored(table);
    const token = keyToken(key);
    const changed = this.#changed.get(stored)?.get(token);
    if (changed !== undefined) {
      const { state } = changed;
      if (state !== undefined && this.#recorder?.needs(stored, token) === true) {
        this.#recorder.record(stored, token, key, this.#encoder.encode(state, stored));
      }
      return state;
    }
    const bytes = this.#bytes(stored, key);
    if (bytes === undefined) return undefined;
    if (this.#recorder?.needs(stored, token) === true) this.#recorder.record(stored, token, key, bytes);
    const state = this.#decoder.decode(bytes, stored);
    this.#change(stored, token, key, state, tokensOf(stored, state));
    return state;
  }

  /** The object as it is now, in the form for {@link decoded} and {@link restore}. */
  encoded(table: string, key: PrimaryKey): Uint8Array | undefined {
    const stored = this.#classes.get(table);
    if (stored === undefined) return undefined;
    const changed = this.#changed.get(stored)?.get(keyToken(key));
    if (changed === undefined) return this.#bytes(stored, key);
    return changed.state && Uint8Array.from(this.#encoder.encode(changed.state, stored));
  }

  /** An object of the class from its bytes; columns that are gone since are left out. */
  decoded(table: string, bytes: Uint8Array): ObjectState {
    return this.#decoder.decode(bytes, this.#stored(table));
  }

  /** Makes the object what it was when {@link encoded} returned `bytes`. */
  restore(table: string, key: PrimaryKey, bytes: Uint8Array | undefined): void {
    const stored = this.#stored(table);
    if (this.touch(table, key) === undefined && bytes === undefined) return;
    const state = bytes === undefined ? undefined : this.#decoder.decode(bytes, stored);
    this.#change(stored, keyToken(key), key, state, undefined);
  }

  /** The number of a class in the database; `undefined` when there is no such class. */
  classId(table: string): bigint | undefined {
    return this.#classes.get(table)?.id;
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
    this.#recorder?.tookWhole(created);
    if (stored.indexes.length > 0) {
      const tokens = tokensOfWhole(stored, instructions, from, after);
      replaceTokens(this.#schemas.indexes, stored, key, undefined, tokens);
    }
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
    if (stored === undefined) return [];
    this.flush();
    const rows = this.#objects.scan(stored.id, after === undefined ? undefined : toStoredKey(after), limit);
    return rows.map((row) => this.decodedRow(stored, row));
  }

  decodedRow(stored: StoredClass, { key, state }: StoredObject): StoredState {
    // Only classes with keys have objects of their own.
    const type = stored.definition.primaryKey?.type ?? 'globalKey';
    return { key: fromStoredKey(key, type), state: this.#decoder.decode(state, stored) };
  }

  count(table: string): number {
    const stored = this.#classes.get(table);
    if (stored === undefined) return 0;
    this.flush();
    return this.#objects.count(stored.id);
  }

  isIndexed(table: string, field: string): boolean {
    const stored = this.#classes.get(table);
    return stored !== undefined && this.#finder.isIndexed(stored, field);
  }

  /** Without an index it reads all objects of the class. */
  withValue(table: string, field: string, values: readonly ScalarValue[]): Iterable<StoredState> {
    const stored = this.#classes.get(table);
    return stored === undefined ? [] : this.#finder.withValue(stored, field, values);
  }

  linking(table: string, field: string, target: { table: string; key: PrimaryKey }): Iterable<StoredState> {
    return this.withValue(table, field, [{ type: 'link', table: target.table, key: target.key }]);
  }

  /** Starts an index, or returns the one there is; `undefined` when the property cannot have or does not need one. */
  startIndex(table: string, field: string): IndexedColumn | undefined {
    const stored = this.#classes.get(table);
    const layout = stored?.byName.get(field);
    if (stored?.definition.primaryKey === undefined || layout === undefined) return undefined;
    const known = stored.indexes.find((index) => index.layout === layout);
    if (known !== undefined) return known;
    this.flush();
    this.#schemaChanged = true;
    this.#schemas.addIndex(stored, layout);
    return stored.indexes.at(-1);
  }

  /** Puts the next `limit` objects into the index. Returns the last one's key; `undefined` when the index is complete. */
  buildIndex(
    table: string,
    index: IndexedColumn,
    after: PrimaryKey | undefined,
    limit: number,
  ): PrimaryKey | undefined {
    const stored = this.#stored(table);
    const { name, id, column } = index.layout;
    const batch = this.batch(table, after, limit);
    for (const { key, state } of batch) {
      const storedKey = toStoredKey(key);
      for (const token of indexTokens(column, state.fields.get(name))) {
        this.#schemas.indexes.put(stored.id, id, token, storedKey);
      }
    }
    if (batch.length === limit) return batch.at(-1)?.key;
    this.#schemaChanged = true;
    this.#schemas.completeIndex(stored, index);
    return undefined;
  }

  /** Writes the changed objects. Call it before the transaction commits. */
  flush(): void {
    this.#pending.drain();
    if (this.#changedCount === 0) return;
    for (const [stored, objects] of this.#changed) {
      for (const { key, state, indexed } of objects.values()) {
        if (stored.indexes.length > 0) {
          const tokens = state && tokensOf(stored, state);
          replaceTokens(this.#schemas.indexes, stored, key, indexed, tokens);
        }
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
    this.#recorder = undefined;
    this.#schemaChanged = false;
  }

  /** Forgets what was changed since {@link keep}. Call it after the transaction was rolled back. */
  discard(): void {
    this.#recorder = undefined;
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

  #bytes(stored: StoredClass, key: PrimaryKey): Uint8Array | undefined {
    this.#pending.drain();
    return this.#objects.load(stored.id, toStoredKey(key));
  }

  #load(stored: StoredClass, key: PrimaryKey): ObjectState | undefined {
    const bytes = this.#bytes(stored, key);
    return bytes === undefined ? undefined : this.#decoder.decode(bytes, stored);
  }

  #change(
    stored: StoredClass,
    token: string,
    key: PrimaryKey,
    state: ObjectState | undefined,
    indexed: ObjectTokens | undefined,
  ): void {
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
    objects.set(token, { key, state, indexed });
    this.#changedCount += 1;
  }
}

function schemaOf(classes: ReadonlyMap<string, StoredClass>): Map<string, ClassDefinition> {
  return new Map([...classes].map(([name, { definition }]) => [name, definition]));
}
