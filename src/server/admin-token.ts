/** The secret that opens the admin API without a login. */
import { ServerStartError } from './server-start-error.ts';

/** Characters; a token is made by a program, and has no slow hash to protect it from being guessed. */
export const SHORTEST_ADMIN_TOKEN = 32;

export function isAdminToken(text: string): boolean {
  return text.length >= SHORTEST_ADMIN_TOKEN && /^[\x21-\x7e]+$/.test(text);
}

/** What is configured, or else `ISTHMUS_ADMIN_TOKEN`. Throws a `ServerStartError` when it is too easy to guess. */
export function configuredAdminToken(
  configured: string | undefined,
  environment: Readonly<Record<string, string | undefined>>,
): string | undefined {
  const token = configured ?? (environment.ISTHMUS_ADMIN_TOKEN || undefined);
  if (token === undefined || isAdminToken(token)) return token;
  throw new ServerStartError('the admin token is no good one', {
    remedy: `choose at least ${SHORTEST_ADMIN_TOKEN} printable characters without spaces, such as \`openssl rand -hex 32\` gives`,
  });
}
