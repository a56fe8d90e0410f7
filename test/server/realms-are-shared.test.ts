import { describe, expect, test } from 'vitest';
import { Api, type LoggedIn, request } from './support/api.ts';
import {
  createChangeset,
  entriesOf,
  RawClient,
  SCHEMA_CHANGESET,
  uploadEntry,
  uploadHead,
} from './support/raw-client.ts';
import { ADMIN, startTestServer, temporaryDirectory } from './support/test-server.ts';

type Fields = Record<string, unknown>;

/** A user's permissions over HTTP. */
class Permissions {
  readonly #base: string;
  readonly #token: string;

  constructor(serverUrl: string, { accessToken }: LoggedIn) {
    this.#base = `${serverUrl}/api/client/v2.0/auth/permissions`;
    this.#token = accessToken;
  }

  ask(method: string, path: string, body?: Fields) {
    return request(`${this.#base}${path}`, { method, token: this.#token, ...(body && { body }) });
  }

  grant(path: string, to: Fields, access: string) {
    return this.ask('POST', '', { path, ...to, access });
  }

  revoke(path: string, to: Record<string, string>) {
    return this.ask('DELETE', `?${new URLSearchParams({ path, ...to })}`);
  }

  async list(query = ''): Promise<unknown> {
    return (await this.ask('GET', query)).body.permissions;
  }

  async access(path: string): Promise<unknown> {
    return (await this.ask('GET', `/access?${new URLSearchParams({ path })}`)).body.access;
  }
}

async function scene(options: Parameters<typeof startTestServer>[0] = {}) {
  const server = await startTestServer(options);
  const api = new Api(server.url);
  const [ada, bob] = [await api.newUser('ada@example.com'), await api.newUser('bob@example.com')];
  const admin = await api.withPassword(ADMIN.user, ADMIN.password);
  return {
    server,
    api,
    users: { ada, bob, admin },
    ada: new Permissions(server.url, ada),
    bob: new Permissions(server.url, bob),
    admin: new Permissions(server.url, admin),
    connect: ({ accessToken }: LoggedIn) => RawClient.connect({ url: server.url, token: accessToken }),
  };
}

/** What BIND leads to. */
async function opens(client: RawClient, session: number, path: string): Promise<string> {
  const partition = JSON.stringify(path);
  client.send(`bind ${session} ${Buffer.byteLength(partition)} 0 1 0`, partition);
  const { fields } = await client.nextOfAny();
  return fields[0] === 'ident' ? 'open' : `error ${fields[1]}`;
}

test('an owner shares a realm and takes it back', async () => {
  const { ada, bob, users, connect } = await scene();
  const notes = `/${users.ada.userId}/notes`;
  const client = await connect(users.bob);
  expect(await opens(client, 1, notes)).toBe('error 206');

  const granted = await ada.grant('/~/notes', { userId: users.bob.userId }, 'write');
  expect([granted.status, granted.contentType]).toEqual([200, 'application/json']);
  expect(granted.body).toMatchObject({
    path: notes,
    userId: users.bob.userId,
    access: 'write',
    mayRead: true,
    mayWrite: true,
    mayManage: false,
  });
  expect(await bob.list()).toEqual([granted.body]);
  expect(await ada.list('?recipient=other')).toEqual([granted.body]);
  expect([await bob.access(notes), await bob.access('/~/notes'), await ada.access(notes)]).toEqual([
    'write',
    'manage',
    'manage',
  ]);
  const owner = await connect(users.ada);
  await client.bindNew(2, JSON.stringify(notes));
  const schema = uploadEntry(2, 0, SCHEMA_CHANGESET);
  client.send(uploadHead(2, schema, '2 0'), schema);
  await client.next('download');
  expect(entriesOf((await owner.bindNew(1, JSON.stringify(notes))).download)).toHaveLength(1);

  expect((await ada.revoke('/~/notes', { userId: users.bob.userId })).status).toBe(204);
  expect(await bob.list()).toEqual([]);
  expect(await opens(await connect(users.bob), 3, notes)).toBe('error 206');
});

test('who may only read gets changes, and an attempt to write ends with 206, once', async () => {
  const { ada, users, connect } = await scene();
  const notes = `/${users.ada.userId}/notes`;
  const owner = await connect(users.ada);
  await owner.bindNew(1, JSON.stringify(notes));
  const schema = uploadEntry(2, 0, SCHEMA_CHANGESET);
  owner.send(uploadHead(1, schema, '2 0'), schema);
  await owner.next('download');
  await ada.grant(notes, { userName: 'bob@example.com' }, 'read');

  const reader = await connect(users.bob);
  await reader.bindNew(1, JSON.stringify(notes));
  const change = uploadEntry(2, 1, createChangeset(1));
  reader.send(uploadHead(1, change, '2 1', 1), change);
  const { fields, body } = await reader.next('json_error');
  expect([fields[1], JSON.parse(body.toString())]).toMatchObject([
    '206',
    { action: 'ApplicationBug', tryAgain: false },
  ]);
  await owner.settle();
  expect(owner.isQuiet).toBe(true);
});

describe('while a session is bound', () => {
  async function bound() {
    const { ada, users, connect } = await scene();
    const notes = `/${users.ada.userId}/notes`;
    const owner = await connect(users.ada);
    await owner.bindNew(1, JSON.stringify(notes));
    const schema = uploadEntry(2, 0, SCHEMA_CHANGESET);
    owner.send(uploadHead(1, schema, '2 0'), schema);
    await owner.next('download');
    const level = (access: string) => ada.grant(notes, { userId: users.bob.userId }, access);
    await level('write');
    const client = await connect(users.bob);
    await client.bindNew(1, JSON.stringify(notes));
    const write = (version: number): void => {
      const change = uploadEntry(version, 1, createChangeset(version));
      client.send(uploadHead(1, change, `${version} 1`, 1), change);
    };
    return { ada, notes, users, level, client, write, owner };
  }

  test('a right that is taken ends it with 206, and others go on', async () => {
    const { level, client, owner } = await bound();
    expect((await level('none')).status).toBe(200);
    const { fields, body } = await client.next('json_error');
    expect([fields[1], JSON.parse(body.toString())]).toMatchObject([
      '206',
      { action: 'ApplicationBug', tryAgain: false },
    ]);
    await owner.settle();
    expect(owner.isQuiet).toBe(true);
  });

  test('the right to write is taken and given in place', async () => {
    const { level, client, write, owner } = await bound();
    write(2);
    await client.next('download');
    await level('read');
    await level('write');
    write(3);
    await client.next('download');
    await level('read');
    write(4);
    expect((await client.next('json_error')).fields[1]).toBe('206');
    expect(await owner.downloadUpTo(3)).toHaveLength(2);
  });

  test('a grant that is taken back closes what it had opened', async () => {
    const { ada, notes, users, client } = await bound();
    await ada.grant(notes, { userId: '*' }, 'read');
    await ada.revoke(notes, { userId: users.bob.userId });
    await client.settle();
    expect(client.isQuiet).toBe(true);
    await ada.revoke(notes, { userId: '*' });
    expect((await client.next('json_error')).fields[1]).toBe('206');
  });
});

describe('nobody gets more than was given', () => {
  test.each(['read', 'write'])('a user who may %s grants nothing', async (level) => {
    const { ada, bob, users } = await scene();
    const notes = `/${users.ada.userId}/notes`;
    await ada.grant(notes, { userId: users.bob.userId }, level);
    const answers = [
      await bob.grant(notes, { userId: users.bob.userId }, 'manage'),
      await bob.grant(notes, { userId: '*' }, 'read'),
      await bob.revoke(notes, { userId: users.bob.userId }),
      await bob.ask('GET', `?path=${encodeURIComponent(notes)}`),
      await bob.ask('POST', '/offers', { path: notes, access: 'read' }),
    ];
    expect(answers.map(({ status, body }) => [status, body.error_code])).toEqual(
      answers.map(() => [403, 'NoMatchingRuleFound']),
    );
    expect(await bob.access(notes)).toBe(level);
  });

  test('a user who may manage passes the right on, but not against the owner', async () => {
    const { ada, bob, api, server, users } = await scene();
    const notes = `/${users.ada.userId}/notes`;
    const eve = await api.newUser('eve@example.com');
    await ada.grant(notes, { userId: users.bob.userId }, 'manage');
    expect((await bob.grant(notes, { userId: eve.userId }, 'manage')).status).toBe(200);
    expect((await bob.grant(notes, { userId: users.ada.userId }, 'none')).status).toBe(400);
    expect(await new Permissions(server.url, eve).access(notes)).toBe('manage');
    expect(await ada.access(notes)).toBe('manage');
  });

  test('other spellings of a path are the same realm, or none', async () => {
    const { ada, bob, users } = await scene();
    const [own, others] = [users.ada.userId, users.bob.userId];
    const attempts: readonly [path: string, status: number][] = [
      [`/${others}/x`, 403],
      [`${others}/x`, 403],
      [`/${others}`, 403],
      [`/${own}x/y`, 403],
      [`/${own.toUpperCase()}/x`, own === own.toUpperCase() ? 200 : 403],
      [`/%2f${own}/x`, 403],
      ['/__admin', 403],
      ['__admin', 403],
      ['/', 403],
      ['/__partition/null', 403],
      ['/__partition/int/5', 403],
      [`/~/../${others}/x`, 400],
      [`/${own}/./x`, 400],
      [`//${own}/x`, 400],
      [`/${own}/x/`, 400],
      [`/${own}/a\u0000b`, 400],
      [`/${own}/"a"`, 400],
      ['/__partition/other', 400],
      ['', 400],
      ['~/x', 200],
      [`${own}/x`, 200],
      [`/${own}/%2e%2e/x`, 200],
    ];
    for (const [path, expected] of attempts) {
      const { status } = await ada.grant(path, { userId: users.bob.userId }, 'read');
      expect([path, status]).toEqual([path, expected]);
    }
    expect(((await bob.list()) as { path: string }[]).map(({ path }) => path)).toEqual([
      `/${own}/%2e%2e/x`,
      `/${own}/x`,
    ]);
  });

  test('requests that make no sense are refused with the reason', async () => {
    const { ada, users } = await scene();
    const to = { userId: users.bob.userId };
    const answers: readonly [Fields, string][] = [
      [{ ...to, access: 'write' }, 'MissingParameter'],
      [{ path: '/~/x', access: 'write' }, 'InvalidParameter'],
      [{ path: '/~/x', ...to, userName: 'bob@example.com', access: 'write' }, 'InvalidParameter'],
      [{ path: '/~/x', ...to, access: 'owner' }, 'InvalidParameter'],
      [{ path: '/~/x', userId: 'nobody', access: 'read' }, 'UserNotFound'],
      [{ path: ['/~/x'], ...to, access: 'read' }, 'InvalidParameter'],
    ];
    for (const [body, code] of answers) {
      const answer = await ada.ask('POST', '', body);
      expect([body, answer.body.error_code]).toEqual([body, code]);
      expect(answer.contentType).toBe('application/json');
    }
    const { server } = await scene();
    const anonymous = await request(`${server.url}/api/client/v2.0/auth/permissions`);
    expect([anonymous.status, anonymous.body.error_code]).toEqual([401, 'InvalidSession']);
  });
});

describe('rights by name', () => {
  test('tell nothing about who has the name', async () => {
    const { ada, bob, users } = await scene();
    const known = await ada.grant('/~/x', { userName: 'bob@example.com' }, 'read');
    const unknown = await ada.grant('/~/x', { userName: 'eve@example.com' }, 'read');
    expect(Object.keys(known.body)).toEqual(Object.keys(unknown.body));
    expect(JSON.stringify(await ada.list('?recipient=other'))).not.toContain(users.bob.userId);
    expect(await bob.access(`/${users.ada.userId}/x`)).toBe('read');
  });

  test('wait for a user who comes later', async () => {
    const { ada, api, server, users } = await scene();
    await ada.grant('/~/x', { userName: 'Eve@Example.com' }, 'write');
    const eve = new Permissions(server.url, await api.newUser('eve@example.com'));
    expect(await eve.access(`/${users.ada.userId}/x`)).toBe('write');
    expect((await ada.revoke('/~/x', { userName: 'eve@example.com' })).status).toBe(204);
    expect(await eve.access(`/${users.ada.userId}/x`)).toBe('none');
  });
});

test('administrators grant on every realm, to everybody and on all realms', async () => {
  const { admin, ada, bob } = await scene();
  expect((await admin.grant('/news', { userId: '*' }, 'read')).status).toBe(200);
  expect([await ada.access('/news'), await bob.access('/news'), await bob.access('/other')]).toEqual([
    'read',
    'read',
    'none',
  ]);
  await admin.grant('*', { userName: 'bob@example.com' }, 'write');
  expect([await ada.access('/other'), await bob.access('/other'), await bob.access('/__admin')]).toEqual([
    'none',
    'write',
    'none',
  ]);
});

test('an offer is accepted by whoever has its token', async () => {
  const { ada, bob, users, connect } = await scene();
  const notes = `/${users.ada.userId}/notes`;
  const expiresAt = new Date(Date.now() + 3_600_000).toISOString();
  const offered = await ada.ask('POST', '/offers', { path: '/~/notes', access: 'write', expiresAt });
  expect(offered.status).toBe(201);
  expect(offered.body).toMatchObject({ path: notes, access: 'write', expiresAt });
  expect((await ada.ask('GET', '/offers')).body.offers).toMatchObject([{ id: offered.body.id, path: notes }]);
  expect(JSON.stringify((await ada.ask('GET', '/offers')).body)).not.toContain(String(offered.body.token));

  const accepted = await bob.ask('POST', '/offers/accept', { token: offered.body.token });
  expect([accepted.status, accepted.body]).toEqual([200, { path: notes, access: 'write' }]);
  expect(await opens(await connect(users.bob), 1, notes)).toBe('open');

  expect((await ada.ask('DELETE', `/offers/${offered.body.id}`)).status).toBe(204);
  const again = await bob.ask('POST', '/offers/accept', { token: offered.body.token });
  expect([again.status, again.body.error_code]).toEqual([404, 'OfferNotFound']);
  expect(await bob.access(notes)).toBe('write');
});

test('rights survive a restart and end with the user', async () => {
  const dataDirectory = await temporaryDirectory();
  const { ada, server, users } = await scene({ dataDirectory });
  const notes = `/${users.ada.userId}/notes`;
  await ada.grant(notes, { userId: users.bob.userId }, 'write');
  await server.close();

  const restarted = await startTestServer({ dataDirectory });
  const bob = new Permissions(restarted.url, users.bob);
  expect(await bob.access(notes)).toBe('write');
  await request(`${restarted.url}/api/client/v2.0/auth/delete`, {
    method: 'DELETE',
    token: users.bob.accessToken,
  });
  expect(await new Permissions(restarted.url, users.ada).list(`?path=${encodeURIComponent(notes)}`)).toEqual(
    [],
  );
});

test('rules by path open realms, and the permissions function goes before them', async () => {
  const rules = {
    paths: [
      { path: '/news', access: 'read' as const },
      { path: '/team-*', access: 'write' as const },
    ],
  };
  const { ada } = await scene({ rules });
  expect([await ada.access('/news'), await ada.access('/team-a'), await ada.access('/x')]).toEqual([
    'read',
    'write',
    'none',
  ]);
  const alone = await scene({ rules, permissions: () => 'none' });
  expect([await alone.ada.access('/news'), await alone.ada.access('/~/x')]).toEqual(['none', 'none']);
});
