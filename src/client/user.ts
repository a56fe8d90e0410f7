/** A logged-in user: tokens, and how they are renewed. */
import { z } from 'zod';
import { AuthenticationError } from './client-errors.ts';
import { AppClient, type Credentials } from './http/app-client.ts';

export type LogInOptions = {
  /** `http://host:port`; `realm://`, `realms://`, `ws://` and `wss://` are taken for it. */
  readonly baseUrl: string;
  readonly appId?: string;
  readonly credentials: Credentials;
};

export const DEFAULT_APP_ID = 'isthmus';

/** A token that expired longer ago than this is renewed before it is used (app-services-http.md §6.2). */
const EXPIRY_GRACE_SECONDS = 5;
const payloadSchema = z.object({ exp: z.number() });

export class User {
  readonly id: string;
  readonly app: AppClient;
  #accessToken: string;
  #refreshToken: string;
  readonly #credentials: Credentials | undefined;
  #refreshing: Promise<void> | undefined;

  constructor(
    app: AppClient,
    tokens: { id: string; accessToken: string; refreshToken: string },
    credentials?: Credentials,
  ) {
    this.app = app;
    this.id = tokens.id;
    this.#accessToken = tokens.accessToken;
    this.#refreshToken = tokens.refreshToken;
    this.#credentials = credentials;
  }

  /** The same user at another address of the server. */
  at(baseUrl: string): User {
    const url = httpUrl(baseUrl);
    if (url === this.app.baseUrl) return this;
    const tokens = { id: this.id, accessToken: this.#accessToken, refreshToken: this.#refreshToken };
    return new User(new AppClient(url, this.app.appId), tokens, this.#credentials);
  }

  get accessToken(): string {
    return this.#accessToken;
  }

  get refreshToken(): string {
    return this.#refreshToken;
  }

  /** Whether the access token says so itself; one that cannot be read is left to the server to judge. */
  hasExpired(now = Date.now()): boolean {
    const [, payload = ''] = this.#accessToken.split('.');
    try {
      const { exp } = payloadSchema.parse(JSON.parse(Buffer.from(payload, 'base64url').toString()));
      return exp < now / 1000 - EXPIRY_GRACE_SECONDS;
    } catch {
      return false;
    }
  }

  /**
   * Renews the access token; calls that come together share one request. With a password at hand a refresh token that
   * is no longer good is replaced by logging in again. Throws `AuthenticationError` when neither works.
   */
  async refresh(): Promise<void> {
    this.#refreshing ??= this.#renew().finally(() => {
      this.#refreshing = undefined;
    });
    await this.#refreshing;
  }

  async logOut(): Promise<void> {
    await this.app.logOut(this.#refreshToken);
  }

  async #renew(): Promise<void> {
    try {
      this.#accessToken = await this.app.refresh(this.#refreshToken);
    } catch (error) {
      if (!(error instanceof AuthenticationError) || this.#credentials?.provider !== 'local-userpass')
        throw error;
      const login = await this.app.logIn(this.#credentials);
      if (login.user_id !== this.id) throw error;
      this.#accessToken = login.access_token;
      this.#refreshToken = login.refresh_token;
    }
  }
}

/** Logs in. Throws `AuthenticationError` or `ServerUnreachableError`. */
export async function logIn(options: LogInOptions): Promise<User> {
  const app = new AppClient(httpUrl(options.baseUrl), options.appId ?? DEFAULT_APP_ID);
  const login = await app.logIn(options.credentials);
  const tokens = { id: login.user_id, accessToken: login.access_token, refreshToken: login.refresh_token };
  return new User(app, tokens, options.credentials);
}

/** The HTTP form of a server URL in any of the schemes that our users know. */
export function httpUrl(url: string): string {
  return url
    .replace(/^(realm|ws):\/\//, 'http://')
    .replace(/^(realms|wss):\/\//, 'https://')
    .replace(/\/+$/, '');
}
