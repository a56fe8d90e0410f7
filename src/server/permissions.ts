/**
 * Who may do what with a realm, as a function of the configuration says it. It is asked when a session is bound, and
 * again when rights change:
 *
 * - `none`: the realm cannot be opened (protocol error 206).
 * - `read`: changes come down, none go up. Uploading a schema that the realm has already is no change.
 * - `write`: changes go both ways. Adding classes and properties is part of writing: the change is additive, an app
 *   needs it whenever it is updated, and in partition-based sync there is no other way to bring a schema in.
 * - `manage`: the same, and rights to the realm can be given to others (rules/path-permissions.ts).
 *
 * System realms are not up to the function: only administrators open them. Neither is the realm of flexible sync, which
 * opens as a whole only to those to whom that very path was granted (rules/path-permissions.ts).
 */
import type { User } from './accounts/accounts.ts';
import type { PathLevel } from './rules/options.ts';

/** What matters to a session. */
export type RealmAccess = 'none' | 'read' | 'write';
export type Permissions = (user: User, path: string) => PathLevel | Promise<PathLevel>;

/** What a session may do: the level that was given, as far as it matters to one. */
export async function realmAccess(
  permissions: { access(user: User, path: string): Promise<PathLevel> },
  user: User,
  path: string,
): Promise<RealmAccess> {
  const level = await permissions.access(user, path);
  return level === 'manage' ? 'write' : level;
}
