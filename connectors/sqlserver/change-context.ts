/**
 * What our statements leave in SYS_CHANGE_CONTEXT (spec/sql-server.md §2, fact 17): who wrote, and up to where in which
 * realm. The server keeps up to 128 bytes, and only those of a row's last writer.
 *
 * Layout: magic (8) · SHA-256 of the adapter's name, first half (16) · of the realm's path (16) · sequence (8, big-endian).
 */
import { createHash } from 'node:crypto';

const MAGIC = Buffer.from('isthmus\x01', 'latin1');
const DIGEST_BYTES = 16;
const ADAPTER_AT = MAGIC.length;
const REALM_AT = ADAPTER_AT + DIGEST_BYTES;
const SEQUENCE_AT = REALM_AT + DIGEST_BYTES;
const LENGTH = SEQUENCE_AT + 8;
/** What of a context tells whose it is. */
export const WRITER_BYTES = REALM_AT;

export type ChangeContext = {
  readonly adapterName: string;
  /** Empty when the statement belongs to no single realm. */
  readonly realmPath: string;
  readonly sequence: number;
};

/** What a context still tells: names are kept as digests, in hexadecimal. */
export type DecodedContext = {
  readonly adapter: string;
  readonly realm: string;
  readonly sequence: number;
};

export function encodeContext({ adapterName, realmPath, sequence }: ChangeContext): Buffer {
  const context = Buffer.alloc(LENGTH);
  MAGIC.copy(context);
  digest(adapterName).copy(context, ADAPTER_AT);
  digest(realmPath).copy(context, REALM_AT);
  context.writeBigUInt64BE(BigInt(sequence), SEQUENCE_AT);
  return context;
}

/** How the contexts of an adapter begin, as SQL Server shows binaries (style 2). */
export function writerText(adapterName: string): string {
  return Buffer.concat([MAGIC, digest(adapterName)])
    .toString('hex')
    .toUpperCase();
}

/** Undefined for contexts that others have left. */
export function decodeContext(context: Uint8Array | null): DecodedContext | undefined {
  if (context?.length !== LENGTH) return undefined;
  const bytes = Buffer.from(context.buffer, context.byteOffset, context.length);
  if (!bytes.subarray(0, MAGIC.length).equals(MAGIC)) return undefined;
  return {
    adapter: bytes.toString('hex', ADAPTER_AT, REALM_AT),
    realm: bytes.toString('hex', REALM_AT, SEQUENCE_AT),
    sequence: Number(bytes.readBigUInt64BE(SEQUENCE_AT)),
  };
}

/** A name as {@link decodeContext} shows it. */
export function contextDigest(name: string): string {
  return digest(name).toString('hex');
}

function digest(name: string): Buffer {
  return createHash('sha256').update(name).digest().subarray(0, DIGEST_BYTES);
}
