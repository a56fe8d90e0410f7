import { IsthmusError } from '../errors.ts';

/** A message that breaks the protocol. `protocolCode` is the number of wire-protocol.md §7.1 to answer with. */
export class ProtocolError extends IsthmusError {
  readonly code = 'protocol-violation';
  readonly protocolCode: 102 | 103 | 104 | 110 | 111 | 112;

  constructor(protocolCode: ProtocolError['protocolCode'], message: string, cause?: unknown) {
    super(message, { cause });
    this.protocolCode = protocolCode;
  }
}
