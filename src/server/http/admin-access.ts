/** Who may use the admin API: whoever shows an admin token, and administrators with their access token. */
import type { FastifyInstance } from 'fastify';
import type { Accounts } from '../accounts/accounts.ts';
import { hashOf, matchesHash } from '../accounts/secret-hash.ts';
import { bearerToken, sendError } from './json-answer.ts';

/** Guards every route of the scope, before anything of a request's body is read. */
export function requireAdministrator(
  scope: FastifyInstance,
  accounts: Accounts,
  adminTokens: readonly string[],
): void {
  // Of hashes, the time of a comparison tells nothing about the tokens.
  const hashes = adminTokens.map(hashOf);
  scope.addHook('onRequest', async (request, reply) => {
    const token = bearerToken(request);
    if (hashes.some((hash) => matchesHash(token, hash))) return undefined;
    const { user } = await accounts.access(token);
    if (user.isAdmin) return undefined;
    return sendError(reply, 403, 'only administrators may do this', 'NoMatchingRuleFound');
  });
}
