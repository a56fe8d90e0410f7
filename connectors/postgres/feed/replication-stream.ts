/**
 * The change feed of one replication slot over a replication connection.
 *
 * States: `starting` (until the server has answered START_REPLICATION) → `streaming` → `closed`. While streaming, the
 * socket is read only when the consumer asks, so that a slow consumer slows the server down and nothing piles up
 * here; a timer tells the server independently of that that we are alive, always with the LSN that was confirmed last
 * and never with one that was merely received.
 */
import { once } from 'node:events';
import type { Duplex } from 'node:stream';
import { setTimeout as delay } from 'node:timers/promises';
import type { ChangeFeed, FeedEvent, FeedKnown, Position } from '../../../src/connector/dialect.ts';
import { PostgresConnectionError, PostgresFeedError } from '../errors.ts';
import { formatLsn, parseLsn } from '../lsn.ts';
import { Session, type SessionContext } from '../session.ts';
import { quoteIdentifier, quoteLiteral } from '../sql-text.ts';
import { damaged } from './byte-cursor.ts';
import { streamFailure } from './feed-failure.ts';
import { type Frame, MessageFramer } from './message-framer.ts';
import { PgOutputDecoder } from './pgoutput-decoder.ts';
import { publicationMissing, slotHeld } from './slot-errors.ts';
import { holderText, type SlotHolder } from './slot-holder.ts';
import { type ResumePoint, resumePoint } from './source.ts';

export type ReplicationOptions = {
  readonly slot: string;
  readonly publication: string;
  readonly adapterName: string;
  readonly known: FeedKnown;
  /** Throws when the slot cannot deliver what comes after that position. */
  readonly checkSlot: (after: Position | undefined) => Promise<void>;
  readonly holder: () => Promise<SlotHolder | undefined>;
  /** How long a slot is waited for that another connection holds; absent for a little more than `wal_sender_timeout`. */
  readonly waitMilliseconds: number | undefined;
};

const XLOG_DATA = 0x77;
const KEEPALIVE = 0x6b;
/** Type byte, start and end of the log data, the server's clock. */
const XLOG_HEADER_BYTES = 1 + 8 + 8 + 8;
const KEEPALIVE_BYTES = 1 + 8 + 8 + 1;
/** Standby status update: type, written, flushed, applied, clock, reply wanted; in a CopyData message. */
const STATUS_BYTES = 1 + 4 + 1 + 8 + 8 + 8 + 8 + 1;
const NOT_IN_PREREQUISITE_STATE = '55000';
const OBJECT_IN_USE = '55006';
const POSTGRES_EPOCH_MS = 946_684_800_000;

/** Confirmations wait this long for later ones; the slot only needs to move, not to move at once. */
const CONFIRM_DELAY_MS = 1_000;
/** Longest silence towards the server, whatever its `wal_sender_timeout`. */
const MAX_STATUS_INTERVAL_MS = 10_000;
/** A server that answers none of this many status updates in a row is gone. */
const UNANSWERED_UPDATES = 6;
/** How long closing waits for the server to take the last confirmation. */
const CLOSE_DEADLINE_MS = 2_000;
/** How often a slot is tried that another connection still holds, and how often the log says who that is. */
const ACTIVE_RETRY_MS = 200;
const HOLDER_NOTICE_MS = 5_000;
/** Idle positions are worth a commit of ours this often; a busy server sends thousands of them a second. */
const IDLE_INTERVAL_MS = 250;
/** Beyond `wal_sender_timeout`, for the server to notice and to clean up. */
const ACTIVE_MARGIN_MS = 15_000;
const DEFAULT_SENDER_TIMEOUT_MS = 60_000;

/**
 * Connects and begins to stream. Throws a `PostgresError`; waits a while for a slot that another connection holds,
 * since the server may not have noticed yet that its client died, and throws `PostgresSlotHeldError` after that.
 */
