/** One message to the client, sent packet by packet while it is being written. */
import { ByteWriter } from './byte-writer.ts';
import { PacketEncoder, PacketType } from './packets.ts';
import type { Wire } from './wire.ts';

/** So much is collected before it is sent: several packets, so that a large result does not cost a call for each. */
const FLUSH_SIZE = 32 * 1024;

export class OutgoingMessage {
  readonly bytes = new ByteWriter();
  readonly #wire: Wire;
  readonly #packets: PacketEncoder;

  constructor(wire: Wire, processId: number, packetSize: number) {
    this.#wire = wire;
    this.#packets = new PacketEncoder(PacketType.response, processId, packetSize);
  }

  /** True when enough has been collected to be sent. */
  get full(): boolean {
    return this.bytes.length >= FLUSH_SIZE;
  }

  /** Sends what fills packets, and waits while the client is slower than the server. */
  async flush(): Promise<void> {
    const packets = this.#packets.encode(this.bytes.view(), false);
    const size = this.#packets.payloadSize;
    this.bytes.discard(Math.floor(this.bytes.length / size) * size);
    await this.#wire.write(packets);
  }

  async end(): Promise<void> {
    await this.#wire.write(this.#packets.encode(this.bytes.view(), true));
  }
}
