/** Every login provider that an unmodified app can name, with the SDK's own process against our server. */
import { describe, expect, test } from 'vitest';
import type { AccountRequest } from '../../src/server/accounts/email-options.ts';
import { signed } from '../server/support/token-issuer.ts';
import { announceMissingSdk, fleet, SDK } from './fleet.ts';

announceMissingSdk('providers', 3);
const SECRET = 'a secret of thirty-two bytes or more';
const ANN = { email: 'ann@example.com', password: 'correct horse' };

describe.skipIf(SDK === undefined)('the real SDK, with further providers', () => {
  test('logs in with a token of an issuer, and links what a function vouches for', async () => {
    const payloads: unknown[] = [];
    const { bare } = await fleet({
      authentication: {
        customToken: { algorithm: 'HS256', key: SECRET, audience: 'app' },
        customFunction: (payload) => {
          payloads.push(payload);
          return String(payload.name);
        },
      },
    });
    const one = await bare();
    const token = (aud: string) =>
      signed({ algorithm: 'HS256', privateKey: Buffer.from(SECRET) }, { sub: 'ann', aud });
    await expect(one.ask('logIn', { provider: 'custom-token', token: await token('other') })).rejects.toThrow(
      /not valid/,
    );
    const user = await one.ask('logIn', { provider: 'custom-token', token: await token('app') });
    expect(user).toMatchObject({ identities: [{ providerType: 'custom-token' }] });
    expect(await one.ask('link', { provider: 'custom-function', payload: { name: 'ann' } })).toMatchObject({
      id: (user as { id: string }).id,
      identities: expect.arrayContaining([expect.objectContaining({ providerType: 'custom-function' })]),
    });
    expect(payloads).toEqual([{ name: 'ann' }]);
    const other = await bare();
    expect(await other.ask('logIn', { provider: 'custom-function', payload: { name: 'ann' } })).toMatchObject(
      { id: (user as { id: string }).id },
    );
  });

  test('cannot log in before the address is confirmed', async () => {
    const asked: AccountRequest[] = [];
    const { server, bare } = await fleet({
      authentication: {
        emailPassword: {
          confirmation: {
            function: (request) => {
              asked.push(request);
              return { status: 'pending' };
            },
          },
        },
      },
    });
    const one = await bare();
    await one.ask('register', ANN);
    await expect(one.ask('logIn', { provider: 'local-userpass', ...ANN })).rejects.toThrow(/confirm/);
    const { token, tokenId } = asked[0] ?? {};
    const url = `${server.url}/api/client/v2.0/app/isthmus/auth/providers/local-userpass/confirm`;
    await fetch(url, { method: 'POST', body: JSON.stringify({ token, tokenId }) });
    expect(await one.ask('logIn', { provider: 'local-userpass', ...ANN })).toMatchObject({
      identities: [{ providerType: 'local-userpass' }],
    });
  });

  test('is told to wait, and not that it is logged out, when it guesses', async () => {
    const { bare } = await fleet({ limits: { loginFailuresPerAccount: 1, loginPause: 60_000 } });
    const one = await bare();
    await one.ask('register', ANN);
    const guess = { provider: 'local-userpass', ...ANN, password: 'wrong horse' };
    await expect(one.ask('logIn', guess)).rejects.toThrow(/invalid username/);
    await expect(one.ask('logIn', guess)).rejects.toThrow(/too many failures, try again/);
  });
});
