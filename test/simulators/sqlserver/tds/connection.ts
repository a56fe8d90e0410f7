/**
 * One connection. It is in one of these phases:
 *
 * - `prelogin`: the client says what it wants of encryption; then perhaps a TLS handshake.
 * - `login`: the client says who it is.
 * - `ready`: one request at a time is read, executed and answered. An attention cancels the one that is being executed.
 * - afterwards the connection is closed and its session with it.
 */
import type { Socket } from 'node:net';
import type { SecureContext } from 'node:tls';
import { type ResultPart, type SqlEngine, SqlFailure, type SqlSession } from '../contract.ts';
import { admit } from './admission.ts';
import { type ArrivingBytes, MessageIgnored } from './arriving-bytes.ts';
import { readBulkLoad } from './bulk-rows.ts';
import { ByteReader } from './byte-reader.ts';
import type { WireFaults } from './faults.ts';
import { type IncomingMessage, IncomingMessages } from './incoming-messages.ts';
import { OutgoingMessage } from './outgoing-message.ts';
import { INITIAL_PACKET_SIZE, PacketDecoder, PacketStatus, PacketType } from './packets.ts';
import { agreeOnEncryption, type EncryptionPolicy, readPrelogin, writePrelogin } from './prelogin.ts';
import { PreparedStatements } from './prepared-statements.ts';
import { readProcedureCall } from './procedure-call.ts';
import { ConnectionEnded, ProtocolError } from './protocol-error.ts';
import { readTransactionDescriptor } from './request-headers.ts';
import { Response } from './response.ts';
import { DoneStatus, DoneToken, type Server, writeDone } from './tokens.ts';
import { ToldState } from './told.ts';
import { readTransactionRequest } from './transaction-request.ts';
import { Transactions } from './transactions.ts';
import { Wire } from './wire.ts';

/** Whoever has not logged in after so long is no client. */
const LOGIN_TIMEOUT_MS = 30_000;
/** From it on, an error ends the connection. */
const FATAL_SEVERITY = 20;

export type ConnectionOptions = {
  readonly engine: SqlEngine;
  readonly server: Server;
  readonly secureContext: SecureContext | undefined;
  readonly encryption: EncryptionPolicy;
  readonly faults: WireFaults;
};

export class Connection {
  readonly #options: ConnectionOptions;
  readonly #wire: Wire;
  readonly #incoming: IncomingMessages;
  readonly #decoder = new PacketDecoder();
  readonly #told: ToldState;
  readonly #prepared = new PreparedStatements();
  readonly #transactions = new Transactions();
  readonly #loginTimer: NodeJS.Timeout;
  #packetSize = INITIAL_PACKET_SIZE;
  #encryption: 'undecided' | 'none' | 'login' | 'all' = 'undecided';
  #session: SqlSession | undefined;
  #request: AbortController | undefined;
  /** Attentions that were not answered yet. */
  #attentions = 0;

