/** The bytes of a message that is still arriving. The socket is paused while the reader has plenty. */
import { ByteReader } from './byte-reader.ts';
import type { FlowControl } from './incoming-messages.ts';
import { EndOfBytes, ProtocolError } from './protocol-error.ts';

/** More than the largest packet, so that a reader always finds work; small enough for memory not to matter. */
const HIGH_WATER_MARK = 256 * 1024;
/** One row of a bulk load; SQL Server's own limit for one value is 2 GB. */
const MAXIMUM_ITEM_SIZE = 64 * 1024 * 1024;

/** The client has given up sending: nothing of the message counts. */
export class MessageIgnored extends Error {}

export class ArrivingBytes {
  readonly #flow: FlowControl;
  #parts: Buffer[] = [];
  #length = 0;
  #wanted = 1;
  #wake: (() => void) | undefined;
  #paused = false;
  #state: 'arriving' | 'complete' | { readonly failed: Error } = 'arriving';

  constructor(flow: FlowControl) {
    this.#flow = flow;
  }

  push(bytes: Buffer): void {
    this.#parts.push(bytes);
    this.#length += bytes.length;
    if (this.#length >= Math.max(HIGH_WATER_MARK, this.#wanted) && !this.#paused) {
      this.#paused = true;
      this.#flow.pause();
    }
    if (this.#length >= this.#wanted) this.#wake?.();
  }

  end(ignored: boolean): void {
    this.#state = ignored
      ? { failed: new MessageIgnored('the client has cancelled its message') }
      : 'complete';
    this.#wake?.();
  }

  fail(error: Error): void {
    this.#state = { failed: error };
    this.#wake?.();
  }

  /**
   * Calls `readItem` again and again on what has arrived, until it returns `undefined` or the message ends; some clients
   * say only so that a stream is over. An item whose end has not arrived
   * is read again later, when at least twice as much is there, so that a long one is not looked at over and over.
   */
  async *items<T>(readItem: (reader: ByteReader) => T | undefined): AsyncGenerator<T[], void, undefined> {
    for (;;) {
      const { items, ended } = this.#readItems(readItem);
      if (items.length > 0) yield items;
      if (ended) return;
      await this.#more();
    }
  }

  /** Waits for the end of the message without looking at the rest. */
  async skip(): Promise<void> {
    while (this.#state === 'arriving') {
      this.#consume(this.#length);
      await this.#more();
    }
    this.#consume(this.#length);
  }

  #readItems<T>(readItem: (reader: ByteReader) => T | undefined): { items: T[]; ended: boolean } {
    const reader = new ByteReader(this.#join());
    const items: T[] = [];
    let consumed = 0;
    try {
      for (;;) {
        const item = readItem(reader);
        consumed = reader.position;
        if (item === undefined) return { items, ended: true };
        items.push(item);
      }
    } catch (error) {
      if (!(error instanceof EndOfBytes)) throw error;
      if (typeof this.#state === 'object') throw this.#state.failed;
      if (this.#state === 'arriving') return { items, ended: false };
      if (consumed !== this.#length) throw error;
      return { items, ended: true };
    } finally {
      this.#consume(consumed);
    }
  }

  async #more(): Promise<void> {
    this.#wanted = this.#length * 2 + 1;
    if (this.#wanted > MAXIMUM_ITEM_SIZE) {
      throw new ProtocolError(`a row has more than ${MAXIMUM_ITEM_SIZE} bytes`);
    }
    this.#resume();
    while (this.#state === 'arriving' && this.#length < this.#wanted) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
    this.#wanted = 1;
    if (typeof this.#state === 'object') throw this.#state.failed;
  }

  #resume(): void {
    if (!this.#paused) return;
    this.#paused = false;
    this.#flow.resume();
  }

  #join(): Buffer {
    const [first] = this.#parts;
    if (this.#parts.length === 1 && first !== undefined) return first;
    const whole = Buffer.concat(this.#parts, this.#length);
    this.#parts = [whole];
    return whole;
  }

  #consume(length: number): void {
    if (length === 0) return;
    const rest = this.#join().subarray(length);
    this.#parts = rest.length === 0 ? [] : [rest];
    this.#length = rest.length;
    if (this.#length < HIGH_WATER_MARK) this.#resume();
  }
}
