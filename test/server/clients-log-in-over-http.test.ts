import { describe, expect, test } from 'vitest';
import { type Answer, Api, request } from './support/api.ts';
import { ADMIN, startTestServer, temporaryDirectory } from './support/test-server.ts';

/** Errors must come under exactly this type, or clients do not read them. */
function expectError(answer: Answer, status: number, code?: string): void {
  expect({ status: answer.status, code: answer.body.error_code, type: answer.contentType }).toEqual({
    status,
    code,
    type: 'application/json',
  });
  expect(answer.body.error).toEqual(expect.any(String));
}

function payload(token: string): Record<string, unknown> {
  return JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString()) as Record<
    string,
    unknown
  >;
}

describe('location', () => {
  test('names the address that the client used', async () => {
    const server = await startTestServer();
    const { status, body, contentType } = await request(`${new Api(server.url).app}/location`);
    expect({ status, contentType, hostname: body.hostname, ws: body.ws_hostname }).toEqual({
      status: 200,
      contentType: 'application/json',
      hostname: server.url,
      ws: server.url.replace('http', 'ws'),
    });
  });

  test('names the public URL when there is one', async () => {
    const server = await startTestServer({ publicUrl: 'https://sync.example.com/' });
    const { body } = await request(`http://127.0.0.1:${server.port}/api/client/v2.0/app/isthmus/location`);
    expect([body.hostname, body.ws_hostname]).toEqual(['https://sync.example.com', 'wss://sync.example.com']);
  });

  test('of an unknown app is an error', async () => {
    const server = await startTestServer();
    expectError(await request(`${new Api(server.url, 'other').app}/location`), 404, 'AppNotFound');
  });
});

describe('login', () => {
  test('of an anonymous user gives tokens, ids and a profile', async () => {
    const server = await startTestServer();
    const api = new Api(server.url);
    const { status, body, contentType } = await api.login('anon-user');
    expect({ status, contentType, body }).toEqual({
      status: 200,
      contentType: 'application/json',
      body: {
        access_token: expect.any(String),
        refresh_token: expect.any(String),
        user_id: expect.stringMatching(/^[0-9a-f]{24}$/),
        device_id: expect.stringMatching(/^[0-9a-f]{24}$/),
      },
    });
    const token = String(body.access_token);
    const { exp, iat, sub, user_data } = payload(token);
    expect([Number(exp) - Number(iat), sub, user_data]).toEqual([30 * 60, body.user_id, {}]);
    const refresh = payload(String(body.refresh_token));
    expect(Number(refresh.exp) - Number(refresh.iat)).toBe(60 * 24 * 3600);

    const profile = await request(`${api.base}/auth/profile`, { token });
    expect({ status: profile.status, body: profile.body }).toEqual({
      status: 200,
      body: {
        user_id: body.user_id,
        type: 'normal',
        identities: [{ id: expect.any(String), provider_type: 'anon-user' }],
        data: {},
        custom_data: {},
      },
    });
  });

  test('anonymous twice makes two users', async () => {
    const api = new Api((await startTestServer()).url);
    expect((await api.anonymous()).userId).not.toBe((await api.anonymous()).userId);
  });

  test('with email and password finds the same user each time, in any case of the letters', async () => {
    const api = new Api((await startTestServer()).url);
    const registered = await api.register('ada@example.com', 'secret1');
    expect([registered.status, registered.body]).toEqual([201, {}]);
    const first = await api.withPassword('ada@example.com', 'secret1');
    const second = await api.withPassword('ADA@example.com', 'secret1');
    expect(second.userId).toBe(first.userId);
    const profile = await request(`${api.base}/auth/profile`, { token: first.accessToken });
    expect(profile.body).toMatchObject({
      identities: [{ provider_type: 'local-userpass' }],
      data: { email: 'ada@example.com' },
    });
  });

  test('is refused with a wrong password, an unknown name, an unknown provider or a broken body', async () => {
    const api = new Api((await startTestServer()).url);
    await api.register('ada@example.com', 'secret1');
    const login = (fields: Record<string, unknown>) => api.login('local-userpass', fields);
    expectError(await login({ username: 'ada@example.com', password: 'secret2' }), 401, 'InvalidPassword');
    expectError(await login({ username: 'bob@example.com', password: 'secret1' }), 401, 'InvalidPassword');
    expectError(
      await login({ username: 'ada@example.com', password: 'x'.repeat(10_000) }),
      401,
      'InvalidPassword',
    );
    expectError(await login({ username: 'ada@example.com' }), 400, 'MissingParameter');
    expectError(await login({ username: 1, password: 'secret1' }), 400, 'InvalidParameter');
    expectError(await api.login('oauth2-google', { id_token: 'x' }), 404, 'AuthProviderNotFound');
    const url = `${api.app}/auth/providers/local-userpass/login`;
    expectError(await request(url, { method: 'POST', rawBody: '{"user' }), 400, 'BadRequest');
    expectError(await request(url, { method: 'POST', rawBody: '[]' }), 400, 'InvalidParameter');
    expectError(
      await request(url, { method: 'POST', rawBody: `"${'x'.repeat(70_000)}"` }),
      413,
      'BadRequest',
    );
    expectError(await request(`${api.app}/nowhere`), 404);
    expectError(await request(`${api.base}/app/%zz/location`), 400, 'BadRequest');
  });

  test('keeps the device id that a client sends', async () => {
    const api = new Api((await startTestServer()).url);
    const deviceId = '0123456789abcdef01234567';
    const { body } = await request(`${api.app}/auth/providers/anon-user/login`, {
      method: 'POST',
      body: { options: { device: { deviceId } } },
    });
    expect(body.device_id).toBe(deviceId);
  });
});

