/** Writes an object into the bytes it is stored as; `ObjectDecoder` reads them. */
import type { Instruction, Payload } from '../../changeset/instruction.ts';
import type { RealmSchema } from '../../schema/definition.ts';
import { type DecimalValue, type PrimaryKey, type ScalarValue, sameKey } from '../../schema/value.ts';
import { keyFault } from './key-fault.ts';
import type { ClassLayout, ColumnLayout, LayoutLookup } from './layout.ts';
import type { ObjectState, StateValue } from './object-state.ts';
import { SMALL_INT_LIMIT, ValueTag } from './value-tag.ts';

const INITIAL_CAPACITY = 64 * 1024;
/** Capacity kept between objects; one huge object shall not hold its memory for ever. */
const MAX_KEPT_CAPACITY = 4 * 1024 * 1024;
/** No value without text or bytes, key of a link included, takes more. */
const MAX_FIXED_BYTES = 64;
/** Up to this length, copying characters one by one is cheaper than a call into native code. */
const SHORT_TEXT = 32;
const INT32_LIMIT = 2 ** 31;
const MAX_SAFE = BigInt(Number.MAX_SAFE_INTEGER);
const LOW_64_BITS = (1n << 64n) - 1n;

/** Shared by all encoders, of which there is one per open realm. */
let scratch = Buffer.allocUnsafe(INITIAL_CAPACITY);

export class ObjectEncoder {
  #buffer = scratch;
  #at = 0;
  readonly #layouts: LayoutLookup;

  constructor(layouts: LayoutLookup) {
    this.#layouts = layouts;
  }

  /** The bytes are valid until an object is encoded again, by whatever encoder. */
  encode(state: ObjectState, layout: ClassLayout): Uint8Array {
    this.#begin();
    this.#fields(state.fields, layout);
    return this.bytes;
  }

  /**
   * Encodes the object that `instructions[from]` creates from the values that follow. Returns the index after the last
   * instruction taken and leaves the bytes in {@link bytes}; returns `from` when the instructions ask for more than
   * to write new values of the right type, each once.
   */
  encodeFresh(
    instructions: readonly Instruction[],
    from: number,
    layout: ClassLayout,
    schema: RealmSchema,
  ): number {
    const created = instructions[from];
    if (created?.op !== 'CreateObject') return from;
    this.#begin();
    nextMark += 1;
    let at = from + 1;
    for (; at < instructions.length; at += 1) {
      const instruction = instructions[at]!;
      if (!('key' in instruction) || instruction.table !== created.table) break;
      if (instruction.key !== created.key && !sameKey(instruction.key, created.key)) break;
      if (instruction.op !== 'Update' || instruction.path.length > 0) return from;
      const column = layout.byName.get(instruction.field);
      if (column === undefined || !isFreshValue(column, instruction.value, schema)) return from;
      this.#reserve(MAX_FIXED_BYTES);
      this.#varint(column.id + 1);
      this.#value(instruction.value, column.column.linkTarget);
    }
    this.#reserve(MAX_FIXED_BYTES);
    this.#buffer[this.#at++] = 0;
    return at;
  }

  /** What was encoded last; valid until an object is encoded again, by whatever encoder. */
  get bytes(): Uint8Array {
    return this.#buffer.subarray(0, this.#at);
  }

