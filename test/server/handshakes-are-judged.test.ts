import { request as httpRequest } from 'node:http';
import { SignJWT } from 'jose';
import { expect, test } from 'vitest';
import { Api, request } from './support/api.ts';
import { RawClient } from './support/raw-client.ts';
import { startTestServer } from './support/test-server.ts';

type Handshake = { readonly status: number; readonly protocol: string | undefined };

/** A WebSocket handshake by hand, since a client library would not send what an old or odd client sends. */
function handshake(
  port: number,
  path: string,
  protocol: string | undefined,
  headers: Record<string, string> = {},
): Promise<Handshake> {
  return new Promise((resolve, reject) => {
    const upgrade = httpRequest({
      port,
      host: '127.0.0.1',
      path,
      headers: {
        connection: 'Upgrade',
        upgrade: 'websocket',
        'sec-websocket-version': '13',
        'sec-websocket-key': 'dGhlIHNhbXBsZSBub25jZQ==',
        ...(protocol !== undefined && { 'sec-websocket-protocol': protocol }),
        ...headers,
      },
    });
    upgrade.on('upgrade', (response, socket) => {
      socket.destroy();
      resolve({ status: 101, protocol: response.headers['sec-websocket-protocol'] });
    });
    upgrade.on('response', (response) => {
      response.resume();
      resolve({ status: response.statusCode ?? 0, protocol: undefined });
    });
    upgrade.on('error', reject);
    upgrade.end();
  });
}

const SYNC = '/api/client/v2.0/app/isthmus/realm-sync';

test('exactly one offered protocol is the answer, the newest that both know', async () => {
  const server = await startTestServer();
  const { accessToken } = await new Api(server.url).anonymous();
  const path = `${SYNC}?baas_at=${accessToken}`;
  const pbs = 'com.mongodb.realm-sync';
  const answers: [string, string | undefined][] = [
    [`${pbs}#14, ${pbs}#13, ${pbs}#2`, `${pbs}#14`],
    [`${pbs}#2`, `${pbs}#2`],
    [`${pbs}#99, ${pbs}#11`, `${pbs}#11`],
    [`${pbs}/7, ${pbs}/6`, `${pbs}/7`],
    [`${pbs}#3-20`, `${pbs}#14`],
    ['com.mongodb.realm-query-sync#14', 'com.mongodb.realm-query-sync#14'],
  ];
  for (const [offer, answer] of answers) {
    expect(await handshake(server.port, path, offer)).toEqual({ status: 101, protocol: answer });
  }
  for (const offer of [`${pbs}#15`, `${pbs}#1`, 'chat', undefined]) {
    expect(await handshake(server.port, path, offer)).toEqual({ status: 400, protocol: undefined });
  }
});

test('an unknown app or path is not found', async () => {
  const server = await startTestServer();
  const { accessToken } = await new Api(server.url).anonymous();
  const protocol = 'com.mongodb.realm-sync#14';
  for (const path of ['/api/client/v2.0/app/other/realm-sync', '/realm-sync', '//', '/%']) {
    const answer = await handshake(server.port, `${path}?baas_at=${accessToken}`, protocol);
    expect([path, answer.status]).toEqual([path, 404]);
  }
});

test('a bad token is answered with close 4001, to old clients with 401', async () => {
  const server = await startTestServer({ limits: { badTokenPause: 1 } });
  for (const token of ['', 'nonsense', 'a.b.c']) {
    const client = await RawClient.connect({ url: server.url, token });
    expect((await client.closed).code).toBe(4001);
    expect(client.frames).toEqual([]);
  }
  expect((await handshake(server.port, `${SYNC}?baas_at=x`, 'com.mongodb.realm-sync/7')).status).toBe(401);
});

test('a client with a bad token waits, so that it cannot come back thousands of times a second', async () => {
  const server = await startTestServer({ limits: { badTokenPause: 3_600_000 } });
  const { accessToken } = await new Api(server.url).anonymous();
  const bad = await RawClient.connect({ url: server.url, token: 'nonsense' });
  const good = await RawClient.connect({ url: server.url, token: accessToken });
  await good.settle();
  expect(bad.socket.readyState).toBe(bad.socket.OPEN);
  await server.close();
  expect((await bad.closed).code).toBe(4001);
});

