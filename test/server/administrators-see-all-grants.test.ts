import Fastify from 'fastify';
import { expect, onTestFinished, test } from 'vitest';
import { adminPermissionRoutes } from '../../src/server/http/admin-permission-routes.ts';
import { compileRules } from '../../src/server/rules/compile-rules.ts';
import { GrantStore } from '../../src/server/rules/grant-store.ts';
import { PathPermissions } from '../../src/server/rules/path-permissions.ts';
import { userOf } from './rules/support/users.ts';
import { temporaryDirectory } from './support/test-server.ts';

const ada = userOf('0a'.repeat(12), { name: 'ada@example.com' });
const bob = userOf('0b'.repeat(12), { name: 'bob@example.com' });

async function scene() {
  const users = [ada, bob];
  const permissions = new PathPermissions({
    rules: compileRules({}).paths,
    grants: new GrantStore(`${await temporaryDirectory()}/permissions.sqlite`),
    users: {
      byId: (id) => users.find((user) => user.id === id),
      byName: (name) => users.find((user) => user.name === name),
    },
    now: () => 0,
  });
  const app = Fastify();
  app.removeAllContentTypeParsers();
  app.addContentTypeParser('*', { parseAs: 'buffer' }, (_request, body, done) => done(null, body));
  app.register(async (scoped) => adminPermissionRoutes(scoped, permissions), { prefix: '/permissions' });
  onTestFinished(async () => {
    await app.close();
    permissions.close();
  });
  const ask = async (method: 'GET' | 'POST' | 'DELETE', query: string, body?: object) => {
    const url = `/permissions${query}`;
    const answer = await app.inject({ method, url, ...(body && { payload: JSON.stringify(body) }) });
    return { status: answer.statusCode, body: answer.body === '' ? undefined : answer.json() };
  };
  return { permissions, ask };
}

test('grants are made, listed in pages, filtered and taken back, with ids and grantors', async () => {
  const { permissions, ask } = await scene();
  await permissions.grant(ada, `/${ada.id}/x`, { name: 'bob@example.com' }, 'read');
  expect((await ask('POST', '', { path: '/news', userId: '*', access: 'read' })).status).toBe(200);
  expect((await ask('POST', '', { path: '*', userId: ada.id, access: 'write' })).body).toMatchObject({
    path: '*',
    userId: ada.id,
    access: 'write',
    mayWrite: true,
    grantedBy: '',
  });

  const pages: unknown[] = [];
  let after = '';
  for (let page = 0; page < 5; page++) {
    const { body } = await ask('GET', `?limit=2${after}`);
    pages.push(body.permissions.map(({ path }: { path: string }) => path));
    if (body.next === undefined) break;
    after = `&after=${body.next}`;
  }
  expect(pages).toEqual([['*', `/${ada.id}/x`], ['/news']]);

  expect((await ask('GET', `?userId=${bob.id}`)).body.permissions).toEqual([
    {
      path: `/${ada.id}/x`,
      userName: 'bob@example.com',
      userId: bob.id,
      access: 'read',
      mayRead: true,
      mayWrite: false,
      mayManage: false,
      grantedBy: ada.id,
      updatedAt: '1970-01-01T00:00:00.000Z',
    },
  ]);
  expect((await ask('GET', '?path=/news')).body.permissions).toHaveLength(1);
  expect((await ask('GET', `?grantedBy=${ada.id}`)).body.permissions).toHaveLength(1);

  const gone = await ask('DELETE', `?path=${encodeURIComponent(`/${ada.id}/x`)}&userId=${bob.id}`);
  expect(gone.status).toBe(204);
  expect(await permissions.access(bob, `/${ada.id}/x`)).toBe('none');
});

test('system realms are granted to nobody', async () => {
  const { ask } = await scene();
  const { status, body } = await ask('POST', '', { path: '/__admin', userId: ada.id, access: 'read' });
  expect([status, body.error_code]).toEqual([403, 'NoMatchingRuleFound']);
});
