/** Says in plain words why a connection could not be made, and what the operator can do. */
import {
  PostgresConnectionError,
  type PostgresError,
  PostgresPrivilegeError,
  PostgresServerError,
} from './errors.ts';
import { classOfFailure, sqlStateOf } from './sql-state.ts';

export type Endpoint = { readonly host: string; readonly port: number; readonly user?: string | undefined };

/** Database does not exist. */
export const INVALID_CATALOG_NAME = '3D000';

export function connectionError(cause: unknown, endpoint: Endpoint, database: string): PostgresError {
  const where = `PostgreSQL at ${endpoint.host}:${endpoint.port}`;
  const user = endpoint.user ?? '';
  const reason = cause instanceof Error ? cause.message || String(sqlStateOf(cause)) : String(cause);
  const state = sqlStateOf(cause) ?? nestedCode(cause);
  switch (state) {
    case '28P01':
    case '28000':
      return new PostgresConnectionError(
        `${where} refuses user ${user} for database ${database}: ${reason}`,
        {
          remedy: 'check user and password in postgresConfig, and pg_hba.conf of the server',
          cause,
        },
      );
    case INVALID_CATALOG_NAME:
      return new PostgresServerError(`${where} has no database ${database}`, {
        remedy: `run CREATE DATABASE "${database}", or set createPostgresDB: true`,
        cause,
      });
    case '42501':
      return new PostgresPrivilegeError(`${where} refuses user ${user} for database ${database}: ${reason}`, {
        remedy: `run GRANT CONNECT ON DATABASE "${database}" TO "${user}" and ALTER ROLE "${user}" REPLICATION`,
        cause,
      });
    case 'ENOTFOUND':
    case 'EAI_AGAIN':
      return new PostgresConnectionError(`the host name ${endpoint.host} of PostgreSQL cannot be resolved`, {
        remedy: 'check host in postgresConfig',
        errorClass: 'transient',
        cause,
      });
    case 'ECONNREFUSED':
      return new PostgresConnectionError(`nothing listens at ${endpoint.host}:${endpoint.port}`, {
        remedy: 'check that PostgreSQL runs, listen_addresses, and host and port in postgresConfig',
        errorClass: 'transient',
        cause,
      });
    default:
      return new PostgresConnectionError(`${where} cannot be reached: ${reason}`, {
        errorClass: classOfFailure(cause) === 'transient' ? 'transient' : 'fatal',
        cause,
        ...(reason.includes('timeout')
          ? { remedy: 'check host, port and firewall, or raise connect_timeout (seconds)' }
          : {}),
      });
  }
}

/** A host with several addresses fails with an AggregateError that has no code of its own on some platforms. */
function nestedCode(cause: unknown): string | undefined {
  return cause instanceof AggregateError ? sqlStateOf(cause.errors[0]) : undefined;
}
