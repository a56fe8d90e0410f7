/**
 * TLS as TDS 7 has it: the handshake travels inside PRELOGIN packets, afterwards records travel bare. The client waits
 * for exactly one message for each flight of its own (spec/sql-server.md §1.2), so the pieces of a flight are gathered.
 */
import { Duplex } from 'node:stream';
import { type SecureContext, TLSSocket } from 'node:tls';

/** The content type of a TLS record with data of the application: what is not part of the handshake. */
const APPLICATION_DATA = 0x17;

export type TunnelEnds = {
  /** Sends a flight of the handshake. */
  handshake(flight: Buffer): void;
  /** Sends records as they are; `sent` is called when more may follow. */
  records(bytes: Buffer, sent: (error?: Error | null) => void): void;
};

export class TlsTunnel {
  /** What the client says and what it is told, in clear text. */
  readonly clear: TLSSocket;
  readonly #encrypted: Duplex;
  readonly #ends: TunnelEnds;
  #flight: Buffer[] = [];
  #phase: 'handshake' | 'records' | 'abandoned' = 'handshake';
  #established = false;

  constructor(secureContext: SecureContext, ends: TunnelEnds) {
    this.#ends = ends;
    this.#encrypted = new Duplex({
      read: () => {},
      write: (chunk: Buffer, _encoding, done) => this.#send(chunk, done),
    });
    this.clear = new TLSSocket(this.#encrypted, { isServer: true, secureContext });
    this.clear.once('secure', () => {
      this.#established = true;
    });
  }

  /** True when the client's bytes are records, no longer packets with pieces of the handshake. */
  get established(): boolean {
    return this.#established;
  }

  /** Bytes of the client: of its handshake or records. */
  feed(bytes: Buffer): void {
    this.#encrypted.push(bytes);
  }

  /** Encryption was for the login only: nothing more is said through the tunnel, not even farewell. */
  abandon(): void {
    this.#phase = 'abandoned';
    this.clear.destroy();
    this.#encrypted.destroy();
  }

  #send(chunk: Buffer, done: (error?: Error | null) => void): void {
    if (this.#phase === 'abandoned') {
      done();
      return;
    }
    if (this.#established && this.#flight.length === 0 && chunk[0] === APPLICATION_DATA)
      this.#phase = 'records';
    if (this.#phase === 'records') {
      this.#ends.records(chunk, done);
      return;
    }
    if (this.#flight.length === 0) setImmediate(() => this.#sendFlight());
    this.#flight.push(chunk);
    done();
  }

  #sendFlight(): void {
    const flight = Buffer.concat(this.#flight);
    this.#flight = [];
    if (this.#phase === 'handshake') this.#ends.handshake(flight);
  }
}
