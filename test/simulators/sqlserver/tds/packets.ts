/**
 * Packets: every message of either side travels in packets with a header of eight bytes; the last one of a message says
 * so in its status.
 */
import { ProtocolError } from './protocol-error.ts';

export const PACKET_HEADER_LENGTH = 8;
/** Before the login has agreed on something else. */
export const INITIAL_PACKET_SIZE = 4096;
export const MINIMUM_PACKET_SIZE = 512;
export const MAXIMUM_PACKET_SIZE = 32_767;

export const PacketType = {
  batch: 0x01,
  rpc: 0x03,
  response: 0x04,
  attention: 0x06,
  bulkLoad: 0x07,
  transaction: 0x0e,
  login: 0x10,
  prelogin: 0x12,
} as const;

export const PacketStatus = {
  endOfMessage: 0x01,
  /** The client gave up sending this message: nothing of it is to be executed. */
  ignore: 0x02,
  resetConnection: 0x08,
  /** As reset, but the transaction goes on. */
  resetConnectionKeepTransaction: 0x10,
} as const;

export type Packet = { readonly type: number; readonly status: number; readonly payload: Buffer };

/** Cuts a stream of bytes into packets, however they were cut up on the way. */
export class PacketDecoder {
  #pending: Buffer[] = [];
  #length = 0;

  *push(bytes: Buffer): Generator<Packet> {
    this.#pending.push(bytes);
    this.#length += bytes.length;
    for (let header = this.#header(); header !== undefined; header = this.#header()) {
      const { type, status, length } = header;
      if (this.#length < length) return;
      yield { type, status, payload: this.#take(length).subarray(PACKET_HEADER_LENGTH) };
    }
  }

  #header(): { readonly type: number; readonly status: number; readonly length: number } | undefined {
    if (this.#length < PACKET_HEADER_LENGTH) return undefined;
    const first = this.#joinedHead();
    const length = first.readUInt16BE(2);
    if (length < PACKET_HEADER_LENGTH || length > MAXIMUM_PACKET_SIZE) {
      throw new ProtocolError(`a packet claims to have ${length} bytes`);
    }
    return { type: first.readUInt8(0), status: first.readUInt8(1), length };
  }

  #joinedHead(): Buffer {
    const [first] = this.#pending;
    if (first !== undefined && first.length >= PACKET_HEADER_LENGTH) return first;
    return this.#join();
  }

  #take(length: number): Buffer {
    const [first] = this.#pending;
    const whole = first !== undefined && first.length >= length ? first : this.#join();
    if (whole.length > length) this.#pending[0] = whole.subarray(length);
    else this.#pending.shift();
    this.#length -= length;
    return whole.subarray(0, length);
  }

  #join(): Buffer {
    const whole = Buffer.concat(this.#pending, this.#length);
    this.#pending = [whole];
    return whole;
  }
}

/** Where a message stands that goes out in several pieces. */
export class PacketEncoder {
  readonly #type: number;
  readonly #processId: number;
  readonly #packetSize: number;
  #next = 1;

  constructor(type: number, processId: number, packetSize: number) {
    this.#type = type;
    this.#processId = processId;
    this.#packetSize = packetSize;
  }

  /** How many bytes of a message one packet holds. */
  get payloadSize(): number {
    return this.#packetSize - PACKET_HEADER_LENGTH;
  }

  /**
   * `bytes` as packets: only full ones (all but a remainder that the caller keeps) unless `last`, which adds the one that
   * ends the message.
   */
  encode(bytes: Buffer, last: boolean): Buffer {
    const size = this.payloadSize;
    const count = last ? Math.max(1, Math.ceil(bytes.length / size)) : Math.floor(bytes.length / size);
    const total = last ? bytes.length : count * size;
    const result = Buffer.allocUnsafe(total + count * PACKET_HEADER_LENGTH);
    for (let index = 0, at = 0; index < count; index++) {
      const start = index * size;
      const end = Math.min(start + size, total);
      result[at] = this.#type;
      result[at + 1] = last && index === count - 1 ? PacketStatus.endOfMessage : 0;
      result.writeUInt16BE(end - start + PACKET_HEADER_LENGTH, at + 2);
      result.writeUInt16BE(this.#processId & 0xffff, at + 4);
      result[at + 6] = this.#next++ & 0xff;
      result[at + 7] = 0;
      bytes.copy(result, at + PACKET_HEADER_LENGTH, start, end);
      at += end - start + PACKET_HEADER_LENGTH;
    }
    return result;
  }
}
