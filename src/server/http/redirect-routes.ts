/** Logging in by redirect over HTTP (spec/app-services-http.md §4.5). */
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { z } from 'zod';
import { AccountError } from '../accounts/account-error.ts';
import type { Accounts, Login } from '../accounts/accounts.ts';
import type { LoginThrottle } from '../accounts/login-throttle.ts';
import type { Journey, RedirectLogins } from '../accounts/redirect-logins.ts';
import { deviceIdField } from './device-id.ts';
import { bearerToken } from './json-answer.ts';
import type { LoginProviders } from './login-providers.ts';
import { readQuery } from './permission-json.ts';
import type { PublicAddress } from './public-address.ts';

export type RedirectRoutesContext = {
  readonly appId: string;
  readonly accounts: Accounts;
  readonly address: PublicAddress;
  readonly providers: LoginProviders;
  readonly redirects: RedirectLogins;
  readonly throttle: LoginThrottle;
};

/** Whole, because the provider is told it: {@link arrivalRoutes} stand below `/api/client/v2.0`. */
const CALLBACK_PATH = '/api/client/v2.0/auth/callback';
const COOKIE = 'isthmus_login';

const departure = z.object({
  state: z.string().min(1).max(512),
  redirect: z.string().max(2_048),
  device: z.string().max(4_096).optional(),
  link: z.string().optional(),
  providerRedirectHeader: z.string().optional(),
});
const arrival = z.object({
  state: z.string().max(512),
  code: z.string().max(4_096).optional(),
  error: z.string().max(512).optional(),
});
const deviceInfo = z.object({ deviceId: deviceIdField });

/** `P/login` as a page asks for it, below the app's path. */
export function departureRoute(app: FastifyInstance, context: RedirectRoutesContext): void {
  const { accounts, address, providers, redirects } = context;
  app.get<{ Params: { provider: string } }>('/auth/providers/:provider/login', async (request, reply) => {
    const provider = providers.openId(request.params.provider);
    const asked = readQuery(request, departure);
    const linkTo = asked.link === 'true' ? bearerToken(request) : undefined;
    if (linkTo !== undefined) await accounts.access(linkTo);
    const { url, cookie } = redirects.depart(provider, callbackUrl(address, request), {
      redirect: asked.redirect,
      clientState: asked.state,
      deviceId: deviceIdOf(asked.device),
      linkTo,
    });
    if (linkTo !== undefined)
      reply.header('set-cookie', cookieOf(cookie, address.http(request.headers.host)));
    return asked.providerRedirectHeader === 'true'
      ? reply.code(200).header('x-baas-location', url).send()
      : reply.redirect(url, 302);
  });
}

/** Where the provider sends browsers back to, below the API's base path. */
export function arrivalRoutes(app: FastifyInstance, context: RedirectRoutesContext): void {
  app.get('/auth/callback', (request, reply) => arrive(context, request, reply, request.query));
  app.post('/auth/callback', (request, reply) => {
    const form = Buffer.isBuffer(request.body) ? request.body.toString('utf8') : '';
    return arrive(context, request, reply, Object.fromEntries(new URLSearchParams(form)));
  });
}

async function arrive(
  context: RedirectRoutesContext,
  request: FastifyRequest,
  reply: FastifyReply,
  query: unknown,
): Promise<FastifyReply> {
  const brought = arrival.safeParse(query);
  if (!brought.success) throw new AccountError('BadRequest', 'the login provider sent no state');
  const journey = context.redirects.arrive(brought.data.state, cookieIn(request.headers.cookie));
  const said: Record<string, string> = {
    _baas_client_app_id: context.appId,
    _baas_state: journey.clientState,
  };
  try {
    if (brought.data.code === undefined) {
      throw new AccountError('AuthError', brought.data.error ?? 'the login provider sent no code');
    }
    const login = await finish(context, request, journey, brought.data.code);
    said._baas_ua = [login.accessToken, login.refreshToken, login.userId, login.deviceId].join('$');
    if (journey.link !== undefined) said._baas_link = 'ok';
  } catch (error) {
    if (!(error instanceof AccountError)) throw error;
    said._baas_error = error.message;
  }
  const fragment = Object.entries(said).map(([name, value]) => `${name}=${encodeURIComponent(value)}`);
  return reply
    .header('cache-control', 'no-store')
    .header('referrer-policy', 'no-referrer')
    .redirect(`${journey.redirect}#${fragment.join('&')}`, 302);
}

async function finish(
  { accounts, address, throttle }: RedirectRoutesContext,
  request: FastifyRequest,
  journey: Journey,
  code: string,
): Promise<Login> {
  const proof = await throttle.guard({ address: request.ip }, () =>
    journey.provider.exchange(code, callbackUrl(address, request), journey.nonce),
  );
  return journey.link === undefined
    ? accounts.logIn(proof, journey.deviceId)
    : accounts.link(journey.link.accessToken, proof, journey.deviceId);
}

function callbackUrl(address: PublicAddress, request: FastifyRequest): string {
  return `${address.http(request.headers.host)}${CALLBACK_PATH}`;
}

/** Base64 of the JSON of the device; one that cannot be read is a new device. */
function deviceIdOf(text: string | undefined): string | undefined {
  if (text === undefined) return undefined;
  try {
    return deviceInfo.parse(JSON.parse(Buffer.from(text, 'base64').toString('utf8'))).deviceId;
  } catch {
    return undefined;
  }
}

/** Over TLS it must come along with a form that another site posts, as Apple's does. */
function cookieOf(value: string, publicUrl: string): string {
  const reach = publicUrl.startsWith('https:') ? 'SameSite=None; Secure' : 'SameSite=Lax';
  return `${COOKIE}=${value}; Path=${CALLBACK_PATH}; HttpOnly; Max-Age=600; ${reach}`;
}

function cookieIn(header: string | undefined): string | undefined {
  const parts = (header ?? '').split(';').map((part) => part.trim());
  return parts.find((part) => part.startsWith(`${COOKIE}=`))?.slice(COOKIE.length + 1);
}
