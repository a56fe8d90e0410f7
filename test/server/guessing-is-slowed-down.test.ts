import { expect, test } from 'vitest';
import { AccountError } from '../../src/server/accounts/account-error.ts';
import { LoginThrottle } from '../../src/server/accounts/login-throttle.ts';
import { Api, request } from './support/api.ts';
import { expectError } from './support/expect-error.ts';
import { startTestServer } from './support/test-server.ts';

const LIMITS = {
  loginFailuresPerAddress: 4,
  loginFailuresPerAccount: 2,
  loginPause: 1_000,
  longestLoginPause: 5_000,
  loginFailuresKept: 50,
};

/** A throttle with a clock of its own. */
function throttled(): {
  fail: (address: string, account?: string) => Promise<string>;
  succeed: (address: string, account?: string) => Promise<string>;
  pass: (milliseconds: number) => void;
} {
  let now = 1_000_000;
  const throttle = new LoginThrottle(LIMITS, () => now);
  const tell = (work: Promise<unknown>) =>
    work.then(
      () => 'done',
      (error: unknown) =>
        error instanceof AccountError ? `${error.errorName}${error.retryAfter ?? ''}` : 'broken',
    );
  return {
    fail: (address, account) =>
      tell(
        throttle.guard({ address, account }, () => Promise.reject(new AccountError('InvalidPassword', ''))),
      ),
    succeed: (address, account) => tell(throttle.guard({ address, account }, async () => {})),
    pass: (milliseconds) => {
      now += milliseconds;
    },
  };
}

test('each failure past the free ones doubles the wait, up to a limit, also for the right password', async () => {
  const { fail, succeed, pass } = throttled();
  expect(await fail('a', 'ada')).toBe('InvalidPassword');
  expect(await fail('b', 'ada')).toBe('InvalidPassword');
  for (const seconds of [1, 2, 4, 5, 5]) {
    expect(await succeed('c', 'ada')).toBe(`TooManyRequests${seconds}`);
    expect(await succeed('c', 'bob')).toBe('done');
    pass(seconds * 1_000);
    expect(await fail('d', 'ada')).toBe('InvalidPassword');
  }
});

test('a good login starts an account anew, but not an address', async () => {
  const { fail, succeed, pass } = throttled();
  for (const account of ['ada', 'bob', 'eve']) {
    expect(await fail('a', account)).toBe('InvalidPassword');
    expect(await succeed('a', account)).toBe('done');
  }
  expect(await fail('a', 'ada')).toBe('InvalidPassword');
  expect(await succeed('a', 'dan')).toBe('TooManyRequests1');
  pass(1_000);
  expect(await succeed('a', 'dan')).toBe('done');
  expect(await fail('a', 'dan')).toBe('InvalidPassword');
  expect(await succeed('a', 'dan')).toBe('TooManyRequests2');
  pass(60 * 60_000 + 1);
  expect(await fail('a')).toBe('InvalidPassword');
  expect(await succeed('a')).toBe('done');
});

test('addresses of one network count as one, and memory has a bound', async () => {
  const { fail, succeed } = throttled();
  for (const host of ['1', '2', '3', 'ffff:1:2:3'])
    await fail(`2001:db8:0:7:${host.length > 1 ? host : `:${host}`}`);
  expect(await succeed('2001:db8:0:7::9')).toBe('TooManyRequests1');
  expect(await succeed('2001:db8:0:8::9')).toBe('done');
  for (let count = 0; count < 4; count++) await fail('::ffff:10.0.0.1');
  expect(await succeed('10.0.0.1')).toBe('TooManyRequests1');
  for (let count = 0; count < LIMITS.loginFailuresKept; count++) await fail(`192.168.0.${count}`);
  expect(await succeed('10.0.0.1')).toBe('done');
});

test('guesses that are under way together get no further than one after the other', async () => {
  const throttle = new LoginThrottle(LIMITS, () => 0);
  const answers = await Promise.allSettled(
    Array.from({ length: 20 }, (_, index) =>
      throttle.guard({ address: 'a', account: 'ada' }, async () => {
        await Promise.resolve();
        if (index !== 19) throw new AccountError('InvalidPassword', '');
      }),
    ),
  );
  const names = answers.map((answer) => (answer.status === 'rejected' ? answer.reason.errorName : 'done'));
  expect(names.filter((name) => name === 'InvalidPassword')).toHaveLength(2);
  expect(names.at(-1)).toBe('TooManyRequests');
});

test('clients are told how long to wait, under a status that does not log them out', async () => {
  const { url } = await startTestServer({
    limits: { loginFailuresPerAccount: 2, loginPause: 60_000 },
    trustProxy: true,
  });
  const api = new Api(url);
  await api.register('ada@example.com', 'secret1');
  const guess = (password: string) => api.login('local-userpass', { username: 'Ada@example.com ', password });
  expectError(await guess('wrong 1'), 401, 'InvalidPassword');
  expectError(await guess('wrong 2'), 401, 'InvalidPassword');
  const locked = await guess('secret1');
  expectError(locked, 429, 'TooManyRequests');
  const seconds = Number(locked.headers.get('retry-after'));
  expect(seconds > 50 && seconds <= 60).toBe(true);
  // Nobody else has to wait.
  await api.newUser('bob@example.com');
});

test('the proxy names who failed, where it is trusted, and nobody can name somebody else', async () => {
  const limits = { loginFailuresPerAddress: 2, loginPause: 60_000 };
  const from = async (url: string, address: string) => {
    const response = await fetch(`${new Api(url).app}/auth/providers/local-userpass/login`, {
      method: 'POST',
      headers: { 'x-forwarded-for': address },
      body: JSON.stringify({ username: `${address}@example.com`, password: 'secret1' }),
    });
    await response.body?.cancel();
    return response.status;
  };
  const behind = await startTestServer({ limits, trustProxy: true });
  expect(await from(behind.url, '203.0.113.1')).toBe(401);
  // What the client itself claimed stands before what the proxy saw.
  expect(await from(behind.url, '198.51.100.1, 203.0.113.1')).toBe(401);
  expect(await from(behind.url, '198.51.100.2, 203.0.113.1')).toBe(429);
  expect(await from(behind.url, '203.0.113.2')).toBe(401);

  const direct = await startTestServer({ limits });
  for (const [address, status] of [
    ['203.0.113.1', 401],
    ['203.0.113.2', 401],
    ['203.0.113.3', 429],
  ] as const) {
    expect(await from(direct.url, address)).toBe(status);
  }
});

test('requests that send mail are slowed down, good ones, too', async () => {
  let mails = 0;
  const { url } = await startTestServer({
    limits: { loginFailuresPerAccount: 2, loginPause: 60_000 },
    authentication: {
      emailPassword: {
        reset: {
          mail: {
            send: async () => {
              mails++;
            },
          },
          resetUrl: 'https://app.example.com/reset',
        },
      },
    },
  });
  const api = new Api(url);
  await api.newUser('ada@example.com');
  const send = () =>
    request(`${api.app}/auth/providers/local-userpass/reset/send`, {
      method: 'POST',
      body: { email: 'ada@example.com' },
    });
  expect((await send()).status).toBe(200);
  expect((await send()).status).toBe(200);
  expectError(await send(), 429, 'TooManyRequests');
  expect(mails).toBe(2);
  await api.withPassword('ada@example.com', 'secret1');
});
