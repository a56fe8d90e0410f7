/** The names of the reference's `config.js`, and where they belong among the options of the connector. */
import type { ConfigProblem } from '../config/config-error.ts';

type Section = Readonly<Record<string, unknown>>;

/** Flat name to the option, as a path below `connector`. */
const OPTIONS: Readonly<Record<string, readonly string[]>> = {
  database_name: ['dbName'],
  database_schema: ['postgresSchema'],
  realm_object_server_url: ['realmConfig', 'server'],
  auth_server_url: ['realmConfig', 'server'],
  admin_username: ['realmConfig', 'user', 'username'],
  admin_password: ['realmConfig', 'user', 'password'],
  target_realm_path: ['realmRegex'],
  postgres_config: ['postgresConfig'],
};

export const FLAT_NAMES: readonly string[] = Object.keys(OPTIONS);

/** The options of the connector that the flat names give. */
export function connectorFromFlatNames(written: Section): Section {
  const user = {
    ...(written.admin_username === undefined ? {} : { username: written.admin_username }),
    ...(written.admin_password === undefined ? {} : { password: written.admin_password }),
  };
  const server = written.realm_object_server_url ?? written.auth_server_url;
  const realmConfig = {
    ...(server === undefined ? {} : { server }),
    ...(Object.keys(user).length === 0 ? {} : { user }),
  };
  return {
    ...(written.database_name === undefined ? {} : { dbName: written.database_name }),
    ...(written.database_schema === undefined ? {} : { postgresSchema: written.database_schema }),
    ...(Object.keys(realmConfig).length === 0 ? {} : { realmConfig }),
    ...(written.target_realm_path === undefined
      ? {}
      : {
          realmRegex: written.target_realm_path,
          mapPostgresChangeToRealmPath: written.target_realm_path,
        }),
    ...(written.postgres_config === undefined ? {} : { postgresConfig: written.postgres_config }),
  };
}

/** A mistake under the name that the user wrote. */
export function writtenAs(problem: ConfigProblem, written: Section): ConfigProblem {
  for (const name of FLAT_NAMES) {
    const option = ['connector', ...(OPTIONS[name] ?? [])].join('.');
    if (!(name in written)) continue;
    if (problem.path === option || problem.path.startsWith(`${option}.`)) {
      return { ...problem, path: name + problem.path.slice(option.length) };
    }
  }
  return problem;
}
