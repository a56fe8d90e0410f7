/** The client HTTP API as an SDK calls it. */

export type Answer = {
  readonly status: number;
  readonly contentType: string | null;
  readonly headers: Headers;
  readonly body: Record<string, unknown>;
  readonly text: string;
};

const DEVICE = { platform: 'test', sdk: 'JS', sdkVersion: '12.15.0', coreVersion: '14.14.0' };

export async function request(
  url: string,
  options: { method?: string; token?: string; body?: unknown; rawBody?: string } = {},
): Promise<Answer> {
  const { method = 'GET', token, body, rawBody } = options;
  const response = await fetch(url, {
    method,
    headers: {
      accept: 'application/json',
      'content-type': 'application/json;charset=utf-8',
      ...(token !== undefined && { authorization: `Bearer ${token}` }),
    },
    ...(body !== undefined && { body: JSON.stringify(body) }),
    ...(rawBody !== undefined && { body: rawBody }),
  });
  const text = await response.text();
  const parsed: unknown = text.startsWith('{') ? JSON.parse(text) : {};
  return {
    status: response.status,
    contentType: response.headers.get('content-type'),
    headers: response.headers,
    body: isRecord(parsed) ? parsed : {},
    text,
  };
}

export type LoggedIn = {
  readonly userId: string;
  readonly accessToken: string;
  readonly refreshToken: string;
};

/** The client API of one app of a server. */
export class Api {
  readonly base: string;
  readonly app: string;

  constructor(serverUrl: string, appId = 'isthmus') {
    this.base = `${serverUrl}/api/client/v2.0`;
    this.app = `${this.base}/app/${appId}`;
  }

  register(email: string, password: string): Promise<Answer> {
    const url = `${this.app}/auth/providers/local-userpass/register`;
    return request(url, { method: 'POST', body: { email, password } });
  }

  login(provider: string, fields: Record<string, unknown> = {}): Promise<Answer> {
    return request(`${this.app}/auth/providers/${provider}/login`, {
      method: 'POST',
      body: { provider, ...fields, options: { device: DEVICE } },
    });
  }

  async anonymous(): Promise<LoggedIn> {
    return loggedIn(await this.login('anon-user'));
  }

  async withPassword(username: string, password: string): Promise<LoggedIn> {
    return loggedIn(await this.login('local-userpass', { username, password }));
  }

  /** Registers a new user and logs in. */
  async newUser(email: string, password = 'secret1'): Promise<LoggedIn> {
    await this.register(email, password);
    return this.withPassword(email, password);
  }
}

function loggedIn({ status, body, text }: Answer): LoggedIn {
  if (status !== 200) throw new Error(`login failed: ${status} ${text}`);
  return {
    userId: String(body.user_id),
    accessToken: String(body.access_token),
    refreshToken: String(body.refresh_token),
  };
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
