/** Errors of the sync client. docs/errors.md lists the codes. */
import { IsthmusError } from '../errors.ts';

/** The server refused a login, or the tokens are no longer good and cannot be renewed. */
export class AuthenticationError extends IsthmusError {
  readonly code = 'authentication-failed';
  /** HTTP status of the answer. */
  readonly status: number;
  /** The server's `error_code`, as `InvalidPassword`. */
  readonly errorCode: string | undefined;

  constructor(message: string, options: { status: number; errorCode?: string; remedy?: string }) {
    super(message, options);
    this.status = options.status;
    this.errorCode = options.errorCode;
  }
}

/** The object server did not answer, or not as an object server does. */
export class ServerUnreachableError extends IsthmusError {
  readonly code = 'server-unreachable';
}

/** A session ended for good: reconnecting would not help. */
export class SyncSessionError extends IsthmusError {
  readonly code = 'sync-session-failed';
  /** Error code of the protocol (wire-protocol.md §7.1), when the server gave one. */
  readonly protocolCode: number | undefined;
  readonly path: string;

  constructor(
    path: string,
    message: string,
    options: { protocolCode?: number; remedy?: string; cause?: unknown },
  ) {
    super(`realm ${path}: ${message}`, options);
    this.path = path;
    this.protocolCode = options.protocolCode;
  }
}

/** What was waited for cannot come any more because session or client were closed. */
export class SyncClosedError extends IsthmusError {
  readonly code = 'sync-closed';
}
