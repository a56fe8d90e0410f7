import { randomBytes } from 'node:crypto';

/** Bytes of a user, identity, device or session id: 24 hexadecimal digits, as clients expect of an object id. */
const ID_BYTES = 12;

/** A random id of 24 lower-case hexadecimal digits (spec/app-services-http.md §4.3). */
export function newHexId(): string {
  return randomBytes(ID_BYTES).toString('hex');
}

export function isHexId(value: unknown): value is string {
  return typeof value === 'string' && /^[0-9a-f]{24}$/i.test(value);
}

/** "No device": what a client sends, or is told, when there is none. */
export const NO_DEVICE = '0'.repeat(2 * ID_BYTES);