export async function openReplicationStream(
  context: SessionContext,
  options: ReplicationOptions,
  signal: AbortSignal,
): Promise<ChangeFeed> {
  const since = Date.now();
  let noticed = 0;
  for (;;) {
    signal.throwIfAborted();
    const session = await Session.open(context, { replication: true, name: 'isthmus feed' });
    const stream = await preparedStream(session, options, signal);
    try {
      await stream.start();
      return stream;
    } catch (cause) {
      await stream.close();
      const failure = streamFailure(cause, options.slot);
      const held = failure instanceof PostgresFeedError && failure.sqlState === OBJECT_IN_USE;
      if (!held || signal.aborted) throw failure;
      const wait =
        options.waitMilliseconds ?? (stream.senderTimeout || DEFAULT_SENDER_TIMEOUT_MS) + ACTIVE_MARGIN_MS;
      const waited = Date.now() - since;
      if (waited >= wait) {
        throw slotHeld(
          options.slot,
          await options.holder().catch(() => undefined),
          Math.round(waited / 1000),
        );
      }
      if (Date.now() - noticed >= HOLDER_NOTICE_MS) {
        noticed = Date.now();
        context.logger.warn('Waiting for the replication slot, which another connection holds', {
          slot: options.slot,
          holder: holderText(await options.holder().catch(() => undefined)),
          secondsLeft: Math.round((wait - waited) / 1000),
          remedy: failure.remedy,
        });
      }
    }
    await delay(ACTIVE_RETRY_MS, undefined, { signal });
  }
}

async function preparedStream(
  session: Session,
  options: ReplicationOptions,
  signal: AbortSignal,
): Promise<ReplicationStream> {
  try {
    const timeout = await senderTimeout(session);
    const resume = await resumePoint(session, options.known);
    await options.checkSlot(resume.after);
    return new ReplicationStream(session, options, resume, timeout, signal);
  } catch (cause) {
    await session.close();
    throw streamFailure(cause, options.slot);
  }
}

async function senderTimeout(session: Session): Promise<number> {
  const [row] = await session.simple("SELECT setting FROM pg_settings WHERE name = 'wal_sender_timeout'");
  return Number(row?.[0] ?? DEFAULT_SENDER_TIMEOUT_MS);
}

const NO_BYTES = Buffer.alloc(0);

class ReplicationStream implements ChangeFeed {
  readonly events: AsyncIterable<readonly FeedEvent[]>;
  readonly source: string;
  readonly after: Position | undefined;
  /** The server's `wal_sender_timeout` in milliseconds; 0 when it has none. */
  readonly senderTimeout: number;
  readonly #options: ReplicationOptions;
  readonly #signal: AbortSignal;
  readonly #socket: Duplex;
  readonly #framer = new MessageFramer();
  readonly #decoder: PgOutputDecoder;
  readonly #statusInterval: number;
  /** Lets a waiting read look again: bytes came, the connection ended, or the signal aborted. */
  #wake: () => void = () => {};
  readonly #onEvent = (): void => this.#wake();
  #state: 'starting' | 'streaming' | 'closed' = 'starting';
  #reading: 'idle' | 'waiting' = 'idle';
  #timer: NodeJS.Timeout | undefined;
  #failure: Error | undefined;
  /** End of what was delivered; `idle` is only worth saying beyond it. */
  #delivered: bigint;
  /** Where the server said last that there is nothing for us up to. */
  #idle = 0n;
  #lastIdle = 0;
  #confirmed = 0n;
  #sentConfirmed = 0n;
  #lastSent = 0;
  #unanswered = 0;

