/** From `sqlserverConfig` to what connections are made with. */
import type { ConnectionConfiguration, ConnectionOptions } from 'tedious';
import type { SqlServerConfig } from './connection-schema.ts';

const SQL_SERVER_PORT = 1433;
/** Long enough for a sleeping database in Azure to answer, short enough that a wrong host is noticed. */
const DEFAULT_CONNECT_MILLISECONDS = 15_000;
/**
 * The driver's own 15 seconds are less than a large transaction that waits for somebody's locks takes; a server that has
 * not answered in two minutes is asked again on another connection.
 */
const DEFAULT_REQUEST_MILLISECONDS = 120_000;

/** How to reach the database; secrets are in here, so it is never logged. */
export type SqlServerConnectionOptions = {
  readonly server: string;
  /** Undefined for a named instance, whose port the server's browser service knows. */
  readonly port: number | undefined;
  readonly instanceName: string | undefined;
  readonly database: string;
  /** For messages. */
  readonly user: string | undefined;
  readonly authentication: ConnectionConfiguration['authentication'];
  /** The driver's, without those that the connector sets. */
  readonly options: ConnectionOptions;
  readonly connectTimeoutMilliseconds: number;
  readonly requestTimeoutMilliseconds: number;
  /** How often, and after which pause, what failed for a passing reason is tried again. */
  readonly retry: { readonly times: number; readonly delayMilliseconds: number };
};

export function connectionOptions(config: SqlServerConfig, database: string): SqlServerConnectionOptions {
  const url = urlOf(config.connectionString);
  const [host = 'localhost', named] = (url?.server ?? config.server ?? 'localhost').split('\\');
  const { options } = config;
  const instanceName = named ?? options.instanceName;
  const port = url?.port ?? config.port ?? options.port;
  const isNamed = instanceName !== undefined && port === undefined;
  const user = url?.user ?? config.user ?? userIn(config.authentication?.options);
  const {
    connectTimeout,
    requestTimeout,
    database: _database,
    instanceName: _instance,
    port: _port,
    encryptionKeyStoreProviders: _providers,
    ...driver
  } = options;
  return {
    server: host,
    port: isNamed ? undefined : (port ?? SQL_SERVER_PORT),
    instanceName: isNamed ? instanceName : undefined,
    database,
    user,
    authentication: authenticationOf(config, user, url?.password),
    options: {
      ...asDriverOptions({ ...driver, ...url?.options }),
      lowerCaseGuids: true,
      ...(isNamed ? { instanceName } : { port: port ?? SQL_SERVER_PORT }),
    },
    connectTimeoutMilliseconds: config.connectionTimeout ?? connectTimeout ?? DEFAULT_CONNECT_MILLISECONDS,
    requestTimeoutMilliseconds: config.requestTimeout ?? requestTimeout ?? DEFAULT_REQUEST_MILLISECONDS,
    retry: {
      times: options.maxRetriesOnTransientErrors,
      delayMilliseconds: options.connectionRetryInterval,
    },
  };
}

/** The database in a URL. */
export function databaseInUrl(connectionString: string): string | undefined {
  return urlOf(connectionString)?.database;
}

function authenticationOf(
  { authentication, domain, password }: SqlServerConfig,
  user: string | undefined,
  urlPassword: string | undefined,
): ConnectionConfiguration['authentication'] {
  const secret = urlPassword ?? password;
  const given = {
    ...(user === undefined ? {} : { userName: user }),
    ...(secret === undefined ? {} : { password: secret }),
  };
  if (authentication !== undefined) {
    const { type, options } = authentication;
    // The password may come from the environment while the file says how to log in.
    return { type, options: type === 'default' || type === 'ntlm' ? { ...options, ...given } : options };
  }
  if (domain !== undefined) return { type: 'ntlm', options: { ...given, domain: domain.toUpperCase() } };
  return { type: 'default', options: given };
}

function userIn(options: Readonly<Record<string, unknown>> | undefined): string | undefined {
  return typeof options?.userName === 'string' ? options.userName : undefined;
}

type UrlParts = {
  readonly server: string;
  readonly port: number | undefined;
  readonly user: string | undefined;
  readonly password: string | undefined;
  readonly database: string | undefined;
  readonly options: { readonly encrypt?: boolean; readonly trustServerCertificate?: boolean };
};

/** Undefined for what is no URL of SQL Server. */
export function urlOf(connectionString: string | undefined): UrlParts | undefined {
  if (connectionString === undefined || !URL.canParse(connectionString)) return undefined;
  const url = new URL(connectionString);
  if (url.protocol !== 'sqlserver:' && url.protocol !== 'mssql:') return undefined;
  const decoded = (part: string): string | undefined => (part === '' ? undefined : decodeURIComponent(part));
  return {
    server: url.hostname.replace(/^\[(.*)\]$/, '$1'),
    port: url.port === '' ? undefined : Number(url.port),
    user: decoded(url.username),
    password: decoded(url.password),
    database: decoded(url.pathname.slice(1)),
    options: {
      ...flagIn(url, 'encrypt'),
      ...flagIn(url, 'trustServerCertificate'),
    },
  };
}

function flagIn(url: URL, name: string): Readonly<Record<string, boolean>> {
  const value = url.searchParams.get(name);
  return value === null ? {} : { [name]: value === 'true' || value === '1' };
}

/** Validated by their schema, which lets functions and certificates through as they are. */
function asDriverOptions(options: Readonly<Record<string, unknown>>): ConnectionOptions {
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined));
}
