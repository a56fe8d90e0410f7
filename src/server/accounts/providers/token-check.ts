/** Checks of JSON Web Tokens that others issued. */
import { errors, type JWTPayload, jwtVerify } from 'jose';
import type { KeyLookup } from './issuer-keys.ts';

/** Seconds by which the issuer's clock may differ from ours. */
const CLOCK_TOLERANCE = 30;

export type TokenRules = {
  /** The only algorithm that is taken, whatever the token says. */
  readonly algorithm: string;
  readonly keys: KeyLookup;
  readonly audience?: readonly string[] | undefined;
  readonly issuer?: readonly string[] | undefined;
};

/**
 * The claims of a token that is signed by one of the keys, meant for the audience, and neither expired nor early;
 * otherwise undefined. A token that never expires is refused.
 */
export async function checkedClaims(
  token: string,
  rules: TokenRules,
  now: () => number,
): Promise<JWTPayload | undefined> {
  const options = {
    algorithms: [rules.algorithm],
    currentDate: new Date(now() * 1_000),
    clockTolerance: CLOCK_TOLERANCE,
    requiredClaims: ['exp'],
    ...(rules.audience !== undefined && { audience: [...rules.audience] }),
    ...(rules.issuer !== undefined && { issuer: [...rules.issuer] }),
  };
  let candidates: Awaited<ReturnType<KeyLookup>> = [];
  const firstKey = async (...asked: Parameters<KeyLookup>) => {
    candidates = await rules.keys(...asked);
    const [first] = candidates;
    if (first === undefined) throw new errors.JWKSNoMatchingKey();
    return first;
  };
  try {
    // The first pass finds the keys; jose checks form and algorithm before it asks for them.
    const { payload } = await jwtVerify(token, firstKey, options);
    return payload;
  } catch (error) {
    if (!(error instanceof errors.JWSSignatureVerificationFailed)) return refused(error);
  }
  for (const key of candidates.slice(1)) {
    try {
      return (await jwtVerify(token, key, options)).payload;
    } catch (error) {
      if (!(error instanceof errors.JWSSignatureVerificationFailed)) return refused(error);
    }
  }
  return undefined;
}

/** A token that is not good is no news; what else goes wrong is. */
function refused(error: unknown): undefined {
  // A key of another kind than the algorithm wants is a TypeError.
  if (error instanceof errors.JOSEError || error instanceof TypeError) return undefined;
  throw error;
}
