/** What a session or a connection is told when it cannot go on (spec/wire-protocol.md §7). */
import { BadChangesetError } from '../../changeset/codec.ts';
import { IsthmusError } from '../../errors.ts';
import { type ErrorAction, formatErrorBody } from '../../protocol/error-codes.ts';
import type { ServerMessage } from '../../protocol/messages.ts';
import { ProtocolError } from '../../protocol/protocol-error.ts';
import { HistoryError } from '../../store/server/history-error.ts';
import { RealmPathError } from '../realms/realm-path-error.ts';

/** The codes below 200 that the server sends; they end the connection. */
export type ConnectionErrorCode = 100 | 101 | 102 | 103 | 106 | 107 | 108 | 109 | 110 | 111 | 112 | 113 | 114;
/** The codes from 200 on that the server sends; they end one session. */
export type SessionErrorCode =
  | 201
  | 204
  | 206
  | 208
  | 209
  | 210
  | 211
  | 212
  | 216
  | 217
  | 222
  | 223
  | 225
  | 226
  | 228
  | 232
  | 234;

const JSON_ERROR_SINCE = 4;

/** A whole connection cannot go on. */
export class ConnectionError extends IsthmusError {
  readonly code = 'sync-connection';
  readonly protocolCode: ConnectionErrorCode;

  constructor(protocolCode: ConnectionErrorCode, message: string) {
    super(message);
    this.protocolCode = protocolCode;
  }

  /** Only a server that goes away is worth another try. */
  get tryAgain(): boolean {
    return this.protocolCode === 100;
  }

  /** Wrong use of the protocol, except where the app chose the wrong kind of sync, and where nobody did anything wrong. */
  get action(): ErrorAction {
    if (this.protocolCode === 100) return 'Transient';
    return this.protocolCode === 113 || this.protocolCode === 114 ? 'ApplicationBug' : 'ProtocolViolation';
  }
}

/** One session cannot go on. */
export class SessionError extends IsthmusError {
  readonly code = 'sync-session';
  readonly protocolCode: SessionErrorCode;
  /** With 232: the query to subscribe each class with. */
  readonly partitionQuery: string | undefined;

  constructor(protocolCode: SessionErrorCode, message: string, cause?: unknown, partitionQuery?: string) {
    super(message, { cause });
    this.protocolCode = protocolCode;
    this.partitionQuery = partitionQuery;
  }

  /** A history that does not fit is reset, a refusal is final, anything else passes (spec/wire-protocol.md §7.2). */
  get action(): ErrorAction {
    switch (this.protocolCode) {
      case 201:
        return 'Transient';
      case 204:
      case 206:
      case 216:
      case 223:
      case 225:
      case 226:
        return 'ApplicationBug';
      case 232:
        return 'MigrateToFLX';
      case 234:
        return 'RevertToPBS';
      default:
        return 'ClientReset';
    }
  }

  get tryAgain(): boolean {
    return this.action === 'Transient';
  }
}

/** What ends a session, as the client may see it: nothing of what went wrong inside the server. */
export function asSessionError(error: unknown): SessionError {
  if (error instanceof SessionError) return error;
  if (error instanceof HistoryError) return new SessionError(error.protocolCode, error.message, error);
  if (error instanceof BadChangesetError) return new SessionError(212, error.message, error);
  if (error instanceof RealmPathError) return new SessionError(204, error.message, error);
  return new SessionError(201, 'the server could not do this now', error);
}

/** What ends a connection; undefined for anything that is not the client's fault. */
export function asConnectionError(error: unknown): ConnectionError | undefined {
  if (error instanceof ConnectionError) return error;
  if (!(error instanceof ProtocolError)) return undefined;
  // Clients abort on "limits exceeded".
  return new ConnectionError(error.protocolCode === 104 ? 103 : error.protocolCode, error.message);
}

/** The message that reports an error; session 0 is the connection. Versions before 4 know the old form only. */
export function errorMessage(
  session: number,
  error: ConnectionError | SessionError,
  version: number,
): ServerMessage {
  const { protocolCode: errorCode, message, tryAgain, action } = error;
  if (version < JSON_ERROR_SINCE) return { type: 'error', session, errorCode, tryAgain, message };
  const partitionQuery = error instanceof SessionError ? error.partitionQuery : undefined;
  const json = formatErrorBody({
    message,
    tryAgain,
    action,
    ...(partitionQuery !== undefined && { partitionQuery }),
  });
  return { type: 'json_error', session, errorCode, json };
}
