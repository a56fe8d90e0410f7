/** Requests letter by letter as SDKs and realm-web send them, and answers as they need them. */
import { expect, test } from 'vitest';
import { startTestServer } from './support/test-server.ts';
import { signed } from './support/token-issuer.ts';

const SECRET = 'a secret of thirty-two bytes or more';
const DEVICE = {
  appId: 'isthmus',
  platform: 'Linux',
  platformVersion: '6.1',
  sdk: 'JS',
  sdkVersion: '12.15.0',
  cpuArch: 'x86_64',
  deviceName: 'unknown',
  deviceVersion: 'unknown',
  frameworkName: 'Node.js',
  frameworkVersion: 'v24.0.0',
  coreVersion: '14.14.0',
  bundleId: 'bundle',
};
const CORE = { accept: 'application/json', 'content-type': 'application/json;charset=utf-8' };

async function start(): Promise<(method: string, path: string, options?: Sent) => Promise<Got>> {
  const { url } = await startTestServer({
    authentication: {
      apiKey: true,
      customToken: { algorithm: 'HS256', key: SECRET },
      customFunction: () => 'ada',
      facebook: { verify: () => ({ id: 'ada' }) },
    },
  });
  return async (method, path, { token, body, headers = CORE } = {}) => {
    const response = await fetch(`${url}/api/client/v2.0${path}`, {
      method,
      headers: { ...headers, ...(token !== undefined && { authorization: `Bearer ${token}` }) },
      ...(method !== 'GET' && body !== undefined && { body }),
    });
    const text = await response.text();
    return {
      status: response.status,
      type: response.headers.get('content-type'),
      text,
      headers: response.headers,
    };
  };
}
type Sent = { token?: string; body?: string; headers?: Record<string, string> };
type Got = { status: number; type: string | null; text: string; headers: Headers };

test('each login body of the SDKs gives the four texts that they need', async () => {
  const ask = await start();
  const options = JSON.stringify({ device: DEVICE });
  const register = '{"email":"a@b.c","password":"secret1"}';
  const registered = await ask('POST', '/app/isthmus/auth/providers/local-userpass/register', {
    body: register,
  });
  expect(registered.status).toBe(201);
  const token = await signed({ algorithm: 'HS256', privateKey: Buffer.from(SECRET) }, { sub: 'ada' });
  const bodies: Record<string, string> = {
    'anon-user': `{"provider":"anon-user","options":${options}}`,
    'local-userpass': `{"provider":"local-userpass","username":"a@b.c","password":"secret1","options":${options}}`,
    'custom-token': `{"provider":"custom-token","token":"${token}","options":${options}}`,
    'custom-function': `{"x":{"$numberLong":"1"},"options":${options}}`,
    'oauth2-facebook': `{"provider":"oauth2-facebook","accessToken":"x","options":${options}}`,
  };
  for (const [provider, body] of Object.entries(bodies)) {
    const { status, type, text } = await ask('POST', `/app/isthmus/auth/providers/${provider}/login`, {
      body,
    });
    expect([provider, status, type]).toEqual([provider, 200, 'application/json']);
    const answer = JSON.parse(text) as Record<string, string>;
    expect(Object.keys(answer).sort()).toEqual(['access_token', 'device_id', 'refresh_token', 'user_id']);
    for (const name of ['access_token', 'refresh_token']) {
      const parts = (answer[name] ?? '').split('.');
      expect([parts.length, parts[0] !== '', parts[2] !== '']).toEqual([3, true, true]);
      const payload = JSON.parse(Buffer.from(parts[1] ?? '', 'base64url').toString()) as Record<
        string,
        unknown
      >;
      expect([payload.exp, payload.iat].every(Number.isInteger)).toBe(true);
      expect(payload.baas_device_id).toBe(answer.device_id);
    }
    // The next request of every SDK, without which the login fails.
    const profile = await ask('GET', '/auth/profile', { token: answer.access_token ?? '' });
    expect([profile.status, profile.type]).toEqual([200, 'application/json']);
    expect(JSON.parse(profile.text)).toMatchObject({
      user_id: answer.user_id,
      type: 'normal',
      identities: [{ id: expect.any(String), provider_type: provider }],
      data: expect.any(Object),
    });
    const refreshed = await ask('POST', '/auth/session', { token: answer.refresh_token ?? '', body: '' });
    expect([refreshed.status, Object.keys(JSON.parse(refreshed.text))]).toEqual([201, ['access_token']]);
    const out = await ask('DELETE', '/auth/session', { token: answer.refresh_token ?? '', body: '' });
    expect([out.status, out.text]).toEqual([204, '']);
  }
});

test('realm-web logs in without a content type on bodies that are not there, and keeps its device', async () => {
  const ask = await start();
  const headers = { accept: 'application/json' };
  const device = {
    platform: 'chrome',
    platformVersion: '120',
    sdkVersion: '2.0.1',
    deviceId: 'f'.repeat(24),
  };
  const login = await ask('POST', '/app/isthmus/auth/providers/anon-user/login', {
    headers: { ...headers, 'content-type': 'application/json' },
    body: JSON.stringify({ options: { device } }),
  });
  const { access_token, refresh_token, device_id } = JSON.parse(login.text) as Record<string, string>;
  expect([login.status, device_id]).toEqual([200, 'f'.repeat(24)]);
  expect((await ask('POST', '/auth/session', { headers, token: refresh_token ?? '' })).status).toBe(201);
  expect((await ask('DELETE', '/auth/delete', { headers, token: access_token ?? '' })).status).toBe(204);
});

test('every answer to a browser may be read, whatever the route, the method and the outcome', async () => {
  const ask = await start();
  const paths = [
    '/app/isthmus/location',
    '/app/other/location',
    '/app/isthmus/auth/providers/anon-user/login',
    '/app/isthmus/auth/providers/local-userpass/reset/call',
    '/auth/profile',
    '/auth/session',
    '/auth/api_keys/x/enable',
    '/auth/callback',
    '/nowhere',
  ];
  for (const path of paths) {
    const preflight = await ask('OPTIONS', path, {
      headers: { origin: 'https://app.example.com', 'access-control-request-method': 'PUT' },
    });
    expect([path, preflight.status]).toEqual([path, 204]);
    for (const method of ['OPTIONS', 'GET', 'POST', 'PUT', 'PATCH', 'DELETE']) {
      const { headers, status } = await ask(method, path, { headers: { origin: 'https://app.example.com' } });
      expect([path, method, status < 500, headers.get('access-control-allow-origin')]).toEqual([
        path,
        method,
        true,
        '*',
      ]);
    }
  }
});

test('clients are sent to where the app moved', async () => {
  const { url } = await startTestServer({ redirectTo: 'https://new.example.com/' });
  const response = await fetch(`${url}/api/client/v2.0/app/isthmus/location`);
  expect(await response.json()).toMatchObject({
    hostname: 'https://new.example.com',
    ws_hostname: 'wss://new.example.com',
  });
});
