/**
 * Primary keys as SQLite values. Within a class, rows sort by key: integers by value, strings bytewise, the others by
 * their bytes. A null key is an empty blob, since a key column cannot be null.
 */
import { NULL, type PrimaryKey, type PrimaryKeyType } from '../../schema/value.ts';

export type StoredKey = bigint | string | Uint8Array;

const NULL_KEY = new Uint8Array(0);
const OBJECT_ID_BYTES = 12;

export function toStoredKey(key: PrimaryKey): StoredKey {
  switch (key.type) {
    case 'null':
      return NULL_KEY;
    case 'int':
    case 'string':
      return key.value;
    case 'objectId':
      return Buffer.from(key.value, 'hex');
    case 'uuid':
      return Buffer.from(key.value.replaceAll('-', ''), 'hex');
    case 'globalKey': {
      const bytes = Buffer.allocUnsafe(16);
      bytes.writeBigUInt64BE(key.hi, 0);
      bytes.writeBigUInt64BE(key.lo, 8);
      return bytes;
    }
  }
}

/** `type` is the key type of the class, which tells a UUID from a global key. */
export function fromStoredKey(stored: StoredKey, type: PrimaryKeyType): PrimaryKey {
  if (typeof stored === 'bigint') return { type: 'int', value: stored };
  if (typeof stored === 'string') return { type: 'string', value: stored };
  if (stored.length === 0) return NULL;
  const bytes = Buffer.from(stored.buffer, stored.byteOffset, stored.byteLength);
  if (stored.length === OBJECT_ID_BYTES) return { type: 'objectId', value: bytes.toString('hex') };
  if (type === 'globalKey') {
    return { type: 'globalKey', hi: bytes.readBigUInt64BE(0), lo: bytes.readBigUInt64BE(8) };
  }
  const hex = bytes.toString('hex');
  const groups = [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)];
  return { type: 'uuid', value: groups.join('-') };
}

/** The order of keys within a class: negative when `a` comes before `b`. */
export function compareStoredKeys(a: StoredKey, b: StoredKey): number {
  if (typeof a === 'bigint') return typeof b === 'bigint' ? (a < b ? -1 : a > b ? 1 : 0) : -1;
  if (typeof b === 'bigint') return 1;
  if (typeof a === 'string')
    return typeof b === 'string' ? Buffer.compare(Buffer.from(a), Buffer.from(b)) : -1;
  return typeof b === 'string' ? 1 : Buffer.compare(a, b);
}

export function compareKeys(a: PrimaryKey, b: PrimaryKey): number {
  return compareStoredKeys(toStoredKey(a), toStoredKey(b));
}
