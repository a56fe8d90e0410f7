import { expect, test } from 'vitest';
import type {
  AccountRequest,
  AccountVerdict,
  EmailAccountsOptions,
  Mail,
} from '../../src/server/accounts/email-options.ts';
import { type Answer, Api, request } from './support/api.ts';
import { expectError } from './support/expect-error.ts';
import { ADMIN, startTestServer } from './support/test-server.ts';

const ADA = { email: 'ada@example.com', password: 'secret1' };
const LOGIN = { username: ADA.email, password: ADA.password };

async function apiWith(emailPassword: boolean | EmailAccountsOptions): Promise<Api> {
  return new Api((await startTestServer({ authentication: { emailPassword } })).url);
}

function post(api: Api, route: string, body: Record<string, unknown>): Promise<Answer> {
  return request(`${api.app}/auth/providers/local-userpass/${route}`, { method: 'POST', body });
}

function expectDone({ status, contentType }: Answer, expected = 200): void {
  expect({ status, contentType }).toEqual({ status: expected, contentType: 'application/json' });
}

/** A transport that keeps what it should send, or fails. */
class Mailbox {
  readonly mails: Mail[] = [];
  fails = false;

  async send(mail: Mail): Promise<void> {
    if (this.fails) throw new Error('the mail server is down');
    this.mails.push(mail);
  }

  /** Token and token id in the link of the newest mail. */
  newest(): { token: string; tokenId: string } {
    const [link = ''] = /https:\S+/.exec(this.mails.at(-1)?.text ?? '') ?? [];
    const { searchParams } = new URL(link);
    return { token: searchParams.get('token') ?? '', tokenId: searchParams.get('tokenId') ?? '' };
  }
}

/** A function of the configuration that answers what it is told to, and keeps what it was asked. */
function decider(): {
  asked: AccountRequest[];
  verdict: AccountVerdict['status'] | Error;
  decide: EmailFunction;
} {
  const self = {
    asked: [] as AccountRequest[],
    verdict: 'pending' as AccountVerdict['status'] | Error,
    decide: async (asked: AccountRequest): Promise<AccountVerdict> => {
      self.asked.push(asked);
      if (self.verdict instanceof Error) throw self.verdict;
      return { status: self.verdict };
    },
  };
  return self;
}
type EmailFunction = (asked: AccountRequest) => Promise<AccountVerdict>;

test('a mail leads to a page whose token confirms the address, once', async () => {
  const mail = new Mailbox();
  const api = await apiWith({
    confirmation: { mail, confirmationUrl: 'https://app.example.com/confirm?lang=en', subject: 'Welcome' },
  });
  expectDone(await post(api, 'register', ADA), 201);
  expect(mail.mails).toMatchObject([
    { to: ADA.email, subject: 'Welcome', html: expect.stringContaining('href') },
  ]);
  expect(mail.mails[0]?.text).toContain('https://app.example.com/confirm?lang=en&token=');
  expectError(await api.login('local-userpass', LOGIN), 401, 'AuthError', /confirm/);
  expectError(await api.login('local-userpass', { ...LOGIN, password: 'wrong 1' }), 401, 'InvalidPassword');
  expectError(await post(api, 'register', ADA), 409, 'AccountNameInUse');

  const { token, tokenId } = mail.newest();
  expectError(await post(api, 'confirm', { token: `${token}x`, tokenId }), 400, 'UserpassTokenInvalid');
  expectError(await post(api, 'confirm', { token, tokenId: 'x' }), 400, 'UserpassTokenInvalid');
  expectError(await post(api, 'reset', { token, tokenId, password: 'other1' }), 400, 'UserpassTokenInvalid');
  expectError(await post(api, 'confirm', { token }), 400, 'MissingParameter');
  expectDone(await post(api, 'confirm', { token, tokenId }));
  await api.withPassword(ADA.email, ADA.password);
  expectError(await post(api, 'confirm', { token, tokenId }), 400, 'UserpassTokenInvalid');
  expectError(await post(api, 'confirm/send', { email: ADA.email }), 400, 'UserAlreadyConfirmed');
  expectError(await post(api, 'confirm/call', { email: ADA.email }), 400, 'UserAlreadyConfirmed');
});

test('a confirmation can be asked for again, and every mail that is fresh is good', async () => {
  const mail = new Mailbox();
  const api = await apiWith({ confirmation: { mail, confirmationUrl: 'https://app.example.com/' } });
  await post(api, 'register', ADA);
  const first = mail.newest();
  expectDone(await post(api, 'confirm/send', { email: 'ADA@example.com' }));
  expect(mail.mails).toHaveLength(2);
  expectError(await post(api, 'confirm/send', { email: 'bob@example.com' }), 404, 'UserNotFound');
  expectDone(await post(api, 'confirm', first));
  expectError(await post(api, 'confirm', mail.newest()), 400, 'UserpassTokenInvalid');
});

test('mail that cannot be sent undoes the registration', async () => {
  const mail = new Mailbox();
  const api = await apiWith({ confirmation: { mail, confirmationUrl: 'https://app.example.com/' } });
  mail.fails = true;
  const failed = await post(api, 'register', ADA);
  expectError(failed, 500, 'InternalServerError');
  expect(failed.text).not.toContain('the mail server is down');
  mail.fails = false;
  expectDone(await post(api, 'register', ADA), 201);
});

