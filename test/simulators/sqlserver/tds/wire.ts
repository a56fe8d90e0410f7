/** The bytes of one connection both ways, with or without TLS around them. */
import { once } from 'node:events';
import type { Socket } from 'node:net';
import type { SecureContext } from 'node:tls';
import { PacketEncoder, PacketType } from './packets.ts';
import { ConnectionEnded } from './protocol-error.ts';
import { TlsTunnel } from './tls-tunnel.ts';

export type WireEvents = {
  /** Bytes of the client, deciphered. */
  bytes(bytes: Buffer): void;
  /** The connection is over, whoever ended it. */
  ended(): void;
};

export class Wire {
  readonly #socket: Socket;
  readonly #events: WireEvents;
  readonly #closed = new AbortController();
  #tunnel: TlsTunnel | undefined;

  constructor(socket: Socket, events: WireEvents) {
    this.#socket = socket;
    this.#events = events;
    socket.setNoDelay();
    socket.on('error', () => {}); // a client that is gone is no failure of the server; 'close' follows
    socket.on('data', (bytes: Buffer) => this.#receive(bytes));
    socket.once('close', () => {
      this.#closed.abort();
      this.#tunnel?.abandon();
      events.ended();
    });
  }

  get closed(): boolean {
    return this.#closed.signal.aborted;
  }

  get handshaking(): boolean {
    return this.#tunnel !== undefined && !this.#tunnel.established;
  }

  /** Sends bytes, and waits while the client does not take them. */
  async write(bytes: Buffer): Promise<void> {
    if (this.closed) throw new ConnectionEnded();
    const stream = this.#tunnel?.clear ?? this.#socket;
    if (stream.write(bytes)) return;
    try {
      await once(stream, 'drain', { signal: this.#closed.signal });
    } catch {
      throw new ConnectionEnded();
    }
  }

  startTls(secureContext: SecureContext, packetSize: number): void {
    const tunnel = new TlsTunnel(secureContext, {
      handshake: (flight) => {
        this.#socket.write(new PacketEncoder(PacketType.prelogin, 0, packetSize).encode(flight, true));
      },
      records: (bytes, sent) => {
        this.#socket.write(bytes, sent);
      },
    });
    tunnel.clear.on('error', () => this.destroy());
    tunnel.clear.on('data', (bytes: Buffer) => this.#events.bytes(bytes));
    this.#tunnel = tunnel;
  }

  /** A piece of the client's side of the handshake. */
  handshake(bytes: Buffer): void {
    this.#tunnel?.feed(bytes);
  }

  /** From now on in clear text again. */
  endTls(): void {
    const tunnel = this.#tunnel;
    this.#tunnel = undefined;
    tunnel?.abandon();
  }

  pause(): void {
    this.#socket.pause();
  }

  resume(): void {
    this.#socket.resume();
  }

  /** Ends the connection after what was written has been sent. */
  end(): void {
    (this.#tunnel?.clear ?? this.#socket).end();
    this.#socket.end();
  }

  /** Cuts the connection, as a network does. */
  destroy(): void {
    this.#socket.destroy();
  }

  #receive(bytes: Buffer): void {
    if (this.#tunnel?.established) this.#tunnel.feed(bytes);
    else this.#events.bytes(bytes);
  }
}