test('an expired token is bad, also when it was signed with the right key', async () => {
  const server = await startTestServer({ limits: { badTokenPause: 1 } });
  const { accessToken, userId } = await new Api(server.url).anonymous();
  const { DatabaseSync } = await import('node:sqlite');
  const database = new DatabaseSync(`${server.dataDirectory}/accounts.sqlite`, { readOnly: true });
  const key = database.prepare("SELECT value FROM keys WHERE name = 'token-signing'").get()?.value;
  database.close();
  const claims: Record<string, unknown> = JSON.parse(
    Buffer.from(accessToken.split('.')[1] ?? '', 'base64url').toString(),
  );
  const sign = (expiresIn: number) =>
    new SignJWT({ ...claims, exp: Math.floor(Date.now() / 1000) + expiresIn })
      .setProtectedHeader({ alg: 'HS256' })
      .sign(key instanceof Uint8Array ? key : new Uint8Array());
  const late = await RawClient.connect({ url: server.url, token: await sign(-10) });
  expect((await late.closed).code).toBe(4001);
  const expired = await request(`${server.url}/api/client/v2.0/auth/profile`, { token: await sign(-10) });
  expect([expired.status, expired.body.error_code]).toEqual([401, 'InvalidSession']);

  const good = await RawClient.connect({ url: server.url, token: await sign(10) });
  expect((await good.bindNew(1, `"${userId}"`)).ident).toBe('2');
});

test('the token may come in the Authorization header', async () => {
  const server = await startTestServer({ limits: { badTokenPause: 1 } });
  const { accessToken } = await new Api(server.url).anonymous();
  const headers = { authorization: `Bearer ${accessToken}` };
  expect((await handshake(server.port, SYNC, 'com.mongodb.realm-sync/7', headers)).status).toBe(101);
});

test('logging out closes the connections of that session only, deleting the user all of them', async () => {
  const server = await startTestServer();
  const api = new Api(server.url);
  await api.register('ada@example.com', 'secret1');
  const [phone, desktop] = [
    await api.withPassword('ada@example.com', 'secret1'),
    await api.withPassword('ada@example.com', 'secret1'),
  ];
  const onPhone = await RawClient.connect({ url: server.url, token: phone.accessToken });
  const onDesktop = await RawClient.connect({ url: server.url, token: desktop.accessToken });
  await request(`${api.base}/auth/session`, { method: 'DELETE', token: phone.refreshToken });
  expect((await onPhone.closed).code).toBe(4001);
  await onDesktop.settle();
  await request(`${api.base}/auth/delete`, { method: 'DELETE', token: desktop.accessToken });
  expect((await onDesktop.closed).code).toBe(4001);
});

test('more connections than allowed are turned away', async () => {
  const server = await startTestServer({ limits: { connections: 1 } });
  const { accessToken } = await new Api(server.url).anonymous();
  const first = await RawClient.connect({ url: server.url, token: accessToken });
  const path = `${SYNC}?baas_at=${accessToken}`;
  expect((await handshake(server.port, path, 'com.mongodb.realm-sync#14')).status).toBe(503);
  await first.settle();
});

test('a connection that says nothing is dropped', async () => {
  const server = await startTestServer({ limits: { idle: 50 } });
  const { accessToken } = await new Api(server.url).anonymous();
  const client = await RawClient.connect({ url: server.url, token: accessToken });
  expect((await client.closed).code).toBe(1001);
});

test('two servers on one port: the second says what to do', async () => {
  const first = await startTestServer();
  await expect(startTestServer({ port: first.port })).rejects.toThrow(/another host or port/);
});

test('a server that has moved sends its clients to ask for the new place', async () => {
  const options = { redirectTo: 'http://sync.example.com', limits: { badTokenPause: 1 } };
  const server = await startTestServer(options);
  const client = await RawClient.connect({ url: server.url, token: 'whatever' });
  expect((await client.closed).code).toBe(4003);
  expect(client.frames).toEqual([]);
  const old = await handshake(server.port, `${SYNC}?baas_at=x`, 'com.mongodb.realm-sync/7');
  expect(old.status).toBe(301);
});
