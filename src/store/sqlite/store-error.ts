import { IsthmusError } from '../../errors.ts';

/** A store that cannot be opened or used as it is. */
export class StoreError extends IsthmusError {
  readonly code = 'store';
}
