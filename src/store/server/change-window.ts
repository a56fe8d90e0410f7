/** What entries of a realm's history did after a version, and the state before them. */
import { decodeChangeset } from '../../changeset/codec.ts';
import type { ObjectInstruction } from '../../changeset/instruction.ts';
import { keyToken, type PrimaryKey } from '../../schema/value.ts';
import { toStoredKey } from '../sqlite/object-key.ts';
import type { ObjectState } from '../state/object-state.ts';
import type { StateReader } from '../state/reader.ts';
import { BeforeReader } from './before-reader.ts';
import type { ReadingSource } from './realm-reading.ts';
import type { ChangeWindow, DecodedEntry, TouchedObject } from './snapshot-contract.ts';

/** Bytes of changesets of a window that stays decoded: steady-state windows, which many views look at. */
const MAX_KEPT_BYTES = 1024 * 1024;

/** A touched object; its earlier state is read when it is asked for. */
export type Touch = {
  readonly table: string;
  readonly key: PrimaryKey;
  /** Of the first entry in the window that names the object. */
  readonly version: number;
};

/** By class, then by key token, in the order of the first touch. */
export type Touches = ReadonlyMap<string, ReadonlyMap<string, Touch>>;

type Touched = { readonly touches: Touches; readonly inOrder: readonly Touch[] };

export class StoredWindow implements ChangeWindow {
  readonly after: number;
  readonly upTo: number;
  readonly size: number;
  readonly before: StateReader;
  readonly #source: ReadingSource;
  #decoded: readonly DecodedEntry[] | undefined;
  #found: Touched | undefined;
  readonly #earlier = new Map<Touch, ObjectState | undefined>();
  readonly #atEnd = new Map<Touch, ObjectState | undefined>();

  constructor(source: ReadingSource, after: number) {
    const { history, realm, head, facts } = source;
    this.#source = source;
    this.after = after;
    this.upTo = head.version;
    const { base } = facts;
    const sizeBefore = after === base.version ? base.cumulativeSize : history.cumulativeSizeAt(realm, after);
    this.size = after === head.version ? 0 : head.cumulativeSize - sizeBefore;
    this.before = new BeforeReader(source, {
      ofClass: (table) => this.#touched.touches.get(table) ?? NO_TOUCHES,
      stateOf: (touch) => this.#stateBefore(touch),
    });
  }

  *prepare(): IterableIterator<undefined> {
    if (this.#found === undefined) this.#found = yield* this.#findTouched();
  }

  entries(): Iterable<DecodedEntry> {
    if (this.size > MAX_KEPT_BYTES) return this.#decode();
    this.#decoded ??= [...this.#decode()];
    return this.#decoded;
  }

  *touched(): IterableIterator<TouchedObject> {
    for (const touch of this.#touched.inOrder) {
      const { table, key } = touch;
      yield { table, key, before: this.#stateBefore(touch) };
    }
  }

  isTouched(table: string, key: PrimaryKey): boolean {
    return this.#touched.touches.get(table)?.has(keyToken(key)) === true;
  }

  atEnd(table: string, key: PrimaryKey): ObjectState | undefined {
    const touch = this.#touched.touches.get(table)?.get(keyToken(key));
    if (touch !== undefined && this.#atEnd.has(touch)) return this.#atEnd.get(touch);
    const state = this.#source.view.object(table, key);
    if (touch !== undefined && this.size <= MAX_KEPT_BYTES) this.#atEnd.set(touch, state);
    return state;
  }

  get #touched(): Touched {
    if (this.#found !== undefined) return this.#found;
    const steps = this.#findTouched();
    let step = steps.next();
    while (step.done !== true) step = steps.next();
    this.#found = step.value;
    return this.#found;
  }

  *#decode(): IterableIterator<DecodedEntry> {
    const { history, realm } = this.#source;
    // One after the other, so that two iterations at a time do not disturb each other.
    let entry = history.nextEntry(realm, this.after);
    for (; entry !== undefined; entry = history.nextEntry(realm, entry.version)) {
      const { version, origin, clientVersion, timestamp, changeset } = entry;
      const { instructions } = decodeChangeset(changeset);
      yield { version, origin, clientVersion, timestamp, instructions };
    }
  }

  /** A step for each entry. */
  *#findTouched(): Generator<undefined, Touched> {
    const { schema } = this.#source.view;
    const touches = new Map<string, Map<string, Touch>>();
    for (const [name, { kind }] of schema) if (kind === 'topLevel') touches.set(name, new Map());
    const inOrder: Touch[] = [];
    for (const { version, instructions } of this.entries()) {
      let known: ObjectInstruction | undefined;
      for (const instruction of instructions) {
        // With a class its objects are gone; what exists under that name now is another one.
        if (!('key' in instruction)) {
          if (instruction.op === 'EraseTable') touches.get(instruction.table)?.clear();
          known = undefined;
          continue;
        }
        const { table, key } = instruction;
        // Instructions for one object mostly follow one another.
        if (known?.key === key && known.table === table) continue;
        known = instruction;
        const ofClass = touches.get(table);
        const token = keyToken(key);
        if (ofClass === undefined || ofClass.has(token)) continue;
        const touch = { table, key, version };
        ofClass.set(token, touch);
        inOrder.push(touch);
      }
      yield;
    }
    return { touches, inOrder: inOrder.filter((touch) => isIn(touches, touch)) };
  }

  #stateBefore(touch: Touch): ObjectState | undefined {
    if (this.#earlier.has(touch)) return this.#earlier.get(touch);
    const { view, earlier } = this.#source;
    const { table, key, version } = touch;
    const classId = view.classId(table);
    const bytes = classId === undefined ? undefined : earlier.load(classId, version, toStoredKey(key));
    const state = bytes && view.decoded(table, bytes);
    if (this.size <= MAX_KEPT_BYTES) this.#earlier.set(touch, state);
    return state;
  }
}

const NO_TOUCHES: ReadonlyMap<string, Touch> = new Map();

function isIn(touches: Touches, touch: Touch): boolean {
  return touches.get(touch.table)?.get(keyToken(touch.key)) === touch;
}
