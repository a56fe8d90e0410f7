/** What can be wrong with a SQL Server, seen from a connector; docs/errors.md lists the codes. */
import type { ErrorClass, TableName } from '../../src/connector/dialect.ts';
import { ApplyError } from '../../src/connector/errors.ts';
import { IsthmusError } from '../../src/errors.ts';
import { classOfFailure, codeOf, numberOf, violationOf } from './error-numbers.ts';
import { placeOf } from './fault-place.ts';

export type SqlServerErrorOptions = {
  readonly remedy?: string;
  readonly cause?: unknown;
  readonly errorClass?: ErrorClass;
};

/** The family of all of them. `errorClass` says whether another attempt may succeed without an operator. */
export abstract class SqlServerError extends IsthmusError {
  readonly errorClass: ErrorClass;
  /** Number of the server's error or the code of the network failure, when there is one. */
  readonly sqlState: string | undefined;

  constructor(message: string, options: SqlServerErrorOptions = {}) {
    super(message, options);
    this.errorClass = options.errorClass ?? 'fatal';
    this.sqlState = codeOf(options.cause);
  }
}

/** The server cannot be reached, refuses the login, or went away. */
export class SqlServerConnectionError extends SqlServerError {
  readonly code = 'sqlserver-connection';
}

/** A setting of the server or the database, its version or the lack of a database keeps the connector from working. */
export class SqlServerServerError extends SqlServerError {
  readonly code = 'sqlserver-server';
}

/** The login lacks a permission. */
export class SqlServerPermissionError extends SqlServerError {
  readonly code = 'sqlserver-permission';
}

/** A table cannot be followed or written as it is. */
export class SqlServerTableError extends SqlServerError {
  readonly code = 'sqlserver-table';
}

/** A statement of the connector itself failed (catalog, DDL, snapshot). */
export class SqlServerQueryError extends SqlServerError {
  readonly code = 'sqlserver-query';
}

/** The change feed broke off. */
export class SqlServerFeedError extends SqlServerError {
  readonly code = 'sqlserver-feed';
}

/** Change tracking no longer has what was not yet read: changes were lost, and only a comparison mends that. */
export class SqlServerFeedLostError extends SqlServerError {
  readonly code = 'sqlserver-feed-lost';
}

/** The same, because change tracking was cleaned up before it was read. */
export class SqlServerFeedOutdatedError extends SqlServerFeedLostError {}

/** Another connection reads the feed of this adapter, and did not let it go: two adapters must not share one. */
export class SqlServerFeedHeldError extends SqlServerError {
  readonly code = 'sqlserver-feed-held';
}

/** A failed statement of the writer, with what the server says about the place of the fault. */
export class SqlServerApplyError extends ApplyError {
  /** `cause` is what the driver raised; it is left out of the error when it `isSecret`. `table` and `column` are what was written to. */
  constructor(
    message: string,
    cause: unknown,
    options: { isSecret?: boolean; table?: TableName; column?: string | undefined } = {},
  ) {
    const code = codeOf(cause);
    super(message, {
      errorClass: classOfFailure(cause),
      ...(code === undefined ? {} : { sqlState: code }),
      violation: violationOf(cause),
      place: { table: options.table?.name, ...placeOf(cause), ...columnOption(options.column) },
      ...remedyOf(cause),
      ...(options.isSecret === true ? {} : { cause }),
    });
  }
}

function columnOption(column: string | undefined): { column?: string } {
  return column === undefined ? {} : { column };
}

/** What an operator can do about a statement that was right when the connector started. */
function remedyOf(cause: unknown): { remedy?: string } {
  switch (numberOf(cause)) {
    case 229:
    case 230:
    case 1088:
      return {
        remedy:
          'GRANT the permission to the login of sqlserverConfig and start again (isthmus prepare-database --print shows the statements); nothing is lost',
      };
    case 207:
    case 208:
    case 213:
      return {
        remedy:
          'the table was changed while the connector ran: change it back or correct the models, and start again; nothing is lost',
      };
    case 544:
      return {
        remedy:
          'let the login of sqlserverConfig set IDENTITY_INSERT: GRANT ALTER on the table to it (isthmus prepare-database --print shows the statements)',
      };
    default:
      return {};
  }
}

/** True for every failure that another attempt may mend: what the engine asks before it connects again. */
export function isTransientSqlServerError(error: unknown): boolean {
  if (error instanceof SqlServerError || error instanceof ApplyError) return error.errorClass === 'transient';
  return classOfFailure(error) === 'transient';
}
