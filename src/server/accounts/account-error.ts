import { IsthmusError } from '../../errors.ts';

/**
 * HTTP status of each name that the server answers with (spec/app-services-http.md §8.3, §8.4). Clients know all but
 * `LastAdministrator` and `TooManyRequests`, and show those as they are.
 */
const STATUS = {
  APIKeyAlreadyExists: 409,
  APIKeyNotFound: 404,
  AccountNameInUse: 409,
  AuthError: 401,
  AuthProviderNotFound: 404,
  BadRequest: 400,
  InternalServerError: 500,
  InvalidParameter: 400,
  InvalidPassword: 401,
  InvalidSession: 401,
  LastAdministrator: 409,
  MaintenanceInProgress: 503,
  MissingParameter: 400,
  TooManyRequests: 429,
  UserAlreadyConfirmed: 400,
  UserDisabled: 401,
  UserNotFound: 404,
  UserpassTokenInvalid: 400,
} as const;

export type AccountErrorName = keyof typeof STATUS;

/** A request about users that was refused. `name` of the answer's `error_code` and its status come along. */
export class AccountError extends IsthmusError {
  readonly code = 'account';
  readonly errorName: AccountErrorName;
  readonly status: number;
  /** Seconds after which it makes sense to try again. */
  readonly retryAfter: number | undefined;

  constructor(
    errorName: AccountErrorName,
    message: string,
    options: { readonly retryAfter?: number; readonly cause?: unknown } = {},
  ) {
    super(message, { cause: options.cause });
    this.errorName = errorName;
    this.status = STATUS[errorName];
    this.retryAfter = options.retryAfter;
  }
}
