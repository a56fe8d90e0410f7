import { expect, onTestFinished, test } from 'vitest';
import { AccountError } from '../../src/server/accounts/account-error.ts';
import { AccountStore } from '../../src/server/accounts/account-store.ts';
import { Accounts, type Login, type UserRecord } from '../../src/server/accounts/accounts.ts';
import type { EmailAccountsOptions } from '../../src/server/accounts/email-options.ts';
import { PasswordHasher } from '../../src/server/accounts/password-hasher.ts';
import { openDatabase } from '../../src/store/sqlite/database.ts';
import { temporaryDirectory } from './support/test-server.ts';

type Opened = { accounts: Accounts; revoked: unknown[]; changed: string[]; clock: { now: number } };

async function open(file?: string, email?: EmailAccountsOptions): Promise<Opened> {
  const clock = { now: 1_700_000_000 };
  const store = new AccountStore(file ?? `${await temporaryDirectory()}/accounts.sqlite`);
  const accounts = new Accounts(store, new PasswordHasher(10), {
    appId: 'isthmus',
    now: () => clock.now,
    email,
  });
  onTestFinished(() => accounts.close());
  const revoked: unknown[] = [];
  const changed: string[] = [];
  accounts.onRevoked((revocation) => revoked.push(revocation));
  accounts.onUserChanged((userId) => changed.push(userId));
  return { accounts, revoked, changed, clock };
}

async function logIn(accounts: Accounts, name: string, password = 'secret1'): Promise<Login> {
  return accounts.logIn(await accounts.email.verify(name, password));
}

/** Name of the error that something ends in. */
async function refusal(work: () => unknown): Promise<string> {
  try {
    await work();
    return 'none';
  } catch (error) {
    return error instanceof AccountError ? error.errorName : String(error);
  }
}

function claimsOf(token: string): Record<string, unknown> {
  return JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString()) as Record<
    string,
    unknown
  >;
}

test('a user made by an administrator logs in at once, and is found by id and by name', async () => {
  const { accounts, clock } = await open();
  const made = await accounts.createUser({ name: ' Ada@example.com ', password: 'secret1' });
  expect(made).toEqual({
    id: expect.stringMatching(/^[0-9a-f]{24}$/),
    name: 'Ada@example.com',
    isAdmin: false,
    isDisabled: false,
    createdAt: new Date(clock.now * 1_000),
    identities: [{ id: expect.any(String), provider: 'local-userpass', name: 'Ada@example.com' }],
    customData: {},
  });
  clock.now += 60;
  expect((await logIn(accounts, 'ada@EXAMPLE.com')).userId).toBe(made.id);
  expect(accounts.findUser(made.id)).toEqual({ ...made, lastLoginAt: new Date(clock.now * 1_000) });
  expect(accounts.findUser('ada@example.com')).toEqual(accounts.findUser(made.id));
  expect(accounts.findUser('bob@example.com')).toBeUndefined();
  expect(await refusal(() => accounts.createUser({ name: 'ADA@example.com', password: 'secret1' }))).toBe(
    'AccountNameInUse',
  );
  expect(await refusal(() => accounts.createUser({ name: 'bob', password: 'short' }))).toBe(
    'InvalidParameter',
  );
  const admin = await accounts.createUser({ name: 'root', password: 'secret1', admin: true });
  expect([admin.isAdmin, accounts.adminName()]).toEqual([true, 'root']);
});

test('users are listed page by page, registrations among them', async () => {
  const { accounts } = await open(undefined, { confirmation: { function: () => ({ status: 'pending' }) } });
  const made: UserRecord[] = [];
  for (const name of ['a', 'b', 'c', 'd']) {
    made.push(await accounts.createUser({ name, password: 'secret1' }));
  }
  await accounts.email.register('e', 'secret1');
  const anonymous = await accounts.logIn({ kind: 'anonymous' });
  const listed: UserRecord[] = [];
  for (let page = accounts.listUsers({ limit: 4 }); page.length > 0; ) {
    listed.push(...page);
    page = accounts.listUsers({ limit: 4, after: page.at(-1)?.id ?? '' });
  }
  expect(listed.map(({ id }) => id)).toEqual(listed.map(({ id }) => id).sort());
  expect(new Set(listed.map(({ name, id }) => name ?? id))).toEqual(
    new Set(['a', 'b', 'c', 'd', 'e', anonymous.userId]),
  );
  expect(listed.filter(({ pending }) => pending).map(({ name }) => name)).toEqual(['e']);
  expect(listed.filter(({ id }) => made.some((user) => user.id === id))).toHaveLength(4);
});

