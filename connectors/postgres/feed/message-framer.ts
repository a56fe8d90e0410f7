/**
 * Cuts the byte stream of a connection in copy mode into the payloads of its CopyData messages (PostgreSQL
 * documentation, "Message Formats"). Payloads are views into the chunk they came in; a message that spans chunks is
 * joined once.
 */
import { PostgresFeedError } from '../errors.ts';

const COPY_DATA = 0x64;
const COPY_DONE = 0x63;
const COPY_BOTH_RESPONSE = 0x57;
const ERROR_RESPONSE = 0x45;
const NOTICE_RESPONSE = 0x4e;
const HEADER_BYTES = 5;
/** The server cannot make larger messages; a larger length means that the stream is not what it should be. */
const LARGEST_MESSAGE = 1 << 30;
/** What else may stand between: parameter changes, command completion, ready. */
const IGNORED = new Set([0x53, 0x41, 0x43, 0x5a, 0x54, 0x44, 0x31, 0x32, 0x6e]);

export type Frame =
  | { readonly kind: 'started' }
  | { readonly kind: 'data'; readonly start: number; readonly end: number }
  | { readonly kind: 'done' }
  | { readonly kind: 'error' | 'notice'; readonly fields: ReadonlyMap<string, string> };

export class MessageFramer {
  /** Chunks of a message that is not complete yet. */
  #pending: Buffer[] = [];
  #pendingBytes = 0;
  /** Bytes needed before anything can be cut. */
  #needed = HEADER_BYTES;

  /** Calls `onFrame` for each complete message, with the buffer that its offsets point into. */
  push(chunk: Buffer, onFrame: (buffer: Buffer, frame: Frame) => void): void {
    let buffer = chunk;
    if (this.#pendingBytes > 0) {
      this.#pending.push(chunk);
      this.#pendingBytes += chunk.length;
      // Joining at every chunk would copy a large message once per chunk.
      if (this.#pendingBytes < this.#needed) return;
      buffer = Buffer.concat(this.#pending, this.#pendingBytes);
      this.#pending = [];
      this.#pendingBytes = 0;
    }
    const rest = this.#cut(buffer, onFrame);
    if (rest < buffer.length) {
      this.#pending = [buffer.subarray(rest)];
      this.#pendingBytes = buffer.length - rest;
    }
  }

  /** Returns where the incomplete rest begins, and sets how much it needs. */
  #cut(buffer: Buffer, onFrame: (buffer: Buffer, frame: Frame) => void): number {
    let at = 0;
    for (;;) {
      if (buffer.length - at < HEADER_BYTES) {
        this.#needed = HEADER_BYTES;
        return at;
      }
      const length = buffer.readUInt32BE(at + 1);
      if (length < 4 || length > LARGEST_MESSAGE) {
        throw new PostgresFeedError(`the server sent a message of impossible length ${length}`, {
          errorClass: 'transient',
        });
      }
      const end = at + 1 + length;
      if (end > buffer.length) {
        this.#needed = 1 + length;
        return at;
      }
      this.#deliver(buffer, at, end, onFrame);
      at = end;
    }
  }

  #deliver(buffer: Buffer, at: number, end: number, onFrame: (buffer: Buffer, frame: Frame) => void): void {
    const type = buffer[at] ?? 0;
    switch (type) {
      case COPY_DATA:
        onFrame(buffer, { kind: 'data', start: at + HEADER_BYTES, end });
        break;
      case COPY_BOTH_RESPONSE:
        onFrame(buffer, { kind: 'started' });
        break;
      case COPY_DONE:
        onFrame(buffer, { kind: 'done' });
        break;
      case ERROR_RESPONSE:
        onFrame(buffer, { kind: 'error', fields: errorFields(buffer.subarray(at + HEADER_BYTES, end)) });
        break;
      case NOTICE_RESPONSE:
        onFrame(buffer, { kind: 'notice', fields: errorFields(buffer.subarray(at + HEADER_BYTES, end)) });
        break;
      default:
        if (!IGNORED.has(type)) {
          throw new PostgresFeedError(`the server sent an unknown message of type ${type}`, {
            errorClass: 'transient',
          });
        }
    }
  }
}

/** One letter and a text each, up to an empty one. */
function errorFields(payload: Buffer): Map<string, string> {
  const fields = new Map<string, string>();
  for (const field of payload.toString('utf8').split('\0')) {
    if (field.length > 1) fields.set(field.slice(0, 1), field.slice(1));
  }
  return fields;
}