  constructor(socket: Socket, options: ConnectionOptions) {
    this.#options = options;
    this.#wire = new Wire(socket, {
      bytes: (bytes) => this.#receive(bytes),
      ended: () => this.#ended(),
    });
    this.#incoming = new IncomingMessages(() => this.#attention(), this.#wire);
    this.#told = new ToldState(options.server, options.faults, () => this.#wire.destroy());
    this.#loginTimer = setTimeout(() => this.#wire.destroy(), LOGIN_TIMEOUT_MS);
  }

  /** Undefined before the login. */
  get sessionId(): number | undefined {
    return this.#session?.id;
  }

  /** Serves the connection until one side ends it. Never fails: a client's mistakes are the client's. */
  async run(): Promise<void> {
    try {
      for await (const message of this.#incoming) await this.#handle(message);
    } catch (error) {
      if (!(error instanceof ConnectionEnded) && !this.#wire.closed) await this.#giveUp(error);
    } finally {
      clearTimeout(this.#loginTimer);
      this.#wire.destroy();
      this.#session?.close();
    }
  }

  /** Cuts the connection. */
  destroy(): void {
    this.#wire.destroy();
  }

  #receive(bytes: Buffer): void {
    try {
      for (const packet of this.#decoder.push(bytes)) this.#incoming.push(packet);
    } catch (error) {
      this.#incoming.close(error instanceof Error ? error : new Error(String(error)));
    }
  }

  #ended(): void {
    this.#incoming.close();
    this.#request?.abort();
  }

  #handle(message: IncomingMessage): Promise<void> | void {
    if (this.#session !== undefined) return this.#answer(this.#session, message);
    if (message.kind !== 'complete') throw new ProtocolError('a request before the login');
    if (message.type === PacketType.prelogin) return this.#prelogin(message.body);
    if (message.type === PacketType.login) return this.#login(message.body);
    throw new ProtocolError('a request before the login');
  }

  async #prelogin(body: Buffer): Promise<void> {
    if (this.#wire.handshaking) return this.#wire.handshake(body);
    if (this.#encryption !== 'undecided') throw new ProtocolError('a second PRELOGIN message');
    const { secureContext, server } = this.#options;
    const policy = secureContext === undefined ? 'unsupported' : this.#options.encryption;
    const { answer, tls } = agreeOnEncryption(readPrelogin(body), policy);
    const message = this.#newMessage();
    message.bytes.bytes(writePrelogin(answer, server.version));
    await message.end();
    if (tls === 'refused') return this.#wire.end();
    this.#encryption = tls;
    if (tls !== 'none' && secureContext !== undefined) this.#wire.startTls(secureContext, this.#packetSize);
  }

  async #login(body: Buffer): Promise<void> {
    if (this.#encryption === 'undecided') throw new ProtocolError('a login without PRELOGIN');
    if (this.#encryption === 'login') this.#wire.endTls();
    const message = this.#newMessage();
    const admission = admit(body, this.#options.engine, this.#options.server, this.#told, message.bytes);
    await message.end();
    if (admission === undefined) return this.#wire.end();
    clearTimeout(this.#loginTimer);
    this.#session = admission.session;
    this.#packetSize = admission.packetSize;
    this.#incoming.allowLargeMessages();
  }

  async #answer(session: SqlSession, message: IncomingMessage): Promise<void> {
    const outgoing = this.#newMessage(session.id);
    if ((message.status & PacketStatus.resetConnection) !== 0) {
      session.reset();
      this.#prepared.forgetAll();
      this.#told.reset(outgoing.bytes, session);
    }
    const context = {
      server: this.#options.server,
      session,
      told: this.#told,
      faults: this.#options.faults,
      cut: () => this.#wire.destroy(),
    };
    const kind = message.type === PacketType.rpc ? 'procedure' : 'batch';
    const response = new Response(outgoing, context, kind);
    const request = new AbortController();
    this.#request = request;
    if (this.#attentions > 0) request.abort();
    try {
      await this.#execute(session, message, response, outgoing, request.signal);
    } catch (error) {
      if (error instanceof ConnectionEnded || error instanceof ProtocolError) throw error;
      if (!request.signal.aborted && !(error instanceof MessageIgnored)) response.fail(error);
      else response.truncate();
      if (error instanceof SqlFailure && error.severity >= FATAL_SEVERITY) return this.#endWith(response);
    } finally {
      this.#request = undefined;
    }
    await response.end();
    if (this.#attentions > 0) await this.#acknowledgeAttention();
  }

  async #execute(
    session: SqlSession,
    message: IncomingMessage,
    response: Response,
    outgoing: OutgoingMessage,
    signal: AbortSignal,
  ): Promise<void> {
    if (message.kind === 'ignored') return response.truncate();
    if (message.kind === 'arriving') return this.#bulkLoad(session, message.body, response, signal);
    const reader = new ByteReader(message.body);
    const descriptor = readTransactionDescriptor(reader);
    const isReset = (message.status & PacketStatus.resetConnection) !== 0;
    if (!isReset) this.#checkTransaction(descriptor);
    switch (message.type) {
      case PacketType.batch: {
        if (reader.left % 2 !== 0) throw new ProtocolError('a batch has half a character');
        return this.#addAll(session.execute(reader.text(reader.left / 2), [], signal), response, signal);
      }
      case PacketType.rpc: {
        const call = readProcedureCall(reader);
        return this.#addAll(this.#prepared.call(session, call, signal), response, signal);
      }
      case PacketType.transaction: {
        const request = readTransactionRequest(reader);
        return this.#transactions.execute(request, session, this.#told, outgoing.bytes);
      }
      default:
        throw new ProtocolError(`there is no request of type ${message.type}`);
    }
  }

  async #addAll(parts: AsyncIterable<ResultPart>, response: Response, signal: AbortSignal): Promise<void> {
    for await (const part of parts) {
      if (signal.aborted) return response.truncate();
      await response.add(part);
    }
    if (signal.aborted) response.truncate();
  }

  async #bulkLoad(
    session: SqlSession,
    body: ArrivingBytes,
    response: Response,
    signal: AbortSignal,
  ): Promise<void> {
    try {
      const { columns, rows } = await readBulkLoad(body);
      const rowCount = await session.bulkLoad(columns, rows, signal);
      await response.add({ kind: 'done', command: 'insert', rowCount });
    } finally {
      await body.skip();
    }
  }

  /** A client that believes to be in another transaction than it is would do harm. */
  #checkTransaction(descriptor: bigint): void {
    if (descriptor === (this.#told.transaction ?? 0n)) return;
    throw new SqlFailure(
      3989,
      'New request is not allowed to start because it should come with valid transaction descriptor.',
    );
  }

  /** An attention concerns the request that is being executed, or the one that will be next. */
  #attention(): void {
    this.#attentions++;
    if (this.#request !== undefined) this.#request.abort();
    else if (!this.#incoming.hasWaiting) this.#acknowledgeAttention().catch(() => this.#wire.destroy());
  }

  /** In a message of its own after the one that was cut short (spec/sql-server.md §1.2). */
  async #acknowledgeAttention(): Promise<void> {
    this.#attentions = 0;
    const message = this.#newMessage(this.#session?.id);
    writeDone(message.bytes, DoneToken.batch, DoneStatus.attention);
    await message.end();
  }

  async #endWith(response: Response): Promise<void> {
    await response.end();
    this.#wire.end();
  }

  /** Tells a client that sends nonsense so, if it still listens. */
  async #giveUp(error: unknown): Promise<void> {
    const session = this.#session;
    if (session === undefined) return;
    const context = {
      server: this.#options.server,
      session,
      told: this.#told,
      faults: this.#options.faults,
      cut: () => {},
    };
    const response = new Response(this.#newMessage(session.id), context, 'batch');
    const reason = error instanceof Error ? error.message : String(error);
    response.fail(
      new SqlFailure(
        4002,
        `The incoming tabular data stream (TDS) protocol stream is incorrect: ${reason}.`,
        { severity: FATAL_SEVERITY },
      ),
    );
    await response.end().catch(() => {}); // it does not listen any more
  }

  #newMessage(processId = 0): OutgoingMessage {
    return new OutgoingMessage(this.#wire, processId, this.#packetSize);
  }
}
