/**
 * Encoded objects on their way into an {@link ObjectTable}, gathered so that many go in with one statement: that costs
 * a third of one statement each. What is pending is not in the table yet, so whoever reads the table drains first.
 */
import { type PrimaryKey, sameKey } from '../../schema/value.ts';
import { type StoredKey, toStoredKey } from './object-key.ts';
import { OBJECTS_PER_STATEMENT, type ObjectTable } from './object-table.ts';

const INITIAL_CAPACITY = 16 * 1024;
/** Bytes that may be pending; larger objects go in alone. */
const MAX_CAPACITY = 256 * 1024;

/** The bytes of pending objects; one view at a time fills them, mostly, so it is handed from one to the next. */
let spare: Buffer | undefined;

export class PendingPuts {
  readonly #table: ObjectTable;
  readonly #classIds: bigint[] = [];
  readonly #keys: PrimaryKey[] = [];
  readonly #states: Uint8Array[] = [];
  #bytes: Buffer | undefined;
  #length = 0;

  constructor(table: ObjectTable) {
    this.#table = table;
  }

  /** Takes a copy of `state`. */
  put(classId: bigint, key: PrimaryKey, state: Uint8Array): void {
    this.#classIds.push(classId);
    this.#keys.push(key);
    this.#states.push(this.#keep(state));
    if (this.#keys.length >= OBJECTS_PER_STATEMENT || this.#length >= MAX_CAPACITY) this.drain();
  }

  has(classId: bigint, key: PrimaryKey): boolean {
    for (let index = this.#keys.length - 1; index >= 0; index -= 1) {
      if (this.#classIds[index] === classId && sameKey(this.#keys[index]!, key)) return true;
    }
    return false;
  }

  /** Writes what is pending. */
  drain(): void {
    const count = this.#keys.length;
    if (count === 0) return;
    if (count === OBJECTS_PER_STATEMENT) {
      const values: StoredKey[] = [];
      for (let index = 0; index < count; index += 1) {
        values.push(this.#classIds[index]!, toStoredKey(this.#keys[index]!), this.#states[index]!);
      }
      this.#table.putMany(values);
    } else {
      for (let index = 0; index < count; index += 1) {
        this.#table.put(this.#classIds[index]!, toStoredKey(this.#keys[index]!), this.#states[index]!);
      }
    }
    this.forget();
  }

  /** Drops what is pending. */
  forget(): void {
    this.#classIds.length = 0;
    this.#keys.length = 0;
    this.#states.length = 0;
    this.#length = 0;
    if (this.#bytes !== undefined && this.#bytes.length <= MAX_CAPACITY) spare = this.#bytes;
    this.#bytes = undefined;
  }

  #keep(state: Uint8Array): Uint8Array {
    const start = this.#length;
    const end = start + state.length;
    if (this.#bytes === undefined) {
      this.#bytes = spare ?? Buffer.allocUnsafeSlow(INITIAL_CAPACITY);
      spare = undefined;
    }
    if (end > this.#bytes.length) {
      // The objects before stay where they are: their bytes are referred to.
      this.#bytes = Buffer.allocUnsafeSlow(Math.max(2 * this.#bytes.length, state.length));
      this.#bytes.set(state, 0);
      this.#length = state.length;
      return this.#bytes.subarray(0, state.length);
    }
    this.#bytes.set(state, start);
    this.#length = end;
    return this.#bytes.subarray(start, end);
  }
}
