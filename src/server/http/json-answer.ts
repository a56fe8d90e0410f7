/** Answers and request bodies in the form that every SDK accepts (spec/app-services-http.md §1.3). */
import { EJSON } from 'bson';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { ZodType } from 'zod';
import { AccountError } from '../accounts/account-error.ts';

/**
 * Answers with JSON under exactly `application/json`: clients read an error body under no other type, and fastify
 * would add a charset to a text.
 */
export function sendJson(reply: FastifyReply, status: number, body: unknown): FastifyReply {
  return reply
    .code(status)
    .header('content-type', 'application/json')
    .send(Buffer.from(JSON.stringify(body)));
}

/** An error body (spec/app-services-http.md §8.1). Without a name clients know, `errorCode` is left out. */
export function sendError(
  reply: FastifyReply,
  status: number,
  message: string,
  errorCode?: string,
): FastifyReply {
  return sendJson(reply, status, {
    error: message,
    ...(errorCode !== undefined && { error_code: errorCode }),
  });
}

/** The request's JSON body, checked. An empty body reads as an empty object. */
export function readBody<T>(request: FastifyRequest, schema: ZodType<T>): T {
  const body = parseJson(request.body);
  const parsed = schema.safeParse(body, { reportInput: true });
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  const missing = issue?.code === 'invalid_type' && issue.input === undefined;
  const name = issue?.path.join('.') || 'body';
  throw new AccountError(
    missing ? 'MissingParameter' : 'InvalidParameter',
    `${name}: ${issue?.message ?? 'not as expected'}`,
  );
}

function parseJson(body: unknown): unknown {
  if (!Buffer.isBuffer(body) || body.length === 0) return {};
  try {
    return JSON.parse(body.toString('utf8'));
  } catch {
    throw new AccountError('BadRequest', 'the body is not JSON');
  }
}

/** What SDKs wrote as Extended JSON, canonical or relaxed, as native values (spec/app-services-http.md §4.1, §7.1). */
export function nativeValues(sent: object): unknown {
  try {
    return EJSON.deserialize(sent, { relaxed: true });
  } catch (cause) {
    throw new AccountError('BadRequest', 'the body is no Extended JSON', { cause });
  }
}

/** The token of `Authorization: Bearer <token>`; absent is an invalid session (spec/app-services-http.md §8.4). */
export function bearerToken(request: FastifyRequest): string {
  const match = /^Bearer ([^\s]+)$/i.exec(request.headers.authorization ?? '');
  if (match?.[1] === undefined)
    throw new AccountError('InvalidSession', 'no token in the Authorization header');
  return match[1];
}