  constructor(
    session: Session,
    options: ReplicationOptions,
    resume: ResumePoint,
    senderTimeout: number,
    signal: AbortSignal,
  ) {
    this.#options = options;
    this.#signal = signal;
    this.source = resume.source;
    this.after = resume.after;
    this.senderTimeout = senderTimeout;
    const after = resume.after === undefined ? 0n : parseLsn(resume.after);
    this.#decoder = new PgOutputDecoder(options.adapterName, after);
    this.#delivered = after;
    this.#confirmed = after;
    this.#statusInterval = Math.min(
      MAX_STATUS_INTERVAL_MS,
      senderTimeout > 0 ? Math.max(senderTimeout / 3, 1) : MAX_STATUS_INTERVAL_MS,
    );
    this.#socket = session.client.connection.stream as Duplex;
    // From here on the bytes are ours: the driver's parser would queue them without bound.
    this.#socket.removeAllListeners('data');
    this.#socket.pause();
    this.#socket.on('error', (error) => {
      this.#failure ??= error;
    });
    for (const event of ['readable', 'end', 'close']) this.#socket.on(event, this.#onEvent);
    signal.addEventListener('abort', this.#onEvent);
    this.events = { [Symbol.asyncIterator]: () => this.#read() };
  }

  /** Sends START_REPLICATION and waits for the answer. */
  async start(): Promise<void> {
    const { slot, publication } = this.#options;
    const names = quoteLiteral(quoteIdentifier(publication));
    const command = `START_REPLICATION SLOT ${quoteIdentifier(slot)} LOGICAL ${this.after ?? '0/0'} (proto_version '1', publication_names ${names})`;
    this.#socket.write(queryMessage(command));
    while (this.#state === 'starting') {
      const events = await this.#next();
      if (events === undefined) throw connectionLost(this.#failure);
      // The server sends nothing of substance before it has said that it begins.
      if (events.length > 0) this.#early.push(...events);
    }
    this.#timer = setInterval(() => this.#tick(), Math.min(CONFIRM_DELAY_MS, this.#statusInterval));
    this.#sendStatus(false);
  }

  readonly #early: FeedEvent[] = [];

  confirm(position: Position): void {
    const lsn = parseLsn(position);
    if (lsn > this.#confirmed) this.#confirmed = lsn;
  }

  async close(): Promise<void> {
    if (this.#state === 'closed') return;
    const streaming = this.#state === 'streaming';
    this.#state = 'closed';
    clearInterval(this.#timer);
    this.#signal.removeEventListener('abort', this.#onEvent);
    this.#wake();
    if (this.#socket.destroyed) return;
    if (streaming) {
      this.#sendStatus(false);
      this.#socket.write(Buffer.from([0x63, 0, 0, 0, 4])); // CopyDone
    }
    this.#socket.end(Buffer.from([0x58, 0, 0, 0, 4])); // Terminate
    await this.#drained();
    this.#socket.destroy();
  }

  /** Lets the server come to our last message, which it reads only between its own. */
  async #drained(): Promise<void> {
    const closed = new AbortController();
    for (const event of ['readable', 'end', 'close']) this.#socket.off(event, this.#onEvent);
    this.#socket.on('data', () => {});
    this.#socket.resume();
    await Promise.race([
      once(this.#socket, 'close', { signal: closed.signal }),
      delay(CLOSE_DEADLINE_MS, undefined, { signal: closed.signal }),
    ]).catch(() => {});
    closed.abort();
  }

  async *#read(): AsyncGenerator<readonly FeedEvent[], void, undefined> {
    if (this.#early.length > 0) yield this.#early.splice(0);
    while (this.#state === 'streaming' && !this.#signal.aborted) {
      const events = await this.#next();
      if (events === undefined) {
        if (this.#signal.aborted || this.#wasClosed()) return;
        throw streamFailure(connectionLost(this.#failure), this.#options.slot);
      }
      if (events.length > 0) yield events;
    }
  }

  #wasClosed(): boolean {
    return this.#state === 'closed';
  }

  /** The events of the next chunk; undefined at the end of the connection. Throws what the server reports. */
  async #next(): Promise<FeedEvent[] | undefined> {
    const chunk = await this.#nextChunk();
    if (chunk === undefined) return undefined;
    if (chunk.length > 0) this.#unanswered = 0;
    const events: FeedEvent[] = [];
    this.#framer.push(chunk, (buffer, frame) => this.#onFrame(buffer, frame, events));
    this.#tellIdle(events);
    return events;
  }

  /** What the socket holds, nothing when an idle position is due; undefined when it ended or the signal aborted. */
  async #nextChunk(): Promise<Buffer | undefined> {
    this.#reading = 'waiting';
    try {
      while (!this.#signal.aborted && !this.#wasClosed()) {
        const chunk: unknown = this.#socket.read();
        if (chunk instanceof Buffer) return chunk;
        if (this.#idleIsDue()) return NO_BYTES;
        if (this.#socket.readableEnded || this.#socket.destroyed) return undefined;
        await new Promise<void>((resolve) => {
          this.#wake = resolve;
        });
      }
      return undefined;
    } finally {
      this.#reading = 'idle';
    }
  }

  #onFrame(buffer: Buffer, frame: Frame, events: FeedEvent[]): void {
    switch (frame.kind) {
      case 'started':
        if (this.#state === 'starting') this.#state = 'streaming';
        break;
      case 'data':
        this.#onData(buffer, frame.start, frame.end, events);
        break;
      case 'done':
        this.#failure ??= new Error('the server ended the feed');
        break;
      case 'notice':
        // Since version 18 changes without a publication are left out with a warning instead of an error.
        if (frame.fields.get('C') === NOT_IN_PREREQUISITE_STATE)
          throw publicationMissing(this.#options.slot, frame.fields.get('M') ?? '');
        break;
      case 'error':
        throw serverFailure(frame.fields, this.#options.slot);
    }
  }

  #onData(buffer: Buffer, start: number, end: number, events: FeedEvent[]): void {
    const type = buffer[start];
    if (type === XLOG_DATA && end - start > XLOG_HEADER_BYTES) {
      this.#decoder.decode(buffer, start + XLOG_HEADER_BYTES, end, events);
      const last = events.at(-1);
      if (last?.kind === 'commit') this.#delivered = parseLsn(last.position);
    } else if (type === KEEPALIVE && end - start >= KEEPALIVE_BYTES) {
      this.#onKeepalive(buffer.readBigUInt64BE(start + 1), buffer[start + KEEPALIVE_BYTES - 1] === 1);
    } else {
      throw damaged(`unknown replication message of type ${type}`);
    }
  }

  /** Inside a transaction the server's position says nothing about what is complete. */
  #onKeepalive(walEnd: bigint, replyWanted: boolean): void {
    if (!this.#decoder.insideTransaction && walEnd > this.#idle) this.#idle = walEnd;
    if (replyWanted) this.#sendStatus(false);
  }

  /** Never while a transaction is under way: its commit is further on than any idle position before it. */
  #idleIsDue(): boolean {
    if (this.#decoder.insideTransaction || this.#idle <= this.#delivered) return false;
    return Date.now() - this.#lastIdle >= IDLE_INTERVAL_MS;
  }

  #tellIdle(events: FeedEvent[]): void {
    if (!this.#idleIsDue()) return;
    this.#delivered = this.#idle;
    this.#lastIdle = Date.now();
    const position = formatLsn(Number(this.#idle >> 32n), Number(this.#idle & 0xffff_ffffn));
    events.push({ kind: 'idle', position });
  }

  #tick(): void {
    const silence = Date.now() - this.#lastSent;
    if (silence >= this.#statusInterval) {
      // Our own slowness leaves answers unread; only while we wait for bytes does their absence mean something.
      if (this.#reading === 'waiting') this.#unanswered += 1;
      if (this.#unanswered > UNANSWERED_UPDATES) {
        this.#failure ??= new Error('Connection terminated: the server has been silent for too long');
        this.#socket.destroy();
        return;
      }
      this.#sendStatus(true);
    } else if (this.#confirmed > this.#sentConfirmed) {
      this.#sendStatus(false);
    }
    if (this.#idleIsDue()) this.#wake();
  }

  #sendStatus(replyWanted: boolean): void {
    if (!this.#socket.writable) return;
    const message = Buffer.allocUnsafe(STATUS_BYTES);
    message[0] = 0x64; // CopyData
    message.writeUInt32BE(STATUS_BYTES - 1, 1);
    message[5] = 0x72; // standby status update
    message.writeBigUInt64BE(this.#confirmed, 6);
    message.writeBigUInt64BE(this.#confirmed, 14);
    message.writeBigUInt64BE(this.#confirmed, 22);
    message.writeBigInt64BE(BigInt(Date.now() - POSTGRES_EPOCH_MS) * 1000n, 30);
    message[38] = replyWanted ? 1 : 0;
    this.#socket.write(message);
    this.#sentConfirmed = this.#confirmed;
    this.#lastSent = Date.now();
  }
}

function queryMessage(text: string): Buffer {
  const body = Buffer.from(`${text}\0`);
  const message = Buffer.allocUnsafe(5 + body.length);
  message[0] = 0x51;
  message.writeUInt32BE(4 + body.length, 1);
  body.copy(message, 5);
  return message;
}

function connectionLost(cause: Error | undefined): PostgresConnectionError {
  return new PostgresConnectionError(
    `the change feed's connection was lost: ${cause?.message ?? 'it ended'}`,
    {
      errorClass: 'transient',
      cause,
    },
  );
}

/** The server's error message as the driver would have shown it, so that one classifier serves both. */
function serverFailure(fields: ReadonlyMap<string, string>, slot: string): Error {
  const error = Object.assign(new Error(fields.get('M') ?? 'unknown error'), {
    code: fields.get('C') ?? '',
    severity: fields.get('V') ?? fields.get('S') ?? 'ERROR',
    detail: fields.get('D'),
  });
  return streamFailure(error, slot);
}
