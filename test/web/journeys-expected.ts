/** What each journey of journeys.js comes to. */
import { expect } from 'vitest';

const realmError = (statusCode: number, errorCode: string): object => ({
  name: 'Error',
  statusCode,
  errorCode,
});
const wrongPassword = realmError(401, 'InvalidPassword');

export const EXPECTED: Readonly<Record<string, object>> = {
  anonymous: { state: 'active', identities: ['anon-user'], isCurrent: true, after: 'logged-out' },
  emailPassword: {
    unconfirmed: expect.objectContaining({ statusCode: 401 }),
    twice: realmError(409, 'AccountNameInUse'),
    badToken: realmError(400, 'UserpassTokenInvalid'),
    wrong: wrongPassword,
    again: realmError(400, 'UserAlreadyConfirmed'),
    profileIsOwn: true,
  },
  passwordReset: {
    usedTwice: realmError(400, 'UserpassTokenInvalid'),
    old: wrongPassword,
    unknown: realmError(404, 'UserNotFound'),
    state: 'active',
  },
  customToken: {
    identities: ['custom-token'],
    name: 'Jane',
    same: true,
    forged: expect.objectContaining({ statusCode: 401 }),
  },
  customFunction: { identities: ['custom-function'], same: true, bad: realmError(401, 'AuthError') },
  linking: {
    identities: ['anon-user', 'local-userpass'],
    same: true,
    taken: expect.objectContaining({ errorCode: 'AccountNameInUse' }),
  },
  apiKeys: {
    name: 'laptop',
    listed: ['laptop'],
    twice: realmError(409, 'APIKeyAlreadyExists'),
    same: true,
    disabled: expect.objectContaining({ statusCode: 401 }),
    state: true,
    gone: realmError(404, 'APIKeyNotFound'),
  },
  functions: {
    sum: 3,
    called: 7,
    echoed: { n: 1, date: 1_700_000_000_123, list: [true, null, 'x'] },
    nothing: null,
    misleading: { error: 'none at all', error_code: 'neither' },
    who: true,
    unknown: realmError(404, 'FunctionNotFound'),
    failing: realmError(400, 'FunctionExecutionError'),
  },
  sessions: { afterExpiry: 4, refreshed: true, afterLogOut: [401, 'InvalidSession'] },
  customData: { before: {}, after: { team: 'red', size: 3 } },
  deletion: { after: wrongPassword },
};
