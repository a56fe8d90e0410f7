import { IsthmusError } from '../../errors.ts';

/** A use of the object API that makes no sense: outside a transaction, on a deleted object, with a wrong value. */
export class RealmUsageError extends IsthmusError {
  readonly code = 'realm-usage';
}
