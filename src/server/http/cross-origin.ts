/** What lets pages of other origins ask the server (spec/app-services-http.md §1.3): tokens say who asks, not cookies. */
import type { FastifyReply, FastifyRequest } from 'fastify';

const USUAL_HEADERS = 'Authorization, Content-Type, Accept';
/** Names of headers, as many as a page can sensibly ask for. */
const HEADER_NAMES = /^[\w-]+(?:\s*,\s*[\w-]+){0,31}$/;
/** Seconds for which a browser may remember the answer to a preflight request. */
const MAX_AGE = 600;

const CROSS_ORIGIN = {
  'access-control-allow-origin': '*',
  'access-control-allow-headers': USUAL_HEADERS,
  'access-control-allow-methods': 'GET, POST, PUT, PATCH, DELETE, OPTIONS',
  'access-control-expose-headers': 'x-baas-location',
} as const;

/** For every answer, so that a page can read errors, too. */
export function allowOrigins(reply: FastifyReply): FastifyReply {
  return reply.headers(CROSS_ORIGIN);
}

/** Cookies of that origin are taken along, and set. */
export function allowCookies(reply: FastifyReply, origin: string): void {
  reply.headers({
    'access-control-allow-origin': origin,
    'access-control-allow-credentials': 'true',
    vary: 'Origin',
  });
}

/** What a browser asks before the request itself, of whatever address. */
export function answerPreflight(request: FastifyRequest, reply: FastifyReply): FastifyReply {
  const asked = request.headers['access-control-request-headers']?.trim();
  // SDKs add headers of their own; none of them means anything here that a page must not send.
  if (asked !== undefined && HEADER_NAMES.test(asked)) {
    reply.header('access-control-allow-headers', `${USUAL_HEADERS}, ${asked}`);
  }
  return reply.header('access-control-max-age', MAX_AGE).code(204).send();
}