describe('registration', () => {
  test('is refused for a taken name and for a password that is too short or too long', async () => {
    const api = new Api((await startTestServer()).url);
    await api.register('ada@example.com', 'secret1');
    expectError(await api.register('Ada@Example.com', 'secret2'), 409, 'AccountNameInUse');
    expectError(await api.register(ADMIN.user, 'secret2'), 409, 'AccountNameInUse');
    expectError(await api.register('bob@example.com', 'x'.repeat(5)), 400, 'InvalidParameter');
    expectError(await api.register('bob@example.com', 'x'.repeat(129)), 400, 'InvalidParameter');
    expectError(await api.register('  ', 'secret1'), 400, 'InvalidParameter');
    expect((await api.register('bob@example.com', 'x'.repeat(6))).status).toBe(201);
    expect((await api.register('eve@example.com', 'x'.repeat(128))).status).toBe(201);
  });

  test('of one name by many at once succeeds once', async () => {
    const api = new Api((await startTestServer()).url);
    const answers = await Promise.all(
      Array.from({ length: 4 }, (_, index) => api.register('ada@example.com', `secret${index}`)),
    );
    expect(answers.map(({ status }) => status).sort()).toEqual([201, 409, 409, 409]);
  });
});

describe('linking', () => {
  test('gives an anonymous user a password, and no identity to two users', async () => {
    const api = new Api((await startTestServer()).url);
    const anonymous = await api.anonymous();
    await api.register('ada@example.com', 'secret1');
    const link = (token: string) =>
      request(`${api.app}/auth/providers/local-userpass/login?link=true`, {
        method: 'POST',
        token,
        body: { username: 'ada@example.com', password: 'secret1' },
      });
    expect((await link(anonymous.accessToken)).body.user_id).toBe(anonymous.userId);
    expect((await api.withPassword('ada@example.com', 'secret1')).userId).toBe(anonymous.userId);
    expectError(await link((await api.anonymous()).accessToken), 409, 'AccountNameInUse');
  });
});

