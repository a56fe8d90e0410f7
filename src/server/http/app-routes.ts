/** What a client asks under an app id: where the app is, and how to log in (spec/app-services-http.md §2–4). */
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { z } from 'zod';
import { AccountError } from '../accounts/account-error.ts';
import type { Accounts } from '../accounts/accounts.ts';
import { bearerToken, readBody, sendError, sendJson } from './json-answer.ts';
import { loginProvider } from './login-providers.ts';
import type { PublicAddress } from './public-address.ts';

type AppParams = { Params: { appId: string } };
type ProviderParams = { Params: { appId: string; provider: string }; Querystring: { link?: string } };

const registration = z.object({ email: z.string(), password: z.string() });

export type AppRoutesContext = {
  readonly appId: string;
  readonly accounts: Accounts;
  readonly address: PublicAddress;
};

export function appRoutes(app: FastifyInstance, { appId, accounts, address }: AppRoutesContext): void {
  app.addHook('preHandler', async (request: FastifyRequest, reply: FastifyReply) => {
    const asked = (request.params as { appId?: string }).appId;
    if (asked === appId) return;
    return sendError(reply, 404, `cannot find app using Client App ID '${asked ?? ''}'`, 'AppNotFound');
  });

  app.get<AppParams>('/location', (request, reply) => {
    const hostname = address.http(request.headers.host);
    sendJson(reply, 200, {
      deployment_model: 'LOCAL',
      location: 'US-VA',
      hostname,
      ws_hostname: address.webSocket(request.headers.host),
    });
  });

  app.post<AppParams>('/auth/providers/local-userpass/register', async (request, reply) => {
    const { email, password } = readBody(request, registration);
    await accounts.email.register(email, password);
    return sendJson(reply, 201, {});
  });

  app.post<ProviderParams>('/auth/providers/:provider/login', async (request, reply) => {
    const schema = loginProvider(request.params.provider);
    if (!schema) {
      throw new AccountError('AuthProviderNotFound', `auth provider not found: ${request.params.provider}`);
    }
    const { prove, deviceId } = readBody(request, schema);
    const login =
      request.query.link === 'true'
        ? await accounts.link(bearerToken(request), await prove(accounts), deviceId)
        : await accounts.logIn(await prove(accounts), deviceId);
    return sendJson(reply, 200, {
      access_token: login.accessToken,
      refresh_token: login.refreshToken,
      user_id: login.userId,
      device_id: login.deviceId,
    });
  });
}
