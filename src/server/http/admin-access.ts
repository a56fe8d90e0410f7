/** Who may use the admin API: whoever shows an admin token, and administrators with their access token. */
import type { FastifyInstance, FastifyRequest } from 'fastify';
import type { Logger } from '../../log.ts';
import type { Accounts } from '../accounts/accounts.ts';
import { hashOf, matchesHash } from '../accounts/secret-hash.ts';
import { bearerToken, sendError } from './json-answer.ts';

/** Who is named in the log for requests with an admin token. */
const TOKEN_HOLDER = 'admin token';

/** Guards every route of the scope, before anything of a request's body is read, and logs who changed what. */
export function requireAdministrator(
  scope: FastifyInstance,
  accounts: Accounts,
  adminTokens: readonly string[],
  logger: Logger,
): void {
  // Of hashes, the time of a comparison tells nothing about the tokens.
  const hashes = adminTokens.map(hashOf);
  const askers = new WeakMap<FastifyRequest, string>();
  scope.addHook('onRequest', async (request, reply) => {
    const token = bearerToken(request);
    if (hashes.some((hash) => matchesHash(token, hash))) {
      askers.set(request, TOKEN_HOLDER);
      return undefined;
    }
    const { user } = await accounts.access(token);
    if (!user.isAdmin) {
      return sendError(reply, 403, 'only administrators may do this', 'NoMatchingRuleFound');
    }
    askers.set(request, user.name ?? user.id);
    return undefined;
  });
  scope.addHook('onResponse', async (request, reply) => {
    const by = askers.get(request);
    if (by === undefined || request.method === 'GET' || reply.statusCode >= 400) return;
    const path = request.url.split('?', 1)[0] ?? '';
    logger.info('an administrator changed something', { by, method: request.method, path });
  });
}
