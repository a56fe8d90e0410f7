/**
 * Who may do what with a realm. It is asked when a session is bound, and again when rights change:
 *
 * - `none`: the realm cannot be opened (protocol error 206).
 * - `read`: changes come down, none go up. Uploading a schema that the realm has already is no change.
 * - `write`: changes go both ways. Adding classes and properties is part of writing: the change is additive, an app
 *   needs it whenever it is updated, and in partition-based sync there is no other way to bring a schema in.
 * - `manage`: the same, and rights to the realm can be given to others (rules/path-permissions.ts).
 *
 * System realms are not up to the function: only administrators open them.
 */
import type { User } from './accounts/accounts.ts';
import { isSystemPath } from './realms/realm-path.ts';
import type { PathLevel } from './rules/options.ts';

/** What matters to a session. */
export type RealmAccess = 'none' | 'read' | 'write';
export type Permissions = (user: User, path: string) => PathLevel | Promise<PathLevel>;

/** Users have what is below `/<their id>`, and nothing else. */
export const ownRealmsOnly: Permissions = (user, path) =>
  path === `/${user.id}` || path.startsWith(`/${user.id}/`) ? 'manage' : 'none';

/** For development: everybody who is logged in writes everywhere. */
export const everybodyWrites: Permissions = () => 'write';

/** Asks `permissions` about ordinary users; administrators may do everything. */
export async function realmAccess(permissions: Permissions, user: User, path: string): Promise<RealmAccess> {
  if (user.isAdmin) return 'write';
  if (isSystemPath(path)) return 'none';
  const level = await permissions(user, path);
  return level === 'manage' ? 'write' : level;
}
