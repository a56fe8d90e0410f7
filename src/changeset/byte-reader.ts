/**
 * Reads the primitive forms of a changeset (changeset-format.md §1–§2). Every read checks the bytes that are left
 * before it allocates, so that memory stays bounded by the size of the input.
 */
import { BadChangesetError } from './bad-changeset-error.ts';
import { MAX_STRING_BYTES } from './type-codes.ts';

const MAX_UINT8 = 0xff;
const MAX_UINT32 = 0xffff_ffff;
const MAX_INT32 = 0x7fff_ffff;
const INT64_LIMIT = 1n << 63n;
const UINT64_LIMIT = 1n << 64n;
/** Groups of seven bits that a decimal coefficient may take: 17 × 7 bits hold the 113 that it has. */
const MAX_COEFFICIENT_BYTES = 17;
/** V8 keeps concatenations below 13 characters flat, which makes them cheaper than a call into native code. */
const SHORT_TEXT = 12;

const strictUtf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** The 64-bit integers that fit one byte, by that byte. */
const ONE_BYTE_INTS: readonly bigint[] = Array.from({ length: 0x80 }, (_, byte) =>
  byte & 0x40 ? BigInt(-(byte & 0x3f) - 1) : BigInt(byte),
);

export class ByteReader {
  readonly #bytes: Buffer;
  readonly #end: number;
  #position = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.#end = bytes.byteLength;
  }

  get position(): number {
    return this.#position;
  }

  get remaining(): number {
    return this.#end - this.#position;
  }

  /**
   * A 64-bit integer in a place where only small ones mean anything (type codes, path elements, lengths). One beyond
   * 2^53 would be refused by every caller and is refused here.
   */
  readNumber(): number {
    const first = this.#bytes[this.#position] ?? MAX_UINT8;
    if (first < 0x80) {
      this.#position += 1;
      return first & 0x40 ? -(first & 0x3f) - 1 : first;
    }
    return this.#readLongNumber(10);
  }

  readUint8(): number {
    return this.#readUnsigned(2, MAX_UINT8);
  }

  readUint32(): number {
    return this.#readUnsigned(5, MAX_UINT32);
  }

  readInt32(): number {
    const value = this.#readLongNumber(5);
    if (value > MAX_INT32 || value < -MAX_INT32 - 1) throw this.fail('integer out of range');
    return value;
  }

  readInt64(): bigint {
    const first = this.#bytes[this.#position] ?? MAX_UINT8;
    if (first < 0x80) {
      this.#position += 1;
      return ONE_BYTE_INTS[first]!;
    }
    if (this.#integerLength() <= 7) return BigInt(this.#readLongNumber(7));
    const { magnitude, negative } = this.#readBigInteger();
    if (magnitude >= INT64_LIMIT) throw this.fail('integer out of range');
    return negative ? -magnitude - 1n : magnitude;
  }

  readUint64(): bigint {
    const { magnitude, negative } = this.#readBigInteger();
    if (negative || magnitude >= UINT64_LIMIT) throw this.fail('integer out of range');
    return magnitude;
  }

  /** The coefficient of a decimal (changeset-format.md §1.4): seven bits a byte, no sign. */
  readCoefficient(): bigint {
    // Seven groups fit a number.
    let small = 0;
    let scale = 1;
    for (let count = 0; count < 7; count++) {
      const byte = this.readByte('decimal decoding failure');
      small += (byte & 0x7f) * scale;
      if (byte < 0x80) return BigInt(small);
      scale *= 0x80;
    }
    let value = BigInt(small);
    for (let count = 7; count < MAX_COEFFICIENT_BYTES; count++) {
      const byte = this.readByte('decimal decoding failure');
      value |= BigInt(byte & 0x7f) << BigInt(7 * count);
      if (byte < 0x80) return value;
    }
    throw this.fail('decimal decoding failure');
  }

  readFloat(): number {
    return this.#bytes.readFloatLE(this.#take(4));
  }

  readDouble(): number {
    return this.#bytes.readDoubleLE(this.#take(8));
  }

  /** `count` raw bytes as lower-case hexadecimal digits. */
  readHex(count: number): string {
    const start = this.#take(count);
    return this.#bytes.toString('hex', start, start + count);
  }

  /** Whether the next `count` bytes equal those that start at `earlier`; moves past them when they do. */
  skipRepeated(earlier: number, count: number): boolean {
    const bytes = this.#bytes;
    const start = this.#position;
    if (count > this.#end - start) return false;
    // From the end: identifiers made one after the other differ there.
    for (let at = count - 1; at >= 0; at--) {
      if (bytes[earlier + at] !== bytes[start + at]) return false;
    }
    this.#position = start + count;
    return true;
  }

  /** A length and that many bytes, copied out of the input. */
  readBytes(): Uint8Array {
    const length = this.readNumber();
    const start = this.#take(length);
    const copy = new Uint8Array(length);
    copy.set(this.#bytes.subarray(start, start + length));
    return copy;
  }

  /** A length and that much UTF-8. Text that is not UTF-8 is refused, since no peer could hold it unchanged. */
  readText(): string {
    const length = this.readNumber();
    if (length > MAX_STRING_BYTES) throw this.fail('string too long');
    const start = this.#take(length);
    const bytes = this.#bytes;
    if (length > SHORT_TEXT) return this.#readLongText(start, length);
    let text = '';
    for (let at = start; at < start + length; at++) {
      const byte = bytes[at]!;
      if (byte >= 0x80) return this.#readLongText(start, length);
      text += String.fromCharCode(byte);
    }
    return text;
  }

  readByte(failure: string): number {
    const byte = this.#bytes[this.#position];
    if (byte === undefined) throw this.fail(failure);
    this.#position += 1;
    return byte;
  }

  fail(reason: string): BadChangesetError {
    return new BadChangesetError(`Bad changeset: ${reason} at byte ${this.#position} of ${this.#end}`);
  }

  /** Moves past `count` bytes and returns where they start. */
  #take(count: number): number {
    if (count < 0 || count > this.#end - this.#position) throw this.fail('truncated input');
    const start = this.#position;
    this.#position += count;
    return start;
  }

  #readLongText(start: number, length: number): string {
    const text = this.#bytes.toString('utf8', start, start + length);
    // The replacement character is legal text, too: only then look closer.
    if (!text.includes('\ufffd')) return text;
    try {
      return strictUtf8.decode(this.#bytes.subarray(start, start + length));
    } catch {
      throw this.fail('text is not UTF-8');
    }
  }

  #readUnsigned(maxBytes: number, limit: number): number {
    const first = this.#bytes[this.#position] ?? MAX_UINT8;
    if (first < 0x40) {
      this.#position += 1;
      return first;
    }
    const value = this.#readLongNumber(maxBytes);
    if (value < 0 || value > limit) throw this.fail('integer out of range');
    return value;
  }

  #readLongNumber(maxBytes: number): number {
    let value = 0;
    let scale = 1;
    for (let count = 0; count < maxBytes; count++) {
      const byte = this.readByte('integer decoding failure');
      if (byte >= 0x80) {
        value += (byte & 0x7f) * scale;
        scale *= 0x80;
        continue;
      }
      value += (byte & 0x3f) * scale;
      if (value > Number.MAX_SAFE_INTEGER) throw this.fail('integer out of range');
      return byte & 0x40 ? -value - 1 : value;
    }
    throw this.fail('integer decoding failure');
  }

  #integerLength(): number {
    let at = this.#position;
    while ((this.#bytes[at] ?? 0) >= 0x80) at += 1;
    return at - this.#position + 1;
  }

  #readBigInteger(): { magnitude: bigint; negative: boolean } {
    let magnitude = 0n;
    for (let count = 0; count < 10; count++) {
      const byte = this.readByte('integer decoding failure');
      const shift = BigInt(7 * count);
      if (byte >= 0x80) {
        magnitude |= BigInt(byte & 0x7f) << shift;
        continue;
      }
      magnitude |= BigInt(byte & 0x3f) << shift;
      return { magnitude, negative: (byte & 0x40) !== 0 };
    }
    throw this.fail('integer decoding failure');
  }
}
