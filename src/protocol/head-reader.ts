/** Reads the head line of a message token by token, then its body parts (wire-protocol.md §2). */
import { ProtocolError } from './protocol-error.ts';

/** Longest head line: the longest legal one has thirteen numbers of nineteen digits. */
const MAX_HEAD_BYTES = 512;
const LINE_FEED = 0x0a;

export class HeadReader {
  readonly #frame: Uint8Array;
  readonly #tokens: string[];
  readonly type: string;
  #next = 1;
  #position: number;

  constructor(frame: Uint8Array) {
    const end = frame.subarray(0, MAX_HEAD_BYTES).indexOf(LINE_FEED);
    if (end < 0) throw new ProtocolError(103, 'a message has no head line');
    this.#frame = frame;
    this.#tokens = Buffer.from(frame.buffer, frame.byteOffset, end).toString('latin1').split(' ');
    this.type = this.#tokens[0] ?? '';
    this.#position = end + 1;
  }

  number(name: string): number {
    const token = this.#token(name);
    const value = Number(token);
    if (!/^\d{1,16}$/.test(token) || !Number.isSafeInteger(value)) throw this.#bad(name, token);
    return value;
  }

  /** Salts use all of 63 bits. */
  bigint(name: string): bigint {
    const token = this.#token(name);
    if (!/^\d{1,19}$/.test(token)) throw this.#bad(name, token);
    const value = BigInt(token);
    if (value >= 1n << 63n) throw this.#bad(name, token);
    return value;
  }

  boolean(name: string): boolean {
    const token = this.#token(name);
    if (token !== '0' && token !== '1') throw this.#bad(name, token);
    return token === '1';
  }

  /** A fraction between 0 and 1. */
  fraction(name: string): number {
    const token = this.#token(name);
    const value = Number(token);
    if (!/^\d+(\.\d+)?([eE][+-]?\d+)?$/.test(token) || value > 1) throw this.#bad(name, token);
    return value;
  }

  /** The next `size` bytes after the head, without copying. Call after all fields of the head. */
  bytes(size: number): Uint8Array {
    const end = this.#position + size;
    if (end > this.#frame.byteLength) {
      throw new ProtocolError(
        103,
        `${this.type}: the body is ${end - this.#frame.byteLength} bytes shorter than announced`,
      );
    }
    const bytes = this.#frame.subarray(this.#position, end);
    this.#position = end;
    return bytes;
  }

  text(size: number): string {
    const bytes = this.bytes(size);
    return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('utf8');
  }

  /** Nothing may be left of the head nor of the body. */
  end(): void {
    if (this.#next !== this.#tokens.length) {
      throw new ProtocolError(
        103,
        `${this.type}: the head has ${this.#tokens.length - this.#next} fields too many`,
      );
    }
    if (this.#position !== this.#frame.byteLength) {
      throw new ProtocolError(
        103,
        `${this.type}: ${this.#frame.byteLength - this.#position} bytes are left over`,
      );
    }
  }

  #token(name: string): string {
    const token = this.#tokens[this.#next];
    if (token === undefined) throw new ProtocolError(103, `${this.type}: the head ends before ${name}`);
    this.#next += 1;
    return token;
  }

  #bad(name: string, token: string): ProtocolError {
    return new ProtocolError(103, `${this.type}: ${name} cannot be ${JSON.stringify(token.slice(0, 40))}`);
  }
}
