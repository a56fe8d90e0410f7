import { DataError } from '../errors.ts';

/** Types are compared before a codec is asked, so that each sees only its own, whatever its signature says. */
export function misplaced(type: string): DataError {
  return new DataError(`a ${type} does not belong here`);
}
