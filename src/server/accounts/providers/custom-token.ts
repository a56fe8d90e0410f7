/** The provider `custom-token`: JSON Web Tokens of issuers that the configuration names. */
import { decodeJwt, decodeProtectedHeader, errors, type JWTPayload } from 'jose';
import { AccountError } from '../account-error.ts';
import type { CustomTokenOptions } from '../authentication-options.ts';
import type { Proof } from '../proof.ts';
import { claimAt, claimText } from './claim-path.ts';
import { givenKeys, publishedKeys } from './issuer-keys.ts';
import { checkedClaims, type TokenRules } from './token-check.ts';

const PROVIDER = 'custom-token';
/** Longer ones name nobody. */
const MAX_SUBJECT = 512;

type Issuer = { readonly options: CustomTokenOptions; readonly rules: TokenRules };

export class CustomTokens {
  readonly #issuers: readonly Issuer[];
  readonly #now: () => number;

  /** `now` gives seconds since 1970. */
  constructor(issuers: readonly CustomTokenOptions[], now: () => number) {
    this.#issuers = issuers.map((options) => ({ options, rules: rulesOf(options) }));
    this.#now = now;
  }

  /** Whose token it is. Throws AuthError, or MaintenanceInProgress when an issuer's keys cannot be fetched. */
  async verify(token: string): Promise<Proof> {
    let unreachable: AccountError | undefined;
    for (const issuer of this.#candidates(token)) {
      try {
        const claims = await checkedClaims(token, issuer.rules, this.#now);
        if (claims !== undefined) return proofOf(claims, issuer.options);
      } catch (error) {
        if (!(error instanceof AccountError) || error.errorName !== 'MaintenanceInProgress') throw error;
        unreachable ??= error;
      }
    }
    throw unreachable ?? new AccountError('AuthError', 'the token is not valid');
  }

  /** Issuers whose token it may be, by what it says of itself: SDKs do not say which provider they mean. */
  #candidates(token: string): readonly Issuer[] {
    try {
      const { alg } = decodeProtectedHeader(token);
      const { iss, aud } = decodeJwt(token);
      const audience = new Set(typeof aud === 'string' ? [aud] : (aud ?? []));
      return this.#issuers.filter(
        ({ rules }) =>
          rules.algorithm === alg &&
          (rules.issuer === undefined || (iss !== undefined && rules.issuer.includes(iss))) &&
          (rules.audience === undefined || rules.audience.some((name) => audience.has(name))),
      );
    } catch (error) {
      if (error instanceof errors.JOSEError || error instanceof TypeError) return [];
      throw error;
    }
  }
}

function rulesOf(options: CustomTokenOptions): TokenRules {
  const { algorithm, audience, issuer, key, keys = [], jwksUrl } = options;
  return {
    algorithm,
    keys:
      jwksUrl !== undefined
        ? publishedKeys(jwksUrl)
        : givenKeys(key === undefined ? keys : [key, ...keys], algorithm),
    audience: typeof audience === 'string' ? [audience] : audience,
    issuer: issuer === undefined ? undefined : [issuer],
  };
}

function proofOf(claims: JWTPayload, options: CustomTokenOptions): Proof {
  const { name: source = '', userIdField = 'sub', metadata = [], isAdminField } = options;
  const subject = claimAt(claims, userIdField);
  const name = typeof subject === 'string' || typeof subject === 'number' ? String(subject) : '';
  if (name === '' || name.length > MAX_SUBJECT) {
    throw new AccountError('AuthError', `the token has no usable ${userIdField}`);
  }
  const data: Record<string, string> = {};
  for (const { from, to, required } of metadata) {
    const value = claimText(claimAt(claims, from));
    if (value !== undefined) data[to] = value;
    else if (required) throw new AccountError('AuthError', `the token has no ${from}`);
  }
  const isAdmin = isAdminField === undefined ? undefined : claimAt(claims, isAdminField) === true;
  return {
    kind: 'external',
    provider: PROVIDER,
    source,
    name,
    data,
    ...(isAdmin !== undefined && { isAdmin }),
  };
}
