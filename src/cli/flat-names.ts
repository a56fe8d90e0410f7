/** The names of the reference's `config.js`, and where they belong among the options of the connector. */
import type { ConfigProblem } from '../config/config-error.ts';
import type { ConnectorKind } from './connector-kind.ts';

type Section = Readonly<Record<string, unknown>>;

/** Flat name to the option, as a path below `connector`, where both databases call it the same. */
const COMMON: Readonly<Record<string, readonly string[]>> = {
  database_name: ['dbName'],
  realm_object_server_url: ['realmConfig', 'server'],
  auth_server_url: ['realmConfig', 'server'],
  admin_username: ['realmConfig', 'user', 'username'],
  admin_password: ['realmConfig', 'user', 'password'],
  target_realm_path: ['realmRegex'],
};
const OWN: Readonly<Record<ConnectorKind, Readonly<Record<string, readonly string[]>>>> = {
  postgres: { ...COMMON, database_schema: ['postgresSchema'], postgres_config: ['postgresConfig'] },
  sqlserver: { ...COMMON, database_schema: ['dbSchema'], sqlserver_config: ['sqlserverConfig'] },
};
const REALM_PATH_OF_ROW: Readonly<Record<ConnectorKind, string>> = {
  postgres: 'mapPostgresChangeToRealmPath',
  sqlserver: 'mapSQLServerChangeToRealmPath',
};

export const FLAT_NAMES: readonly string[] = [
  ...new Set([...Object.keys(OWN.postgres), ...Object.keys(OWN.sqlserver)]),
];

/** The options of the connector that the flat names give. */
export function connectorFromFlatNames(written: Section, kind: ConnectorKind): Section {
  const user = {
    ...(written.admin_username === undefined ? {} : { username: written.admin_username }),
    ...(written.admin_password === undefined ? {} : { password: written.admin_password }),
  };
  const server = written.realm_object_server_url ?? written.auth_server_url;
  const realmConfig = {
    ...(server === undefined ? {} : { server }),
    ...(Object.keys(user).length === 0 ? {} : { user }),
  };
  const direct = ['database_name', 'database_schema', `${kind}_config`].flatMap((name) => {
    const option = OWN[kind][name]?.[0];
    return option === undefined || written[name] === undefined ? [] : [[option, written[name]] as const];
  });
  const path = written.target_realm_path;
  return {
    ...Object.fromEntries(direct),
    ...(Object.keys(realmConfig).length === 0 ? {} : { realmConfig }),
    ...(path === undefined ? {} : { realmRegex: path, [REALM_PATH_OF_ROW[kind]]: path }),
  };
}

/** A mistake under the name that the user wrote. */
export function writtenAs(problem: ConfigProblem, written: Section, kind: ConnectorKind): ConfigProblem {
  for (const [name, path] of Object.entries(OWN[kind])) {
    const option = ['connector', ...path].join('.');
    if (!(name in written)) continue;
    if (problem.path === option || problem.path.startsWith(`${option}.`)) {
      return { ...problem, path: name + problem.path.slice(option.length) };
    }
  }
  return problem;
}
