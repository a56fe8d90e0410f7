/** Deflated bodies (wire-protocol.md §3.4). Large ones go through the thread pool. */
import { promisify } from 'node:util';
import { constants, deflate, inflate, inflateSync } from 'node:zlib';
import type { Body } from './messages.ts';
import { ProtocolError } from './protocol-error.ts';

/** Bodies up to this size travel as they are. */
const COMPRESSION_THRESHOLD = 1024;
/** Below this, a trip through the thread pool costs more than inflating at once. */
const SYNC_INFLATE_LIMIT = 16 * 1024;
/** First byte of a zlib stream with the 32 KiB window that all clients accept. */
const ZLIB_HEADER = 0x78;

/** Output made in one trip to the thread pool. Each waits for its turn of the event loop, which may be a busy one. */
const MIN_CHUNK = 1024;
const MAX_CHUNK = 1024 * 1024;

const deflateAsync = promisify(deflate);
const inflateAsync = promisify(inflate);

/** The body as it is to be sent: deflated when it is large and shrinks. */
export async function compressBody(bytes: Uint8Array): Promise<Body> {
  if (bytes.byteLength > COMPRESSION_THRESHOLD) {
    const chunkSize = chunkFor(bytes.byteLength / 2);
    const deflated = await deflateAsync(bytes, { level: constants.Z_BEST_SPEED, chunkSize });
    if (deflated.byteLength < bytes.byteLength)
      return { bytes: deflated, compressed: true, size: bytes.byteLength };
  }
  return plainBody(bytes);
}

/** The body as it is. */
export function plainBody(bytes: Uint8Array): Body {
  return { bytes, compressed: false, size: bytes.byteLength };
}

/**
 * The body's bytes. Never holds more than the announced size in memory; throws `ProtocolError` 110 when the stream is
 * damaged or holds more or less than announced.
 */
export async function decompressBody(body: Body): Promise<Uint8Array> {
  if (!body.compressed) return body.bytes;
  if (body.bytes[0] !== ZLIB_HEADER) throw new ProtocolError(110, 'a compressed body is no zlib stream');
  const options = { maxOutputLength: Math.max(1, body.size), chunkSize: chunkFor(body.size) };
  let inflated: Uint8Array;
  try {
    inflated =
      body.size <= SYNC_INFLATE_LIMIT
        ? inflateSync(body.bytes, options)
        : await inflateAsync(body.bytes, options);
  } catch (cause) {
    throw new ProtocolError(110, 'a compressed body is damaged or larger than announced', cause);
  }
  if (inflated.byteLength !== body.size)
    throw new ProtocolError(110, 'a compressed body is smaller than announced');
  return inflated;
}

function chunkFor(expected: number): number {
  return Math.min(MAX_CHUNK, Math.max(MIN_CHUNK, Math.ceil(expected)));
}
