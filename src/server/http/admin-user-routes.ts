/** Users for administrators, below `/api/admin/v1/users` (docs/admin-api.md). */
import type { FastifyInstance } from 'fastify';
import { z } from 'zod';
import { AccountError } from '../accounts/account-error.ts';
import type { Accounts, UserRecord } from '../accounts/accounts.ts';
import { readBody, sendJson } from './json-answer.ts';
import { readQuery } from './permission-json.ts';

const DEFAULT_PAGE = 100;
/** A page of users with full custom data is some 2 MiB. */
const LARGEST_PAGE = 500;
/** Longer than any id; the page begins after it. */
const LONGEST_POSITION = 64;

const pageQuery = z.object({
  after: z.string().max(LONGEST_POSITION).default(''),
  limit: z.coerce.number().int().min(1).max(LARGEST_PAGE).default(DEFAULT_PAGE),
});
const customData = z.record(z.string(), z.unknown());
const creation = z.strictObject({
  name: z.string(),
  password: z.string(),
  admin: z.boolean().optional(),
  customData: customData.optional(),
});
const change = z.strictObject({
  admin: z.boolean().optional(),
  disabled: z.boolean().optional(),
  password: z.string().optional(),
  customData: customData.optional(),
});

type UserParams = { Params: { user: string } };

/** `:user` is an id, or the name that the user logs in with. */
export function adminUserRoutes(app: FastifyInstance, accounts: Accounts): void {
  const existing = (user: string): UserRecord => {
    const found = accounts.findUser(user);
    if (found === undefined) throw new AccountError('UserNotFound', `there is no user ${user}`);
    return found;
  };

  app.get('/', (request, reply) => {
    const asked = readQuery(request, pageQuery);
    const users = accounts.listUsers(asked);
    const last = users.length === asked.limit ? users.at(-1) : undefined;
    sendJson(reply, 200, { users: users.map(userJson), ...(last && { next: last.id }) });
  });

  app.post('/', async (request, reply) => {
    const { customData: data, ...user } = readBody(request, creation);
    const { id } = await accounts.createUser({ ...user, ...(data && { customData: data }) });
    return sendJson(reply, 201, userJson(existing(id)));
  });

  app.get<UserParams>('/:user', (request, reply) => {
    sendJson(reply, 200, userJson(existing(request.params.user)));
  });

  app.patch<UserParams>('/:user', async (request, reply) => {
    const { id } = existing(request.params.user);
    await accounts.changeUser(id, readBody(request, change));
    return sendJson(reply, 200, userJson(existing(id)));
  });

  app.delete<UserParams>('/:user', (request, reply) => {
    accounts.removeUser(existing(request.params.user).id);
    reply.code(204).send();
  });

  app.delete<UserParams>('/:user/sessions', (request, reply) => {
    accounts.revokeSessions(existing(request.params.user).id);
    reply.code(204).send();
  });
}

/** A user in the form of the admin API. */
export function userJson(user: UserRecord): UserJson {
  return {
    id: user.id,
    ...(user.name !== undefined && { name: user.name }),
    admin: user.isAdmin,
    disabled: user.isDisabled,
    ...(user.pending && { pending: true }),
    createdAt: user.createdAt.toISOString(),
    ...(user.lastLoginAt && { lastLoginAt: user.lastLoginAt.toISOString() }),
    identities: user.identities,
    customData: user.customData,
  };
}

export type UserJson = {
  readonly id: string;
  readonly name?: string | undefined;
  readonly admin: boolean;
  readonly disabled: boolean;
  /** Registered, but not confirmed, or never logged in. */
  readonly pending?: boolean | undefined;
  readonly createdAt: string;
  readonly lastLoginAt?: string | undefined;
  readonly identities: readonly { readonly id: string; readonly provider: string; readonly name: string }[];
  readonly customData: Readonly<Record<string, unknown>>;
};
