/** The secret that opens the admin API without a login. */

/** Characters; a token is made by a program, and has no slow hash to protect it from being guessed. */
export const SHORTEST_ADMIN_TOKEN = 32;

export function isAdminToken(text: string): boolean {
  return text.length >= SHORTEST_ADMIN_TOKEN && /^[\x21-\x7e]+$/.test(text);
}
