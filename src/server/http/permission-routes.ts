/**
 * Rights to realms over HTTP (docs/permissions.md): users grant and offer rights to the realms that they may manage,
 * administrators to all.
 */
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { z } from 'zod';
import type { Accounts, User } from '../accounts/accounts.ts';
import type { RuleUser } from '../rules/contract.ts';
import { PATH_LEVELS } from '../rules/options.ts';
import type { PathPermissions } from '../rules/path-permissions.ts';
import { bearerToken, readBody, sendJson } from './json-answer.ts';
import {
  answerPermissionErrors,
  grantJson,
  offerJson,
  readQuery,
  realmOf,
  recipientOf,
} from './permission-json.ts';

/** The longest name that a user can have; ids are shorter. */
const MAX_NAME = 254;
/** Longer than the longest path, which realm paths bound by themselves. */
const MAX_PATH = 2_048;
/** Tokens that were given out are much shorter. */
const MAX_TOKEN = 256;

const path = z.string().min(1).max(MAX_PATH);
const recipient = {
  userId: z.string().min(1).max(MAX_NAME).optional(),
  userName: z.string().trim().min(1).max(MAX_NAME).optional(),
};
const grantBody = z.object({ path, ...recipient, access: z.enum(PATH_LEVELS) });
const revocation = z.object({ path, ...recipient });
const offerBody = z.object({
  path,
  access: z.enum(['read', 'write', 'manage']),
  expiresAt: z.iso.datetime({ offset: true }).nullish(),
});
const acceptance = z.object({ token: z.string().min(1).max(MAX_TOKEN) });
const pathQuery = z.object({ path });
const listQuery = z.object({ path: path.optional(), recipient: z.enum(['current', 'other']).optional() });

/** What logged-in users ask, below `/api/client/v2.0/auth/permissions`. */
export function permissionRoutes(
  app: FastifyInstance,
  accounts: Accounts,
  permissions: PathPermissions,
): void {
  const caller = async (request: FastifyRequest): Promise<User> =>
    (await accounts.access(bearerToken(request))).user;
  answerPermissionErrors(app);
  grantRoutes(app, permissions, caller, false);
  offerRoutes(app, permissions, caller);

  app.get('/', async (request, reply) => {
    const user = await caller(request);
    const asked = readQuery(request, listQuery);
    const grants =
      asked.path !== undefined
        ? await permissions.grantsOn(user, realmOf(asked.path, user.id))
        : asked.recipient === 'other'
          ? permissions.grantedBy(user)
          : permissions.grantedTo(user);
    return sendJson(reply, 200, { permissions: grants.map((grant) => grantJson(grant, user.isAdmin)) });
  });

  app.get('/access', async (request, reply) => {
    const user = await caller(request);
    const realm = realmOf(readQuery(request, pathQuery).path, user.id);
    return sendJson(reply, 200, { path: realm, access: await permissions.access(user, realm) });
  });
}

/** Granting and taking back; the same for users and administrators. */
export function grantRoutes(
  app: FastifyInstance,
  permissions: PathPermissions,
  caller: (request: FastifyRequest) => Promise<RuleUser> | RuleUser,
  showsIds: boolean,
): void {
  app.post('/', async (request, reply) => {
    const user = await caller(request);
    const body = readBody(request, grantBody);
    const grant = await permissions.grant(user, realmOf(body.path, user.id), recipientOf(body), body.access);
    return sendJson(reply, 200, grantJson(grant, showsIds || user.isAdmin));
  });

  app.delete('/', async (request, reply) => {
    const user = await caller(request);
    const asked = readQuery(request, revocation);
    await permissions.revoke(user, realmOf(asked.path, user.id), recipientOf(asked));
    return reply.code(204).send();
  });
}

function offerRoutes(
  app: FastifyInstance,
  permissions: PathPermissions,
  caller: (request: FastifyRequest) => Promise<User>,
): void {
  app.get('/offers', async (request, reply) => {
    const offers = permissions.offersBy(await caller(request));
    return sendJson(reply, 200, { offers: offers.map(offerJson) });
  });

  app.post('/offers', async (request, reply) => {
    const user = await caller(request);
    const body = readBody(request, offerBody);
    const expiresAt = typeof body.expiresAt === 'string' ? Date.parse(body.expiresAt) : undefined;
    const made = await permissions.offer(user, realmOf(body.path, user.id), body.access, expiresAt);
    return sendJson(reply, 201, { ...offerJson(made.offer), token: made.token });
  });

  app.post('/offers/accept', async (request, reply) => {
    const user = await caller(request);
    return sendJson(reply, 200, await permissions.accept(user, readBody(request, acceptance).token));
  });

  app.delete<{ Params: { id: string } }>('/offers/:id', async (request, reply) => {
    permissions.revokeOffer(await caller(request), request.params.id);
    return reply.code(204).send();
  });
}
