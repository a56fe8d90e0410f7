/** The server's API keys, each of which stands for a user of its own, below `/api/admin/v1/api_keys`. */
import type { FastifyInstance } from 'fastify';
import { z } from 'zod';
import type { Accounts } from '../accounts/accounts.ts';
import { apiKeyJson } from './api-key-routes.ts';
import { readBody, sendJson } from './json-answer.ts';

const creation = z.strictObject({ name: z.string() });

type KeyParams = { Params: { id: string } };

export function adminKeyRoutes(app: FastifyInstance, accounts: Accounts): void {
  app.get('/', (_request, reply) => {
    sendJson(reply, 200, { apiKeys: accounts.listServerKeys().map(apiKeyJson) });
  });

  app.post('/', (request, reply) => {
    const made = accounts.createServerKey(readBody(request, creation).name);
    sendJson(reply, 201, { ...apiKeyJson(made), key: made.key });
  });

  app.put<KeyParams>('/:id/enable', (request, reply) => {
    accounts.setServerKeyDisabled(request.params.id, false);
    reply.code(204).send();
  });

  app.put<KeyParams>('/:id/disable', (request, reply) => {
    accounts.setServerKeyDisabled(request.params.id, true);
    reply.code(204).send();
  });

  app.delete<KeyParams>('/:id', (request, reply) => {
    accounts.removeServerKey(request.params.id);
    reply.code(204).send();
  });
}
