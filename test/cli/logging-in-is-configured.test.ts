import { generateKeyPairSync } from 'node:crypto';
import { expect, test } from 'vitest';
import { parseServerOptions } from '../../src/cli/server-section.ts';
import { ConfigError } from '../../src/config/config-error.ts';

const SECRET = 'a secret of thirty-two bytes or more';
const pem = (pair: { publicKey: { export(options: { type: 'spki'; format: 'pem' }): string | Buffer } }) =>
  String(pair.publicKey.export({ type: 'spki', format: 'pem' }));
const rsa = pem(generateKeyPairSync('rsa', { modulusLength: 2048 }));

function problemsOf(authentication: unknown, more: object = {}): Record<string, string> {
  try {
    parseServerOptions({ authentication, ...more }, '/tmp');
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    expect(error.message).not.toContain('hush');
    return Object.fromEntries(
      error.problems.map(({ path, message }) => [path.replace('server.', ''), message]),
    );
  }
  return {};
}

test('what is said reaches the server as it is', () => {
  const mail = { send: async () => {} };
  const authentication = {
    anonymous: false,
    emailPassword: {
      confirmation: { mail, confirmationUrl: 'https://app.example.com/confirm', tokenMinutes: 5 },
      reset: { function: () => ({ status: 'pending' }) },
    },
    apiKey: true,
    customToken: [
      { name: 'one', algorithm: 'HS256', key: SECRET },
      { algorithm: 'RS256', keys: [rsa, { kid: 'k', key: rsa }], audience: ['a', 'b'] },
    ],
    customFunction: () => 'ada',
    google: { clientIds: ['id'], clientSecret: () => 'hush', redirectUris: ['https://app.example.com/'] },
  };
  const options = parseServerOptions(
    { authentication, trustProxy: 2, redirectTo: 'https://new.example.com' },
    '/tmp',
  );
  expect(options).toMatchObject({ authentication, trustProxy: 2, redirectTo: 'https://new.example.com' });
  expect(problemsOf({ emailPassword: true, customToken: { algorithm: 'HS256', key: SECRET } })).toEqual({});
  expect(problemsOf(undefined)).toEqual({});
});

test('every mistake is reported where it is, and no key is shown', () => {
  expect(
    problemsOf(
      {
        emailPassword: {
          confirmation: { mail: {}, confirmationUrl: 'nowhere' },
          reset: 'automatic',
          rest: 1,
        },
        apiKey: 'yes',
        goggle: {},
        google: { clientIds: [], redirectUris: ['https://app.example.com/#here'] },
        facebook: {},
      },
      { trustProxy: -1, redirectTo: 'elsewhere' },
    ),
  ).toEqual({
    'authentication.emailPassword.confirmation.mail': expect.stringContaining('send'),
    'authentication.emailPassword.confirmation.confirmationUrl':
      expect.stringContaining('the page that confirms'),
    'authentication.emailPassword.reset': expect.stringContaining("'off'"),
    'authentication.emailPassword.rest': expect.stringContaining('unknown option'),
    'authentication.apiKey': expect.stringContaining('true or false'),
    'authentication.goggle': 'unknown option, did you mean google?',
    'authentication.google.clientIds': expect.stringContaining('at least one'),
    'authentication.google.redirectUris[0]': expect.stringContaining('without a fragment'),
    'authentication.facebook.verify': expect.stringContaining('function'),
    trustProxy: expect.stringContaining('whole number'),
    redirectTo: expect.stringContaining('address'),
  });
});

test('keys must fit their algorithm, and come from one place', () => {
  const elliptic = pem(generateKeyPairSync('ec', { namedCurve: 'P-256' }));
  const fault = (issuer: Record<string, unknown>) =>
    Object.values(problemsOf({ customToken: issuer })).join('; ');
  expect(fault({ algorithm: 'HS256', key: 'hush' })).toContain('32 bytes');
  expect(fault({ algorithm: 'RS256', key: 'hush' })).toContain('PEM');
  expect(fault({ algorithm: 'RS256', key: elliptic })).toContain('PEM');
  expect(fault({ algorithm: 'ES256', key: elliptic })).toBe('');
  expect(fault({ algorithm: 'ES256' })).toContain('exactly one');
  expect(fault({ algorithm: 'ES256', key: elliptic, jwksUrl: 'https://id' })).toContain('exactly one');
  expect(fault({ algorithm: 'HS256', jwksUrl: 'https://id' })).toContain('not published');
  expect(fault({ algorithm: 'none', key: SECRET })).toContain('HS256, RS256, ES256');
  const twice = [
    { algorithm: 'HS256', key: SECRET },
    { algorithm: 'ES256', key: elliptic },
  ];
  expect(Object.values(problemsOf({ customToken: twice })).join()).toContain('a name of its own');
});
