/** The option `authentication` of the `server` section. */
import { createPublicKey } from 'node:crypto';
import { z } from 'zod';
import { accepted, callback, flag, text, wholeNumber } from '../config/validation.ts';
import type {
  CustomFunction,
  FacebookOptions,
  OpenIdOptions,
} from '../server/accounts/authentication-options.ts';
import type { AccountFunction, MailTransport } from '../server/accounts/email-options.ts';

/** HMAC with SHA-256 is as strong as its key, up to as many bytes. */
const SHORTEST_SECRET = 32;
/** A token that is good for more than a month is a password. */
const LONGEST_TOKEN_MINUTES = 31 * 24 * 60;

const url = (what: string) => z.url({ protocol: /^https?$/, error: what });
/** Either of two forms, told apart first, so that mistakes are reported where they are. */
const either = <A, B>(isFirst: (value: unknown) => boolean, first: z.ZodType<A>, second: z.ZodType<B>) =>
  z.unknown().transform((value, context): A | B => {
    const result = isFirst(value) ? first.safeParse(value) : second.safeParse(value);
    if (result.success) return result.data;
    for (const { message, path, ...issue } of result.error.issues) {
      if (issue.code === 'unrecognized_keys') {
        context.issues.push({ code: issue.code, keys: issue.keys, message, path, input: {} });
      } else context.issues.push({ code: 'custom', message, path, input: value });
    }
    return z.NEVER;
  });
const isText = (value: unknown): boolean => typeof value === 'string';
const hasMail = (value: unknown): boolean => typeof value === 'object' && value !== null && 'mail' in value;

const tokenMinutes = wholeNumber(1, LONGEST_TOKEN_MINUTES, 'minutes').optional();
const subject = text('the subject of the mail').optional();
const mail = accepted(
  'what sends mail, { send({ to, subject, text, html }) }',
  (value): value is MailTransport =>
    typeof value === 'object' && value !== null && 'send' in value && typeof value.send === 'function',
);
const byFunction = z.strictObject({
  function: callback<AccountFunction>(
    "({ token, tokenId, username, password, arguments }) => ({ status: 'pending' })",
  ),
  tokenMinutes,
});
const confirmationByMail = z.strictObject({
  mail,
  confirmationUrl: url('the page that confirms addresses'),
  subject,
  tokenMinutes,
});
const resetByMail = z.strictObject({
  mail,
  resetUrl: url('the page that sets new passwords'),
  subject,
  tokenMinutes,
});

const emailPassword = either(
  (value) => typeof value === 'boolean',
  z.boolean(),
  z.strictObject(
    {
      confirmation: either(
        isText,
        z.literal('automatic', { error: "'automatic', { function } or { mail, confirmationUrl }" }),
        either(hasMail, confirmationByMail, byFunction),
      ).optional(),
      reset: either(
        isText,
        z.literal('off', { error: "'off', { function } or { mail, resetUrl }" }),
        either(hasMail, resetByMail, byFunction),
      ).optional(),
    },
    { error: 'true, false or { confirmation, reset }' },
  ),
);

const issuerKey = z.union(
  [text('a key'), z.strictObject({ kid: text('the id of the key').optional(), key: text('a key') })],
  { error: 'a key, or { kid, key }' },
);
const claim = z.strictObject(
  { from: text('the path of a claim'), to: text('a field'), required: flag().optional() },
  { error: '{ from, to, required }' },
);
const customToken = z
  .strictObject(
    {
      name: text('the name of the issuer').optional(),
      algorithm: z.enum(['HS256', 'RS256', 'ES256'], { error: 'one of HS256, RS256, ES256' }),
      key: issuerKey.optional(),
      keys: z.array(issuerKey, { error: 'a list of keys' }).min(1, { error: 'at least one key' }).optional(),
      jwksUrl: url('the address of the keys').optional(),
      audience: z
        .union([text(), z.array(text()).min(1)], { error: 'an audience, or a list of them' })
        .optional(),
      issuer: text('the issuer').optional(),
      userIdField: text('the path of a claim').optional(),
      metadata: z.array(claim, { error: 'a list of { from, to, required }' }).optional(),
      isAdminField: text('the path of a claim').optional(),
    },
    { error: '{ algorithm, key | keys | jwksUrl, audience, issuer, … }' },
  )
  .superRefine((issuer, context) => {
    const { key, keys, jwksUrl, algorithm } = issuer;
    const sources = [key, keys, jwksUrl].filter((source) => source !== undefined);
    if (sources.length !== 1) context.addIssue('exactly one of key, keys and jwksUrl');
    if (algorithm === 'HS256' && jwksUrl !== undefined) {
      context.addIssue({
        code: 'custom',
        path: ['jwksUrl'],
        message: 'key or keys: secrets are not published',
      });
    }
    for (const entry of [...(key === undefined ? [] : [key]), ...(keys ?? [])]) {
      const fault = keyFault(algorithm, typeof entry === 'string' ? entry : entry.key);
      // On the issuer itself: what was found would be shown with the place, and may be a secret.
      if (fault !== undefined) context.addIssue(fault);
    }
  });
const customTokens = either(
  Array.isArray,
  z.array(customToken).superRefine((issuers, context) => {
    const names = issuers.map(({ name }) => name);
    if (new Set(names).size < names.length) context.addIssue('a name of its own for each issuer');
  }),
  customToken,
);

const openId = z.strictObject(
  {
    clientIds: z.array(text('a client id'), { error: 'a list of client ids' }).min(1, {
      error: 'at least one client id',
    }),
    jwksUrl: url('the address of the keys').optional(),
    issuer: text('the issuer').optional(),
    clientSecret: accepted(
      'the secret, or a function that makes one',
      (value): value is NonNullable<OpenIdOptions['clientSecret']> =>
        typeof value === 'function' || (typeof value === 'string' && value !== ''),
    ).optional(),
    tokenUrl: url('the address where codes are exchanged').optional(),
    authCodeRedirectUri: z.string({ error: 'the redirect address of the app' }).optional(),
    authorizationUrl: url('the address of the login page').optional(),
    redirectUris: z
      .array(
        url('a page to return to').refine((page) => !page.includes('#'), {
          error: 'a page to return to, without a fragment',
        }),
        { error: 'a list of pages' },
      )
      .optional(),
  },
  { error: '{ clientIds, … }' },
);

export const authenticationSchema = z.strictObject(
  {
    anonymous: flag().optional(),
    emailPassword: emailPassword.optional(),
    apiKey: flag().optional(),
    customToken: customTokens.optional(),
    customFunction: callback<CustomFunction>('async (payload, context) => id or { id, data }').optional(),
    google: openId.optional(),
    apple: openId.optional(),
    facebook: z
      .strictObject(
        { verify: callback<FacebookOptions['verify']>('async (accessToken) => ({ id, data })') },
        { error: '{ verify }' },
      )
      .optional(),
  },
  { error: '{ anonymous, emailPassword, apiKey, customToken, … }' },
);

function keyFault(algorithm: 'HS256' | 'RS256' | 'ES256', key: string): string | undefined {
  if (algorithm === 'HS256') {
    return Buffer.byteLength(key) < SHORTEST_SECRET
      ? `keys of at least ${SHORTEST_SECRET} bytes for ${algorithm}`
      : undefined;
  }
  try {
    const type = algorithm === 'RS256' ? 'rsa' : 'ec';
    if (createPublicKey(key).asymmetricKeyType === type) return undefined;
  } catch {
    // Named below.
  }
  return `public keys or certificates in PEM for ${algorithm}`;
}
