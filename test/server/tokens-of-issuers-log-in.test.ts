import { afterEach, expect, test, vi } from 'vitest';
import type { AuthenticationOptions } from '../../src/server/accounts/authentication-options.ts';
import { Api, request } from './support/api.ts';
import { expectError } from './support/expect-error.ts';
import { ADMIN, startTestServer } from './support/test-server.ts';
import { signed, signingKey, TokenIssuer } from './support/token-issuer.ts';

const SECRET = 'a secret of thirty-two bytes or more';
const rsa = signingKey('RS256');
const otherRsa = signingKey('RS256');
const elliptic = signingKey('ES256');
const now = () => Math.floor(Date.now() / 1_000);
const shared = (secret = SECRET) => ({ algorithm: 'HS256', privateKey: Buffer.from(secret) });

async function apiWith(customToken: AuthenticationOptions['customToken']): Promise<Api> {
  return new Api((await startTestServer({ authentication: { customToken } })).url);
}

const logIn = (api: Api, token: string) => api.login('custom-token', { token });

async function profileOf(api: Api, token: string): Promise<Record<string, unknown>> {
  const login = await logIn(api, token);
  expect(login.text, String(login.status)).toContain('access_token');
  return (await request(`${api.base}/auth/profile`, { token: String(login.body.access_token) })).body;
}

afterEach(() => {
  vi.useRealTimers();
});

test('each algorithm finds the same user again, with its key', async () => {
  for (const [options, key] of [
    [{ algorithm: 'HS256', key: SECRET }, shared()],
    [{ algorithm: 'RS256', key: rsa.pem }, rsa],
    [{ algorithm: 'ES256', keys: [signingKey('ES256').pem, elliptic.pem] }, elliptic],
  ] as const) {
    const api = await apiWith(options);
    const first = await profileOf(api, await signed(key, { sub: 'ada' }));
    expect(first).toMatchObject({
      type: 'normal',
      identities: [{ provider_type: 'custom-token' }],
      data: {},
    });
    expect((await profileOf(api, await signed(key, { sub: 'ada' }))).user_id).toBe(first.user_id);
    // What others issue is compared letter by letter.
    expect((await profileOf(api, await signed(key, { sub: 'Ada' }))).user_id).not.toBe(first.user_id);
    expectError(await logIn(api, await signed(shared('x'.repeat(32)), { sub: 'ada' })), 401, 'AuthError');
  }
});

test('a token that is forged, for somebody else, early or late is refused', async () => {
  const api = await apiWith({
    algorithm: 'RS256',
    key: rsa.pem,
    audience: ['app', 'web'],
    issuer: 'https://id',
  });
  const good = { sub: 'ada', aud: 'app', iss: 'https://id' };
  const refused = async (token: string) => expectError(await logIn(api, token), 401, 'AuthError');
  const part = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url');

  expect((await logIn(api, await signed(rsa, good))).status).toBe(200);
  expect((await logIn(api, await signed(rsa, { ...good, aud: ['web', 'other'] }))).status).toBe(200);
  await refused(await signed(otherRsa, good));
  await refused(await signed(elliptic, good));
  // The public key taken for a shared secret.
  await refused(await signed(shared(rsa.pem), good));
  await refused(`${part({ alg: 'none' })}.${part({ ...good, exp: now() + 600 })}.`);
  await refused(`${part({ alg: 'none' })}.${part({ ...good, exp: now() + 600 })}.x`);
  await refused(await signed(rsa, { ...good, aud: 'other' }));
  await refused(await signed(rsa, { sub: 'ada', iss: 'https://id' }));
  await refused(await signed(rsa, { ...good, iss: 'https://other' }));
  await refused(await signed(rsa, { ...good, exp: now() - 60 }));
  await refused(await signed(rsa, { ...good, nbf: now() + 60 }));
  await refused(await signed(rsa, { ...good, exp: undefined }));
  await refused(await signed(rsa, { aud: 'app', iss: 'https://id' }));
  await refused(await signed(rsa, { ...good, sub: '' }));
  await refused('nonsense');
  await refused('a.b.c');
  const [head, , signature] = (await signed(rsa, good)).split('.');
  await refused(`${head}.${part({ ...good, sub: 'eve', exp: now() + 600 })}.${signature}`);
  expectError(await api.login('custom-token', {}), 400, 'MissingParameter');
  expectError(await api.login('custom-token', { token: 5 }), 400, 'InvalidParameter');
});

