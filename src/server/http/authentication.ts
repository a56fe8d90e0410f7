/** What logging in over HTTP needs besides the accounts themselves. */
import type { Accounts } from '../accounts/accounts.ts';
import type { AuthenticationOptions } from '../accounts/authentication-options.ts';
import { LoginThrottle } from '../accounts/login-throttle.ts';
import { RedirectLogins } from '../accounts/redirect-logins.ts';
import type { ServerLimits } from '../limits.ts';
import { LoginProviders } from './login-providers.ts';

export type Authentication = {
  readonly providers: LoginProviders;
  readonly redirects: RedirectLogins;
  readonly throttle: LoginThrottle;
};

/** `now` gives milliseconds since 1970. */
export function openAuthentication(
  options: AuthenticationOptions,
  accounts: Accounts,
  limits: ServerLimits,
  now: () => number,
): Authentication {
  return {
    providers: new LoginProviders(options, accounts, () => Math.floor(now() / 1_000)),
    redirects: new RedirectLogins(now),
    throttle: new LoginThrottle(limits, now),
  };
}
