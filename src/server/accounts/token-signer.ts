/** Access and refresh tokens (spec/app-services-http.md §6): JSON Web Tokens signed with one key of the server. */
import { errors, jwtVerify, SignJWT } from 'jose';
import { z } from 'zod';

/** Seconds (spec/app-services-http.md §6.3). */
export const ACCESS_LIFETIME = 30 * 60;
export const REFRESH_LIFETIME = 60 * 24 * 60 * 60;
/** HMAC with SHA-256 wants a key as long as its hash. */
export const SIGNING_KEY_BYTES = 32;

const ALGORITHM = 'HS256';

export type TokenKind = 'access' | 'refresh';

/** What a token says; `sessionId` is the refresh session that it belongs to. */
export type TokenClaims = {
  readonly userId: string;
  readonly sessionId: string;
  readonly deviceId: string;
};

const payloadSchema = z.object({
  typ: z.enum(['access', 'refresh']),
  sub: z.string().min(1),
  baas_id: z.string().min(1),
  baas_device_id: z.string(),
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
  sign(kind: TokenKind, claims: TokenClaims, expiresAt: number, userData?: string): Promise<string> {
    return new SignJWT({
      typ: kind,
      baas_id: claims.sessionId,
      baas_device_id: claims.deviceId,
      ...(userData !== undefined && { user_data: JSON.parse(userData) as Record<string, unknown> }),
    })
      .setProtectedHeader({ alg: ALGORITHM, typ: 'JWT' })
      .setSubject(claims.userId)
      .setAudience(this.#appId)
      .setIssuedAt(this.#now())
      .setExpirationTime(expiresAt)
      .sign(this.#key);
  }

  /** The claims of a token that this server signed, of that kind and not expired; otherwise undefined. */
  async verify(kind: TokenKind, token: string): Promise<TokenClaims | undefined> {
    try {
      const { payload } = await jwtVerify(token, this.#key, {
        algorithms: [ALGORITHM],
        audience: this.#appId,
        currentDate: new Date(this.#now() * 1000),
        requiredClaims: ['exp', 'iat', 'sub'],
      });
      const parsed = payloadSchema.safeParse(payload);
      if (!parsed.success || parsed.data.typ !== kind) return undefined;
      return {
        userId: parsed.data.sub,
        sessionId: parsed.data.baas_id,
        deviceId: parsed.data.baas_device_id,
      };
    } catch (error) {
      if (error instanceof errors.JOSEError) return undefined;
      throw error;
    }
  }
}
