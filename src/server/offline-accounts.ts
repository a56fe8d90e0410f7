/** The users of a server that does not run, for administration beside it. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { lockServerStore } from '../store/server/open.ts';
import { AccountStore } from './accounts/account-store.ts';
import { Accounts } from './accounts/accounts.ts';
import { PasswordHasher } from './accounts/password-hasher.ts';
import { ACCOUNTS_FILE, DEFAULT_APP_ID, REALMS_DIRECTORY } from './data-directory.ts';
import { DEFAULT_LIMITS } from './limits.ts';
import { openRights } from './rules/open-rights.ts';
import type { ServerOptions } from './server-options.ts';
import { ServerStartError } from './server-start-error.ts';

export type OfflineAccounts = { readonly accounts: Accounts; close(): void };

/**
 * Opens the users of a data directory, and keeps servers away from it until `close()`: a running one would not learn
 * that sessions end. Throws a `StoreError` when a server has the directory.
 */
export function openOfflineAccounts(options: ServerOptions): OfflineAccounts {
  const { dataDirectory, appId = DEFAULT_APP_ID } = options;
  const file = join(dataDirectory, ACCOUNTS_FILE);
  if (!existsSync(file)) {
    throw new ServerStartError(`there is no server's data in ${dataDirectory}`, {
      remedy: 'name the configuration of the server, or the running server with --server',
    });
  }
  const lock = lockServerStore(join(dataDirectory, REALMS_DIRECTORY));
  try {
    const accounts = new Accounts(
      new AccountStore(file),
      new PasswordHasher(DEFAULT_LIMITS.waitingPasswordChecks),
      {
        appId,
        now: () => Math.floor(Date.now() / 1_000),
      },
    );
    try {
      const rights = openRights(options, {
        byId: (id) => accounts.userById(id),
        byName: (name) => accounts.userByName(name),
      });
      accounts.onRevoked(({ userId }) => {
        if (accounts.userById(userId) === undefined) rights.paths.forgetUser(userId);
      });
      return {
        accounts,
        close: () => {
          rights.paths.close();
          accounts.close();
          lock.release();
        },
      };
    } catch (error) {
      accounts.close();
      throw error;
    }
  } catch (error) {
    lock.release();
    throw error;
  }
}
