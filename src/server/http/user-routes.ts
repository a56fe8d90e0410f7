/** What a logged-in user asks; the token names the app (spec/app-services-http.md §2, §5, §6.4). */
import type { FastifyInstance } from 'fastify';
import type { Accounts } from '../accounts/accounts.ts';
import { bearerToken, sendJson } from './json-answer.ts';

export function userRoutes(app: FastifyInstance, accounts: Accounts): void {
  app.get('/profile', async (request, reply) => {
    const { user, identities } = await accounts.profile(bearerToken(request));
    return sendJson(reply, 200, {
      user_id: user.id,
      type: 'normal',
      identities: identities.map(({ id, provider }) => ({ id, provider_type: provider })),
      data: user.name === undefined ? {} : { email: user.name },
      custom_data: {},
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
