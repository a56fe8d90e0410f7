/** What a logged-in user asks; the token names the app (spec/app-services-http.md §2, §5, §6.4). */
import type { FastifyInstance } from 'fastify';
import type { Accounts } from '../accounts/accounts.ts';
import { bearerToken, sendJson } from './json-answer.ts';

export function userRoutes(app: FastifyInstance, accounts: Accounts): void {
  app.get('/profile', async (request, reply) => {
    const { user } = await accounts.access(bearerToken(request));
    return sendJson(reply, 200, {
      user_id: user.id,
      type: user.identities.some(({ provider }) => provider === 'api-key') ? 'server' : 'normal',
      identities: user.identities.map(({ id, provider }) => ({ id, provider_type: provider })),
      data: user.data,
      custom_data: user.customData,
    });
  });

  app.post('/session', async (request, reply) => {
    const accessToken = await accounts.refresh(bearerToken(request));
    return sendJson(reply, 201, { access_token: accessToken });
  });

  app.delete('/session', async (request, reply) => {
    await accounts.logOut(bearerToken(request));
    return reply.code(204).send();
  });

  app.delete('/delete', async (request, reply) => {
    await accounts.deleteUser(bearerToken(request));
    return reply.code(204).send();
  });
}
