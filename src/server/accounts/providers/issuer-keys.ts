/** Where the keys come from with which tokens of an issuer are checked. */
import { createPublicKey } from 'node:crypto';
import { type CryptoKey, createRemoteJWKSet, errors, type JWTVerifyGetKey, type KeyObject } from 'jose';
import { ServerStartError } from '../../server-start-error.ts';
import { AccountError } from '../account-error.ts';
import type { CustomTokenOptions, IssuerKey } from '../authentication-options.ts';

/** Milliseconds until a server that gives keys is held to be down; the client waits meanwhile. */
const JWKS_TIMEOUT = 5_000;
/** Milliseconds between two fetches that a token with an unknown key id can cause. */
const JWKS_COOLDOWN = 30_000;
/** Milliseconds after which a withdrawn key is no longer taken. */
const JWKS_MAX_AGE = 10 * 60_000;

export type KeyLookup = (
  ...parameters: Parameters<JWTVerifyGetKey>
) => Promise<readonly (KeyObject | CryptoKey | Uint8Array)[]>;

/** Keys that may have signed a token: those with its key id, and those that have none. */
export function givenKeys(keys: readonly IssuerKey[], algorithm: CustomTokenOptions['algorithm']): KeyLookup {
  const known = keys.map((entry) => {
    const { kid, key } = typeof entry === 'string' ? { kid: undefined, key: entry } : entry;
    return { kid, key: algorithm === 'HS256' ? Buffer.from(key) : publicKey(key) };
  });
  return async (header) =>
    known
      .filter(({ kid }) => kid === undefined || header.kid === undefined || kid === header.kid)
      .map(({ key }) => key);
}

function publicKey(pem: string): KeyObject {
  try {
    return createPublicKey(pem);
  } catch (cause) {
    throw new ServerStartError('a key of authentication.customToken is no public key', {
      remedy: 'give a public key or a certificate in PEM',
      cause,
    });
  }
}

/** Keys that the issuer publishes; new ones are fetched when a token names one that is not known. */
export function publishedKeys(url: string): KeyLookup {
  const lookUp = createRemoteJWKSet(new URL(url), {
    timeoutDuration: JWKS_TIMEOUT,
    cooldownDuration: JWKS_COOLDOWN,
    cacheMaxAge: JWKS_MAX_AGE,
  });
  return async (header, token) => {
    try {
      return [await lookUp(header, token)];
    } catch (error) {
      if (error instanceof errors.JWKSNoMatchingKey) return [];
      if (error instanceof errors.JWKSMultipleMatchingKeys) return all(error);
      // Whose token it is cannot be said, and that is no fault of the client.
      throw new AccountError('MaintenanceInProgress', 'the keys of the token issuer cannot be fetched', {
        cause: error,
      });
    }
  };
}

async function all(matching: AsyncIterable<CryptoKey>): Promise<readonly CryptoKey[]> {
  const keys: CryptoKey[] = [];
  for await (const key of matching) keys.push(key);
  return keys;
}
