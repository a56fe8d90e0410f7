import { IsthmusError } from '../../errors.ts';

/** HTTP status of each name that the server answers with (spec/app-services-http.md §7.1, §8.3). */
const STATUS = {
  ExecutionTimeLimitExceeded: 400,
  FunctionExecutionError: 400,
  FunctionNotFound: 404,
  MaintenanceInProgress: 503,
  NoMatchingRuleFound: 403,
  ReadSizeLimitExceeded: 400,
  ServiceNotFound: 404,
  TooManyRequests: 429,
} as const;

export type FunctionErrorName = keyof typeof STATUS;

/** A call of a function that did not come to its end. */
export class FunctionError extends IsthmusError {
  readonly code = 'function';
  readonly errorName: FunctionErrorName;
  readonly status: number;

  constructor(errorName: FunctionErrorName, message: string, options: { readonly cause?: unknown } = {}) {
    super(message, { cause: options.cause });
    this.errorName = errorName;
    this.status = STATUS[errorName];
  }
}
