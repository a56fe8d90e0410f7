/** Errors of the connector engine that dialects raise too (DESIGN §7). docs/errors.md lists the codes. */
import { IsthmusError } from '../errors.ts';
import type { ErrorClass } from './dialect.ts';

/** A value that one side holds and the other cannot. Names table or class, column or property, key and value. */
export class DataError extends IsthmusError {
  readonly code = 'data-error';
  /** The object that holds the value, when whoever raised the error knew it. */
  readonly object: { readonly class: string; readonly key: string } | undefined;

  constructor(
    message: string,
    options: {
      remedy?: string;
      cause?: unknown;
      object?: { readonly class: string; readonly key: string };
    } = {},
  ) {
    super(message, options);
    this.object = options.object;
  }
}

/** Models, options and database do not fit together; nothing was started. */
export class MappingError extends IsthmusError {
  readonly code = 'mapping-error';
  /** The class that has no place in the database, when it is one that is at fault. */
  className: string | undefined;
}

/** Runs `work` for one class, so that a `MappingError` of it tells which class it was. */
export function forClass<T>(className: string, work: () => T): T {
  try {
    return work();
  } catch (error) {
    if (error instanceof MappingError) error.className ??= className;
    throw error;
  }
}

/** The connector cannot go on without an operator. */
export class ConnectorStoppedError extends IsthmusError {
  readonly code = 'connector-stopped';
}

/** Where a statement failed, as far as the database says it. */
export type FaultPlace = {
  readonly table?: string | undefined;
  readonly column?: string | undefined;
  readonly constraint?: string | undefined;
};

/** `unique`: a key is taken. `reference`: a foreign key on either end of it. */
export type Violation = 'unique' | 'reference';

/** A statement failed. `errorClass` decides what happens next: retry, policy, or stop. */
export class ApplyError extends IsthmusError {
  readonly code = 'apply-failed';
  readonly errorClass: ErrorClass;
  /** SQLSTATE or the driver's error code, when there is one. */
  readonly sqlState: string | undefined;
  /** The kind of constraint that the statement violates, where another plan may do. */
  readonly violation: Violation | undefined;
  readonly place: FaultPlace;

  constructor(
    message: string,
    options: {
      errorClass: ErrorClass;
      sqlState?: string;
      violation?: Violation | undefined;
      place?: FaultPlace;
      remedy?: string;
      cause?: unknown;
    },
  ) {
    super(message, options);
    this.errorClass = options.errorClass;
    this.sqlState = options.sqlState;
    this.violation = options.violation;
    this.place = options.place ?? {};
  }
}