  #begin(): void {
    if (scratch.length > MAX_KEPT_CAPACITY) scratch = Buffer.allocUnsafe(INITIAL_CAPACITY);
    this.#buffer = scratch;
    this.#at = 0;
  }

  #fields(fields: ReadonlyMap<string, StateValue>, layout: ClassLayout): void {
    for (const [name, value] of fields) {
      const column = layout.byName.get(name);
      if (column === undefined) continue;
      this.#reserve(MAX_FIXED_BYTES);
      // Zero ends the fields.
      this.#varint(column.id + 1);
      this.#value(value, column.column.linkTarget);
    }
    this.#reserve(MAX_FIXED_BYTES);
    this.#buffer[this.#at++] = 0;
  }

  #value(value: StateValue, linkTarget: string | undefined): void {
    this.#reserve(MAX_FIXED_BYTES);
    switch (value.type) {
      case 'bool':
        this.#tag(value.value ? ValueTag.true : ValueTag.false);
        return;
      case 'data':
        this.#tag(ValueTag.data);
        this.#bytes(value.value);
        return;
      case 'date':
        this.#date(value.seconds, value.nanoseconds);
        return;
      case 'float':
        this.#tag(ValueTag.float);
        this.#at = this.#buffer.writeFloatLE(value.value, this.#at);
        return;
      case 'double':
        this.#tag(ValueTag.double);
        this.#at = this.#buffer.writeDoubleLE(value.value, this.#at);
        return;
      case 'decimal128':
        this.#decimal(value);
        return;
      case 'link':
        this.#tag(value.table === linkTarget ? ValueTag.link : ValueTag.linkWithClass);
        if (value.table !== linkTarget) this.#text(value.table);
        this.#key(value.key);
        return;
      case 'object':
        this.#tag(ValueTag.object);
        this.#fields(value.fields, this.#layouts(linkTarget ?? '') ?? NO_COLUMNS);
        return;
      case 'list':
        this.#tag(ValueTag.list);
        this.#varint(value.items.length);
        for (const item of value.items) this.#value(item, linkTarget);
        return;
      case 'dictionary':
        this.#tag(ValueTag.dictionary);
        this.#varint(value.entries.size);
        for (const [key, entry] of value.entries) {
          this.#text(key);
          this.#value(entry, linkTarget);
        }
        return;
      case 'set':
        this.#tag(ValueTag.set);
        this.#varint(value.items.size);
        for (const item of value.items.values()) this.#value(item, linkTarget);
        return;
      default:
        this.#key(value);
    }
  }

  #key(key: PrimaryKey): void {
    this.#reserve(MAX_FIXED_BYTES);
    switch (key.type) {
      case 'null':
        this.#tag(ValueTag.null);
        return;
      case 'int':
        this.#integer(key.value, ValueTag.smallInt, ValueTag.int64);
        return;
      case 'string':
        this.#tag(ValueTag.string);
        this.#text(key.value);
        return;
      case 'objectId':
        this.#tag(ValueTag.objectId);
        this.#hex(key.value);
        return;
      case 'uuid':
        this.#tag(ValueTag.uuid);
        this.#hex(key.value);
        return;
      case 'globalKey':
        this.#tag(ValueTag.globalKey);
        this.#at = this.#buffer.writeBigUInt64LE(key.hi, this.#at);
        this.#at = this.#buffer.writeBigUInt64LE(key.lo, this.#at);
        return;
    }
  }

  #tag(tag: number): void {
    this.#buffer[this.#at++] = tag;
  }

  #integer(value: bigint, smallTag: number, tag: number): void {
    const number = Number(value);
    if (number < SMALL_INT_LIMIT && number > -SMALL_INT_LIMIT) {
      this.#tag(smallTag);
      this.#zigzag(number);
    } else {
      this.#tag(tag);
      this.#at = this.#buffer.writeBigInt64LE(value, this.#at);
    }
  }

  #date(seconds: bigint, nanoseconds: number): void {
    this.#integer(seconds, ValueTag.smallDate, ValueTag.date);
    this.#zigzag(nanoseconds);
  }

  #decimal({ coefficient, exponent, negative }: DecimalValue): void {
    this.#tag(ValueTag.decimal);
    this.#buffer[this.#at++] = negative ? 1 : 0;
    this.#zigzag(exponent);
    if (coefficient <= MAX_SAFE) {
      const number = Number(coefficient);
      const high = Math.floor(number / 2 ** 32);
      this.#at = this.#buffer.writeUInt32LE(number - high * 2 ** 32, this.#at);
      this.#at = this.#buffer.writeUInt32LE(high, this.#at);
      this.#buffer.fill(0, this.#at, this.#at + 8);
      this.#at += 8;
      return;
    }
    this.#at = this.#buffer.writeBigUInt64LE(coefficient & LOW_64_BITS, this.#at);
    this.#at = this.#buffer.writeBigUInt64LE(coefficient >> 64n, this.#at);
  }

  #zigzag(value: number): void {
    this.#varint(value < 0 ? -2 * value - 1 : 2 * value);
  }

  #varint(value: number): void {
    const buffer = this.#buffer;
    let rest = value;
    while (rest >= INT32_LIMIT) {
      buffer[this.#at++] = (rest % 0x80) | 0x80;
      rest = Math.floor(rest / 0x80);
    }
    while (rest >= 0x80) {
      buffer[this.#at++] = (rest & 0x7f) | 0x80;
      rest >>>= 7;
    }
    buffer[this.#at++] = rest;
  }

  #text(text: string): void {
    const { length } = text;
    // UTF-8 takes at most three bytes for each unit of UTF-16.
    this.#reserve(3 * length + MAX_FIXED_BYTES);
    if (length <= SHORT_TEXT && this.#asciiText(text)) return;
    const size = Buffer.byteLength(text);
    this.#varint(size);
    this.#at += this.#buffer.write(text, this.#at, 'utf8');
  }

  #asciiText(text: string): boolean {
    const { length } = text;
    const buffer = this.#buffer;
    const start = this.#at + 1;
    for (let i = 0; i < length; i++) {
      const code = text.charCodeAt(i);
      if (code >= 0x80) return false;
      buffer[start + i] = code;
    }
    buffer[this.#at] = length;
    this.#at = start + length;
    return true;
  }

  #bytes(bytes: Uint8Array): void {
    this.#reserve(bytes.length + MAX_FIXED_BYTES);
    this.#varint(bytes.length);
    this.#buffer.set(bytes, this.#at);
    this.#at += bytes.length;
  }

  /** Lower-case hexadecimal digits; hyphens are left out. */
  #hex(text: string): void {
    const buffer = this.#buffer;
    for (let i = 0; i < text.length; i += 2) {
      if (text.charCodeAt(i) === HYPHEN) i += 1;
      buffer[this.#at++] = (nibble(text.charCodeAt(i)) << 4) | nibble(text.charCodeAt(i + 1));
    }
  }

  #reserve(count: number): void {
    if (this.#at + count <= this.#buffer.length) return;
    const larger = Buffer.allocUnsafe(Math.max(2 * this.#buffer.length, this.#at + count));
    this.#buffer.copy(larger, 0, 0, this.#at);
    this.#buffer = larger;
    scratch = larger;
  }
}

/** By column number, the mark of the object in which it was seen last: a field that comes twice would be stored twice. */
const marks: number[] = [];
let nextMark = 0;

/** Whether the column holds the value as it is, and this is the first one since the mark was set. */
function isFreshValue(
  { id, column }: ColumnLayout,
  value: Payload,
  schema: RealmSchema,
): value is ScalarValue {
  if (column.collection !== 'single' || marks[id] === nextMark) return false;
  marks[id] = nextMark;
  if (value.type === 'null') return column.nullable;
  if (value.type !== column.type) return false;
  if (value.type !== 'link') return true;
  const target = schema.get(value.table);
  return (
    value.table === column.linkTarget && target !== undefined && keyFault(target, value.key) === undefined
  );
}

const NO_COLUMNS: ClassLayout = { byName: new Map(), byId: [] };
const HYPHEN = 0x2d;

function nibble(code: number): number {
  return code <= 0x39 ? code - 0x30 : code - 0x57;
}
