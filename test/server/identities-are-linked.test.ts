import { expect, test } from 'vitest';
import { type Answer, Api, request } from './support/api.ts';
import { expectError } from './support/expect-error.ts';
import { startTestServer } from './support/test-server.ts';
import { signed } from './support/token-issuer.ts';

const SECRET = 'a secret of thirty-two bytes or more';
const tokenOf = (sub: string, email?: string) =>
  signed(
    { algorithm: 'HS256', privateKey: Buffer.from(SECRET) },
    { sub, ...(email !== undefined && { email }) },
  );

async function start(): Promise<Api> {
  const server = await startTestServer({
    authentication: {
      apiKey: true,
      customToken: { algorithm: 'HS256', key: SECRET, metadata: [{ from: 'email', to: 'email' }] },
      customFunction: ({ name }) => String(name),
      facebook: { verify: (accessToken) => ({ id: accessToken, data: { name: 'Ada' } }) },
    },
  });
  return new Api(server.url);
}

function link(api: Api, token: string, provider: string, fields: Record<string, unknown>): Promise<Answer> {
  return request(`${api.app}/auth/providers/${provider}/login?link=true`, {
    method: 'POST',
    token,
    body: { ...fields, options: { device: { platform: 'test' } } },
  });
}

async function providersOf(api: Api, token: string): Promise<unknown> {
  const { body } = await request(`${api.base}/auth/profile`, { token });
  const { identities } = body as { identities: { id: string; provider_type: string }[] };
  expect(new Set(identities.map(({ id }) => id)).size).toBe(identities.length);
  return identities.map(({ provider_type }) => provider_type);
}

test('a user collects identities, stays the same on the same device, and logs in with each', async () => {
  const api = await start();
  const deviceId = '0123456789abcdef01234567';
  const first = await api.login('anon-user', {});
  const user = String(first.body.user_id);
  const token = String(first.body.access_token);
  await api.register('ada@example.com', 'secret1');

  const credentials: [string, Record<string, unknown>][] = [
    ['local-userpass', { username: 'ada@example.com', password: 'secret1' }],
    ['custom-token', { token: await tokenOf('ada', 'other@example.com') }],
    ['custom-function', { name: 'ada' }],
    ['oauth2-facebook', { accessToken: 'ada' }],
  ];
  for (const [provider, fields] of credentials) {
    const linked = await link(api, token, provider, fields);
    expect([linked.status, linked.body.user_id, linked.body.device_id]).toEqual([
      200,
      user,
      first.body.device_id,
    ]);
  }
  expect(await providersOf(api, token)).toEqual(
    expect.arrayContaining(['anon-user', ...credentials.map(([provider]) => provider)]),
  );
  for (const [provider, fields] of credentials) {
    const login = await request(`${api.app}/auth/providers/${provider}/login`, {
      method: 'POST',
      body: { ...fields, options: { device: { deviceId } } },
    });
    expect([login.status, login.body.user_id, login.body.device_id]).toEqual([200, user, deviceId]);
  }
  // What the first identity says of a field stays; a linked one adds to it.
  const { body } = await request(`${api.base}/auth/profile`, { token });
  expect(body.data).toEqual({ email: 'ada@example.com', name: 'Ada' });
});

test('an identity of somebody else, a wrong one and one that is none are refused', async () => {
  const api = await start();
  const ada = await api.newUser('ada@example.com');
  const { accessToken } = await api.anonymous();
  await api.login('custom-token', { token: await tokenOf('ada') });
  const password = { username: 'ada@example.com', password: 'secret1' };

  expectError(await link(api, accessToken, 'local-userpass', password), 409, 'AccountNameInUse');
  expectError(
    await link(api, accessToken, 'custom-token', { token: await tokenOf('ada') }),
    409,
    'AccountNameInUse',
  );
  expectError(
    await link(api, accessToken, 'local-userpass', { ...password, password: 'wrong 1' }),
    401,
    'InvalidPassword',
  );
  expectError(await link(api, accessToken, 'custom-token', { token: 'x' }), 401, 'AuthError');
  expectError(await link(api, accessToken, 'anon-user', {}), 400, 'BadRequest');
  const made = await request(`${api.base}/auth/api_keys`, {
    method: 'POST',
    token: ada.refreshToken,
    body: { name: 'laptop' },
  });
  expectError(await link(api, accessToken, 'api-key', { key: made.body.key }), 400, 'BadRequest');
  expectError(await link(api, accessToken, 'oauth2-google', {}), 404, 'AuthProviderNotFound');
  expectError(await link(api, 'nonsense', 'custom-function', { name: 'x' }), 401, 'InvalidSession');
  expectError(await link(api, ada.refreshToken, 'custom-function', { name: 'x' }), 401, 'InvalidSession');
  expect(await providersOf(api, accessToken)).toEqual(['anon-user']);
  // One's own identity once more changes nothing.
  expect((await link(api, ada.accessToken, 'local-userpass', password)).status).toBe(200);
  expect(await providersOf(api, ada.accessToken)).toEqual(['local-userpass']);
});

test('a deleted user frees its identities', async () => {
  const api = await start();
  const { accessToken, userId } = await api.anonymous();
  await link(api, accessToken, 'custom-token', { token: await tokenOf('ada') });
  await request(`${api.base}/auth/delete`, { method: 'DELETE', token: accessToken });
  const login = await api.login('custom-token', { token: await tokenOf('ada') });
  expect(login.status).toBe(200);
  expect(login.body.user_id).not.toBe(userId);
});
