/** The providers `oauth2-google` and `oauth2-apple`: OpenID tokens, and codes that are exchanged for one. */
import type { JWTPayload } from 'jose';
import { z } from 'zod';
import { AccountError } from '../account-error.ts';
import type { OpenIdOptions } from '../authentication-options.ts';
import type { Proof } from '../proof.ts';
import { claimText } from './claim-path.ts';
import { publishedKeys } from './issuer-keys.ts';
import { checkedClaims, type TokenRules } from './token-check.ts';

/** Milliseconds; the client waits meanwhile. */
const EXCHANGE_TIMEOUT = 10_000;

/** What the provider's documentation says. */
export type OpenIdDefaults = {
  readonly provider: 'oauth2-google' | 'oauth2-apple';
  readonly issuers: readonly string[];
  readonly jwksUrl: string;
  readonly tokenUrl: string;
  readonly authorizationUrl: string;
  readonly scope: string;
  /** How the browser brings the code back. */
  readonly responseMode: 'query' | 'form_post';
};

export const GOOGLE: OpenIdDefaults = {
  provider: 'oauth2-google',
  issuers: ['https://accounts.google.com', 'accounts.google.com'],
  jwksUrl: 'https://www.googleapis.com/oauth2/v3/certs',
  tokenUrl: 'https://oauth2.googleapis.com/token',
  authorizationUrl: 'https://accounts.google.com/o/oauth2/v2/auth',
  scope: 'openid email profile',
  responseMode: 'query',
};
export const APPLE: OpenIdDefaults = {
  provider: 'oauth2-apple',
  issuers: ['https://appleid.apple.com'],
  jwksUrl: 'https://appleid.apple.com/auth/keys',
  tokenUrl: 'https://appleid.apple.com/auth/token',
  authorizationUrl: 'https://appleid.apple.com/auth/authorize',
  scope: 'name email',
  responseMode: 'form_post',
};

/** Names under which clients read what the standard claims say (spec/app-services-http.md §5). */
const DATA_OF_CLAIMS: readonly (readonly [claim: string, field: string])[] = [
  ['name', 'name'],
  ['email', 'email'],
  ['given_name', 'first_name'],
  ['family_name', 'last_name'],
  ['gender', 'gender'],
  ['birthdate', 'birthday'],
  ['picture', 'picture'],
  ['picture', 'picture_url'],
];

const tokenAnswer = z.object({ id_token: z.string() });

export class OpenIdProvider {
  readonly defaults: OpenIdDefaults;
  readonly options: OpenIdOptions;
  readonly #rules: TokenRules;
  readonly #now: () => number;

  /** `now` gives seconds since 1970. */
  constructor(defaults: OpenIdDefaults, options: OpenIdOptions, now: () => number) {
    this.defaults = defaults;
    this.options = options;
    this.#now = now;
    this.#rules = {
      algorithm: 'RS256',
      keys: publishedKeys(options.jwksUrl ?? defaults.jwksUrl),
      audience: options.clientIds,
      issuer: options.issuer === undefined ? defaults.issuers : [options.issuer],
    };
  }

  /** Whose token it is. With a nonce, it must be the one that was asked for with it. Throws AuthError. */
  async verify(idToken: string, nonce?: string): Promise<Proof> {
    const claims = await checkedClaims(idToken, this.#rules, this.#now);
    if (claims?.sub === undefined || claims.sub === '' || (nonce !== undefined && claims.nonce !== nonce)) {
      throw new AccountError('AuthError', 'the token is not valid');
    }
    return {
      kind: 'external',
      provider: this.defaults.provider,
      source: '',
      name: claims.sub,
      data: dataOf(claims),
    };
  }

  /** Exchanges a code for a token and says whose it is. */
  async exchange(code: string, redirectUri: string, nonce?: string): Promise<Proof> {
    const { clientSecret, clientIds } = this.options;
    if (clientSecret === undefined) {
      throw new AccountError(
        'BadRequest',
        `${this.defaults.provider} takes no authCode here: no client secret is configured, send an id_token`,
      );
    }
    const body = new URLSearchParams({
      grant_type: 'authorization_code',
      code,
      redirect_uri: redirectUri,
      client_id: clientIds[0] ?? '',
      client_secret: typeof clientSecret === 'string' ? clientSecret : await clientSecret(),
    });
    return this.verify(await this.#fetchIdToken(body), nonce);
  }

  async #fetchIdToken(body: URLSearchParams): Promise<string> {
    let response: Response;
    try {
      response = await fetch(this.options.tokenUrl ?? this.defaults.tokenUrl, {
        method: 'POST',
        body,
        redirect: 'error',
        signal: AbortSignal.timeout(EXCHANGE_TIMEOUT),
      });
    } catch (cause) {
      throw new AccountError('MaintenanceInProgress', 'the login provider cannot be reached', { cause });
    }
    if (response.status >= 500) {
      await response.body?.cancel();
      throw new AccountError('MaintenanceInProgress', 'the login provider failed', {
        cause: new Error(`status ${response.status} of the token endpoint`),
      });
    }
    const answer = tokenAnswer.safeParse(await response.json().catch(() => undefined));
    if (!response.ok || !answer.success) {
      throw new AccountError('AuthError', 'the login provider refused the code', {
        cause: new Error(`status ${response.status} of the token endpoint`),
      });
    }
    return answer.data.id_token;
  }
}

function dataOf(claims: JWTPayload): Readonly<Record<string, string>> {
  const data: Record<string, string> = {};
  for (const [claim, field] of DATA_OF_CLAIMS) {
    const value = claimText(claims[claim]);
    if (value !== undefined) data[field] = value;
  }
  return data;
}
