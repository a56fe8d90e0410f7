import { IsthmusError } from '../../errors.ts';

/** Why a request about permissions was refused. */
export type PermissionFault = 'denied' | 'invalid' | 'unknown-user' | 'unknown-offer' | 'too-many';

/** A grant, an offer or its acceptance that was refused. The message names path and reason. */
export class PermissionError extends IsthmusError {
  readonly code = 'permission';
  readonly fault: PermissionFault;

  constructor(fault: PermissionFault, message: string, remedy?: string) {
    super(message, remedy === undefined ? {} : { remedy });
    this.fault = fault;
  }
}
