/** A server of TDS 7.4 in front of an engine: it speaks to any driver of SQL Server (spec/sql-server.md §1). */
import { once } from 'node:events';
import { createServer, type Server as NetServer, type Socket } from 'node:net';
import { createSecureContext } from 'node:tls';
import type { SqlEngine } from '../contract.ts';
import { Connection, type ConnectionOptions } from './connection.ts';
import { WireFaults } from './faults.ts';
import type { EncryptionPolicy } from './prelogin.ts';
import type { Server } from './tokens.ts';

/** As the engine says of itself in @@VERSION. */
const SERVER: Server = {
  name: 'SIMULATOR',
  program: 'Microsoft SQL Server',
  version: { major: 15, minor: 0, build: 4430 },
};

export type TdsServerOptions = {
  readonly engine: SqlEngine;
  readonly host?: string;
  /** A free one when absent. */
  readonly port?: number;
  /** Certificate and key in PEM; without them there is no encryption. */
  readonly tls?: { readonly cert: string; readonly key: string };
  /** Whether clients may do without encryption (`offered`, the default) or not. */
  readonly encryption?: EncryptionPolicy;
};

export type TdsServer = {
  readonly host: string;
  readonly port: number;
  readonly faults: WireFaults;
  /** How many clients are connected. */
  readonly connections: number;
  /** Cuts all connections, as a network does that fails. */
  cutConnections(): void;
  /** Ends the connection of a session, as KILL does. */
  disconnect(session: number): void;
  close(): Promise<void>;
};

export async function startTdsServer(options: TdsServerOptions): Promise<TdsServer> {
  const { host = '127.0.0.1', port = 0, tls, encryption = 'offered' } = options;
  const listener = new Listener({
    engine: options.engine,
    server: SERVER,
    // TDS 7 wraps the handshake of TLS 1.2 in its packets; that of 1.3 does not fit.
    secureContext: tls === undefined ? undefined : createSecureContext({ ...tls, maxVersion: 'TLSv1.2' }),
    encryption,
    faults: new WireFaults(),
  });
  await listener.listen(host, port);
  return listener;
}

class Listener implements TdsServer {
  readonly #options: ConnectionOptions;
  readonly #server: NetServer;
  readonly #connections = new Map<Connection, Promise<void>>();

  constructor(options: ConnectionOptions) {
    this.#options = options;
    this.#server = createServer((socket) => this.#accept(socket));
  }

  get host(): string {
    const address = this.#server.address();
    return typeof address === 'object' && address !== null ? address.address : '';
  }

  get port(): number {
    const address = this.#server.address();
    return typeof address === 'object' && address !== null ? address.port : 0;
  }

  get faults(): WireFaults {
    return this.#options.faults;
  }

  get connections(): number {
    return this.#connections.size;
  }

  async listen(host: string, port: number): Promise<void> {
    this.#server.listen(port, host);
    await once(this.#server, 'listening');
  }

  cutConnections(): void {
    for (const connection of this.#connections.keys()) connection.destroy();
  }

  disconnect(session: number): void {
    for (const connection of this.#connections.keys()) {
      if (connection.sessionId === session) connection.destroy();
    }
  }

  async close(): Promise<void> {
    const closed = once(this.#server, 'close');
    this.#server.close();
    const running = [...this.#connections.values()];
    this.cutConnections();
    await Promise.all([closed, ...running]);
  }

  #accept(socket: Socket): void {
    if (this.#options.faults.refuseConnections) {
      socket.destroy();
      return;
    }
    const connection = new Connection(socket, this.#options);
    const run = connection.run().finally(() => this.#connections.delete(connection));
    this.#connections.set(connection, run);
  }
}
