/** Users of a running server, over its admin API (docs/admin-api.md). */
import { z } from 'zod';
import { PAGE, type ShownUser, type UserAdministration } from './administration.ts';
import { AdministrationError } from './administration-error.ts';

/** Milliseconds that an answer may take; hashing a password on a busy server takes a second at most. */
const PATIENCE = 60_000;

/** Who asks: the holder of a token, or an administrator who logs in for it and out again. */
export type AdminCredentials =
  | { readonly kind: 'token'; readonly token: string }
  | {
      readonly kind: 'password';
      readonly appId: string;
      readonly username: string;
      readonly password: string;
    };

const user = z.object({
  id: z.string(),
  name: z.string().optional(),
  admin: z.boolean(),
  disabled: z.boolean(),
  pending: z.boolean().optional(),
  createdAt: z.string(),
  lastLoginAt: z.string().optional(),
  identities: z.array(z.object({ id: z.string(), provider: z.string(), name: z.string() })),
  customData: z.record(z.string(), z.unknown()),
});
const page = z.object({ users: z.array(user), next: z.string().optional() });
const login = z.object({ access_token: z.string(), refresh_token: z.string() });
const refusal = z.object({ error: z.string(), error_code: z.string().optional() });

/** Throws an {@link AdministrationError} when the server does not answer, or does not let the asker administer it. */
export async function administerServer(
  server: string,
  credentials: AdminCredentials,
  signal: AbortSignal,
): Promise<UserAdministration> {
  const base = server.replace(/^realm|^ws/, 'http').replace(/\/+$/, '');
  const client = await logIn(new HttpClient(base, signal), credentials);
  const users = '/api/admin/v1/users';
  await client.ask('GET', `${users}?limit=1`, page);
  const one = (name: string): string => `${users}/${encodeURIComponent(name)}`;
  return {
    list: () => pages(client, users),
    find: (name) => client.ask('GET', one(name), user),
    create: (made) => client.ask('POST', users, user, made),
    change: (name, change) => client.ask('PATCH', one(name), user, change),
    remove: (name) => client.tell('DELETE', one(name)),
    revoke: (name) => client.tell('DELETE', `${one(name)}/sessions`),
    close: () => client.logOut(),
  };
}

async function logIn(client: HttpClient, credentials: AdminCredentials): Promise<HttpClient> {
  if (credentials.kind === 'token') return client.as(credentials.token, undefined);
  const { appId, username, password } = credentials;
  const path = `/api/client/v2.0/app/${encodeURIComponent(appId)}/auth/providers/local-userpass/login`;
  const tokens = await client.ask('POST', path, login, { username, password });
  return client.as(tokens.access_token, tokens.refresh_token);
}

async function* pages(client: HttpClient, users: string): AsyncGenerator<readonly ShownUser[]> {
  let after = '';
  for (;;) {
    const query = new URLSearchParams({ limit: String(PAGE), ...(after !== '' && { after }) });
    const { users: found, next } = await client.ask('GET', `${users}?${query}`, page);
    if (found.length > 0) yield found;
    if (next === undefined) return;
    after = next;
  }
}

class HttpClient {
  readonly #server: string;
  readonly #signal: AbortSignal;
  readonly #token: string | undefined;
  readonly #refreshToken: string | undefined;

  constructor(server: string, signal: AbortSignal, token?: string, refreshToken?: string) {
    this.#server = server;
    this.#signal = signal;
    this.#token = token;
    this.#refreshToken = refreshToken;
  }

  as(token: string, refreshToken: string | undefined): HttpClient {
    return new HttpClient(this.#server, this.#signal, token, refreshToken);
  }

  async ask<T>(method: string, path: string, answer: z.ZodType<T>, body?: object): Promise<T> {
    const text = await this.#request(method, path, this.#token, body);
    const parsed = answer.safeParse(parseJson(text));
    if (parsed.success) return parsed.data;
    throw new AdministrationError(`${this.#server} did not answer as an Isthmus server does`, {
      remedy: 'check the address, and that the server has the version of this command',
    });
  }

  async tell(method: string, path: string): Promise<void> {
    await this.#request(method, path, this.#token);
  }

  /** Ends the session that this command opened, so that they do not pile up. */
  async logOut(): Promise<void> {
    if (this.#refreshToken === undefined) return;
    try {
      await this.#request('DELETE', '/api/client/v2.0/auth/session', this.#refreshToken);
    } catch (error) {
      // The command may have ended its own session, by a new password for example.
      if (!(error instanceof AdministrationError)) throw error;
    }
  }

  async #request(method: string, path: string, token: string | undefined, body?: object): Promise<string> {
    const response = await this.#fetch(`${this.#server}${path}`, {
      method,
      headers: {
        accept: 'application/json',
        ...(body && { 'content-type': 'application/json' }),
        ...(token !== undefined && { authorization: `Bearer ${token}` }),
      },
      ...(body && { body: JSON.stringify(body) }),
      signal: AbortSignal.any([this.#signal, AbortSignal.timeout(PATIENCE)]),
    });
    const text = await response.text();
    if (response.ok) return text;
    throw this.#refused(response.status, text);
  }

  async #fetch(url: string, options: RequestInit): Promise<Response> {
    try {
      return await fetch(url, options);
    } catch (cause) {
      if (this.#signal.aborted) throw cause;
      throw new AdministrationError(`no server answers at ${this.#server}`, {
        remedy: 'check the address (--server), and that the server runs',
        cause,
      });
    }
  }

  #refused(status: number, text: string): AdministrationError {
    const { error, error_code: name } = refusal.safeParse(parseJson(text)).data ?? {
      error: `status ${status}`,
    };
    const isAccess = status === 401 || status === 403;
    return new AdministrationError(`${this.#server}: ${error}${name === undefined ? '' : ` (${name})`}`, {
      ...(isAccess && { remedy: 'give --admin-token, or the name and password of an administrator' }),
    });
  }
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
