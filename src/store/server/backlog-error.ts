import { IsthmusError } from '../../errors.ts';

/** More changes are waiting than the store takes on; the peer is told 100 with "try again" (spec/wire-protocol.md §5.7). */
export class BacklogError extends IsthmusError {
  readonly code = 'backlog';
  readonly protocolCode = 100;
}
