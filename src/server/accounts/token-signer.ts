/**
 * Access and refresh tokens (spec/app-services-http.md §6): JSON Web Tokens signed with one key of the server. They are
 * checked at every request, so that this is done at once, for the one algorithm that is used here.
 */
import { createHmac, timingSafeEqual } from 'node:crypto';
import { z } from 'zod';

/** Seconds (spec/app-services-http.md §6.3). */
export const ACCESS_LIFETIME = 30 * 60;
export const REFRESH_LIFETIME = 60 * 24 * 60 * 60;
/** HMAC with SHA-256 wants a key as long as its hash. */
export const SIGNING_KEY_BYTES = 32;

const HEADER = Buffer.from('{"alg":"HS256","typ":"JWT"}').toString('base64url');
/** Far beyond what is signed here: more is not worth hashing. */
const MAX_TOKEN = 32 * 1024;

export type TokenKind = 'access' | 'refresh';

/** What a token says; `sessionId` is the refresh session that it belongs to. */
export type TokenClaims = {
  readonly userId: string;
  readonly sessionId: string;
  readonly deviceId: string;
};

/** Extensions that a token calls critical are not known here. */
const headerSchema = z.object({ alg: z.literal('HS256'), crit: z.undefined().optional() });
const payloadSchema = z.object({
  typ: z.enum(['access', 'refresh']),
  sub: z.string().min(1),
  baas_id: z.string().min(1),
  baas_device_id: z.string(),
  aud: z.string(),
  iat: z.int(),
  exp: z.int(),
});

export class TokenSigner {
  readonly #key: Uint8Array;
  readonly #appId: string;
  readonly #now: () => number;

  /** `now` gives seconds since 1970. A token is good for one app: `appId` is its audience. */
  constructor(key: Uint8Array, appId: string, now: () => number) {
    this.#key = key;
    this.#appId = appId;
    this.#now = now;
  }

  /** `userData` is the JSON of an object: the user's custom data, which clients read from access tokens. */
  sign(kind: TokenKind, claims: TokenClaims, expiresAt: number, userData?: string): string {
    const payload = {
      typ: kind,
      baas_id: claims.sessionId,
      baas_device_id: claims.deviceId,
      ...(userData !== undefined && { user_data: JSON.parse(userData) as Record<string, unknown> }),
      sub: claims.userId,
      aud: this.#appId,
      iat: this.#now(),
      exp: expiresAt,
    };
    const signed = `${HEADER}.${Buffer.from(JSON.stringify(payload)).toString('base64url')}`;
    return `${signed}.${this.#signature(signed).toString('base64url')}`;
  }

  /** The claims of a token that this server signed, of that kind and not expired; otherwise undefined. */
  verify(kind: TokenKind, token: string): TokenClaims | undefined {
    if (token.length > MAX_TOKEN) return undefined;
    const [header = '', payload = '', signature = '', ...more] = token.split('.');
    if (more.length > 0 || !isOurs(header)) return undefined;
    const given = Buffer.from(signature, 'base64url');
    const expected = this.#signature(`${header}.${payload}`);
    if (given.length !== expected.length || !timingSafeEqual(given, expected)) return undefined;
    const parsed = payloadSchema.safeParse(jsonOf(payload));
    if (!parsed.success) return undefined;
    const { typ, sub, aud, exp, baas_id, baas_device_id } = parsed.data;
    if (typ !== kind || aud !== this.#appId || exp <= this.#now()) return undefined;
    return { userId: sub, sessionId: baas_id, deviceId: baas_device_id };
  }

  #signature(text: string): Buffer {
    return createHmac('sha256', this.#key).update(text).digest();
  }
}

function isOurs(header: string): boolean {
  return header === HEADER || headerSchema.safeParse(jsonOf(header)).success;
}

function jsonOf(part: string): unknown {
  try {
    return JSON.parse(Buffer.from(part, 'base64url').toString('utf8'));
  } catch {
    return undefined;
  }
}
