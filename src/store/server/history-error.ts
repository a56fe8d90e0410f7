import { IsthmusError } from '../../errors.ts';
import type { HistoryErrorCode } from './contract.ts';

/** What a history refuses; the peer is told `protocolCode` (spec/wire-protocol.md §7.1). */
export class HistoryError extends IsthmusError {
  readonly code = 'history';
  readonly protocolCode: HistoryErrorCode;

  constructor(protocolCode: HistoryErrorCode, message: string, cause?: unknown) {
    super(message, { cause });
    this.protocolCode = protocolCode;
  }
}
