/** Reads a message field by field and never beyond its end, whatever the bytes say. */
import { PostgresFeedError } from '../errors.ts';

const EMPTY = Buffer.alloc(0);

export class ByteCursor {
  #buffer: Buffer = EMPTY;
  #at = 0;
  #end = 0;

  /** Begins with the message that lies in `buffer` from `start` up to `end`. */
  reset(buffer: Buffer, start: number, end: number): void {
    this.#buffer = buffer;
    this.#at = start;
    this.#end = Math.min(end, buffer.length);
  }

  get done(): boolean {
    return this.#at >= this.#end;
  }

  uint8(): number {
    return this.#buffer[this.#take(1)] ?? 0;
  }

  uint16(): number {
    return this.#buffer.readUInt16BE(this.#take(2));
  }

  uint32(): number {
    return this.#buffer.readUInt32BE(this.#take(4));
  }

  uint64(): bigint {
    return this.#buffer.readBigUInt64BE(this.#take(8));
  }

  int64(): bigint {
    return this.#buffer.readBigInt64BE(this.#take(8));
  }

  skip(bytes: number): void {
    this.#take(bytes);
  }

  text(bytes: number): string {
    const start = this.#take(bytes);
    return this.#buffer.toString('utf8', start, start + bytes);
  }

  /** A text that ends with a zero byte. */
  zeroTerminated(): string {
    const zero = this.#buffer.indexOf(0, this.#at);
    if (zero < 0 || zero >= this.#end) throw damaged('a name does not end');
    const text = this.#buffer.toString('utf8', this.#at, zero);
    this.#at = zero + 1;
    return text;
  }

  #take(bytes: number): number {
    const start = this.#at;
    if (start + bytes > this.#end) throw damaged('it ends too early');
    this.#at = start + bytes;
    return start;
  }
}

export function damaged(reason: string): PostgresFeedError {
  return new PostgresFeedError(`a message of the change feed is damaged: ${reason}`, {
    remedy:
      'nothing was confirmed; start the connector again, and report the server version if it happens again',
  });
}
