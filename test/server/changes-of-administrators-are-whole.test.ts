import { expect, test } from 'vitest';
import type { Logger } from '../../src/log.ts';
import type { RunningServer } from '../../src/server/server-options.ts';
import { type Answer, Api, request } from './support/api.ts';
import { expectError } from './support/expect-error.ts';
import { RawClient } from './support/raw-client.ts';
import { ADMIN, startTestServer } from './support/test-server.ts';

const TOKEN = 'an-admin-token-of-32-characters!';

function admin(server: RunningServer, method: string, path: string, body?: unknown): Promise<Answer> {
  return request(`${server.url}/api/admin/v1${path}`, {
    method,
    token: TOKEN,
    ...(body !== undefined && { body }),
  });
}

/** A logger that keeps what it is told as text. */
function keepingLogger(): { logger: Logger; lines: string[] } {
  const lines: string[] = [];
  const keep = (...said: unknown[]): void => void lines.push(JSON.stringify(said));
  return { lines, logger: { error: keep, warn: keep, info: keep, debug: keep, verbose: keep } };
}

test('a change of which one part is refused changes nothing', async () => {
  const server = await startTestServer({ adminToken: TOKEN });
  const api = new Api(server.url);
  const root = `/users/${ADMIN.user}`;
  const before = (await admin(server, 'GET', root)).body;
  const refused = { customData: { team: 'red' }, password: 'another horse', admin: false };
  expectError(await admin(server, 'PATCH', root, refused), 409, 'LastAdministrator');
  const tooMuch = { admin: false, customData: { text: 'x'.repeat(5_000) } };
  const ann = await api.newUser('ann@example.com');
  expect((await admin(server, 'PATCH', `/users/${ann.userId}`, { admin: true })).status).toBe(200);
  expectError(await admin(server, 'PATCH', root, tooMuch), 400, 'InvalidParameter', /4096 bytes/);
  expect((await admin(server, 'GET', root)).body).toEqual(before);
  expect((await api.withPassword(ADMIN.user, ADMIN.password)).userId).toBe(before.id);

  const anonymous = await api.anonymous();
  const noPassword = { password: 'secret1', customData: { team: 'red' } };
  expectError(await admin(server, 'PATCH', `/users/${anonymous.userId}`, noPassword), 400, 'BadRequest');
  const { body } = await admin(server, 'GET', `/users/${anonymous.userId}`);
  expect(body).toMatchObject({ customData: {}, identities: [{ provider: 'anon-user' }] });
});

test('a user has custom data from the first token on', async () => {
  const server = await startTestServer({ adminToken: TOKEN });
  const customData = { team: 'red', sizes: [1, 2.5], nested: { null: null } };
  const made = await admin(server, 'POST', '/users', {
    name: 'a/b c@example.com',
    password: 'secret1',
    customData,
  });
  expect(made.body.customData).toEqual(customData);
  const found = await admin(server, 'GET', `/users/${encodeURIComponent('a/b c@example.com')}`);
  expect(found.body.id).toBe(made.body.id);
  const { accessToken } = await new Api(server.url).withPassword('a/b c@example.com', 'secret1');
  const claims = JSON.parse(Buffer.from(accessToken.split('.')[1] ?? '', 'base64url').toString());
  expect(claims.user_data).toEqual(customData);
});

test.each([
  ['disabled', 'PATCH', '', { disabled: true }],
  ['revoked', 'DELETE', '/sessions', undefined],
  ['deleted', 'DELETE', '', undefined],
] as const)('sockets of a user who is %s are closed', async (_what, method, path, body) => {
  const server = await startTestServer({ adminToken: TOKEN });
  const ann = await new Api(server.url).newUser('ann@example.com');
  const socket = await RawClient.connect({ url: server.url, token: ann.accessToken });
  await expect.poll(async () => (await admin(server, 'GET', '/info')).body.connections).toBe(1);
  await admin(server, method, `/users/${ann.userId}${path}`, body);
  expect((await socket.closed).code).toBe(4001);
  await expect.poll(async () => (await admin(server, 'GET', '/info')).body.connections).toBe(0);
});

test('the log says who changed what, and no secret', async () => {
  const { logger, lines } = keepingLogger();
  const server = await startTestServer({ adminToken: TOKEN, logger });
  await admin(server, 'POST', '/users', { name: 'ann', password: 'a secret of ann' });
  const root = await new Api(server.url).withPassword(ADMIN.user, ADMIN.password);
  const url = `${server.url}/api/admin/v1/users/ann`;
  const body = { password: 'another secret' };
  await request(url, { method: 'PATCH', token: root.accessToken, body });
  await expect.poll(() => lines.filter((line) => line.includes('changed something'))).toHaveLength(2);
  const changes = lines.filter((line) => line.includes('changed something')).join();
  expect(changes).toContain('"by":"admin token","method":"POST"');
  expect(changes).toContain(`"by":"${ADMIN.user}","method":"PATCH","path":"/api/admin/v1/users/ann"`);
  for (const secret of [TOKEN, 'a secret of ann', 'another secret', root.accessToken]) {
    expect(lines.join()).not.toContain(secret);
  }
});