test('a function confirms at once, later, or not at all', async () => {
  const confirmer = decider();
  const api = await apiWith({ confirmation: { function: confirmer.decide } });
  confirmer.verdict = 'fail';
  expectError(await post(api, 'register', ADA), 400, 'BadRequest');
  confirmer.verdict = new Error('broken');
  expectError(await post(api, 'register', ADA), 500, 'InternalServerError');
  confirmer.verdict = 'success';
  expectDone(await post(api, 'register', ADA), 201);
  await api.withPassword(ADA.email, ADA.password);
  expect(confirmer.asked.at(-1)).toEqual({
    token: expect.any(String),
    tokenId: expect.any(String),
    username: ADA.email,
    password: ADA.password,
  });

  confirmer.verdict = 'pending';
  const bob = { email: 'bob@example.com', password: 'secret1' };
  expectDone(await post(api, 'register', bob), 201);
  const asked = { username: bob.email, password: bob.password };
  expectError(await api.login('local-userpass', asked), 401, 'AuthError');
  confirmer.verdict = 'fail';
  expectError(await post(api, 'confirm/call', { email: bob.email }), 400, 'BadRequest');
  confirmer.verdict = 'pending';
  expectDone(await post(api, 'confirm/call', { email: bob.email }));
  const { token, tokenId } = confirmer.asked.at(-1) ?? {};
  expectDone(await post(api, 'confirm', { token, tokenId }));
  expect((await api.login('local-userpass', asked)).status).toBe(200);
});

test('a mail lets a forgotten password be replaced, which ends the sessions of the old one', async () => {
  const mail = new Mailbox();
  const api = await apiWith({ reset: { mail, resetUrl: 'https://app.example.com/reset' } });
  const { refreshToken } = await api.newUser(ADA.email, ADA.password);
  expectError(await post(api, 'reset/send', { email: 'bob@example.com' }), 404, 'UserNotFound');
  expectDone(await post(api, 'reset/send', { email: ADA.email }));
  const token = mail.newest();
  expectError(await post(api, 'reset', { ...token, password: 'short' }), 400, 'InvalidParameter');
  expectError(await post(api, 'confirm', token), 400, 'UserpassTokenInvalid');
  expectDone(await post(api, 'reset', { ...token, password: 'secret2' }));
  expectError(await post(api, 'reset', { ...token, password: 'secret3' }), 400, 'UserpassTokenInvalid');
  expectError(await api.login('local-userpass', LOGIN), 401, 'InvalidPassword');
  await api.withPassword(ADA.email, 'secret2');
  const session = { method: 'POST', token: refreshToken };
  expectError(await request(`${api.base}/auth/session`, session), 401, 'InvalidSession');
  expectError(await post(api, 'reset/call', { ...ADA }), 400, 'BadRequest');
});

test('a function lets a password be replaced at once, later, or not at all', async () => {
  const resetter = decider();
  const api = await apiWith({ reset: { function: resetter.decide } });
  await api.newUser(ADA.email, ADA.password);
  const call = (password: string) =>
    post(api, 'reset/call', { email: ADA.email, password, arguments: ['my cat', { $numberInt: '7' }] });

  resetter.verdict = 'fail';
  expectError(await call('secret2'), 400, 'BadRequest');
  resetter.verdict = 'success';
  expectError(await call('short'), 400, 'InvalidParameter');
  expectDone(await call('secret2'));
  expect(resetter.asked.at(-1)).toMatchObject({
    username: ADA.email,
    password: 'secret2',
    arguments: ['my cat', 7],
  });
  await api.withPassword(ADA.email, 'secret2');

  resetter.verdict = 'pending';
  expectDone(await call('secret3'));
  await api.withPassword(ADA.email, 'secret2');
  const { token, tokenId } = resetter.asked.at(-1) ?? {};
  expectDone(await post(api, 'reset', { token, tokenId, password: 'secret3' }));
  await api.withPassword(ADA.email, 'secret3');
  expectError(await post(api, 'reset/call', { email: ADA.email }), 400, 'MissingParameter');
  expectError(
    await post(api, 'reset/call', { email: 'bob@example.com', password: 'secret2' }),
    404,
    'UserNotFound',
  );
});

test('without anything configured users are confirmed and passwords stay', async () => {
  const api = await apiWith(true);
  await api.newUser(ADA.email, ADA.password);
  expectError(await post(api, 'confirm/send', { email: ADA.email }), 400, 'UserAlreadyConfirmed');
  expectError(await post(api, 'confirm/call', { email: 'bob@example.com' }), 404, 'UserNotFound');
  expectError(await post(api, 'reset/send', { email: ADA.email }), 400, 'BadRequest');
  expectError(await post(api, 'reset/call', ADA), 400, 'BadRequest');
  expectError(await post(api, 'confirm', { token: 'a', tokenId: 'b' }), 400, 'UserpassTokenInvalid');
  expectError(
    await post(api, 'reset', { token: 'a', tokenId: 'b', password: 'secret1' }),
    400,
    'UserpassTokenInvalid',
  );
});

test('a provider that is switched off is not there', async () => {
  const api = await apiWith(false);
  for (const route of [
    'register',
    'confirm',
    'confirm/send',
    'confirm/call',
    'reset',
    'reset/send',
    'reset/call',
  ]) {
    expectError(await post(api, route, ADA), 404, 'AuthProviderNotFound');
  }
  expectError(await api.login('local-userpass', LOGIN), 404, 'AuthProviderNotFound');
  expectError(await api.login('local-userpass', {}), 400, 'MissingParameter');
  // Connectors log in as administrators.
  await api.withPassword(ADMIN.user, ADMIN.password);
  const other = new Api((await startTestServer({ authentication: { anonymous: false } })).url);
  expectError(await other.login('anon-user'), 404, 'AuthProviderNotFound');
  for (const provider of [
    'api-key',
    'custom-token',
    'custom-function',
    'oauth2-google',
    'oauth2-apple',
    'x',
  ]) {
    expectError(await other.login(provider, {}), 404, 'AuthProviderNotFound');
  }
});
