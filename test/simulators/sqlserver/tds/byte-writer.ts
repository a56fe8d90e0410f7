/** Enough for most answers; a longer one doubles it. */
const INITIAL_CAPACITY = 4096;

/** Collects little-endian fields in one growing buffer. */
export class ByteWriter {
  #buffer = Buffer.allocUnsafe(INITIAL_CAPACITY);
  #length = 0;

  get length(): number {
    return this.#length;
  }

  u8(value: number): void {
    const at = this.#grow(1); // before the buffer is looked at, which growing replaces
    this.#buffer[at] = value;
  }

  u16(value: number): void {
    const at = this.#grow(2);
    this.#buffer.writeUInt16LE(value, at);
  }

  u32(value: number): void {
    const at = this.#grow(4);
    this.#buffer.writeUInt32LE(value, at);
  }

  i32(value: number): void {
    const at = this.#grow(4);
    this.#buffer.writeInt32LE(value, at);
  }

  u64(value: bigint): void {
    const at = this.#grow(8);
    this.#buffer.writeBigUInt64LE(value, at);
  }

  f32(value: number): void {
    const at = this.#grow(4);
    this.#buffer.writeFloatLE(value, at);
  }

  f64(value: number): void {
    const at = this.#grow(8);
    this.#buffer.writeDoubleLE(value, at);
  }

  /** The lowest `length` bytes of a number in two's complement. */
  integer(value: bigint, length: number): void {
    const at = this.#grow(length);
    let rest = BigInt.asUintN(length * 8, value);
    for (let index = 0; index < length; index++) {
      this.#buffer[at + index] = Number(rest & 0xffn);
      rest >>= 8n;
    }
  }

  bytes(value: Uint8Array): void {
    const at = this.#grow(value.length);
    this.#buffer.set(value, at);
  }

  zeros(length: number): void {
    const at = this.#grow(length);
    this.#buffer.fill(0, at, at + length);
  }

  text(value: string): void {
    const at = this.#grow(value.length * 2);
    this.#buffer.write(value, at, 'utf16le');
  }

  /** B_VARCHAR: text with its length in one byte, cut to what that can say. */
  shortText(value: string): void {
    const shown = value.slice(0, 0xff);
    this.u8(shown.length);
    this.text(shown);
  }

  /** US_VARCHAR: text with its length in two bytes, cut to what that can say. */
  longText(value: string): void {
    const shown = value.slice(0, 0xffff);
    this.u16(shown.length);
    this.text(shown);
  }

  /** A two-byte length before what `write` writes. */
  withLength(write: () => void): void {
    const at = this.#grow(2);
    write();
    this.#buffer.writeUInt16LE(this.#length - at - 2, at);
  }

  /** The bytes collected so far, as a view that is valid until something is written or {@link discard}ed. */
  view(): Buffer {
    return this.#buffer.subarray(0, this.#length);
  }

  /** Forgets the first `length` bytes. */
  discard(length: number): void {
    this.#buffer.copyWithin(0, length, this.#length);
    this.#length -= length;
  }

  #grow(length: number): number {
    const start = this.#length;
    const needed = start + length;
    if (needed > this.#buffer.length) {
      const larger = Buffer.allocUnsafe(Math.max(needed, this.#buffer.length * 2));
      this.#buffer.copy(larger, 0, 0, start);
      this.#buffer = larger;
    }
    this.#length = needed;
    return start;
  }
}
