/** Rights to realms for administrators, below `/api/admin/v1/permissions`; whoever registers it guards it. */
import type { FastifyInstance } from 'fastify';
import { z } from 'zod';
import { AccountError } from '../accounts/account-error.ts';
import type { RuleUser } from '../rules/contract.ts';
import { type GrantPosition, positionOf } from '../rules/grant.ts';
import type { GrantFilter } from '../rules/grant-store.ts';
import type { PathPermissions } from '../rules/path-permissions.ts';
import { sendJson } from './json-answer.ts';
import { answerPermissionErrors, grantJson, readQuery, realmOf } from './permission-json.ts';
import { grantRoutes } from './permission-routes.ts';

const DEFAULT_PAGE = 100;
const LARGEST_PAGE = 500;

/** Who holds the admin token is no user; what is granted in that name stands for the administration. */
const ADMINISTRATION: RuleUser = { id: '', isAdmin: true, customData: {}, data: {}, identities: [] };

const query = z.object({
  path: z.string().min(1).optional(),
  userId: z.string().min(1).optional(),
  grantedBy: z.string().optional(),
  after: z.string().optional(),
  limit: z.coerce.number().int().min(1).max(LARGEST_PAGE).default(DEFAULT_PAGE),
});
const cursor = z.tuple([z.string(), z.string(), z.string()]);

export function adminPermissionRoutes(app: FastifyInstance, permissions: PathPermissions): void {
  answerPermissionErrors(app);
  grantRoutes(app, permissions, () => ADMINISTRATION, true);

  app.get('/', (request, reply) => {
    const asked = readQuery(request, query);
    const grants = permissions.page(filterOf(asked), asked.limit, positionFrom(asked.after));
    const last = grants.length === asked.limit ? grants.at(-1) : undefined;
    sendJson(reply, 200, {
      permissions: grants.map((grant) => grantJson(grant, true)),
      ...(last && { next: Buffer.from(JSON.stringify(positionOf(last))).toString('base64url') }),
    });
  });
}

function filterOf(asked: z.infer<typeof query>): GrantFilter {
  if (asked.path !== undefined) return { kind: 'path', path: realmOf(asked.path, ADMINISTRATION.id) };
  if (asked.userId !== undefined) return { kind: 'subject', userId: asked.userId };
  if (asked.grantedBy !== undefined) return { kind: 'grantor', userId: asked.grantedBy };
  return { kind: 'all' };
}

function positionFrom(after: string | undefined): GrantPosition | undefined {
  if (after === undefined) return undefined;
  try {
    return cursor.parse(JSON.parse(Buffer.from(after, 'base64url').toString()));
  } catch {
    throw new AccountError('InvalidParameter', 'after: not what `next` of an earlier answer said');
  }
}
