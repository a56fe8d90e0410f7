/** Rules, granted rights and the users behind them, put together for a server. */
import { join } from 'node:path';
import { silentLogger } from '../../log.ts';
import type { ServerOptions } from '../server-options.ts';
import { flexibleRealmOf } from '../sync/flexible-options.ts';
import { compileRules } from './compile-rules.ts';
import type { FlexibleRules } from './contract.ts';
import { GrantStore } from './grant-store.ts';
import { PathPermissions, type UserDirectory } from './path-permissions.ts';

const PERMISSIONS_FILE = 'permissions.sqlite';

export type Rights = {
  /** Who may do what in the flexible realm. */
  readonly flexible: FlexibleRules;
  /** Who may do what with all other realms, and with the flexible one as a partition client. */
  readonly paths: PathPermissions;
};

export type RightsOptions = Pick<
  ServerOptions,
  'dataDirectory' | 'rules' | 'permissions' | 'development' | 'flexibleSync' | 'logger'
>;

/** Throws a `ConfigError` for rules that cannot be. Whoever opens it closes `paths`. */
export function openRights(options: RightsOptions, users: UserDirectory): Rights {
  const { dataDirectory, permissions, rules, development = false, logger = silentLogger } = options;
  const flexibleRealm = flexibleRealmOf(options.flexibleSync);
  const schema = options.flexibleSync ? options.flexibleSync.schema : undefined;
  const { flexible, paths } = compileRules({
    development,
    logger,
    ...(rules !== undefined && { rules }),
    ...(schema !== undefined && { schema }),
  });
  if (permissions !== undefined && rules?.paths !== undefined) {
    logger.warn(
      'the `permissions` function decides alone: `rules.paths` and granted rights are asked about the flexible realm only',
    );
  }
  const grants = new GrantStore(join(dataDirectory, PERMISSIONS_FILE));
  return {
    flexible,
    paths: new PathPermissions({
      rules: paths,
      grants,
      users,
      development,
      now: Date.now,
      ...(flexibleRealm !== undefined && { flexibleRealm }),
      ...(permissions !== undefined && { permissions }),
    }),
  };
}
