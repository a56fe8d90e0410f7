/** The API keys that users make for themselves (spec/app-services-http.md §2). */
import type { FastifyInstance } from 'fastify';
import { z } from 'zod';
import type { Accounts, ApiKey } from '../accounts/accounts.ts';
import { API_KEY } from '../accounts/api-keys.ts';
import { bearerToken, readBody, sendJson } from './json-answer.ts';
import type { LoginProviders } from './login-providers.ts';

const creation = z.object({ name: z.string() });

type KeyParams = { Params: { id: string } };

/** Below `U/api_keys`. */
export function apiKeyRoutes(app: FastifyInstance, accounts: Accounts, providers: LoginProviders): void {
  const { apiKeys } = accounts;
  app.addHook('preHandler', async () => providers.require(API_KEY));

  app.post('/', async (request, reply) => {
    const userId = await accounts.bearer(bearerToken(request));
    const made = apiKeys.create(userId, readBody(request, creation).name);
    return sendJson(reply, 201, { ...apiKeyJson(made), key: made.key });
  });

  app.get('/', async (request, reply) => {
    const userId = await accounts.bearer(bearerToken(request));
    return sendJson(reply, 200, apiKeys.list(userId).map(apiKeyJson));
  });

  app.get<KeyParams>('/:id', async (request, reply) => {
    const userId = await accounts.bearer(bearerToken(request));
    return sendJson(reply, 200, apiKeyJson(apiKeys.get(userId, request.params.id)));
  });

  app.delete<KeyParams>('/:id', async (request, reply) => {
    const userId = await accounts.bearer(bearerToken(request));
    apiKeys.remove(userId, request.params.id);
    return reply.code(204).send();
  });

  app.put<KeyParams>('/:id/enable', async (request, reply) => {
    const userId = await accounts.bearer(bearerToken(request));
    apiKeys.setDisabled(userId, request.params.id, false);
    return reply.code(204).send();
  });

  app.put<KeyParams>('/:id/disable', async (request, reply) => {
    const userId = await accounts.bearer(bearerToken(request));
    apiKeys.setDisabled(userId, request.params.id, true);
    return reply.code(204).send();
  });
}

/** `_id` is a plain text for clients, no Extended JSON (spec/app-services-http.md §2). */
export function apiKeyJson({ id, name, disabled }: ApiKey): Record<string, unknown> {
  return { _id: id, name, disabled };
}