test('claims become data of the user, and say who is an administrator', async () => {
  const api = await apiWith({
    algorithm: 'HS256',
    key: SECRET,
    userIdField: 'user.id',
    isAdminField: 'https://example\\.com/admin',
    metadata: [
      { from: 'profile.email', to: 'email', required: true },
      { from: 'level', to: 'level' },
      { from: 'https://example\\.com/roles', to: 'roles' },
      { from: 'missing', to: 'missing' },
    ],
  });
  const claims = {
    user: { id: 42 },
    profile: { email: 'ada@example.com' },
    level: 3,
    'https://example.com/roles': ['a'],
  };
  const first = await profileOf(api, await signed(shared(), claims));
  expect(first.data).toEqual({ email: 'ada@example.com', level: '3', roles: '["a"]' });
  const changed = await profileOf(api, await signed(shared(), { ...claims, level: 4 }));
  expect(changed).toMatchObject({ user_id: first.user_id, data: { level: '4' } });
  expectError(
    await logIn(api, await signed(shared(), { user: { id: 42 } })),
    401,
    'AuthError',
    /profile\.email/,
  );
});

test('an administrator is whom the issuer says, at every login', async () => {
  const server = await startTestServer({
    authentication: { customToken: { algorithm: 'HS256', key: SECRET, isAdminField: 'admin' } },
  });
  const api = new Api(server.url);
  const permissions = async (claims: Record<string, unknown>) => {
    const { body } = await logIn(api, await signed(shared(), { sub: 'ada', ...claims }));
    const url = `${api.base}/auth/permissions/access?path=/somebody/else`;
    return (await request(url, { token: String(body.access_token) })).body.access;
  };
  expect(await permissions({ admin: 'true' })).toBe('none');
  expect(await permissions({ admin: true })).toBe('manage');
  expect(await permissions({})).toBe('none');
  await api.withPassword(ADMIN.user, ADMIN.password);
});

test('of several issuers the one is asked whose token it is, and their users are different people', async () => {
  const api = await apiWith([
    { name: 'one', algorithm: 'HS256', key: SECRET, issuer: 'one' },
    { name: 'two', algorithm: 'HS256', key: `${SECRET}!`, issuer: 'two' },
    { name: 'any', algorithm: 'HS256', key: `${SECRET}?` },
  ]);
  const one = await profileOf(api, await signed(shared(), { sub: 'ada', iss: 'one' }));
  const two = await profileOf(api, await signed(shared(`${SECRET}!`), { sub: 'ada', iss: 'two' }));
  const any = await profileOf(api, await signed(shared(`${SECRET}?`), { sub: 'ada', iss: 'two' }));
  expect(new Set([one.user_id, two.user_id, any.user_id]).size).toBe(3);
  expectError(await logIn(api, await signed(shared(), { sub: 'ada', iss: 'two' })), 401, 'AuthError');
});

test('published keys are fetched once, and again when the issuer changes them', async () => {
  const issuer = await TokenIssuer.start(rsa, elliptic);
  const api = await apiWith({ algorithm: 'RS256', jwksUrl: `${issuer.url}/keys` });
  const { user_id } = await profileOf(api, await signed(rsa, { sub: 'ada' }));
  await profileOf(api, await signed(rsa, { sub: 'ada' }));
  expect(issuer.fetches).toBe(1);

  issuer.keys = [otherRsa];
  // An unknown key id does not make the server fetch on every attempt.
  expectError(await logIn(api, await signed(otherRsa, { sub: 'ada' })), 401, 'AuthError');
  expect(issuer.fetches).toBe(1);
  vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + 31_000 });
  expect((await profileOf(api, await signed(otherRsa, { sub: 'ada' }))).user_id).toBe(user_id);
  expect(issuer.fetches).toBe(2);
  expectError(await logIn(api, await signed(rsa, { sub: 'ada' })), 401, 'AuthError');
});

test('an issuer that cannot be reached is no fault of the client', async () => {
  const issuer = await TokenIssuer.start(rsa);
  const api = await apiWith([
    { name: 'published', algorithm: 'RS256', jwksUrl: `${issuer.url}/keys` },
    { name: 'given', algorithm: 'RS256', key: otherRsa.pem },
  ]);
  issuer.broken = 500;
  expectError(await logIn(api, await signed(rsa, { sub: 'ada' })), 503, 'MaintenanceInProgress');
  expect((await logIn(api, await signed(otherRsa, { sub: 'ada' }))).status).toBe(200);
  issuer.broken = undefined;
  expect((await logIn(api, await signed(rsa, { sub: 'ada' }))).status).toBe(200);
});
