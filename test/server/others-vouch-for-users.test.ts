import { expect, test } from 'vitest';
import type {
  AuthenticationOptions,
  OpenIdOptions,
} from '../../src/server/accounts/authentication-options.ts';
import { Api, request } from './support/api.ts';
import { expectError } from './support/expect-error.ts';
import { startTestServer } from './support/test-server.ts';
import { signed, signingKey, TokenIssuer } from './support/token-issuer.ts';

const key = signingKey('RS256');
const PAGE = 'https://app.example.com/login';

async function apiWith(authentication: AuthenticationOptions): Promise<Api> {
  return new Api((await startTestServer({ authentication })).url);
}

async function profileOf(
  api: Api,
  login: { body: Record<string, unknown> },
): Promise<Record<string, unknown>> {
  return (await request(`${api.base}/auth/profile`, { token: String(login.body.access_token) })).body;
}

/** Google, played by a server of our own. */
async function google(more: Partial<OpenIdOptions> = {}): Promise<{ api: Api; issuer: TokenIssuer }> {
  const issuer = await TokenIssuer.start(key);
  const options = {
    clientIds: ['web-id', 'phone-id'],
    jwksUrl: `${issuer.url}/keys`,
    tokenUrl: `${issuer.url}/token`,
    authorizationUrl: `${issuer.url}/authorize?prompt=consent`,
    ...more,
  };
  return { api: await apiWith({ google: options }), issuer };
}

const GOOGLE_CLAIMS = {
  iss: 'https://accounts.google.com',
  aud: 'phone-id',
  sub: '1234',
  email: 'ada@example.com',
  given_name: 'Ada',
  picture: 'https://example.com/ada.png',
};

test('a function of the configuration says who sent a payload', async () => {
  const payloads: unknown[] = [];
  const api = await apiWith({
    customFunction: async (payload, context) => {
      payloads.push([payload, context.remoteAddress]);
      if (payload.fails) throw new Error('the password of the back end is hush');
      if (payload.wrong) return { id: 7 } as never;
      return payload.plain ? 'ada' : { id: 'ada', data: { email: 'ada@example.com' } };
    },
  });
  // As SDKs write it: canonical Extended JSON, no provider, the device beside it.
  const body = (fields: Record<string, unknown>) => ({
    ...fields,
    options: { device: { sdk: 'JS', platform: 'linux' } },
  });
  const logIn = (fields: Record<string, unknown>) =>
    request(`${api.app}/auth/providers/custom-function/login`, { method: 'POST', body: body(fields) });
  const login = await logIn({ x: { $numberLong: '1' }, id: { $oid: '0123456789abcdef01234567' } });
  expect(login.status).toBe(200);
  expect(payloads).toEqual([[{ x: 1, id: expect.objectContaining({}) }, '127.0.0.1']]);
  expect(await profileOf(api, login)).toMatchObject({
    identities: [{ provider_type: 'custom-function' }],
    data: { email: 'ada@example.com' },
  });
  expect((await logIn({ plain: true })).body.user_id).toBe(login.body.user_id);
  const failed = await logIn({ fails: true });
  expectError(failed, 401, 'AuthError');
  expect(failed.text).not.toContain('hush');
  expectError(await logIn({ wrong: true }), 401, 'AuthError');
  expectError(await logIn({ x: { $numberLong: {} } }), 400, 'BadRequest');
  expectError(await logIn({ $oid: '0123456789abcdef01234567' }), 400, 'BadRequest');
  // What a payload names options itself, and is no device, is its own.
  await request(`${api.app}/auth/providers/custom-function/login`, {
    method: 'POST',
    body: { plain: true, options: { own: 1 } },
  });
  expect(payloads.at(-1)).toEqual([{ plain: true, options: { own: 1 } }, '127.0.0.1']);
});

test('an OpenID token logs in when it is for one of our client ids', async () => {
  const { api } = await google();
  const login = await api.login('oauth2-google', { id_token: await signed(key, GOOGLE_CLAIMS) });
  expect(await profileOf(api, login)).toMatchObject({
    identities: [{ provider_type: 'oauth2-google' }],
    data: {
      email: 'ada@example.com',
      first_name: 'Ada',
      picture: 'https://example.com/ada.png',
      picture_url: 'https://example.com/ada.png',
    },
  });
  for (const claims of [
    { ...GOOGLE_CLAIMS, aud: 'other' },
    { ...GOOGLE_CLAIMS, iss: 'https://appleid.apple.com' },
    { ...GOOGLE_CLAIMS, exp: 1_000 },
    { ...GOOGLE_CLAIMS, sub: undefined },
  ]) {
    expectError(await api.login('oauth2-google', { id_token: await signed(key, claims) }), 401, 'AuthError');
  }
  expectError(await api.login('oauth2-google', { authCode: 'code' }), 400, 'BadRequest', /client secret/);
  expectError(await api.login('oauth2-google', {}), 400, 'MissingParameter');
  expectError(await api.login('oauth2-apple', { id_token: 'x' }), 404, 'AuthProviderNotFound');
});

