/** Logging in and calling functions from unmodified apps: the SDK's own process against our server. */
import { describe, expect, test } from 'vitest';
import { announceMissingSdk, fleet, SDK } from './fleet.ts';

announceMissingSdk('accounts', 5);
const ANN = { email: 'ann@example.com', password: 'correct horse' };

describe.skipIf(SDK === undefined)('the real SDK, logging in', () => {
  test('registers, logs in, and names what is wrong with a login', async () => {
    const { bare } = await fleet();
    const one = await bare();
    await one.ask('register', ANN);
    await expect(one.ask('register', ANN)).rejects.toThrow(/in use/);
    await expect(
      one.ask('logIn', { provider: 'local-userpass', ...ANN, password: 'wrong horse' }),
    ).rejects.toMatchObject({ details: { message: expect.stringMatching(/invalid username\/password/) } });
    expect(await one.ask('logIn', { provider: 'local-userpass', ...ANN })).toMatchObject({
      identities: [{ providerType: 'local-userpass' }],
    });
    await one.ask('logOut');
    expect(await one.ask('state')).toMatchObject({ loggedIn: false });
  });

  test('an anonymous user becomes one with an address, and stays the same user', async () => {
    const { bare } = await fleet();
    const one = await bare();
    const before = await one.ask('logIn', { provider: 'anon-user' });
    await one.ask('register', ANN);
    expect(await one.ask('link', { provider: 'local-userpass', ...ANN })).toMatchObject({
      id: (before as { id: string }).id,
      identities: expect.arrayContaining([expect.objectContaining({ providerType: 'local-userpass' })]),
    });
  });

  test('functions of the configuration are called with exact values', async () => {
    const { bare } = await fleet({
      functions: { sum: (...numbers: unknown[]) => numbers.reduce((a, b) => Number(a) + Number(b), 0) },
    });
    const one = await bare();
    await one.ask('logIn', { provider: 'anon-user' });
    expect(await one.ask('call', { name: 'sum', args: [1, 2, 3] })).toBe(6);
    await expect(one.ask('call', { name: 'nothing', args: [] })).rejects.toMatchObject({
      details: { message: expect.stringMatching(/nothing/) },
    });
  });

  test('an API key that a user made logs in as that user', async () => {
    const { bare } = await fleet({ authentication: { apiKey: true } });
    const one = await bare();
    await one.ask('register', ANN);
    const { id } = (await one.ask('logIn', { provider: 'local-userpass', ...ANN })) as { id: string };
    const { key } = (await one.ask('createApiKey', { name: 'laptop' })) as { key: string };
    const other = await bare();
    expect(await other.ask('logIn', { provider: 'api-key', key })).toMatchObject({ id });
  });

  test('a deleted user is gone', async () => {
    const { bare } = await fleet();
    const one = await bare();
    await one.ask('register', ANN);
    await one.ask('logIn', { provider: 'local-userpass', ...ANN });
    await one.ask('deleteUser');
    expect(await one.ask('state')).toMatchObject({ loggedIn: false });
    await expect(one.ask('logIn', { provider: 'local-userpass', ...ANN })).rejects.toThrow();
  });
});
