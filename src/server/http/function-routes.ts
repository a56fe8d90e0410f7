/** Functions that apps call, and registrations for messages (spec/app-services-http.md §2, §7). */
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { z } from 'zod';
import { AccountError } from '../accounts/account-error.ts';
import type { Accounts, User } from '../accounts/accounts.ts';
import { settleInTime } from '../accounts/outside-calls.ts';
import type { AppFunctions } from '../functions/app-functions.ts';
import { argumentsFrom } from '../functions/extended-json.ts';
import { FunctionError } from '../functions/function-error.ts';
import type { PushService, PushServices } from '../functions/push-service.ts';
import { bearerToken, readBody } from './json-answer.ts';
import { readQuery } from './permission-json.ts';

/** Real ones are below 300 characters. */
const LONGEST_PUSH_TOKEN = 4_096;

const call = z.object({
  name: z.string(),
  arguments: z.array(z.unknown()).default([]),
  service: z.string().nullish(),
});
const streamQuery = z.object({ baas_request: z.string(), baas_at: z.string().optional() });
const streamRequest = z.object({ service: z.string().nullish() });
const registration = z.object({ registrationToken: z.string().min(1).max(LONGEST_PUSH_TOKEN) });

type ServiceParams = { Params: { service: string } };

export type FunctionRoutesContext = {
  readonly accounts: Accounts;
  readonly functions: AppFunctions;
  readonly pushServices: PushServices;
  /** Largest body of a call, in bytes. */
  readonly callLimit: number;
};

/** Below the app's path. */
export function functionRoutes(app: FastifyInstance, context: FunctionRoutesContext): void {
  const { accounts, functions, pushServices, callLimit } = context;
  const caller = async (request: FastifyRequest): Promise<User> =>
    (await accounts.access(bearerToken(request))).user;

  app.post('/functions/call', { bodyLimit: callLimit }, async (request, reply) => {
    const user = await caller(request);
    const body = readBody(request, call);
    if (typeof body.service === 'string' && body.service !== '') throw unknownService(body.service);
    const result = await functions.call(body.name, nativeArguments(body.arguments), {
      user,
      remoteAddress: request.ip,
      headers: withoutCredentials(request),
    });
    return sendResult(reply, result);
  });

  app.get('/functions/call', async (request, reply) => {
    const query = readQuery(request, streamQuery);
    await accounts.access(query.baas_at ?? bearerToken(request));
    const { service } = streamed(query.baas_request);
    const { errorName, message } = unknownService(service ?? '');
    // Clients read the reason from an event; the status of a stream that was refused tells them nothing.
    const data = JSON.stringify({ error_code: errorName, error: message }).replaceAll('%', '%25');
    return reply
      .header('content-type', 'text/event-stream')
      .header('cache-control', 'no-store')
      .send(`event: error\ndata: ${data}\n\n`);
  });

  app.put<ServiceParams>('/push/providers/:service/registration', async (request, reply) => {
    const user = await caller(request);
    const service = pushService(pushServices, request.params.service);
    const { registrationToken } = readBody(request, registration);
    await settleInTime('registering for messages', async () => service.register(user, registrationToken));
    return reply.code(204).send();
  });

  app.delete<ServiceParams>('/push/providers/:service/registration', async (request, reply) => {
    const user = await caller(request);
    const service = pushService(pushServices, request.params.service);
    await settleInTime('ending messages', async () => service.deregister(user));
    return reply.code(204).send();
  });
}

/**
 * Under exactly `application/json`, native clients would take a result that has a field `error` for an error
 * (spec/app-services-http.md §1.3); a parameter of the type keeps them from it.
 */
function sendResult(reply: FastifyReply, text: string): FastifyReply {
  return reply.code(200).header('content-type', 'application/json; charset=utf-8').send(Buffer.from(text));
}

function nativeArguments(sent: readonly unknown[]): readonly unknown[] {
  try {
    return argumentsFrom(sent);
  } catch (cause) {
    throw new AccountError('BadRequest', 'the arguments are no Extended JSON', { cause });
  }
}

function withoutCredentials({ headers }: FastifyRequest): FastifyRequest['headers'] {
  const { authorization: _, cookie: __, ...rest } = headers;
  return rest;
}

function streamed(base64: string): z.infer<typeof streamRequest> {
  try {
    return streamRequest.parse(JSON.parse(Buffer.from(base64, 'base64').toString('utf8')));
  } catch {
    throw new AccountError('BadRequest', 'baas_request: not the base64 of a request');
  }
}

function pushService(services: PushServices, name: string): PushService {
  const found = Object.hasOwn(services, name) ? services[name] : undefined;
  if (found === undefined) throw unknownService(name);
  return found;
}

function unknownService(name: string): FunctionError {
  return new FunctionError('ServiceNotFound', `service not found: '${name.slice(0, LONGEST_PUSH_TOKEN)}'`);
}
