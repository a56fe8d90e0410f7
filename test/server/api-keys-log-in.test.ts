import { expect, test } from 'vitest';
import { AccountStore } from '../../src/server/accounts/account-store.ts';
import { Accounts } from '../../src/server/accounts/accounts.ts';
import { PasswordHasher } from '../../src/server/accounts/password-hasher.ts';
import { type Answer, Api, request } from './support/api.ts';
import { expectError } from './support/expect-error.ts';
import { startTestServer } from './support/test-server.ts';

const server = () => startTestServer({ authentication: { apiKey: true } });

class Keys {
  readonly #url: string;
  readonly #token: string;

  constructor(api: Api, token: string) {
    this.#url = `${api.base}/auth/api_keys`;
    this.#token = token;
  }

  create(name: unknown): Promise<Answer> {
    return request(this.#url, { method: 'POST', token: this.#token, body: { name } });
  }

  ask(method: string, path = ''): Promise<Answer> {
    return request(`${this.#url}${path}`, { method, token: this.#token });
  }
}

test('a key is shown once, and logs in as the user who made it', async () => {
  const api = new Api((await server()).url);
  const ada = await api.newUser('ada@example.com');
  const keys = new Keys(api, ada.refreshToken);
  const made = await keys.create('laptop');
  expect({ status: made.status, type: made.contentType, body: made.body }).toEqual({
    status: 201,
    type: 'application/json',
    body: {
      _id: expect.stringMatching(/^[0-9a-f]{24}$/),
      key: expect.any(String),
      name: 'laptop',
      disabled: false,
    },
  });
  const shown = { _id: made.body._id, name: 'laptop', disabled: false };
  const listed = await keys.ask('GET');
  expect([listed.status, listed.contentType, JSON.parse(listed.text)]).toEqual([
    200,
    'application/json',
    [shown],
  ]);
  expect((await keys.ask('GET', `/${made.body._id}`)).body).toEqual(shown);

  const login = await api.login('api-key', { key: made.body.key });
  expect([login.status, login.body.user_id]).toEqual([200, ada.userId]);
  const profile = await request(`${api.base}/auth/profile`, { token: String(login.body.access_token) });
  expect(profile.body).toMatchObject({ type: 'normal', identities: [{ provider_type: 'local-userpass' }] });
  // SDKs ask with the refresh token; an access token will do.
  expect((await new Keys(api, ada.accessToken).ask('GET')).status).toBe(200);
});

test('a key that is disabled or removed logs nobody in, and ends what it opened', async () => {
  const api = new Api((await server()).url);
  const ada = await api.newUser('ada@example.com');
  const keys = new Keys(api, ada.refreshToken);
  const { _id, key } = (await keys.create('laptop')).body;
  const opened = await api.login('api-key', { key });
  const profile = (token: unknown) => request(`${api.base}/auth/profile`, { token: String(token) });

  const disabled = await keys.ask('PUT', `/${_id}/disable`);
  expect([disabled.status, disabled.text]).toEqual([204, '']);
  expect((await keys.ask('GET', `/${_id}`)).body.disabled).toBe(true);
  expectError(await api.login('api-key', { key }), 401, 'AuthError');
  expectError(await profile(opened.body.access_token), 401, 'InvalidSession');
  expect((await profile(ada.accessToken)).status).toBe(200);

  expect((await keys.ask('PUT', `/${_id}/enable`)).status).toBe(204);
  expect((await api.login('api-key', { key })).status).toBe(200);
  expect((await keys.ask('DELETE', `/${_id}`)).status).toBe(204);
  expectError(await api.login('api-key', { key }), 401, 'AuthError');
  expectError(await keys.ask('GET', `/${_id}`), 404, 'APIKeyNotFound');
});

test('names are taken once per user, and keys of others are not there', async () => {
  const api = new Api((await server()).url);
  const ada = new Keys(api, (await api.newUser('ada@example.com')).refreshToken);
  const bob = new Keys(api, (await api.newUser('bob@example.com')).refreshToken);
  const { _id } = (await ada.create('laptop')).body;
  expectError(await ada.create('laptop'), 409, 'APIKeyAlreadyExists');
  expect((await bob.create('laptop')).status).toBe(201);
  expectError(await ada.create(' '), 400, 'InvalidParameter');
  expectError(await ada.create(7), 400, 'InvalidParameter');
  expectError(await ada.create(undefined), 400, 'MissingParameter');
  for (const [method, path] of [
    ['GET', ''],
    ['DELETE', ''],
    ['PUT', '/enable'],
    ['PUT', '/disable'],
  ] as const) {
    expectError(await bob.ask(method, `/${_id}${path}`), 404, 'APIKeyNotFound');
    expectError(await new Keys(api, 'nonsense').ask(method, `/${_id}${path}`), 401, 'InvalidSession');
  }
});

test('a key that was never made, or is cut off, is refused', async () => {
  const api = new Api((await server()).url);
  const { key } = (await new Keys(api, (await api.anonymous()).refreshToken).create('laptop')).body;
  const text = String(key);
  for (const wrong of ['', 'nonsense', text.slice(0, -1), `${text}A`, `${'0'.repeat(24)}${text.slice(24)}`]) {
    expectError(await api.login('api-key', { key: wrong }), 401, 'AuthError');
  }
  expectError(await api.login('api-key', {}), 400, 'MissingParameter');
});

test('a key of the server stands for a user of its own, who goes with it', async () => {
  const { url, dataDirectory } = await server();
  const api = new Api(url);
  const store = new AccountStore(`${dataDirectory}/accounts.sqlite`);
  try {
    const accounts = new Accounts(store, new PasswordHasher(1), {
      appId: 'isthmus',
      now: () => Math.floor(Date.now() / 1_000),
    });
    const { id, key } = accounts.createServerKey('nightly');
    expect(() => accounts.createServerKey('nightly')).toThrow(/already/);
    const first = await api.login('api-key', { key });
    const second = await api.login('api-key', { key });
    expect([first.status, second.body.user_id]).toEqual([200, first.body.user_id]);
    const profile = { token: String(first.body.access_token) };
    expect((await request(`${api.base}/auth/profile`, profile)).body).toMatchObject({
      type: 'server',
      identities: [{ provider_type: 'api-key' }],
      data: { name: 'nightly' },
    });
    accounts.removeServerKey(id);
    expect(accounts.listServerKeys()).toEqual([]);
    expectError(await request(`${api.base}/auth/profile`, profile), 401, 'InvalidSession');
    expect(accounts.findUser(String(first.body.user_id))).toBeUndefined();
  } finally {
    store.close();
  }
});

test('without the provider there are no keys', async () => {
  const api = new Api((await startTestServer()).url);
  const keys = new Keys(api, (await api.anonymous()).refreshToken);
  expectError(await keys.create('laptop'), 404, 'AuthProviderNotFound');
  expectError(await keys.ask('GET'), 404, 'AuthProviderNotFound');
});
