/** What can be wrong with a PostgreSQL server, seen from a connector; docs/errors.md lists the codes. */
import type { ErrorClass } from '../../src/connector/dialect.ts';
import { ApplyError, type Violation } from '../../src/connector/errors.ts';
import { IsthmusError } from '../../src/errors.ts';
import { classOfFailure, isMissingPrivilege, sqlStateOf } from './sql-state.ts';

export type PostgresErrorOptions = {
  readonly remedy?: string;
  readonly cause?: unknown;
  readonly errorClass?: ErrorClass;
};

/** The family of all of them. `errorClass` says whether another attempt may succeed without an operator. */
export abstract class PostgresError extends IsthmusError {
  readonly errorClass: ErrorClass;
  /** SQLSTATE or the code of the network failure, when there is one. */
  readonly sqlState: string | undefined;

  constructor(message: string, options: PostgresErrorOptions = {}) {
    super(message, options);
    this.errorClass = options.errorClass ?? 'fatal';
    this.sqlState = sqlStateOf(options.cause);
  }
}

/** The server cannot be reached, refuses the login, or went away. */
export class PostgresConnectionError extends PostgresError {
  readonly code = 'postgres-connection';
}

/** A setting of the server, its version or the lack of a database keeps the connector from working. */
export class PostgresServerError extends PostgresError {
  readonly code = 'postgres-server';
}

/** The user lacks a privilege. */
export class PostgresPrivilegeError extends PostgresError {
  readonly code = 'postgres-privilege';
}

/** A table cannot be followed or written as it is. */
export class PostgresTableError extends PostgresError {
  readonly code = 'postgres-table';
}

/** A statement of the connector itself failed (catalog, DDL, snapshot). */
export class PostgresQueryError extends PostgresError {
  readonly code = 'postgres-query';
}

/** The change feed broke off. */
export class PostgresFeedError extends PostgresError {
  readonly code = 'postgres-feed';
}

/** The replication slot is gone or no longer usable: changes were lost, and only a comparison mends that. */
export class PostgresFeedLostError extends PostgresError {
  readonly code = 'postgres-feed-lost';
}

/** Another connection reads the slot, and did not let it go: two adapters must not share one. */
export class PostgresSlotHeldError extends PostgresError {
  readonly code = 'postgres-slot-held';
}

/** A failed statement of the writer, with what the server says about the place of the fault. */
export class PostgresApplyError extends ApplyError {
  /** `cause` is what the driver raised; it is left out of the error when it `isSecret`. */
  constructor(message: string, cause: unknown, isSecret = false) {
    const sqlState = sqlStateOf(cause);
    const { table, column, constraint }: ServerErrorFields = isServerError(cause) ? cause : {};
    super(message, {
      errorClass: classOfFailure(cause),
      ...(sqlState === undefined ? {} : { sqlState }),
      violation: violationOf(sqlState),
      place: { table, column, constraint },
      ...remedyOf(cause),
      ...(isSecret ? {} : { cause }),
    });
  }
}

/** unique_violation; foreign_key_violation and restrict_violation, which PostgreSQL 18 tells from it. */
function violationOf(sqlState: string | undefined): Violation | undefined {
  if (sqlState === '23505') return 'unique';
  return sqlState === '23503' || sqlState === '23001' ? 'reference' : undefined;
}

/** What an operator can do about a statement that was right when the connector started. */
function remedyOf(cause: unknown): { remedy?: string } {
  if (isMissingPrivilege(cause)) {
    return { remedy: 'GRANT the privilege to the user of postgresConfig and start again; nothing is lost' };
  }
  switch (sqlStateOf(cause)) {
    case '42P01':
    case '42703':
      return {
        remedy:
          'the table was changed while the connector ran: change it back or correct the models, and start again; nothing is lost',
      };
    case '42P10':
      return {
        remedy:
          'give the table back the PRIMARY KEY or UNIQUE constraint of its key, and start again; nothing is lost',
      };
    case '26000':
      return {
        remedy:
          'connect to the server itself, or through a pooler in session mode: prepared statements were lost',
      };
    default:
      return {};
  }
}

export type ServerErrorFields = {
  readonly schema?: string;
  readonly table?: string;
  readonly column?: string;
  readonly constraint?: string;
  readonly detail?: string;
  readonly hint?: string;
};

/** True for an error that the server sent, as opposed to a failure on the way to it. */
export function isServerError(error: unknown): error is Error & ServerErrorFields & { code: string } {
  return error instanceof Error && 'severity' in error && 'code' in error && typeof error.code === 'string';
}

/** True for every failure that another attempt may mend: what the engine asks before it connects again. */
export function isTransientPostgresError(error: unknown): boolean {
  if (error instanceof PostgresError || error instanceof ApplyError) return error.errorClass === 'transient';
  return classOfFailure(error) === 'transient';
}
