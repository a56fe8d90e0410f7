/** Refresh sessions and the tokens that belong to them (spec/app-services-http.md §6). */
import { randomBytes } from 'node:crypto';
import { AccountError } from './account-error.ts';
import type { AccountStore } from './account-store.ts';
import { isHexId, NO_DEVICE, newHexId } from './hex-id.ts';
import {
  ACCESS_LIFETIME,
  REFRESH_LIFETIME,
  SIGNING_KEY_BYTES,
  type TokenClaims,
  TokenSigner,
} from './token-signer.ts';
import type { UserDirectory } from './user-directory.ts';
import type { UserRow } from './user-table.ts';

export type Login = {
  readonly userId: string;
  readonly deviceId: string;
  readonly accessToken: string;
  readonly refreshToken: string;
};

/** The user of a token, and the session that it belongs to. */
export type LiveSession = { readonly row: UserRow; readonly sessionId: string; readonly deviceId: string };

/** By this text realm-web knows that a user who logs out is logged out already (spec/app-services-http.md §8.7). */
const NO_REFRESH_TOKEN = 'invalid session: failed to find refresh token';

export class Sessions {
  readonly #store: AccountStore;
  readonly #directory: UserDirectory;
  readonly #signer: TokenSigner;
  readonly #now: () => number;

  /** `now` gives seconds since 1970. */
  constructor(
    store: AccountStore,
    directory: UserDirectory,
    options: { readonly appId: string; readonly now: () => number },
  ) {
    this.#store = store;
    this.#directory = directory;
    this.#now = options.now;
    const key = store.key('token-signing', () => randomBytes(SIGNING_KEY_BYTES));
    this.#signer = new TokenSigner(key, options.appId, options.now);
    store.sessions.removeExpiredBy(options.now());
  }

  /** Logs a user in on a device; an unknown or missing device id is replaced by a new one. */
  open(userId: string, requestedDevice: string | undefined, keyId?: string): Login {
    const now = this.#now();
    const deviceId = isHexId(requestedDevice) && requestedDevice !== NO_DEVICE ? requestedDevice : newHexId();
    const claims: TokenClaims = { userId, deviceId, sessionId: newHexId() };
    const expiresAt = now + REFRESH_LIFETIME;
    const user = this.#store.atomically(() => {
      const row = this.#store.users.get(userId);
      if (row === undefined) throw invalidSession();
      if (row.disabled) throw disabledUser();
      this.#store.sessions.removeExpiredBy(now);
      this.#store.sessions.add({ id: claims.sessionId, userId, deviceId, expiresAt, keyId });
      this.#store.users.setLastLogin(userId, now);
      return row;
    });
    return {
      userId,
      deviceId,
      accessToken: this.#access(claims, user),
      refreshToken: this.#signer.sign('refresh', claims, expiresAt),
    };
  }

  /** The session of an access token. Throws InvalidSession when the token is not, or no longer, good. */
  ofAccessToken(token: string): LiveSession {
    return this.#live(this.#signer.verify('access', token));
  }

  ofRefreshToken(token: string): LiveSession {
    return this.#live(this.#signer.verify('refresh', token), NO_REFRESH_TOKEN);
  }

  /** A new access token for a refresh token (spec/app-services-http.md §6.4). */
  refresh(refreshToken: string): string {
    const { row, sessionId, deviceId } = this.ofRefreshToken(refreshToken);
    return this.#access({ userId: row.id, sessionId, deviceId }, row);
  }

  /** Ends the session of a refresh token; its access tokens end with it. */
  end(refreshToken: string): void {
    const { row, sessionId } = this.ofRefreshToken(refreshToken);
    this.#store.sessions.remove(sessionId);
    this.#directory.announceRevoked({ userId: row.id, sessionId });
  }

  #access(claims: TokenClaims, user: UserRow): string {
    return this.#signer.sign('access', claims, this.#now() + ACCESS_LIFETIME, user.customData);
  }

  /** The user behind claims whose session is still open. */
  #live(claims: TokenClaims | undefined, otherwise = 'invalid session'): LiveSession {
    if (claims === undefined) throw invalidSession(otherwise);
    const session = this.#store.sessions.get(claims.sessionId);
    const row = this.#store.users.get(claims.userId);
    if (session?.userId !== claims.userId || row === undefined || session.expiresAt <= this.#now()) {
      throw invalidSession(otherwise);
    }
    if (row.disabled) throw disabledUser();
    return { row, sessionId: session.id, deviceId: session.deviceId };
  }
}

export function invalidSession(message = 'invalid session'): AccountError {
  return new AccountError('InvalidSession', message);
}

function disabledUser(): AccountError {
  return new AccountError('UserDisabled', 'this user is disabled');
}
