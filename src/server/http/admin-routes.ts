/** The admin API, below `/api/admin/v1` (docs/admin-api.md). */
import type { FastifyInstance } from 'fastify';
import type { Logger } from '../../log.ts';
import type { Accounts } from '../accounts/accounts.ts';
import type { PathPermissions } from '../rules/path-permissions.ts';
import { requireAdministrator } from './admin-access.ts';
import { adminKeyRoutes } from './admin-key-routes.ts';
import { adminPermissionRoutes } from './admin-permission-routes.ts';
import { adminUserRoutes } from './admin-user-routes.ts';
import { sendJson } from './json-answer.ts';

export const ADMIN_BASE = '/api/admin/v1';

/** What administrators are told about the running server. */
export type ServerInfo = {
  readonly version: string;
  readonly appId: string;
  readonly url: string;
  readonly realms: number;
  /** Sync connections that are open. */
  readonly connections: number;
};

export type AdminRoutesContext = {
  readonly accounts: Accounts;
  readonly permissions: PathPermissions;
  /** Each of them opens the API. */
  readonly adminTokens: readonly string[];
  readonly logger: Logger;
  readonly info: () => ServerInfo;
};

export function adminRoutes(app: FastifyInstance, context: AdminRoutesContext): void {
  const { accounts, permissions, adminTokens, logger, info } = context;
  requireAdministrator(app, accounts, adminTokens, logger);
  app.get('/info', (_request, reply) => sendJson(reply, 200, info()));
  app.register(async (scope) => adminUserRoutes(scope, accounts), { prefix: '/users' });
  app.register(async (scope) => adminKeyRoutes(scope, accounts), { prefix: '/api_keys' });
  app.register(async (scope) => adminPermissionRoutes(scope, permissions), { prefix: '/permissions' });
}
