/** The App Services HTTP API as a client uses it (app-services-http.md §2–6). */
import { z } from 'zod';
import { AuthenticationError, ServerUnreachableError } from '../client-errors.ts';

const REQUEST_TIMEOUT_MILLISECONDS = 60_000;
/** Client errors by status that say nothing about the user: timeout, too early, too many requests. */
const PASSING_STATUSES = new Set([408, 425, 429]);

const locationSchema = z.object({ hostname: z.string(), ws_hostname: z.string() });
const loginSchema = z.object({
  access_token: z.string(),
  refresh_token: z.string(),
  user_id: z.string(),
  device_id: z.string().nullable().optional(),
});
const sessionSchema = z.object({ access_token: z.string() });
const errorSchema = z.object({ error: z.string().optional(), error_code: z.string().optional() });

export type Location = { readonly httpUrl: string; readonly webSocketUrl: string };
export type Login = z.infer<typeof loginSchema>;

export type Credentials =
  | { readonly provider: 'anon-user' }
  | { readonly provider: 'local-userpass'; readonly username: string; readonly password: string }
  | { readonly provider: 'api-key'; readonly key: string }
  | { readonly provider: 'custom-token'; readonly token: string };

export class AppClient {
  readonly appId: string;
  readonly baseUrl: string;
  #location: Location | undefined;

  /** `baseUrl` as `http://host:port`. */
  constructor(baseUrl: string, appId: string) {
    this.baseUrl = baseUrl.replace(/\/+$/, '');
    this.appId = appId;
  }

  /** Asks once, and again after {@link forgetLocation}. */
  async location(): Promise<Location> {
    if (this.#location !== undefined) return this.#location;
    const url = `${this.baseUrl}/api/client/v2.0/app/${encodeURIComponent(this.appId)}/location`;
    const answer = locationSchema.parse(await request(url, 'GET'));
    const httpUrl = answer.hostname === '' ? this.baseUrl : answer.hostname.replace(/\/+$/, '');
    const webSocketUrl =
      answer.ws_hostname === '' ? httpUrl.replace(/^http/, 'ws') : answer.ws_hostname.replace(/\/+$/, '');
    this.#location = { httpUrl, webSocketUrl };
    return this.#location;
  }

  forgetLocation(): void {
    this.#location = undefined;
  }

  async register(email: string, password: string): Promise<void> {
    await request(await this.#url('/auth/providers/local-userpass/register'), 'POST', {
      body: { email, password },
    });
  }

  async logIn(credentials: Credentials): Promise<Login> {
    const url = await this.#url(`/auth/providers/${credentials.provider}/login`);
    const device = {
      platform: 'Node.js',
      platformVersion: process.version,
      sdk: 'isthmus',
      appId: this.appId,
    };
    return loginSchema.parse(await request(url, 'POST', { body: { ...credentials, options: { device } } }));
  }

  /** A new access token. */
  async refresh(refreshToken: string): Promise<string> {
    const { httpUrl } = await this.location();
    const answer = await request(`${httpUrl}/api/client/v2.0/auth/session`, 'POST', { token: refreshToken });
    return sessionSchema.parse(answer).access_token;
  }

  async logOut(refreshToken: string): Promise<void> {
    const { httpUrl } = await this.location();
    await request(`${httpUrl}/api/client/v2.0/auth/session`, 'DELETE', { token: refreshToken });
  }

  /** Where sync connections go. */
  async syncUrl(accessToken: string): Promise<string> {
    const { webSocketUrl } = await this.location();
    return `${webSocketUrl}/api/client/v2.0/app/${encodeURIComponent(this.appId)}/realm-sync?baas_at=${accessToken}`;
  }

  async #url(path: string): Promise<string> {
    const { httpUrl } = await this.location();
    return `${httpUrl}/api/client/v2.0/app/${encodeURIComponent(this.appId)}${path}`;
  }
}

async function request(
  url: string,
  method: string,
  { body, token }: { body?: unknown; token?: string } = {},
): Promise<unknown> {
  const headers: Record<string, string> = { accept: 'application/json' };
  if (body !== undefined) headers['content-type'] = 'application/json';
  if (token !== undefined) headers.authorization = `Bearer ${token}`;
  let response: Response;
  try {
    response = await fetch(url, {
      method,
      headers,
      body: body === undefined ? null : JSON.stringify(body),
      signal: AbortSignal.timeout(REQUEST_TIMEOUT_MILLISECONDS),
    });
  } catch (cause) {
    const { origin } = new URL(url);
    throw new ServerUnreachableError(`the object server at ${origin} cannot be reached`, {
      remedy: 'check that it runs and that host and port are right',
      cause,
    });
  }
  const text = await response.text();
  if (response.ok) return text === '' ? {} : JSON.parse(text);
  throw failure(method, url, response.status, text);
}

function failure(method: string, url: string, status: number, text: string): Error {
  const parsed = errorSchema.safeParse(parseJson(text));
  const { error, error_code: errorCode } = parsed.success ? parsed.data : {};
  const message = `${method} ${new URL(url).pathname} was answered with ${status}${error === undefined ? '' : `: ${error}`}`;
  if (status >= 400 && status < 500 && !PASSING_STATUSES.has(status)) {
    return new AuthenticationError(message, errorCode === undefined ? { status } : { status, errorCode });
  }
  return new ServerUnreachableError(message);
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined; // not ours to read; the status says enough
  }
}
