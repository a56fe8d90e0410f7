import { IsthmusError } from '../errors.ts';

/** The server cannot start with these options on this machine. */
export class ServerStartError extends IsthmusError {
  readonly code = 'server-start';
}
