/** The providers that are switched on: what each wants in a login body, and whom it proves (spec/app-services-http.md §4.1). */
import type { FastifyRequest } from 'fastify';
import { z } from 'zod';
import { AccountError } from '../accounts/account-error.ts';
import type { Accounts } from '../accounts/accounts.ts';
import type {
  AuthenticationOptions,
  CustomFunction,
  CustomTokenOptions,
  FacebookOptions,
  OpenIdOptions,
} from '../accounts/authentication-options.ts';
import { USERPASS } from '../accounts/identity-table.ts';
import { settleInTime } from '../accounts/outside-calls.ts';
import type { Proof } from '../accounts/proof.ts';
import { CustomTokens } from '../accounts/providers/custom-token.ts';
import { askOutside } from '../accounts/providers/external-user.ts';
import { APPLE, GOOGLE, type OpenIdDefaults, OpenIdProvider } from '../accounts/providers/open-id.ts';
import { deviceIdField } from './device-id.ts';
import { nativeValues, readBody } from './json-answer.ts';

export type LoginAttempt = {
  readonly deviceId: string | undefined;
  /** What would be guessed at, where it has a name. */
  readonly account?: string;
  readonly prove: () => Promise<Proof>;
};

type Provider = (request: FastifyRequest) => LoginAttempt;

const device = z.object({ device: z.object({ deviceId: deviceIdField }).optional() }).optional();
const anyBody = z.object({ options: device });
const passwordBody = anyBody.extend({ username: z.string(), password: z.string() });
const keyBody = anyBody.extend({ key: z.string() });
const tokenBody = anyBody.extend({ token: z.string() });
const openIdBody = anyBody.extend({ id_token: z.string().optional(), authCode: z.string().optional() });
const facebookBody = anyBody.extend({ accessToken: z.string() });
const payloadBody = z.record(z.string(), z.unknown());

export class LoginProviders {
  readonly #providers = new Map<string, Provider>();
  readonly #openId = new Map<string, OpenIdProvider>();
  /** Administrators, and connectors in their name, log in with a password whatever is switched off for users. */
  readonly #administrators: Provider | undefined;

  /** `now` gives seconds since 1970. */
  constructor(options: AuthenticationOptions, accounts: Accounts, now: () => number) {
    const providers = this.#providers;
    if (options.anonymous !== false) providers.set('anon-user', anonymous);
    if (options.emailPassword !== false) providers.set(USERPASS, password(accounts));
    else this.#administrators = password(accounts, (name) => accounts.userByName(name)?.isAdmin === true);
    if (options.apiKey) providers.set('api-key', apiKey(accounts));
    if (options.customToken !== undefined)
      providers.set('custom-token', customToken(options.customToken, now));
    if (options.customFunction !== undefined) {
      providers.set('custom-function', customFunction(options.customFunction));
    }
    if (options.facebook !== undefined) providers.set('oauth2-facebook', facebook(options.facebook));
    if (options.google !== undefined) this.#addOpenId(GOOGLE, options.google, now);
    if (options.apple !== undefined) this.#addOpenId(APPLE, options.apple, now);
  }

  /** Throws AuthProviderNotFound for one that is not switched on, and for a body that is none of its. */
  attempt(name: string, request: FastifyRequest): LoginAttempt {
    const provider = this.#providers.get(name) ?? (name === USERPASS ? this.#administrators : undefined);
    if (provider === undefined) throw notFound(name);
    return provider(request);
  }

  require(name: string): void {
    if (!this.#providers.has(name)) throw notFound(name);
  }

  /** The provider of logins by redirect. */
  openId(name: string): OpenIdProvider {
    this.require(name);
    const provider = this.#openId.get(name);
    if (provider === undefined) throw new AccountError('BadRequest', `${name} does not log in by redirect`);
    return provider;
  }

  /** Whether pages of that origin may begin a login by redirect. */
  returnsTo(origin: string): boolean {
    for (const { options } of this.#openId.values()) {
      if (options.redirectUris?.some((uri) => new URL(uri).origin === origin)) return true;
    }
    return false;
  }

  #addOpenId(defaults: OpenIdDefaults, options: OpenIdOptions, now: () => number): void {
    const provider = new OpenIdProvider(defaults, options, now);
    this.#openId.set(defaults.provider, provider);
    this.#providers.set(defaults.provider, openId(provider));
  }
}

const anonymous: Provider = (request) => ({
  deviceId: deviceOf(readBody(request, anyBody)),
  prove: async () => ({ kind: 'anonymous' }),
});

function password(accounts: Accounts, mayLogIn: (name: string) => boolean = () => true): Provider {
  return (request) => {
    const body = readBody(request, passwordBody);
    if (!mayLogIn(body.username)) throw notFound(USERPASS);
    return {
      deviceId: deviceOf(body),
      account: body.username.trim().toLowerCase(),
      prove: () => accounts.email.verify(body.username, body.password),
    };
  };
}

function apiKey(accounts: Accounts): Provider {
  return (request) => {
    const body = readBody(request, keyBody);
    return { deviceId: deviceOf(body), prove: async () => accounts.apiKeys.verify(body.key) };
  };
}

function customToken(
  options: CustomTokenOptions | readonly CustomTokenOptions[],
  now: () => number,
): Provider {
  const tokens = new CustomTokens('algorithm' in options ? [options] : options, now);
  return (request) => {
    const body = readBody(request, tokenBody);
    return { deviceId: deviceOf(body), prove: () => tokens.verify(body.token) };
  };
}

function customFunction(authenticate: CustomFunction): Provider {
  return (request) => {
    const { options, ...own } = readBody(request, payloadBody);
    const sent = anyBody.safeParse({ options });
    const isDevice = sent.success && sent.data.options?.device !== undefined;
    const payload = payloadBody.safeParse(
      nativeValues(isDevice || options === undefined ? own : { ...own, options }),
    );
    if (!payload.success) throw new AccountError('BadRequest', 'the payload is no document');
    const context = { remoteAddress: request.ip, headers: request.headers };
    return {
      deviceId: sent.success ? deviceOf(sent.data) : undefined,
      prove: () =>
        askOutside('custom-function', () =>
          settleInTime('the function that logs users in', async () => authenticate(payload.data, context)),
        ),
    };
  };
}

function openId(provider: OpenIdProvider): Provider {
  return (request) => {
    const body = readBody(request, openIdBody);
    return {
      deviceId: deviceOf(body),
      prove: () => {
        if (body.id_token !== undefined) return provider.verify(body.id_token);
        if (body.authCode !== undefined) {
          return provider.exchange(body.authCode, provider.options.authCodeRedirectUri ?? '');
        }
        throw new AccountError('MissingParameter', 'id_token: neither an id_token nor an authCode was sent');
      },
    };
  };
}

function facebook({ verify }: FacebookOptions): Provider {
  return (request) => {
    const body = readBody(request, facebookBody);
    return {
      deviceId: deviceOf(body),
      prove: () =>
        askOutside('oauth2-facebook', () =>
          settleInTime('the function that checks access tokens', async () => verify(body.accessToken)),
        ),
    };
  };
}

function deviceOf(body: z.infer<typeof anyBody>): string | undefined {
  return body.options?.device?.deviceId;
}

function notFound(name: string): AccountError {
  return new AccountError('AuthProviderNotFound', `auth provider not found: ${name}`);
}
