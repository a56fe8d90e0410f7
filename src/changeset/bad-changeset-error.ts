import { IsthmusError } from '../errors.ts';

/**
 * A changeset that cannot be parsed, merged or applied; protocol error 212 on the wire (changeset-format.md §7.1).
 * The message names what was wrong with it.
 */
export class BadChangesetError extends IsthmusError {
  readonly code = 'bad-changeset';
}