test('Apple’s tokens are checked the same way', async () => {
  const issuer = await TokenIssuer.start(key);
  const api = await apiWith({ apple: { clientIds: ['com.example.app'], jwksUrl: `${issuer.url}/keys` } });
  const claims = {
    iss: 'https://appleid.apple.com',
    aud: 'com.example.app',
    sub: '001',
    email: 'a@example.com',
  };
  const login = await api.login('oauth2-apple', { id_token: await signed(key, claims) });
  expect(await profileOf(api, login)).toMatchObject({
    identities: [{ provider_type: 'oauth2-apple' }],
    data: { email: 'a@example.com' },
  });
  expectError(
    await api.login('oauth2-apple', { id_token: await signed(key, GOOGLE_CLAIMS) }),
    401,
    'AuthError',
  );
  issuer.broken = 503;
  expect((await api.login('oauth2-apple', { id_token: await signed(key, claims) })).status).toBe(200);
});

test('a code is exchanged for a token, with the secret that only the server has', async () => {
  const { api, issuer } = await google({ clientSecret: () => 'hush', authCodeRedirectUri: 'postmessage' });
  issuer.exchanged = async ({ code }) =>
    code === 'good' ? { id_token: await signed(key, GOOGLE_CLAIMS) } : undefined;
  expect((await api.login('oauth2-google', { authCode: 'good' })).status).toBe(200);
  expect(issuer.exchanges).toEqual([
    {
      grant_type: 'authorization_code',
      code: 'good',
      redirect_uri: 'postmessage',
      client_id: 'web-id',
      client_secret: 'hush',
    },
  ]);
  expectError(await api.login('oauth2-google', { authCode: 'bad' }), 401, 'AuthError');
  issuer.broken = 500;
  expectError(await api.login('oauth2-google', { authCode: 'good' }), 503, 'MaintenanceInProgress');
  await issuer.stop();
  expectError(await api.login('oauth2-google', { authCode: 'good' }), 503, 'MaintenanceInProgress');
});

test('a function asks Facebook whose access token it is', async () => {
  const api = await apiWith({
    facebook: {
      verify: async (accessToken) => {
        if (accessToken !== 'good') throw new Error('not ours');
        return { id: '77', data: { name: 'Ada' } };
      },
    },
  });
  const login = await api.login('oauth2-facebook', { accessToken: 'good' });
  expect(await profileOf(api, login)).toMatchObject({
    identities: [{ provider_type: 'oauth2-facebook' }],
    data: { name: 'Ada' },
  });
  expectError(await api.login('oauth2-facebook', { accessToken: 'bad' }), 401, 'AuthError');
});

/** As realm-web begins it, and as a browser follows. */
async function begin(
  api: Api,
  query: Record<string, string>,
  headers: Record<string, string> = {},
): Promise<{ response: Response; target: URL }> {
  const device = Buffer.from('{"platform":"chrome","deviceId":"0123456789abcdef01234567"}').toString(
    'base64',
  );
  const asked = new URLSearchParams({ state: 'mine', redirect: PAGE, device, ...query });
  const response = await fetch(`${api.app}/auth/providers/oauth2-google/login?${asked}`, {
    redirect: 'manual',
    headers,
  });
  const location = response.headers.get('location') ?? response.headers.get('x-baas-location');
  return { response, target: new URL(location ?? 'nowhere:') };
}

async function comeBack(target: URL, code: string, headers: Record<string, string> = {}): Promise<Response> {
  const callback = new URL(target.searchParams.get('redirect_uri') ?? '');
  callback.searchParams.set('state', target.searchParams.get('state') ?? '');
  if (code !== '') callback.searchParams.set('code', code);
  else callback.searchParams.set('error', 'access_denied');
  return fetch(callback, { redirect: 'manual', headers });
}