test('a registration keeps its id when it becomes a user, whoever makes it one', async () => {
  const { accounts } = await open();
  await accounts.email.register('ada', 'secret1');
  await accounts.email.register('bob', 'secret1');
  await accounts.email.register('eve', 'secret1');
  const [ada, bob, eve] = ['ada', 'bob', 'eve'].map((name) => accounts.findUser(name)?.id ?? '');
  expect((await logIn(accounts, 'ada')).userId).toBe(ada);
  accounts.setAdmin(bob ?? '', true);
  expect(accounts.findUser('bob')).toMatchObject({ id: bob, isAdmin: true });
  expect((await logIn(accounts, 'bob')).userId).toBe(bob);
  accounts.removeUser(eve ?? '');
  expect(accounts.findUser('eve')).toBeUndefined();
  expect(await refusal(() => accounts.email.verify('eve', 'secret1'))).toBe('InvalidPassword');
  await accounts.email.register('eve', 'secret2');
});

test('what ends sessions is announced, and ends them', async () => {
  const { accounts, revoked } = await open();
  const { id } = await accounts.createUser({ name: 'ada', password: 'secret1' });
  for (const end of [
    () => accounts.setDisabled(id, true),
    () => accounts.revokeSessions(id),
    () => accounts.setPassword(id, 'secret1'),
    () => accounts.removeUser(id),
  ]) {
    accounts.setDisabled(id, false);
    revoked.length = 0;
    const { accessToken, refreshToken } = await logIn(accounts, 'ada');
    await end();
    expect(revoked).toEqual([{ userId: id }]);
    expect(await refusal(() => accounts.access(accessToken))).toBe('InvalidSession');
    expect(await refusal(() => accounts.refresh(refreshToken))).toBe('InvalidSession');
  }
  expect(accounts.findUser(id)).toBeUndefined();
});

test('a disabled user does not log in until enabled', async () => {
  const { accounts } = await open();
  const { id } = await accounts.createUser({ name: 'ada', password: 'secret1' });
  accounts.setDisabled(id, true);
  expect(await refusal(() => logIn(accounts, 'ada'))).toBe('UserDisabled');
  expect(await refusal(() => logIn(accounts, 'ada', 'wrong 1'))).toBe('InvalidPassword');
  expect(accounts.findUser(id)?.isDisabled).toBe(true);
  accounts.setDisabled(id, false);
  await logIn(accounts, 'ada');
});

test('custom data and being administrator are announced, and reach new access tokens', async () => {
  const { accounts, changed, revoked } = await open();
  const { id } = await accounts.createUser({ name: 'ada', password: 'secret1' });
  const { accessToken, refreshToken } = await logIn(accounts, 'ada');
  expect(claimsOf(accessToken).user_data).toEqual({});
  accounts.setCustomData(id, { team: 'ops', level: 3 });
  accounts.setCustomData(id, { team: 'ops', level: 3 });
  accounts.setAdmin(id, true);
  accounts.setAdmin(id, true);
  expect([changed, revoked]).toEqual([[id, id], []]);
  expect(claimsOf(await accounts.refresh(refreshToken)).user_data).toEqual({ team: 'ops', level: 3 });
  expect((await accounts.access(accessToken)).user).toMatchObject({
    isAdmin: true,
    customData: { team: 'ops', level: 3 },
    data: { email: 'ada' },
  });
  expect(await refusal(() => accounts.setCustomData(id, { much: 'x'.repeat(5_000) }))).toBe(
    'InvalidParameter',
  );
});

test('the last administrator stays one', async () => {
  const { accounts } = await open();
  const { id } = await accounts.createUser({ name: 'root', password: 'secret1', admin: true });
  const { accessToken } = await logIn(accounts, 'root');
  const attempts = [
    () => accounts.setAdmin(id, false),
    () => accounts.setDisabled(id, true),
    () => accounts.removeUser(id),
    () => accounts.deleteUser(accessToken),
  ];
  for (const attempt of attempts) expect(await refusal(attempt)).toBe('LastAdministrator');
  const other = await accounts.createUser({ name: 'other', password: 'secret1', admin: true });
  accounts.setDisabled(other.id, true);
  expect(await refusal(() => accounts.removeUser(id))).toBe('LastAdministrator');
  accounts.removeUser(other.id);
  const third = await accounts.createUser({ name: 'third', password: 'secret1', admin: true });
  await accounts.deleteUser(accessToken);
  expect(await refusal(() => accounts.removeUser(third.id))).toBe('LastAdministrator');
});

test('an unknown user is named', async () => {
  const { accounts } = await open();
  for (const attempt of [
    () => accounts.setAdmin('nobody', true),
    () => accounts.setDisabled('nobody', true),
    () => accounts.removeUser('nobody'),
    () => accounts.revokeSessions('nobody'),
    () => accounts.setPassword('nobody', 'secret1'),
    () => accounts.setCustomData('nobody', {}),
  ]) {
    expect(await refusal(attempt)).toBe('UserNotFound');
  }
  const { userId } = await accounts.logIn({ kind: 'anonymous' });
  expect(await refusal(() => accounts.setPassword(userId, 'secret1'))).toBe('BadRequest');
});

