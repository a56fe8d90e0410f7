/** Users in the data directory of a server that does not run. */
import { AccountError } from '../../server/accounts/account-error.ts';
import type { Accounts, UserRecord } from '../../server/accounts/accounts.ts';
import { userJson } from '../../server/http/admin-user-routes.ts';
import { openOfflineAccounts } from '../../server/offline-accounts.ts';
import type { ServerOptions } from '../../server/server-options.ts';
import { PAGE, type ShownUser, type UserAdministration } from './administration.ts';

export function administerDirectory(options: ServerOptions): UserAdministration {
  const { accounts, close } = openOfflineAccounts(options);
  const existing = (user: string): UserRecord => existingUser(accounts, user);
  return {
    list: () => pages(accounts),
    find: async (user) => userJson(existing(user)),
    create: async (user) => userJson(await accounts.createUser(user)),
    change: async (user, change) => {
      const { id } = existing(user);
      await accounts.changeUser(id, change);
      return userJson(existing(id));
    },
    remove: async (user) => accounts.removeUser(existing(user).id),
    revoke: async (user) => accounts.revokeSessions(existing(user).id),
    close: async () => close(),
  };
}

async function* pages(accounts: Accounts): AsyncGenerator<readonly ShownUser[]> {
  let after = '';
  for (;;) {
    const page = accounts.listUsers({ after, limit: PAGE });
    if (page.length > 0) yield page.map(userJson);
    const last = page.at(-1);
    if (last === undefined || page.length < PAGE) return;
    after = last.id;
  }
}

function existingUser(accounts: Accounts, user: string): UserRecord {
  const found = accounts.findUser(user);
  if (found === undefined) throw new AccountError('UserNotFound', `there is no user ${user}`);
  return found;
}
