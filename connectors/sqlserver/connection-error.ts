/** Says in plain words why a connection could not be made, and what the operator can do. */
import { classOfFailure, decisive, driverCodeOf, numberOf } from './error-numbers.ts';
import {
  SqlServerConnectionError,
  SqlServerError,
  SqlServerPermissionError,
  SqlServerServerError,
} from './errors.ts';
import type { SqlServerConnectionOptions } from './options.ts';

/** The database named in the login does not exist, or may not be opened. */
export const CANNOT_OPEN_DATABASE = 4060;
const LOGIN_FAILED: ReadonlySet<number> = new Set([18452, 18456, 18470, 18486, 18487, 18488]);
const NO_ACCESS_TO_DATABASE = 916;
/** Codes of OpenSSL and of Node for certificates that are not trusted, expired, or of another name. */
const CERTIFICATE =
  /self[- ]signed certificate|unable to (?:get|verify)|certificate has expired|does not match certificate|CERT_|DEPTH_ZERO|UNABLE_TO/i;
const REQUIRES = /requires encryption/i;
const TLS = /\b(?:TLS|SSL|handshake|EENCRYPT|EPROTO|wrong version number|unsupported protocol)\b/i;

export function connectionError(
  cause: unknown,
  connection: Pick<SqlServerConnectionOptions, 'server' | 'port' | 'instanceName' | 'user'>,
  database: string,
): SqlServerError {
  if (cause instanceof SqlServerError) return cause;
  const endpoint = endpointOf(connection);
  const where = `SQL Server at ${endpoint}`;
  const user = connection.user ?? '';
  const reason = reasonOf(cause);
  const number = numberOf(cause);
  if (number !== undefined && LOGIN_FAILED.has(number)) {
    return new SqlServerConnectionError(`${where} refuses login ${user}: ${reason}`, {
      remedy:
        'check user and password in sqlserverConfig, that the server accepts SQL Server authentication, and that the login may use the database',
      cause,
    });
  }
  if (number === CANNOT_OPEN_DATABASE) {
    return new SqlServerServerError(`${where} has no database ${database} that login ${user} may open`, {
      remedy: `run CREATE DATABASE [${database}], or set createSQLServerDB: true; if it exists, run CREATE USER [${user}] FOR LOGIN [${user}] in it`,
      cause,
    });
  }
  if (number === NO_ACCESS_TO_DATABASE) {
    return new SqlServerPermissionError(`${where} refuses login ${user} the database ${database}`, {
      remedy: `run CREATE USER [${user}] FOR LOGIN [${user}] in the database ${database}`,
      cause,
    });
  }
  switch (driverCodeOf(cause)) {
    case 'ENOTFOUND':
    case 'EAI_AGAIN':
      return new SqlServerConnectionError(
        `the host name ${connection.server} of SQL Server cannot be resolved`,
        {
          remedy: 'check server in sqlserverConfig',
          errorClass: 'transient',
          cause,
        },
      );
    case 'ECONNREFUSED':
      return new SqlServerConnectionError(`nothing listens at ${endpoint}`, {
        remedy:
          'check that SQL Server runs with TCP/IP enabled (SQL Server Configuration Manager), and server and port in sqlserverConfig',
        errorClass: 'transient',
        cause,
      });
    case 'EINSTLOOKUP':
      return new SqlServerConnectionError(`the instance ${endpoint} cannot be found: ${reason}`, {
        remedy:
          'check that the SQL Server Browser service runs and UDP port 1434 is open, or give port in sqlserverConfig instead of the instance',
        errorClass: 'transient',
        cause,
      });
  }
  if (CERTIFICATE.test(textsOf(cause))) {
    return new SqlServerConnectionError(`the certificate of ${where} is not trusted: ${reason}`, {
      remedy:
        'give the certificate of its authority in sqlserverConfig.options.cryptoCredentialsDetails ({ ca }), or set trustServerCertificate: true to trust any',
      cause,
    });
  }
  if (TLS.test(textsOf(cause))) {
    return new SqlServerConnectionError(`${where} and the driver agree on no encryption: ${reason}`, {
      remedy: REQUIRES.test(textsOf(cause))
        ? 'set sqlserverConfig.options.encrypt: true'
        : 'set sqlserverConfig.options.encrypt: false for a server without TLS, or let the server take TLS 1.2',
      errorClass: classOfFailure(cause) === 'transient' ? 'transient' : 'fatal',
      cause,
    });
  }
  return new SqlServerConnectionError(`${where} cannot be reached: ${reason}`, {
    errorClass: classOfFailure(cause) === 'transient' ? 'transient' : 'fatal',
    cause,
    ...(/timeout|failed to connect.*\dms/i.test(reason)
      ? { remedy: 'check server, port and firewall, or raise connectionTimeout (milliseconds)' }
      : {}),
  });
}

/** `host:port`, or `host\instance`. */
export function endpointOf({
  server,
  port,
  instanceName,
}: Pick<SqlServerConnectionOptions, 'server' | 'port' | 'instanceName'>): string {
  return instanceName === undefined ? `${server}:${port}` : `${server}\\${instanceName}`;
}

function reasonOf(cause: unknown): string {
  const decided = decisive(cause);
  return decided instanceof Error ? decided.message || (driverCodeOf(decided) ?? '') : String(decided);
}

/** The messages and codes of all causes. */
function textsOf(error: unknown): string {
  const texts: string[] = [];
  for (let cause = decisive(error); cause instanceof Error; cause = decisive(cause.cause)) {
    texts.push(cause.message);
    if ('code' in cause && typeof cause.code === 'string') texts.push(cause.code);
  }
  return texts.join(' ');
}
