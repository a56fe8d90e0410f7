/**
 * How many received bytes wait for integration, on a connection and in the whole server. A connection that holds too
 * much, or that sends while the server holds too much, is not read until enough has been integrated.
 */

/** The part of a limit at which reading goes on after a pause, so that it does not flutter. */
const RESUME_AT = 0.5;

/** The bytes of all connections. */
export class ServerBacklog {
  readonly #limit: number;
  readonly #waiting = new Set<ConnectionBacklog>();
  #bytes = 0;

  constructor(limit: number) {
    this.#limit = limit;
  }

  get isFull(): boolean {
    return this.#bytes > this.#limit;
  }

  get hasRoom(): boolean {
    return this.#bytes <= this.#limit * RESUME_AT;
  }

  change(bytes: number): void {
    this.#bytes += bytes;
    if (bytes < 0 && this.hasRoom) for (const connection of [...this.#waiting]) connection.reconsider();
  }

  /** Registers a paused connection, which is told when there is room. */
  wait(connection: ConnectionBacklog): void {
    this.#waiting.add(connection);
  }

  forget(connection: ConnectionBacklog): void {
    this.#waiting.delete(connection);
  }
}

/** What a connection lets be paused: its socket. */
export type Pausable = { pause(): void; resume(): void };

/** The bytes of one connection. */
export class ConnectionBacklog {
  readonly #server: ServerBacklog;
  readonly #limit: number;
  readonly #socket: Pausable;
  #bytes = 0;
  #isPaused = false;

  constructor(server: ServerBacklog, limit: number, socket: Pausable) {
    this.#server = server;
    this.#limit = limit;
    this.#socket = socket;
  }

  received(bytes: number): void {
    this.#bytes += bytes;
    this.#server.change(bytes);
    if (this.#isPaused || !(this.#bytes > this.#limit || this.#server.isFull)) return;
    this.#isPaused = true;
    this.#server.wait(this);
    this.#socket.pause();
  }

  consumed(bytes: number): void {
    this.#bytes -= bytes;
    this.#server.change(-bytes);
    this.reconsider();
  }

  /** Reads on when there is room: here, and in the server unless it is not this connection that fills it. */
  reconsider(): void {
    if (!this.#isPaused || this.#bytes > this.#limit * RESUME_AT) return;
    if (this.#bytes > 0 && !this.#server.hasRoom) return;
    this.release();
    this.#socket.resume();
  }

  /** The connection is ending; it waits for nothing. What it still holds is given back as it is consumed. */
  release(): void {
    this.#isPaused = false;
    this.#server.forget(this);
  }
}
