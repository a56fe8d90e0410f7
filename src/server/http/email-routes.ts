/** Registration, confirmation and reset of those who log in with a password (spec/app-services-http.md §2, §8.4). */
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { z } from 'zod';
import type { EmailAccounts } from '../accounts/email-accounts.ts';
import type { LoginThrottle } from '../accounts/login-throttle.ts';
import { nativeValues, readBody, sendJson } from './json-answer.ts';
import type { LoginProviders } from './login-providers.ts';

const registration = z.object({ email: z.string(), password: z.string() });
const named = z.object({ email: z.string() });
const confirmation = z.object({ token: z.string(), tokenId: z.string() });
const reset = confirmation.extend({ password: z.string() });
const resetCall = registration.extend({ arguments: z.array(z.unknown()).default([]) });

export type EmailRoutesContext = {
  readonly email: EmailAccounts;
  readonly providers: LoginProviders;
  readonly throttle: LoginThrottle;
};

/** Below `A/auth/providers/local-userpass`. */
export function emailRoutes(app: FastifyInstance, { email, providers, throttle }: EmailRoutesContext): void {
  app.addHook('preHandler', async () => providers.require('local-userpass'));

  /** What sends mail, or calls into the configuration, must not be had without end. */
  const rarely = (request: FastifyRequest, name: string, work: () => Promise<void>): Promise<void> =>
    throttle.guard(
      { address: `mail ${request.ip}`, account: `mail ${name.trim().toLowerCase()}` },
      work,
      'everything',
    );

  app.post('/register', async (request, reply) => {
    const body = readBody(request, registration);
    await throttle.guard({ address: request.ip }, () => email.register(body.email, body.password));
    return sendJson(reply, 201, {});
  });

  app.post('/confirm', async (request, reply) => {
    const token = readBody(request, confirmation);
    await throttle.guard({ address: request.ip }, async () => email.confirm(token));
    return sendJson(reply, 200, {});
  });

  for (const route of ['/confirm/send', '/confirm/call']) {
    app.post(route, async (request, reply) => {
      const { email: name } = readBody(request, named);
      await rarely(request, name, () => email.repeatConfirmation(name));
      return sendJson(reply, 200, {});
    });
  }

  app.post('/reset', async (request, reply) => {
    const { password, ...token } = readBody(request, reset);
    await throttle.guard({ address: request.ip }, () => email.reset(token, password));
    return sendJson(reply, 200, {});
  });

  app.post('/reset/send', async (request, reply) => {
    const { email: name } = readBody(request, named);
    await rarely(request, name, () => email.sendReset(name));
    return sendJson(reply, 200, {});
  });

  app.post('/reset/call', async (request, reply) => {
    const body = readBody(request, resetCall);
    const values = z.array(z.unknown()).parse(nativeValues(body.arguments));
    await rarely(request, body.email, () => email.callReset(body.email, body.password, values));
    return sendJson(reply, 200, {});
  });
}
