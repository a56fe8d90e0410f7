import { IsthmusError } from '../errors.ts';

/** Something was asked of an adapter that is closed. */
export class AdapterClosedError extends IsthmusError {
  readonly code = 'adapter-closed';
}
