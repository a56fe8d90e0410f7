import { EndOfBytes } from './protocol-error.ts';

/** Reads little-endian fields of a message one after the other; never beyond its end. */
export class ByteReader {
  readonly #bytes: Buffer;
  #position = 0;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  get position(): number {
    return this.#position;
  }

  get left(): number {
    return this.#bytes.length - this.#position;
  }

  u8(): number {
    return this.#bytes.readUInt8(this.#advance(1));
  }

  u16(): number {
    return this.#bytes.readUInt16LE(this.#advance(2));
  }

  u32(): number {
    return this.#bytes.readUInt32LE(this.#advance(4));
  }

  i32(): number {
    return this.#bytes.readInt32LE(this.#advance(4));
  }

  u64(): bigint {
    return this.#bytes.readBigUInt64LE(this.#advance(8));
  }

  /** The next `length` bytes, as a view of the message. */
  take(length: number): Buffer {
    const start = this.#advance(length);
    return this.#bytes.subarray(start, start + length);
  }

  /** UTF-16 text of `length` code units. */
  text(length: number): string {
    return this.take(length * 2).toString('utf16le');
  }

  /** B_VARCHAR: text with its length in one byte. */
  shortText(): string {
    return this.text(this.u8());
  }

  /** US_VARCHAR: text with its length in two bytes. */
  longText(): string {
    return this.text(this.u16());
  }

  #advance(length: number): number {
    const start = this.#position;
    if (length > this.#bytes.length - start) throw new EndOfBytes(length, this.#bytes.length - start);
    this.#position = start + length;
    return start;
  }
}
