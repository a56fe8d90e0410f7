/**
 * Bodies that share their content. What many clients are sent is deflated once; before it stands a head of each client's
 * own, which goes into the same zlib stream as a block that is not compressed (RFC 1950, RFC 1951 §3.2.4).
 */
import { compressBody, plainBody } from './compression.ts';
import type { Body } from './messages.ts';

/** Content to be sent after different heads. */
export type SharedContent = {
  /** As it is, or deflated: a raw stream whose last block is final. */
  readonly bytes: Uint8Array;
  /** Uncompressed. */
  readonly size: number;
  /** Of the uncompressed content, when it is deflated. */
  readonly checksum?: number;
};

/** The two bytes that begin a zlib stream with a 32 KiB window, deflated fast. */
const ZLIB_HEADER = Uint8Array.of(0x78, 0x01);
const CHECKSUM_BYTES = 4;
/** The largest prime below 2^16, modulus of Adler-32. */
const ADLER_BASE = 65_521;
/** Bytes of an uncompressed block: its length has two bytes. */
const LARGEST_HEAD = 65_535;
const STORED_BLOCK_BYTES = 5;

/** Deflates content when it is large and shrinks. */
export async function sharedContent(content: Uint8Array): Promise<SharedContent> {
  const { bytes, compressed, size } = await compressBody(content);
  if (!compressed) return { bytes, size };
  const end = bytes.byteLength - CHECKSUM_BYTES;
  const checksum = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).readUInt32BE(end);
  return { bytes: bytes.subarray(ZLIB_HEADER.byteLength, end), size, checksum };
}

/** The body of a head of at most 64 KiB and the content. */
export function splicedBody(head: Uint8Array, { bytes, size, checksum }: SharedContent): Body {
  if (checksum === undefined) return plainBody(Buffer.concat([head, bytes]));
  if (head.byteLength > LARGEST_HEAD) throw new RangeError('the head of a body is too long');
  const block = Buffer.alloc(STORED_BLOCK_BYTES);
  block.writeUInt16LE(head.byteLength, 1);
  block.writeUInt16LE(~head.byteLength & 0xffff, 3);
  const end = Buffer.alloc(CHECKSUM_BYTES);
  end.writeUInt32BE(combined(adler32(head), checksum, size));
  return {
    bytes: Buffer.concat([ZLIB_HEADER, block, head, bytes, end]),
    compressed: true,
    size: head.byteLength + size,
  };
}

function adler32(bytes: Uint8Array): number {
  let low = 1;
  let high = 0;
  for (const byte of bytes) {
    low = (low + byte) % ADLER_BASE;
    high = (high + low) % ADLER_BASE;
  }
  return high * 0x10000 + low;
}

/** The checksum of two parts after one another, of their checksums and the size of the second. */
function combined(first: number, second: number, size: number): number {
  const firstLow = first % 0x10000;
  const low = (firstLow + (second % 0x10000) - 1 + ADLER_BASE) % ADLER_BASE;
  const shift = ((size % ADLER_BASE) * (firstLow - 1 + ADLER_BASE)) % ADLER_BASE;
  const high = (Math.floor(first / 0x10000) + Math.floor(second / 0x10000) + shift) % ADLER_BASE;
  return high * 0x10000 + low;
}
