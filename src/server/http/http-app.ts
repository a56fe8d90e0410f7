/** The HTTP side of the server: the client API under its base path, errors, CORS and health. */
import Fastify, { type FastifyInstance } from 'fastify';
import type { Logger } from '../../log.ts';
import { AccountError } from '../accounts/account-error.ts';
import { FunctionError } from '../functions/function-error.ts';
import { ADMIN_BASE, type AdminRoutesContext, adminRoutes } from './admin-routes.ts';
import { apiKeyRoutes } from './api-key-routes.ts';
import { type AppRoutesContext, appRoutes } from './app-routes.ts';
import { allowCookies, allowOrigins, answerPreflight } from './cross-origin.ts';
import { sendError, sendJson } from './json-answer.ts';
import { permissionRoutes } from './permission-routes.ts';
import { arrivalRoutes } from './redirect-routes.ts';
import { userRoutes } from './user-routes.ts';

/** The base path of the client API, B in spec/app-services-http.md §1. */
export const API_BASE = '/api/client/v2.0';
/** Time for a whole request to arrive, in milliseconds. */
const REQUEST_TIMEOUT = 60_000;

export type HttpAppOptions = AppRoutesContext &
  AdminRoutesContext & {
    readonly logger: Logger;
    readonly bodyLimit: number;
    /** Proxies whose `X-Forwarded-For` is believed. */
    readonly trustedProxies: number;
  };

export function createHttpApp(options: HttpAppOptions): FastifyInstance {
  const { accounts, logger } = options;
  const app = Fastify({
    bodyLimit: options.bodyLimit,
    requestTimeout: REQUEST_TIMEOUT,
    forceCloseConnections: true,
    trustProxy: (_address: string, hop: number) => hop < options.trustedProxies,
    // Every route parses its own body: clients announce JSON on empty bodies too.
    exposeHeadRoutes: false,
    frameworkErrors: (error, _request, reply) => {
      // No hook runs for a request that has no readable address.
      sendError(allowOrigins(reply), statusOf(error), error.message, 'BadRequest');
    },
  });
  app.removeAllContentTypeParsers();
  app.addContentTypeParser('*', { parseAs: 'buffer' }, (_request, body, done) => done(null, body));

  app.addHook('onRequest', async (request, reply) => {
    allowOrigins(reply);
    const { origin } = request.headers;
    // Linking by redirect sets a cookie, which browsers take only from an answer to them by name.
    if (origin !== undefined && options.providers.returnsTo(origin)) allowCookies(reply, origin);
    if (request.method === 'OPTIONS') return answerPreflight(request, reply);
    return undefined;
  });

  app.setErrorHandler((error, request, reply) => {
    // What follows the path may be a token.
    const path = request.url.split('?', 1)[0] ?? '';
    if (error instanceof AccountError || error instanceof FunctionError) {
      if (error.cause !== undefined) {
        logger.warn('a request was refused', { method: request.method, path, error: error.cause });
      }
      if (error instanceof AccountError && error.retryAfter !== undefined)
        reply.header('retry-after', error.retryAfter);
      return sendError(reply, error.status, error.message, error.errorName);
    }
    const status = statusOf(error);
    if (status < 500) return sendError(reply, status, messageOf(error), 'BadRequest');
    logger.error('a request failed', { method: request.method, path, error });
    return sendError(reply, 500, 'internal server error', 'InternalServerError');
  });
  app.setNotFoundHandler((request, reply) => {
    const path = request.url.split('?', 1)[0] ?? '';
    return sendError(reply, 404, `${request.method} ${path} is not offered by this server`);
  });

  app.get('/health', (_request, reply) => sendJson(reply, 200, { status: 'ok' }));
  app.register(async (scope) => appRoutes(scope, options), { prefix: `${API_BASE}/app/:appId` });
  app.register(async (scope) => userRoutes(scope, accounts), { prefix: `${API_BASE}/auth` });
  app.register(async (scope) => apiKeyRoutes(scope, accounts, options.providers), {
    prefix: `${API_BASE}/auth/api_keys`,
  });
  app.register(async (scope) => arrivalRoutes(scope, options), { prefix: API_BASE });
  app.register(async (scope) => permissionRoutes(scope, accounts, options.permissions), {
    prefix: `${API_BASE}/auth/permissions`,
  });
  app.register(async (scope) => adminRoutes(scope, options), { prefix: ADMIN_BASE });
  return app;
}

/** The status that fastify gives to its own errors, such as a body over the limit. */
function statusOf(error: unknown): number {
  if (typeof error !== 'object' || error === null || !('statusCode' in error)) return 500;
  return typeof error.statusCode === 'number' ? error.statusCode : 500;
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : 'bad request';
}
