import { expect, test } from 'vitest';
import { Api } from './support/api.ts';
import { startTestServer } from './support/test-server.ts';

const PAGE = 'https://page.example.com';

function preflight(url: string, method: string, headers: string): Promise<Response> {
  return fetch(url, {
    method: 'OPTIONS',
    headers: {
      origin: PAGE,
      'access-control-request-method': method,
      'access-control-request-headers': headers,
    },
  });
}

test('a browser may send every method and header that it asks for, everywhere', async () => {
  const { url } = await startTestServer();
  const { app, base } = new Api(url);
  for (const [address, method] of [
    [`${app}/location`, 'GET'],
    [`${app}/functions/call`, 'POST'],
    [`${base}/auth/api_keys/0a/enable`, 'PUT'],
    [`${base}/auth/session`, 'DELETE'],
    [`${url}/api/admin/v1/users/0a`, 'PATCH'],
    [`${url}/nowhere`, 'POST'],
  ] as const) {
    const { status, headers } = await preflight(address, method, 'authorization,content-type,x-baas-device');
    expect([address, status]).toEqual([address, 204]);
    expect(headers.get('access-control-allow-origin')).toBe('*');
    expect(headers.get('access-control-allow-methods')).toContain(method);
    const allowed = headers
      .get('access-control-allow-headers')
      ?.toLowerCase()
      .split(/\s*,\s*/);
    expect(allowed).toEqual(
      expect.arrayContaining(['authorization', 'content-type', 'accept', 'x-baas-device']),
    );
  }
});

test('a page can read every answer, errors and addresses that are none included', async () => {
  const { url } = await startTestServer({ limits: { httpBody: 100 } });
  const { app, base } = new Api(url);
  const answers = await Promise.all([
    fetch(`${app}/location`),
    fetch(`${url}/nowhere`),
    fetch(`${url}/%zz`),
    fetch(`${base}/app/other/location`),
    fetch(`${base}/auth/profile`),
    fetch(`${base}/auth/permissions`),
    fetch(`${app}/functions/call`, { method: 'POST', body: '{' }),
    fetch(`${app}/auth/providers/local-userpass/register`, { method: 'POST', body: 'x'.repeat(101) }),
    fetch(`${app}/location`, { method: 'PATCH' }),
  ]);
  expect(answers.map(({ status }) => status)).toEqual([200, 404, 400, 404, 401, 401, 401, 413, 404]);
  for (const { headers } of answers) {
    expect(headers.get('access-control-allow-origin')).toBe('*');
    expect(headers.get('access-control-expose-headers')).toContain('x-baas-location');
    expect(headers.get('content-type')).toBe('application/json');
  }
});