describe('a session', () => {
  test('gives new access tokens until it is logged out', async () => {
    const api = new Api((await startTestServer()).url);
    const { accessToken, refreshToken } = await api.anonymous();
    const session = (method: string) => request(`${api.base}/auth/session`, { method, token: refreshToken });
    const refreshed = await session('POST');
    expect(refreshed.status).toBe(201);
    const token = String(refreshed.body.access_token);
    expect((await request(`${api.base}/auth/profile`, { token })).status).toBe(200);

    const loggedOut = await session('DELETE');
    expect([loggedOut.status, loggedOut.text]).toEqual([204, '']);
    expectError(await session('POST'), 401, 'InvalidSession');
    expectError(await session('DELETE'), 401, 'InvalidSession');
    expectError(await request(`${api.base}/auth/profile`, { token: accessToken }), 401, 'InvalidSession');
  });

  test('is not opened by a token of the wrong kind, a forged one or none', async () => {
    const api = new Api((await startTestServer()).url);
    const { accessToken, refreshToken } = await api.anonymous();
    const [header, , signature] = accessToken.split('.');
    const forged = { ...payload(accessToken), sub: 'f'.repeat(24) };
    const forgedPayload = Buffer.from(JSON.stringify(forged)).toString('base64url');
    const unsigned = Buffer.from('{"alg":"none"}').toString('base64url');
    const profile = `${api.base}/auth/profile`;
    expectError(
      await request(`${api.base}/auth/session`, { method: 'POST', token: accessToken }),
      401,
      'InvalidSession',
    );
    expectError(await request(profile, { token: refreshToken }), 401, 'InvalidSession');
    expectError(
      await request(profile, { token: `${header}.${forgedPayload}.${signature}` }),
      401,
      'InvalidSession',
    );
    expectError(await request(profile, { token: `${unsigned}.${forgedPayload}.x` }), 401, 'InvalidSession');
    expectError(await request(profile, { token: 'nonsense' }), 401, 'InvalidSession');
    expectError(await request(profile), 401, 'InvalidSession');
  });

  test('ends with its user', async () => {
    const api = new Api((await startTestServer()).url);
    const user = await api.newUser('ada@example.com');
    const deleted = await request(`${api.base}/auth/delete`, { method: 'DELETE', token: user.accessToken });
    expect(deleted.status).toBe(204);
    const session = { method: 'POST', token: user.refreshToken };
    expectError(await request(`${api.base}/auth/session`, session), 401, 'InvalidSession');
    expectError(
      await api.login('local-userpass', { username: 'ada@example.com', password: 'secret1' }),
      401,
      'InvalidPassword',
    );
    expect((await api.register('ada@example.com', 'secret3')).status).toBe(201);
  });
});

describe('a restart', () => {
  test('keeps users, sessions and the signing key', async () => {
    const dataDirectory = await temporaryDirectory();
    const first = await startTestServer({ dataDirectory });
    const { userId, accessToken, refreshToken } = await new Api(first.url).newUser('ada@example.com');
    await first.close();

    const api = new Api((await startTestServer({ dataDirectory })).url);
    const profile = await request(`${api.base}/auth/profile`, { token: accessToken });
    expect(profile.body.user_id).toBe(userId);
    const refreshed = await request(`${api.base}/auth/session`, { method: 'POST', token: refreshToken });
    expect(refreshed.status).toBe(201);
    expect((await api.withPassword('ada@example.com', 'secret1')).userId).toBe(userId);
  });

  test('shows a made-up administrator password once', async () => {
    const dataDirectory = await temporaryDirectory();
    const options = { dataDirectory, adminUser: undefined, adminPassword: undefined };
    const first = await startTestServer(options);
    const { user, password } = first.generatedAdmin ?? { user: '', password: '' };
    expect([first.adminUser, user, password.length > 12]).toEqual(['admin', 'admin', true]);
    await first.close();

    const second = await startTestServer(options);
    expect([second.adminUser, second.generatedAdmin]).toEqual(['admin', undefined]);
    await new Api(second.url).withPassword(user, password);
    await second.close();

    const changed = await startTestServer({
      dataDirectory,
      adminUser: 'admin',
      adminPassword: 'another one',
    });
    const api = new Api(changed.url);
    await api.withPassword('admin', 'another one');
    expectError(await api.login('local-userpass', { username: 'admin', password }), 401, 'InvalidPassword');
  });
});

test('a browser may ask from any page', async () => {
  const api = new Api((await startTestServer()).url);
  const preflight = await fetch(`${api.app}/location`, {
    method: 'OPTIONS',
    headers: { origin: 'https://app.example.com', 'access-control-request-method': 'POST' },
  });
  expect(preflight.status).toBe(204);
  for (const headers of [preflight.headers, (await request(`${api.app}/nowhere`)).headers]) {
    expect(headers.get('access-control-allow-origin')).toBe('*');
    expect(headers.get('access-control-allow-headers')).toMatch(/Authorization.*Content-Type/);
    expect(headers.get('access-control-expose-headers')).toBe('x-baas-location');
  }
});

test('a health check is answered', async () => {
  const { status, body } = await request(`${(await startTestServer()).url}/health`);
  expect([status, body]).toEqual([200, { status: 'ok' }]);
});
