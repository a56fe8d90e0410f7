import { expect, test } from 'vitest';
import type { RunningServer } from '../../src/server/server-options.ts';
import { ServerStartError } from '../../src/server/server-start-error.ts';
import { Api, request } from './support/api.ts';
import { expectError } from './support/expect-error.ts';
import { ADMIN, startTestServer } from './support/test-server.ts';

const TOKEN = 'an-admin-token-of-32-characters!';

function adminApi(server: RunningServer, token?: string) {
  return (method: string, path: string, body?: unknown) =>
    request(`${server.url}/api/admin/v1${path}`, {
      method,
      ...(token !== undefined && { token }),
      ...(body !== undefined && { body }),
    });
}

test('only administrators and holders of the token get in', async () => {
  const server = await startTestServer({ adminToken: TOKEN });
  const api = new Api(server.url);
  const ann = await api.newUser('ann@example.com');
  const admin = await api.withPassword(ADMIN.user, ADMIN.password);
  for (const [method, path] of [
    ['GET', '/info'],
    ['GET', '/users'],
    ['PATCH', `/users/${ann.userId}`],
    ['DELETE', `/users/${ann.userId}`],
    ['POST', '/api_keys'],
    ['GET', '/permissions'],
  ] as const) {
    const body = method === 'PATCH' ? { admin: true } : undefined;
    expectError(await adminApi(server)(method, path, body), 401, 'InvalidSession');
    expectError(await adminApi(server, `${TOKEN}x`)(method, path, body), 401, 'InvalidSession');
    expectError(await adminApi(server, admin.refreshToken)(method, path, body), 401, 'InvalidSession');
    expectError(await adminApi(server, ann.accessToken)(method, path, body), 403, 'NoMatchingRuleFound');
  }
  expect((await adminApi(server, TOKEN)('GET', '/permissions')).status).toBe(200);
  expect((await adminApi(server, admin.accessToken)('GET', '/info')).body).toEqual({
    version: expect.stringMatching(/^\d+\.\d+/),
    appId: 'isthmus',
    url: server.url,
    realms: expect.any(Number),
    connections: 0,
  });
});

test('without a configured token no text opens the admin API', async () => {
  const server = await startTestServer();
  for (const token of ['undefined', 'null', '']) {
    expect((await adminApi(server, token)('GET', '/users')).status).toBe(401);
  }
  await expect(startTestServer({ adminToken: 'short' })).rejects.toThrow(ServerStartError);
});

test('users are made, found, listed in pages, changed and deleted', async () => {
  const server = await startTestServer({ adminToken: TOKEN });
  const admin = adminApi(server, TOKEN);
  const made = await admin('POST', '/users', { name: 'ann@example.com', password: 'secret1' });
  expect(made.status).toBe(201);
  expect(made.body).toMatchObject({ name: 'ann@example.com', admin: false, disabled: false, customData: {} });
  expect((await new Api(server.url).withPassword('ann@example.com', 'secret1')).userId).toBe(made.body.id);

  const path = `/users/${encodeURIComponent('ann@example.com')}`;
  const changed = await admin('PATCH', path, { admin: true, customData: { team: 'red' } });
  expect(changed.body).toMatchObject({ id: made.body.id, admin: true, customData: { team: 'red' } });
  expect((await admin('GET', `/users/${String(made.body.id)}`)).body).toEqual(changed.body);

  for (const name of ['bob', 'cid']) await admin('POST', '/users', { name, password: 'secret1' });
  const names: unknown[] = [];
  for (let after: unknown = ''; after !== undefined; ) {
    const { body } = await admin('GET', `/users?limit=3&after=${String(after)}`);
    names.push(...(body.users as { name: string }[]).map(({ name }) => name));
    after = body.next;
  }
  expect(names.toSorted()).toEqual(['ann@example.com', 'bob', 'cid', ADMIN.user]);

  expect((await admin('DELETE', path)).status).toBe(204);
  expectError(await admin('GET', path), 404, 'UserNotFound');
  expectError(await admin('DELETE', path), 404, 'UserNotFound');
  expectError(await admin('PATCH', `/users/${ADMIN.user}`, { admin: false }), 409, 'LastAdministrator');
  expectError(await admin('POST', '/users', { name: 'bob', password: 'secret1' }), 409, 'AccountNameInUse');
  expectError(await admin('POST', '/users', { name: 'dan', password: 'x' }), 400, 'InvalidParameter');
  expectError(await admin('POST', '/users', { name: 'dan' }), 400, 'MissingParameter', /password/);
  expectError(await admin('PATCH', '/users/bob', { disable: true }), 400, 'InvalidParameter', /disable/);
  expectError(await admin('GET', '/users?limit=501'), 400, 'InvalidParameter', /limit/);
});

test.each([
  ['disabling', 'PATCH', '', { disabled: true }],
  ['a new password', 'PATCH', '', { password: 'another1' }],
  ['revoking', 'DELETE', '/sessions', undefined],
  ['deleting', 'DELETE', '', undefined],
] as const)('%s ends the sessions of a user', async (_what, method, path, body) => {
  const server = await startTestServer({ adminToken: TOKEN });
  const api = new Api(server.url);
  const ann = await api.newUser('ann@example.com');
  expect((await adminApi(server, TOKEN)(method, `/users/${ann.userId}${path}`, body)).status).toBeLessThan(
    300,
  );
  expectError(await request(`${api.base}/auth/profile`, { token: ann.accessToken }), 401, 'InvalidSession');
  const refreshed = await request(`${api.base}/auth/session`, { method: 'POST', token: ann.refreshToken });
  expectError(refreshed, 401, 'InvalidSession');
});

test('keys of the server log programs in until they are disabled or deleted', async () => {
  const server = await startTestServer({ adminToken: TOKEN, authentication: { apiKey: true } });
  const api = new Api(server.url);
  const admin = adminApi(server, TOKEN);
  const { status, body } = await admin('POST', '/api_keys', { name: 'import' });
  expect(status).toBe(201);
  const logIn = async () => (await api.login('api-key', { key: body.key })).status;
  expect(await logIn()).toBe(200);
  expect((await admin('GET', '/api_keys')).body).toEqual({
    apiKeys: [{ _id: body._id, name: 'import', disabled: false }],
  });
  const at = `/api_keys/${String(body._id)}`;
  expect((await admin('PUT', `${at}/disable`)).status).toBe(204);
  expect(await logIn()).toBe(401);
  expect((await admin('PUT', `${at}/enable`)).status).toBe(204);
  expect(await logIn()).toBe(200);
  expect((await admin('DELETE', at)).status).toBe(204);
  expect(await logIn()).toBe(401);
  expectError(await admin('DELETE', at), 404, 'APIKeyNotFound');
});
