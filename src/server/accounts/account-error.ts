import { IsthmusError } from '../../errors.ts';

/** The names that clients know (spec/app-services-http.md §8.3), as far as the server answers with them. */
export type AccountErrorName =
  | 'AccountNameInUse'
  | 'AuthProviderNotFound'
  | 'BadRequest'
  | 'InvalidParameter'
  | 'InvalidPassword'
  | 'InvalidSession'
  | 'MaintenanceInProgress'
  | 'MissingParameter'
  | 'UserDisabled';

/** HTTP status of each name (spec/app-services-http.md §8.4). */
const STATUS: Readonly<Record<AccountErrorName, number>> = {
  AccountNameInUse: 409,
  AuthProviderNotFound: 404,
  BadRequest: 400,
  InvalidParameter: 400,
  InvalidPassword: 401,
  InvalidSession: 401,
  MaintenanceInProgress: 503,
  MissingParameter: 400,
  UserDisabled: 401,
};

/** A request about users that was refused. `name` of the answer's `error_code` and its status come along. */
export class AccountError extends IsthmusError {
  readonly code = 'account';
  readonly errorName: AccountErrorName;
  readonly status: number;

  constructor(errorName: AccountErrorName, message: string) {
    super(message);
    this.errorName = errorName;
    this.status = STATUS[errorName];
  }
}
