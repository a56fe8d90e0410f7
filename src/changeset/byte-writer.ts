/** Writes the primitive forms of a changeset (changeset-format.md §1–§2) into one growing buffer, shortest form first. */
import { BadChangesetError } from './bad-changeset-error.ts';
import { DECIMAL_COEFFICIENT_LIMIT, MAX_STRING_BYTES } from './type-codes.ts';

const INITIAL_CAPACITY = 512;
/** One huge changeset shall not hold its memory for ever. */
const MAX_KEPT_CAPACITY = 1024 * 1024;
const NO_ROOM = Buffer.alloc(0);
/** The longest integer: nine groups of seven bits and one of six. */
const MAX_INTEGER_BYTES = 10;
const MAX_COEFFICIENT_BYTES = 18;
const MIN_INT64 = -(1n << 63n);
const MAX_INT64 = (1n << 63n) - 1n;
const MAX_UINT64 = (1n << 64n) - 1n;
const MAX_SAFE = BigInt(Number.MAX_SAFE_INTEGER);
const MIN_SAFE = -MAX_SAFE;
/** Up to this many characters a loop beats the calls into native code. */
const SHORT_TEXT = 24;
const DASH = 0x2d;

/** Values of the hexadecimal digits by character code; 255 marks the other characters. */
const HEX_VALUE = Uint8Array.from({ length: 128 }, (_, code) => {
  const digit = '0123456789abcdef'.indexOf(String.fromCharCode(code).toLowerCase());
  return digit < 0 ? 255 : digit;
});

/** The room of a writer that is done, for the next one: growing from nothing copies everything several times. */
let spare: Buffer | undefined;

export class ByteWriter {
  #bytes: Buffer = spare ?? Buffer.allocUnsafe(INITIAL_CAPACITY);
  #length = 0;

  constructor() {
    spare = undefined;
  }

  get length(): number {
    return this.#length;
  }

