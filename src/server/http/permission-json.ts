/** How grants, offers and what is wrong with them look over HTTP. */
import type { FastifyInstance, FastifyRequest } from 'fastify';
import type { ZodType } from 'zod';
import { AccountError } from '../accounts/account-error.ts';
import { realmPath } from '../realms/realm-path.ts';
import { RealmPathError } from '../realms/realm-path-error.ts';
import { ALL_REALMS, type Grant, type Offer } from '../rules/grant.ts';
import { includesLevel } from '../rules/options.ts';
import type { Recipient } from '../rules/path-permissions.ts';
import { PermissionError, type PermissionFault } from '../rules/permission-error.ts';
import { sendError } from './json-answer.ts';

/** Status and `error_code` of each fault (spec/app-services-http.md §8.3). */
const ANSWERS: Readonly<Record<PermissionFault, readonly [status: number, errorCode: string]>> = {
  denied: [403, 'NoMatchingRuleFound'],
  invalid: [400, 'InvalidParameter'],
  'unknown-user': [404, 'UserNotFound'],
  'unknown-offer': [404, 'OfferNotFound'],
  'too-many': [400, 'BadRequest'],
};
/** Realms of partitions that are no strings (realms/realm-path.ts); no partition text leads to them. */
const VALUE_PARTITION = /^\/__partition\/(?:null|(?:int|objectId|uuid)\/[0-9a-f-]{1,36})$/;

export function answerPermissionErrors(app: FastifyInstance): void {
  app.setErrorHandler((error, _request, reply) => {
    if (error instanceof PermissionError) {
      const [status, errorCode] = ANSWERS[error.fault];
      return sendError(reply, status, error.message, errorCode);
    }
    if (error instanceof RealmPathError) return sendError(reply, 400, error.message, 'InvalidParameter');
    throw error;
  });
}

/**
 * The realm that a text names, as it would in BIND, so that the same realm is meant: `~` is the asking user's id, the
 * leading slash may be missing. `*` stands for all realms.
 */
export function realmOf(text: string, userId: string): string {
  if (text === ALL_REALMS || text === '/' || VALUE_PARTITION.test(text)) return text;
  return realmPath(JSON.stringify(text), userId);
}

export function recipientOf(body: {
  readonly userId?: string | undefined;
  readonly userName?: string | undefined;
}): Recipient {
  const { userId, userName } = body;
  if (userId !== undefined && userName === undefined) return { id: userId };
  if (userName !== undefined && userId === undefined) return { name: userName };
  throw new AccountError('InvalidParameter', 'exactly one of userId and userName must be given');
}

/**
 * Who granted a right to a name learns nothing about the user behind it; administrators, for whom `showsIds`, do.
 */
export function grantJson(grant: Grant, showsIds: boolean): Record<string, unknown> {
  const { subject, access } = grant;
  const name = subject.kind === 'name' ? subject.name : grant.name;
  const id = subject.kind === 'everybody' ? '*' : subject.kind === 'user' ? subject.id : undefined;
  return {
    path: grant.path,
    ...(name !== undefined && { userName: name }),
    ...(id !== undefined && (showsIds || name === undefined) && { userId: id }),
    access,
    mayRead: includesLevel(access, 'read'),
    mayWrite: includesLevel(access, 'write'),
    mayManage: includesLevel(access, 'manage'),
    ...(showsIds && { grantedBy: grant.grantedBy }),
    updatedAt: new Date(grant.updatedAt).toISOString(),
  };
}

export function offerJson(offer: Offer): Record<string, unknown> {
  return {
    id: offer.id,
    path: offer.path,
    access: offer.access,
    createdAt: new Date(offer.createdAt).toISOString(),
    ...(offer.expiresAt !== undefined && { expiresAt: new Date(offer.expiresAt).toISOString() }),
  };
}

/** The query of a request, checked. */
export function readQuery<T>(request: FastifyRequest, schema: ZodType<T>): T {
  const parsed = schema.safeParse(request.query);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  throw new AccountError(
    'InvalidParameter',
    `${issue?.path.join('.') || 'query'}: ${issue?.message ?? 'wrong'}`,
  );
}