function fragmentOf(response: Response): Record<string, string> {
  const [page, fragment = ''] = (response.headers.get('location') ?? '').split('#');
  expect([response.status, page]).toEqual([302, PAGE]);
  return Object.fromEntries(new URLSearchParams(fragment));
}

async function withRedirect(): Promise<{ api: Api; issuer: TokenIssuer; nonces: (string | null)[] }> {
  const nonces: (string | null)[] = [];
  const { api, issuer } = await google({ clientSecret: 'hush', redirectUris: [PAGE] });
  issuer.exchanged = async ({ code }) => ({
    id_token: await signed(key, { ...GOOGLE_CLAIMS, sub: code ?? '', nonce: nonces.at(-1) ?? undefined }),
  });
  return { api, issuer, nonces };
}

test('a browser logs in by redirect and brings its page the tokens', async () => {
  const { api, issuer, nonces } = await withRedirect();
  const { response, target } = await begin(api, {});
  expect(response.status).toBe(302);
  expect(target.href).toContain(`${issuer.url}/authorize?prompt=consent&`);
  expect(Object.fromEntries(target.searchParams)).toMatchObject({
    response_type: 'code',
    client_id: 'web-id',
    redirect_uri: `${api.base}/auth/callback`,
    scope: 'openid email profile',
  });
  nonces.push(target.searchParams.get('nonce'));
  const said = fragmentOf(await comeBack(target, 'ada'));
  const [accessToken, refreshToken, userId, deviceId] = (said._baas_ua ?? '').split('$');
  expect([said._baas_client_app_id, said._baas_state, deviceId]).toEqual([
    'isthmus',
    'mine',
    '0123456789abcdef01234567',
  ]);
  const profile = await request(`${api.base}/auth/profile`, { token: accessToken ?? '' });
  expect(profile.body.user_id).toBe(userId);
  const session = { method: 'POST', token: refreshToken ?? '' };
  expect((await request(`${api.base}/auth/session`, session)).status).toBe(201);

  // The state was good once.
  expect((await comeBack(target, 'ada')).status).toBe(400);
});

test('a redirect goes to no page that is not listed, and says what failed', async () => {
  const { api, nonces } = await withRedirect();
  for (const redirect of ['https://evil.example.com/login', `${PAGE}/`, `${PAGE}?x=1`, '']) {
    const { response } = await begin(api, { redirect });
    expect([response.status, response.headers.get('location')]).toEqual([400, null]);
  }
  const refused = await begin(api, {});
  expect(fragmentOf(await comeBack(refused.target, ''))).toEqual({
    _baas_client_app_id: 'isthmus',
    _baas_state: 'mine',
    _baas_error: 'access_denied',
  });
  // A token that was made for another login.
  const { target } = await begin(api, {});
  nonces.push('another');
  expect(fragmentOf(await comeBack(target, 'ada'))._baas_error).toMatch(/not valid/);
  const { api: without } = await google();
  expect((await begin(without, {})).response.status).toBe(400);
});

test('a user who is logged in links by redirect, in one browser', async () => {
  const { api, nonces } = await withRedirect();
  const { userId, accessToken } = await api.anonymous();
  const query = { link: 'true', providerRedirectHeader: 'true' };
  expect((await begin(api, query)).response.status).toBe(401);
  const headers = { authorization: `Bearer ${accessToken}`, origin: 'https://app.example.com' };

  const { response, target } = await begin(api, query, headers);
  expect([response.status, response.headers.get('location')]).toEqual([200, null]);
  // Browsers ask with cookies, and read the answer only when it names their page.
  expect(response.headers.get('access-control-allow-origin')).toBe('https://app.example.com');
  expect(response.headers.get('access-control-allow-credentials')).toBe('true');
  nonces.push(target.searchParams.get('nonce'));
  // Somebody else who was sent there would give their identity away.
  expect((await comeBack(target, 'eve')).status).toBe(400);

  const again = await begin(api, query, headers);
  nonces.push(again.target.searchParams.get('nonce'));
  const cookie = again.response.headers.get('set-cookie')?.split(';')[0] ?? '';
  const said = fragmentOf(await comeBack(again.target, 'ada', { cookie }));
  expect([said._baas_link, said._baas_ua?.split('$')[2]]).toEqual(['ok', userId]);
  const profile = await request(`${api.base}/auth/profile`, { token: accessToken });
  expect(profile.body.identities).toMatchObject([
    { provider_type: 'anon-user' },
    { provider_type: 'oauth2-google' },
  ]);
});