  /** What was written, as a copy. Ends the writer, whose room goes to the next one. */
  finish(): Uint8Array {
    const copy = new Uint8Array(this.#length);
    copy.set(this.#bytes.subarray(0, this.#length));
    if (this.#bytes.length <= MAX_KEPT_CAPACITY) spare = this.#bytes;
    this.#bytes = NO_ROOM;
    this.#length = 0;
    return copy;
  }

  /** Writes the bytes from `start` to `end` once more. */
  repeat(start: number, end: number): void {
    this.#reserve(end - start);
    const bytes = this.#bytes;
    // Keys are short: a loop beats the call into native code.
    for (let from = start; from < end; from++) bytes[this.#length++] = bytes[from]!;
  }

  /** Moves the bytes from `middle` on in front of those from `start` to `middle`. */
  rotate(start: number, middle: number): void {
    const tail = this.#length - middle;
    this.#reserve(tail);
    // The tail goes to free space, the head moves up behind its new place, the tail comes down.
    const bytes = this.#bytes;
    bytes.copyWithin(this.#length, middle, this.#length);
    bytes.copyWithin(start + tail, start, middle);
    bytes.copyWithin(start, this.#length, this.#length + tail);
  }

  writeBytes(source: ByteWriter): void {
    this.#reserve(source.#length);
    this.#bytes.set(source.#bytes.subarray(0, source.#length), this.#length);
    this.#length += source.#length;
  }

  /** A number within the safe integers. */
  writeNumber(value: number): void {
    this.#reserve(MAX_INTEGER_BYTES);
    if (value >= 0 && value < 0x40) {
      this.#bytes[this.#length++] = value;
      return;
    }
    const sign = value < 0 ? 0x40 : 0;
    this.#writeGroups(value < 0 ? -value - 1 : value, sign);
  }

  writeInt64(value: bigint): void {
    if (value >= MIN_SAFE && value <= MAX_SAFE) {
      this.writeNumber(Number(value));
      return;
    }
    if (value < MIN_INT64 || value > MAX_INT64) {
      throw new BadChangesetError(`Bad changeset: integer ${value} does not fit 64 bits`);
    }
    this.#writeBigGroups(value < 0n ? -value - 1n : value, value < 0n ? 0x40 : 0);
  }

  writeUint64(value: bigint): void {
    if (value < 0n || value > MAX_UINT64) {
      throw new BadChangesetError(`Bad changeset: integer ${value} does not fit 64 bits without sign`);
    }
    this.#writeBigGroups(value, 0);
  }

  /** changeset-format.md §1.4: the last byte stays below 0x40 although it has no sign bit. */
  writeCoefficient(value: bigint): void {
    if (value < 0n || value >= DECIMAL_COEFFICIENT_LIMIT) {
      throw new BadChangesetError(`Bad changeset: decimal coefficient ${value} does not fit 113 bits`);
    }
    this.#writeBigGroups(value, 0);
  }

  writeFloat(value: number): void {
    this.#reserve(4);
    this.#length = this.#bytes.writeFloatLE(value, this.#length);
  }

  writeDouble(value: number): void {
    this.#reserve(8);
    this.#length = this.#bytes.writeDoubleLE(value, this.#length);
  }

  writeData(data: Uint8Array): void {
    this.writeNumber(data.byteLength);
    this.#reserve(data.byteLength);
    this.#bytes.set(data, this.#length);
    this.#length += data.byteLength;
  }

  /** The `count` bytes that a hexadecimal text says; dashes between them are skipped. */
  writeHex(text: string, count: number): void {
    this.#reserve(count);
    const bytes = this.#bytes;
    let at = this.#length;
    const end = at + count;
    for (let index = 0; index < text.length; index += 2) {
      if (text.charCodeAt(index) === DASH) index += 1;
      const high = HEX_VALUE[text.charCodeAt(index)] ?? 255;
      const low = HEX_VALUE[text.charCodeAt(index + 1)] ?? 255;
      if (high === 255 || low === 255 || at === end) throw notAnIdentifier(text);
      bytes[at++] = (high << 4) | low;
    }
    if (at !== end) throw notAnIdentifier(text);
    this.#length = end;
  }

  writeText(text: string): void {
    if (text.length <= SHORT_TEXT && this.#writeShortAscii(text)) return;
    const length = Buffer.byteLength(text);
    if (length > MAX_STRING_BYTES) {
      throw new BadChangesetError(
        `Bad changeset: text of ${length} bytes is longer than ${MAX_STRING_BYTES}`,
      );
    }
    if (length !== text.length && !text.isWellFormed()) {
      throw new BadChangesetError(
        'Bad changeset: text with half a surrogate pair cannot be written as UTF-8',
      );
    }
    this.writeNumber(length);
    this.#reserve(length);
    this.#length += this.#bytes.write(text, this.#length, 'utf8');
  }

  #writeShortAscii(text: string): boolean {
    this.#reserve(SHORT_TEXT + 1);
    const bytes = this.#bytes;
    let at = this.#length + 1;
    for (let index = 0; index < text.length; index++) {
      const code = text.charCodeAt(index);
      if (code >= 0x80) return false;
      bytes[at++] = code;
    }
    bytes[this.#length] = text.length;
    this.#length = at;
    return true;
  }

  #writeGroups(magnitude: number, sign: number): void {
    const bytes = this.#bytes;
    let rest = magnitude;
    while (rest >= 0x8000_0000) {
      bytes[this.#length++] = (rest % 0x80) | 0x80;
      rest = Math.floor(rest / 0x80);
    }
    while (rest >= 0x40) {
      bytes[this.#length++] = (rest & 0x7f) | 0x80;
      rest >>>= 7;
    }
    bytes[this.#length++] = rest | sign;
  }

  #writeBigGroups(magnitude: bigint, sign: number): void {
    this.#reserve(MAX_COEFFICIENT_BYTES);
    let rest = magnitude;
    while (rest > MAX_SAFE) {
      this.#bytes[this.#length++] = Number(rest & 0x7fn) | 0x80;
      rest >>= 7n;
    }
    this.#writeGroups(Number(rest), sign);
  }

  #reserve(count: number): void {
    const needed = this.#length + count;
    if (needed <= this.#bytes.length) return;
    const grown = Buffer.allocUnsafe(Math.max(needed, this.#bytes.length * 2));
    grown.set(this.#bytes.subarray(0, this.#length));
    this.#bytes = grown;
  }
}

function notAnIdentifier(text: string): BadChangesetError {
  return new BadChangesetError(`Bad changeset: '${text}' is not an identifier in hexadecimal digits`);
}
