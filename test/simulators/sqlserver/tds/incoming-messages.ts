/**
 * Puts packets together to messages. All but bulk loads are handed over when they are complete; a bulk load is handed
 * over with its first packet and read while it arrives.
 */
import { ArrivingBytes } from './arriving-bytes.ts';
import { type Packet, PacketStatus, PacketType } from './packets.ts';
import { ConnectionEnded, ProtocolError } from './protocol-error.ts';

/** A batch or a parameter that is larger than this is a mistake of a client; SQL Server's own limit is 65,536 packets. */
const MAXIMUM_MESSAGE_SIZE = 256 * 1024 * 1024;
/** Before somebody has logged in, nothing larger is expected. */
const MAXIMUM_LOGIN_SIZE = 128 * 1024;
/** Without multiple active result sets, a client waits for an answer before it asks again. */
const MAXIMUM_WAITING_MESSAGES = 8;

export type IncomingMessage = {
  readonly type: number;
  readonly status: number;
} & (
  | { readonly kind: 'complete'; readonly body: Buffer }
  | { readonly kind: 'ignored' }
  | { readonly kind: 'arriving'; readonly body: ArrivingBytes }
);

export type FlowControl = { pause(): void; resume(): void };

export class IncomingMessages implements AsyncIterable<IncomingMessage> {
  readonly #onAttention: () => void;
  readonly #flow: FlowControl;
  readonly #waiting: IncomingMessage[] = [];
  #maximumSize = MAXIMUM_LOGIN_SIZE;
  #parts: Buffer[] = [];
  #size = 0;
  #firstStatus = 0;
  #arriving: ArrivingBytes | undefined;
  #wake: (() => void) | undefined;
  #end: { readonly reason: Error | undefined } | undefined;

  constructor(onAttention: () => void, flow: FlowControl) {
    this.#onAttention = onAttention;
    this.#flow = flow;
  }

  /** Somebody has logged in: statements and their parameters may be large. */
  allowLargeMessages(): void {
    this.#maximumSize = MAXIMUM_MESSAGE_SIZE;
  }

  /** An attention overtakes what waits: it concerns the request that is being executed. */
  push({ type, status, payload }: Packet): void {
    if (type === PacketType.attention) {
      this.#onAttention();
      return;
    }
    const last = (status & PacketStatus.endOfMessage) !== 0;
    const ignored = last && (status & PacketStatus.ignore) !== 0;
    if (this.#arriving !== undefined) {
      this.#continueArriving(this.#arriving, payload, last, ignored);
      return;
    }
    if (this.#parts.length === 0) this.#firstStatus = status;
    if (type === PacketType.bulkLoad && !last) {
      this.#beginArriving(type, status, payload);
      return;
    }
    this.#size += payload.length;
    if (this.#size > this.#maximumSize)
      throw new ProtocolError(`a message has more than ${this.#maximumSize} bytes`);
    this.#parts.push(payload);
    if (last) this.#complete(type, ignored);
  }

  /** True when a request has arrived that nobody has begun to answer. */
  get hasWaiting(): boolean {
    return this.#waiting.length > 0;
  }

  close(reason?: Error): void {
    this.#end ??= { reason };
    this.#arriving?.fail(reason ?? new ConnectionEnded());
    this.#wake?.();
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<IncomingMessage, void, undefined> {
    for (;;) {
      const next = this.#waiting.shift();
      if (next !== undefined) {
        yield next;
      } else if (this.#end !== undefined) {
        if (this.#end.reason !== undefined) throw this.#end.reason;
        return;
      } else {
        await new Promise<void>((resolve) => {
          this.#wake = resolve;
        });
      }
    }
  }

  #beginArriving(type: number, status: number, payload: Buffer): void {
    this.#arriving = new ArrivingBytes(this.#flow);
    this.#arriving.push(payload);
    this.#deliver({ kind: 'arriving', type, status, body: this.#arriving });
  }

  #continueArriving(body: ArrivingBytes, payload: Buffer, last: boolean, ignored: boolean): void {
    if (!ignored) body.push(payload);
    if (!last) return;
    this.#arriving = undefined;
    body.end(ignored);
  }

  #complete(type: number, ignored: boolean): void {
    const [first] = this.#parts;
    const body =
      this.#parts.length === 1 && first !== undefined ? first : Buffer.concat(this.#parts, this.#size);
    this.#parts = [];
    this.#size = 0;
    const status = this.#firstStatus;
    if (ignored) this.#deliver({ kind: 'ignored', type, status });
    else if (type !== PacketType.bulkLoad) this.#deliver({ kind: 'complete', type, status, body });
    else {
      const whole = new ArrivingBytes(this.#flow);
      whole.push(body);
      whole.end(false);
      this.#deliver({ kind: 'arriving', type, status, body: whole });
    }
  }

  #deliver(message: IncomingMessage): void {
    if (this.#waiting.length >= MAXIMUM_WAITING_MESSAGES) {
      throw new ProtocolError('the client does not wait for answers');
    }
    this.#waiting.push(message);
    this.#wake?.();
  }
}
