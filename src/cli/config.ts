/**
 * The configuration file: its default export is `{ server?, connector? }`, or the flat names of the reference's
 * `config.js`, or both. Environment variables go before the file, so that secrets can stay out of it.
 */
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { dirname, extname, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { PostgresConnector } from '../../connectors/postgres/connector.ts';
import type { SqlServerConnector } from '../../connectors/sqlserver/connector.ts';
import { ConfigError, type ConfigProblem } from '../config/config-error.ts';
import { redactText } from '../config/secrets.ts';
import { unknownOption } from '../config/validation.ts';
import type { ServerOptions } from '../server/server-options.ts';
import { type ConnectorKind, connectorKind } from './connector-kind.ts';
import { connectorFromFlatNames, FLAT_NAMES, writtenAs } from './flat-names.ts';
import { DEFAULT_SERVER_PORT, parseServerOptions } from './server-section.ts';

export type Configuration = {
  /** The file, as an absolute path; `undefined` when there is none. */
  readonly file: string | undefined;
  readonly server: ServerOptions;
  /** Throws `ConfigError` when the configuration describes no connector. */
  readonly connector: () => PostgresConnector | SqlServerConnector;
};

export type Environment = Readonly<Record<string, string | undefined>>;
type Section = Readonly<Record<string, unknown>>;

/** Tried in this order in the current directory when no file is named. */
const DEFAULT_FILES = ['config.ts', 'config.js', 'config.mjs', 'config.cjs', 'config.json'];
/** The reference keeps the models in a file of their own beside `config.js`. */
const MODEL_FILES = ['realmmodels.ts', 'realmmodels.js', 'realmmodels.mjs', 'realmmodels.cjs'];

/**
 * Reads and validates a configuration. `path` is what the user named; without it the default files are tried, and
 * none is an empty configuration. Throws `ConfigError` with every mistake in the file.
 */
export async function loadConfig(
  path: string | undefined,
  environment: Environment = process.env,
  directory: string = process.cwd(),
): Promise<Configuration> {
  const file = findFile(path, directory);
  const written = file === undefined ? {} : await readConfigFile(file);
  return interpret(file, written, environment, file === undefined ? directory : dirname(file));
}

function findFile(path: string | undefined, directory: string): string | undefined {
  if (path === undefined) return DEFAULT_FILES.map((name) => resolve(directory, name)).find(existsSync);
  const file = resolve(directory, path);
  if (existsSync(file)) return file;
  throw new ConfigError('The command line', [{ path: '--config', message: `there is no file ${file}` }]);
}

async function readConfigFile(file: string): Promise<Section> {
  const content = await importDefault(file);
  if (!isSection(content)) {
    throw new ConfigError(file, [{ path: '', message: 'expected an object as default export' }]);
  }
  if (!FLAT_NAMES.some((name) => name in content) || hasModels(content)) return content;
  const models = MODEL_FILES.map((name) => resolve(dirname(file), name)).find(existsSync);
  if (models === undefined) return content;
  const connector = isSection(content.connector) ? content.connector : {};
  return { ...content, connector: { schema: await importDefault(models), ...connector } };
}

function hasModels(content: Section): boolean {
  return isSection(content.connector) && 'schema' in content.connector;
}

async function importDefault(file: string): Promise<unknown> {
  try {
    if (extname(file) === '.json') return JSON.parse(await readFile(file, 'utf8'));
    const module: unknown = await import(pathToFileURL(file).href);
    return isSection(module) ? module.default : undefined;
  } catch (error) {
    const reason = redactText(error instanceof Error ? `${error.name}: ${error.message}` : String(error));
    throw new ConfigError(file, [{ path: '', message: `cannot be read: ${reason}` }]);
  }
}

async function interpret(
  file: string | undefined,
  written: Section,
  environment: Environment,
  directory: string,
): Promise<Configuration> {
  const problems: ConfigProblem[] = Object.keys(written)
    .filter((name) => name !== 'server' && name !== 'connector' && !FLAT_NAMES.includes(name))
    .map((name) => ({ path: name, message: unknownOption(name, ['server', 'connector', ...FLAT_NAMES]) }));
  for (const name of ['server', 'connector']) {
    if (written[name] === undefined || isSection(written[name])) continue;
    problems.push({ path: name, message: 'expected an object of options' });
  }
  const server = collect(problems, () => parseServerOptions(serverSection(written, environment), directory));
  const describesConnector = 'connector' in written || FLAT_NAMES.some((name) => name in written);
  const kind = connectorKind(
    written,
    isSection(written.connector) ? written.connector : {},
    hasText(environment.ISTHMUS_SQLSERVER_URL),
  );
  const section = connectorSection(written, environment, kind);
  const parse = describesConnector ? await connectorParser(kind) : undefined;
  const connector = parse === undefined ? undefined : collect(problems, () => parse(section, directory));
  const what = file ?? 'The configuration';
  if (server === undefined || problems.length > 0) {
    throw new ConfigError(
      what,
      problems.map((problem) => writtenAs(problem, written, kind)),
    );
  }
  return {
    file,
    server,
    connector: () => {
      if (connector !== undefined) return connector;
      const where = file === undefined ? `no ${DEFAULT_FILES[0]} in ${directory}` : 'found nothing';
      throw new ConfigError(what, [
        {
          path: 'connector',
          message: `expected the options of the connector, ${where}; see config.example.ts`,
        },
      ]);
    },
  };
}

function collect<T>(problems: ConfigProblem[], parse: () => T): T | undefined {
  try {
    return parse();
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    problems.push(...error.problems);
    return undefined;
  }
}

function serverSection(written: Section, environment: Environment): Section {
  return {
    ...(isSection(written.server) ? written.server : {}),
    ...given('host', environment.ISTHMUS_HOST),
    ...given('port', environment.ISTHMUS_PORT),
    ...given('dataDirectory', environment.ISTHMUS_DATA),
    ...given('appId', environment.ISTHMUS_APP_ID),
    ...given('adminUser', environment.ISTHMUS_ADMIN_USER),
    ...given('adminPassword', environment.ISTHMUS_ADMIN_PASSWORD),
    ...given('adminToken', environment.ISTHMUS_ADMIN_TOKEN),
    ...given('logLevel', environment.ISTHMUS_LOG_LEVEL),
  };
}

/** What the connector's section leaves out of the address and the user comes from the server's section. */
function connectorSection(written: Section, environment: Environment, kind: ConnectorKind): Section {
  const connector: Section = {
    ...connectorFromFlatNames(written, kind),
    ...(isSection(written.connector) ? written.connector : {}),
  };
  const server = serverSection(written, environment);
  const realmConfig: Section = isSection(connector.realmConfig) ? connector.realmConfig : {};
  const user = {
    ...given('username', server.adminUser),
    ...given('password', server.adminPassword),
    ...(isSection(realmConfig.user) ? realmConfig.user : {}),
    ...given('username', environment.ISTHMUS_ADMIN_USER),
    ...given('password', environment.ISTHMUS_ADMIN_PASSWORD),
  };
  const ownServer =
    'server' in written ? `http://127.0.0.1:${server.port ?? DEFAULT_SERVER_PORT}` : undefined;
  const loggedIn = isSection(realmConfig.user) && 'accessToken' in realmConfig.user;
  return {
    ...connector,
    realmConfig: {
      ...given('server', ownServer),
      ...given('appId', server.appId),
      ...realmConfig,
      ...given('server', environment.ISTHMUS_SERVER_URL),
      ...given('appId', environment.ISTHMUS_APP_ID),
      ...(loggedIn || Object.keys(user).length === 0 ? {} : { user }),
    },
    ...databaseSection(connector, environment, kind),
    ...given('logLevel', environment.ISTHMUS_LOG_LEVEL),
  };
}

/** How to reach the database; the environment goes before the file. */
function databaseSection(connector: Section, environment: Environment, kind: ConnectorKind): Section {
  if (kind === 'postgres') {
    return {
      postgresConfig: {
        ...(isSection(connector.postgresConfig) ? connector.postgresConfig : {}),
        ...given('connectionString', environment.ISTHMUS_POSTGRES_URL),
        ...given('password', environment.ISTHMUS_POSTGRES_PASSWORD),
      },
    };
  }
  const { sqlserver_config: other, sqlserverConfig = other } = connector;
  if (sqlserverConfig !== undefined && !isSection(sqlserverConfig)) return {};
  return {
    sqlserver_config: undefined,
    sqlserverConfig: {
      ...sqlserverConfig,
      ...given('connectionString', environment.ISTHMUS_SQLSERVER_URL),
      ...given('password', environment.ISTHMUS_SQLSERVER_PASSWORD),
    },
  };
}

type ConnectorParser = (section: Section, directory: string) => PostgresConnector | SqlServerConnector;

/** Of the two databases only the one in use is read in; their drivers are what takes a command longest to start. */
async function connectorParser(kind: ConnectorKind): Promise<ConnectorParser> {
  const prefix = ['connector'];
  if (kind === 'postgres') {
    const { postgresConnector } = await import('../../connectors/postgres/connector.ts');
    const { parsePostgresOptions } = await import('../../connectors/postgres/options.ts');
    return (section, directory) => postgresConnector(parsePostgresOptions(section, prefix, directory));
  }
  const { sqlServerConnector } = await import('../../connectors/sqlserver/connector.ts');
  const { parseSqlServerOptions } = await import('../../connectors/sqlserver/options.ts');
  return (section, directory) => sqlServerConnector(parseSqlServerOptions(section, prefix, directory));
}

function hasText(value: string | undefined): boolean {
  return value !== undefined && value !== '';
}

function given(name: string, value: unknown): Section {
  return value === undefined || value === '' ? {} : { [name]: value };
}

function isSection(value: unknown): value is Section {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
