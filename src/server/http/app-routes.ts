/** What a client asks under an app id: where the app is, and how to log in (spec/app-services-http.md §2–4). */
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { Login } from '../accounts/accounts.ts';
import { emailRoutes } from './email-routes.ts';
import { type FunctionRoutesContext, functionRoutes } from './function-routes.ts';
import { bearerToken, sendError, sendJson } from './json-answer.ts';
import { departureRoute, type RedirectRoutesContext } from './redirect-routes.ts';

type AppParams = { Params: { appId: string } };
type ProviderParams = { Params: { appId: string; provider: string }; Querystring: { link?: string } };

export type AppRoutesContext = RedirectRoutesContext &
  FunctionRoutesContext & {
    /** Where clients are told to go instead of this server. */
    readonly redirectTo: string | undefined;
  };

export function appRoutes(app: FastifyInstance, context: AppRoutesContext): void {
  const { appId, accounts, address, providers, throttle, redirectTo } = context;
  app.addHook('preHandler', async (request: FastifyRequest, reply: FastifyReply) => {
    const asked = (request.params as { appId?: string }).appId;
    if (asked === appId) return;
    return sendError(reply, 404, `cannot find app using Client App ID '${asked ?? ''}'`, 'AppNotFound');
  });

  app.get<AppParams>('/location', (request, reply) => {
    const hostname = redirectTo?.replace(/\/+$/, '') ?? address.http(request.headers.host);
    sendJson(reply, 200, {
      deployment_model: 'LOCAL',
      location: 'US-VA',
      hostname,
      ws_hostname: hostname.replace(/^http/, 'ws'),
    });
  });

  app.register(async (scope) => emailRoutes(scope, { email: accounts.email, providers, throttle }), {
    prefix: '/auth/providers/local-userpass',
  });

  departureRoute(app, context);
  functionRoutes(app, context);

  app.post<ProviderParams>('/auth/providers/:provider/login', async (request, reply) => {
    const { account, deviceId, prove } = providers.attempt(request.params.provider, request);
    const proof = await throttle.guard({ address: request.ip, account }, prove);
    const login =
      request.query.link === 'true'
        ? await accounts.link(bearerToken(request), proof, deviceId)
        : await accounts.logIn(proof, deviceId);
    return sendJson(reply, 200, loginJson(login));
  });
}

function loginJson(login: Login): Record<string, string> {
  return {
    access_token: login.accessToken,
    refresh_token: login.refreshToken,
    user_id: login.userId,
    device_id: login.deviceId,
  };
}
