import { IsthmusError } from '../errors.ts';

/** A value that the property it is meant for cannot hold. */
export class ValueError extends IsthmusError {
  readonly code = 'invalid-value';
}
