/** A partition client of the flexible realm has all of it, past the rights to its classes (docs/permissions.md). */
import { expect, test } from 'vitest';
import type { ServerOptions } from '../../src/server/server-options.ts';
import { Api, type LoggedIn, request } from './support/api.ts';
import { RawClient } from './support/raw-client.ts';
import { ADMIN, startTestServer } from './support/test-server.ts';

type Server = Awaited<ReturnType<typeof startTestServer>>;

/** 0 for an open session, otherwise the code of the error. */
async function outcome({ url }: Server, { accessToken }: LoggedIn, partition: string): Promise<number> {
  const client = await RawClient.connect({ url, token: accessToken });
  const text = JSON.stringify(partition);
  client.send(`bind 1 ${text.length} 0 1 0`, text);
  const { fields } = await client.nextOfAny();
  return fields[0] === 'ident' ? 0 : Number(fields[1]);
}

const administrator = ({ url }: Server): Promise<LoggedIn> =>
  new Api(url).withPassword(ADMIN.user, ADMIN.password);

async function ask(server: Server, { accessToken }: LoggedIn, method: string, rest: string, body?: object) {
  const address = `${server.url}/api/client/v2.0/auth/permissions${rest}`;
  return await request(address, { method, token: accessToken, ...(body && { body: { ...body } }) });
}

const WIDE: readonly (readonly [what: string, options: Partial<ServerOptions>, path: string])[] = [
  ['the permissions function', { permissions: () => 'write' }, '/'],
  ['the permissions function', { permissions: () => 'write', flexibleSync: { realm: '/shop' } }, '/shop'],
  ['a rule for all paths', { rules: { paths: [{ path: '/**', access: 'write' }] } }, '/'],
  [
    'a rule for many paths',
    { rules: { paths: [{ path: '/s*', access: 'write' }] }, flexibleSync: { realm: '/shop' } },
    '/shop',
  ],
];

test.each(WIDE)('%s opens other realms, but not the flexible one', async (_, options, path) => {
  const server = await startTestServer(options);
  const user = await new Api(server.url).anonymous();
  expect(await outcome(server, user, '/stock')).toBe(0);
  expect(await outcome(server, user, path)).toBe(206);
  expect(await outcome(server, user, path.slice(1) || '/')).toBe(206);
  expect((await ask(server, user, 'GET', `/access?path=${path}`)).body).toEqual({ path, access: 'none' });
  expect(await outcome(server, await administrator(server), path)).toBe(0);
});

test('a right to all realms is none to the flexible one; one to its path is, for as long as it is granted', async () => {
  const server = await startTestServer();
  const admin = await administrator(server);
  const user = await new Api(server.url).anonymous();
  const to = { userId: user.userId, access: 'write' };
  expect((await ask(server, admin, 'POST', '', { path: '*', ...to })).status).toBe(200);
  expect((await ask(server, admin, 'POST', '', { path: '*', userId: '*', access: 'read' })).status).toBe(200);
  expect(await outcome(server, user, '/stock')).toBe(0);
  expect(await outcome(server, user, '/')).toBe(206);

  expect((await ask(server, admin, 'POST', '', { path: '/', ...to })).status).toBe(200);
  const client = await RawClient.connect({ url: server.url, token: user.accessToken });
  await client.bindNew(1, '"/"');
  await ask(server, admin, 'DELETE', `?path=/&userId=${user.userId}`);
  expect((await client.next('json_error')).fields[1]).toBe('206');
});

test.each(['with', 'without'])(
  '%s the function, a rule with its path opens it to those it names',
  async (how) => {
    const paths = [
      { path: '/**', access: 'write' },
      { path: '/', users: "%%user.data.email == 'clerk@example.com'", access: 'write' },
    ] as const;
    const server = await startTestServer({
      rules: { paths },
      ...(how === 'with' && { permissions: () => 'none' }),
    });
    const api = new Api(server.url);
    const clerk = await api.newUser('clerk@example.com');
    expect(await outcome(server, clerk, '/')).toBe(0);
    expect(await outcome(server, await api.newUser('ada@example.com'), '/')).toBe(206);
    const admin = await administrator(server);
    await ask(server, admin, 'POST', '', { path: '/', userId: clerk.userId, access: 'none' });
    expect(await outcome(server, clerk, '/')).toBe(206);
  },
);
