/**
 * Logging in by redirect (spec/app-services-http.md §4.5): a browser is sent to the provider and comes back with a
 * code. Between the two the server remembers who set out, where they want to return to, and what they want.
 */
import { randomBytes } from 'node:crypto';
import { AccountError } from './account-error.ts';
import type { OpenIdProvider } from './providers/open-id.ts';
import { hashOf, matchesHash } from './secret-hash.ts';

/** Milliseconds that somebody may take to log in at the provider. */
const LIFETIME = 10 * 60_000;
/** On their way at the same time; the oldest is forgotten for the next. */
const MAX_JOURNEYS = 10_000;
const SECRET_BYTES = 32;

export type Journey = {
  readonly provider: OpenIdProvider;
  /** The page that asked, and the text by which it knows its own question. */
  readonly redirect: string;
  readonly clientState: string;
  readonly deviceId: string | undefined;
  readonly nonce: string;
  /** Somebody who is logged in and wants one more identity, and the hash of the cookie of their browser. */
  readonly link: { readonly accessToken: string; readonly cookieHash: Uint8Array } | undefined;
};

export type Departure = {
  /** Where the browser must go. */
  readonly url: string;
  /** What it must bring back when it links an identity. */
  readonly cookie: string;
};

export class RedirectLogins {
  readonly #now: () => number;
  readonly #journeys = new Map<string, { readonly journey: Journey; readonly until: number }>();

  /** `now` gives milliseconds. */
  constructor(now: () => number) {
    this.#now = now;
  }

  /** Throws InvalidParameter when the configuration does not list the page to return to. */
  depart(
    provider: OpenIdProvider,
    callbackUrl: string,
    wish: {
      readonly redirect: string;
      readonly clientState: string;
      readonly deviceId: string | undefined;
      readonly linkTo: string | undefined;
    },
  ): Departure {
    const { options, defaults } = provider;
    if (options.clientSecret === undefined || options.redirectUris === undefined) {
      throw new AccountError(
        'BadRequest',
        `${defaults.provider} does not log in by redirect here: no client secret or no redirect address is configured`,
      );
    }
    if (!options.redirectUris.includes(wish.redirect)) {
      throw new AccountError('InvalidParameter', 'redirect: an address that is not configured');
    }
    const state = randomBytes(SECRET_BYTES).toString('base64url');
    const nonce = randomBytes(SECRET_BYTES).toString('base64url');
    const cookie = randomBytes(SECRET_BYTES).toString('base64url');
    this.#remember(state, {
      provider,
      redirect: wish.redirect,
      clientState: wish.clientState,
      deviceId: wish.deviceId,
      nonce,
      link: wish.linkTo === undefined ? undefined : { accessToken: wish.linkTo, cookieHash: hashOf(cookie) },
    });
    const url = new URL(options.authorizationUrl ?? defaults.authorizationUrl);
    const query = {
      response_type: 'code',
      response_mode: defaults.responseMode,
      client_id: options.clientIds[0] ?? '',
      redirect_uri: callbackUrl,
      scope: defaults.scope,
      state,
      nonce,
    };
    for (const [name, value] of Object.entries(query)) url.searchParams.set(name, value);
    return { url: url.href, cookie };
  }

  /** Who comes back with that state, once. Throws BadRequest, for then there is no page to return to. */
  arrive(state: string, cookie: string | undefined): Journey {
    const found = this.#journeys.get(state);
    this.#journeys.delete(state);
    if (found === undefined || found.until <= this.#now()) {
      throw new AccountError('BadRequest', 'this login was not begun here, or took too long: begin again');
    }
    const { link } = found.journey;
    if (link !== undefined && (cookie === undefined || !matchesHash(cookie, link.cookieHash))) {
      throw new AccountError('BadRequest', 'this login was begun in another browser');
    }
    return found.journey;
  }

  #remember(state: string, journey: Journey): void {
    const now = this.#now();
    for (const [old, { until }] of this.#journeys) {
      if (until > now && this.#journeys.size < MAX_JOURNEYS) break;
      this.#journeys.delete(old);
    }
    this.#journeys.set(state, { journey, until: now + LIFETIME });
  }
}
