/** The entries of UPLOAD and DOWNLOAD bodies (wire-protocol.md §3.3, §4.1). */
import type { DownloadEntry, UploadEntry } from '../changeset/history-entry.ts';
import { ProtocolError } from './protocol-error.ts';

/** An entry has no more digits in one number than this. */
const MAX_DIGITS = 19;
const SPACE = 0x20;
const ZERO = 0x30;

/** Throws `ProtocolError` 111 on a bad entry head, 112 on a changeset that is longer than the rest of the body. */
export function parseUploadBody(body: Uint8Array): UploadEntry[] {
  const reader = new EntryReader(body);
  const entries: UploadEntry[] = [];
  while (!reader.atEnd) {
    const clientVersion = reader.number();
    const serverVersion = reader.number();
    const timestamp = reader.number();
    const originFileIdent = reader.number();
    entries.push({
      clientVersion,
      serverVersion,
      timestamp,
      originFileIdent,
      changeset: reader.changeset(reader.number()),
    });
  }
  return entries;
}

export function formatUploadBody(entries: readonly UploadEntry[]): Buffer {
  return joined(entries, (entry) => [
    entry.clientVersion,
    entry.serverVersion,
    entry.timestamp,
    entry.originFileIdent,
    entry.changeset.byteLength,
  ]);
}

/** Throws as {@link parseUploadBody} does. */
export function parseDownloadBody(body: Uint8Array): DownloadEntry[] {
  const reader = new EntryReader(body);
  const entries: DownloadEntry[] = [];
  while (!reader.atEnd) {
    const serverVersion = reader.number();
    const clientVersion = reader.number();
    const timestamp = reader.number();
    const originFileIdent = reader.number();
    const originalSize = reader.number();
    const changeset = reader.changeset(reader.number());
    entries.push({ serverVersion, clientVersion, timestamp, originFileIdent, originalSize, changeset });
  }
  return entries;
}

export function formatDownloadBody(entries: readonly DownloadEntry[]): Buffer {
  return joined(entries, (entry) => downloadHead(entry, entry.changeset.byteLength));
}

/** The head of one entry, to which a changeset of `size` bytes is added later. */
export function formatDownloadHead(entry: DownloadEntryHead, size: number): Buffer {
  return headBytes(downloadHead(entry, size));
}

export type DownloadEntryHead = Omit<DownloadEntry, 'changeset'>;

function downloadHead(entry: DownloadEntryHead, size: number): readonly number[] {
  return [
    entry.serverVersion,
    entry.clientVersion,
    entry.timestamp,
    entry.originFileIdent,
    entry.originalSize,
    size,
  ];
}

function joined<T extends { readonly changeset: Uint8Array }>(
  entries: readonly T[],
  head: (entry: T) => readonly number[],
): Buffer {
  const parts: Uint8Array[] = [];
  for (const entry of entries) parts.push(headBytes(head(entry)), entry.changeset);
  return Buffer.concat(parts);
}

function headBytes(numbers: readonly number[]): Buffer {
  return Buffer.from(`${numbers.join(' ')} `, 'latin1');
}

class EntryReader {
  readonly #body: Uint8Array;
  #position = 0;

  constructor(body: Uint8Array) {
    this.#body = body;
  }

  get atEnd(): boolean {
    return this.#position >= this.#body.byteLength;
  }

  /** A decimal number and the space after it. */
  number(): number {
    let value = 0;
    const start = this.#position;
    for (;;) {
      const byte = this.#body[this.#position];
      this.#position += 1;
      if (byte === SPACE && this.#position - start > 1) break;
      const digit = (byte ?? 0) - ZERO;
      if (digit < 0 || digit > 9 || this.#position - start > MAX_DIGITS) {
        throw new ProtocolError(111, 'a changeset head is no list of numbers');
      }
      value = value * 10 + digit;
    }
    if (!Number.isSafeInteger(value))
      throw new ProtocolError(111, 'a number in a changeset head is out of range');
    return value;
  }

  changeset(size: number): Uint8Array {
    const end = this.#position + size;
    if (end > this.#body.byteLength)
      throw new ProtocolError(112, 'a changeset is longer than the rest of its message');
    const bytes = this.#body.subarray(this.#position, end);
    this.#position = end;
    return bytes;
  }
}
