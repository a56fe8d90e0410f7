/** Hashes of secrets that the server made itself: random enough that one quick hash protects them at rest. */
import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';

/** 256 bits: nobody guesses it, with or without the hash. */
const SECRET_BYTES = 32;

export function newSecret(): string {
  return randomBytes(SECRET_BYTES).toString('base64url');
}

export function hashOf(secret: string): Uint8Array {
  return createHash('sha256').update(secret).digest();
}

export function matchesHash(secret: string, hash: Uint8Array): boolean {
  const actual = hashOf(secret);
  return actual.length === hash.length && timingSafeEqual(actual, hash);
}
