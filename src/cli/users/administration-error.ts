import { IsthmusError } from '../../errors.ts';

/** The admin API of a server could not be asked, or refused what was asked. */
export class AdministrationError extends IsthmusError {
  readonly code = 'administration';
}
