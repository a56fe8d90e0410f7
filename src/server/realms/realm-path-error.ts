import { IsthmusError } from '../../errors.ts';

/** A partition value that names no realm; protocol error 204 (spec/wire-protocol.md §7.1). The message says why. */
export class RealmPathError extends IsthmusError {
  readonly code = 'realm-path';
}
