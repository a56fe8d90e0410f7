/** What a reader sees of a row: by isolation, by hints, and by who is writing it just now. */
import type { Datum } from '../../contract.ts';
import { type LockOwner, type Locks, LockWait } from './locks.ts';
import type { Row, Version } from './table.ts';
import type { Transaction } from './transaction.ts';

export type Reader = {
  readonly owner: LockOwner;
  readonly transaction: Transaction | undefined;
  readonly locks: Locks;
  /** `committed` waits for writers, `dirty` does not care, `version` sees what was committed up to `commit`. */
  readonly mode: 'committed' | 'dirty' | 'version';
  readonly commit: number;
  /** Taken on rows and kept to the end of the transaction. */
  readonly lock: 'S' | 'U' | 'X' | undefined;
  /** Rows that are locked are left out (READPAST). */
  readonly readPast: boolean;
  /** Keys that were looked for and not found are locked, too, and whole tables when all of them is read. */
  readonly range: boolean;
};

/** The row's values for the reader, null when there is none for it. Throws LockWait when somebody is writing it. */
export function visible(row: Row, reader: Reader): readonly Datum[] | null {
  const { head } = row;
  const { writer } = head;
  if (writer !== undefined && writer !== reader.transaction) {
    if (reader.mode === 'dirty') return head.data;
    if (reader.mode === 'version') return versionOf(head, reader);
    if (reader.readPast) return null;
    throw new LockWait([writer.owner]);
  }
  if (writer === undefined && reader.mode === 'version' && head.commit > reader.commit) {
    return versionOf(head, reader);
  }
  if (head.data === null) return null;
  if (writer === undefined && reader.mode === 'committed' && !lockRow(row, reader)) return null;
  return head.data;
}

/** Takes the lock that the reader wants; false when the row is to be left out because of somebody else's. */
function lockRow(row: Row, reader: Reader): boolean {
  try {
    if (reader.lock) reader.locks.acquire(reader.owner, row, reader.lock);
    else if (reader.locks.any) reader.locks.check(reader.owner, row, 'S');
    return true;
  } catch (error) {
    if (reader.readPast && error instanceof LockWait) return false;
    throw error;
  }
}

function versionOf(head: Version, reader: Reader): readonly Datum[] | null {
  for (let version: Version | undefined = head; version; version = version.previous) {
    if (version.writer !== undefined) {
      if (version.writer === reader.transaction) return version.data;
    } else if (version.commit <= reader.commit) return version.data;
  }
  return null;
}

/** The name under which a key of an index is locked. */
export function keyResource(tableId: number, indexId: number, key: string): string {
  return `key:${tableId}:${indexId}:${key}`;
}