test('tokens of mails expire', async () => {
  const tokens: { token: string; tokenId: string }[] = [];
  const by = (tokenMinutes?: number) => ({
    function: ({ token, tokenId }: { token: string; tokenId: string }) => {
      tokens.push({ token, tokenId });
      return { status: 'pending' } as const;
    },
    tokenMinutes,
  });
  const { accounts, clock } = await open(undefined, { confirmation: by(), reset: by(5) });
  await accounts.email.register('ada', 'secret1');
  expect(await refusal(() => accounts.email.register('ada', 'secret2'))).toBe('AccountNameInUse');
  await accounts.email.sendReset('ada');
  const [confirmation = { token: '', tokenId: '' }, reset = { token: '', tokenId: '' }] = tokens;
  clock.now += 5 * 60;
  expect(await refusal(() => accounts.email.reset(reset, 'secret2'))).toBe('UserpassTokenInvalid');
  clock.now += 24 * 60 * 60 - 5 * 60 - 1;
  expect(await refusal(() => accounts.email.confirm({ ...confirmation, token: 'x' }))).toBe(
    'UserpassTokenInvalid',
  );
  clock.now += 1;
  expect(await refusal(() => accounts.email.confirm(confirmation))).toBe('UserpassTokenInvalid');
  await accounts.email.repeatConfirmation('ada');
  accounts.email.confirm(tokens.at(-1) ?? confirmation);
  await logIn(accounts, 'ada');

  // Whoever registers an address that is not theirs keeps its owner out for a day at most.
  await accounts.email.register('bob', 'secret1');
  clock.now += 24 * 60 * 60;
  await accounts.email.register('bob', 'secret2');
  accounts.email.confirm(tokens.at(-1) ?? confirmation);
  expect(await refusal(() => logIn(accounts, 'bob', 'secret1'))).toBe('InvalidPassword');
  await logIn(accounts, 'bob', 'secret2');
});

test('accounts of the first version go on', async () => {
  const file = `${await temporaryDirectory()}/accounts.sqlite`;
  const secret = await new PasswordHasher(1).hash('secret1');
  const first = openDatabase(file, []);
  first.exec(`
    CREATE TABLE schema_versions (component TEXT PRIMARY KEY, version INTEGER NOT NULL) STRICT;
    INSERT INTO schema_versions VALUES ('accounts', 1);
    CREATE TABLE users (
      id TEXT PRIMARY KEY, admin INTEGER NOT NULL, disabled INTEGER NOT NULL DEFAULT 0, created_at INTEGER NOT NULL
    ) STRICT;
    CREATE TABLE identities (
      id TEXT PRIMARY KEY, user_id TEXT, provider TEXT NOT NULL, name TEXT NOT NULL COLLATE NOCASE,
      secret TEXT, created_at INTEGER NOT NULL, UNIQUE (provider, name)
    ) STRICT;
    CREATE INDEX identities_of_user ON identities (user_id);
    CREATE TABLE sessions (
      id TEXT PRIMARY KEY, user_id TEXT NOT NULL, device_id TEXT NOT NULL, expires_at INTEGER NOT NULL
    ) STRICT;
    CREATE INDEX sessions_of_user ON sessions (user_id);
    CREATE INDEX sessions_by_expiry ON sessions (expires_at);
    CREATE TABLE keys (name TEXT PRIMARY KEY, value BLOB NOT NULL) STRICT;
    INSERT INTO users (id, admin, created_at) VALUES ('u1', 1, 1600000000), ('u2', 0, 1600000000);
    INSERT INTO identities VALUES ('i1', 'u1', 'local-userpass', 'Root', '${secret}', 1600000000),
      ('i2', 'u2', 'anon-user', 'i2', NULL, 1600000000),
      ('i3', 'u2', 'local-userpass', 'Ada@Example.com', '${secret}', 1600000000),
      ('i4', NULL, 'local-userpass', 'bob@example.com', '${secret}', 1600000000);`);
  first.close();

  const { accounts } = await open(file);
  expect(accounts.adminName()).toBe('Root');
  expect((await logIn(accounts, 'ada@example.com')).userId).toBe('u2');
  expect(accounts.findUser('u2')).toMatchObject({
    name: 'Ada@Example.com',
    createdAt: new Date(1_600_000_000_000),
    identities: [{ provider: 'anon-user' }, { provider: 'local-userpass' }],
  });
  expect((await logIn(accounts, 'BOB@example.com')).userId).toBe('i4');
});
