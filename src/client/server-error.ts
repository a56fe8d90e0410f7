/** What a session does about an error that the server reports (wire-protocol.md §7.2). Decides only. */
import { z } from 'zod';
import { ERROR_CODES, isSendable } from '../protocol/error-codes.ts';
import type { ServerMessage } from '../protocol/messages.ts';
import { ProtocolError } from '../protocol/protocol-error.ts';

export type ErrorMessage = Extract<ServerMessage, { type: 'json_error' | 'error' }>;

export type ServerError = {
  readonly protocolCode: number;
  readonly message: string;
  readonly tryAgain: boolean;
  /** Absent in the old form of the message, which has none. */
  readonly action?: string | undefined;
  readonly backoffSeconds?: number | undefined;
};

export type Reaction =
  /** The session goes on. */
  | 'report'
  /** Unbind, and bind again after a delay. */
  | 'suspend'
  /** As `suspend`, with a new access token. */
  | 'refreshUser'
  /** Look for the server anew, with a new access token. */
  | 'relocate'
  | 'recover'
  | 'discard'
  /** Connection errors: a new connection after a delay. */
  | 'reconnect'
  | 'fail';

/** Session errors that leave the session as it is. */
export const COMPENSATING_WRITE = 231;
const SCHEMA_VERSION_CHANGED = 236;
const FIRST_SESSION_CODE = 200;

/** A body without one of the first six breaks the protocol, also where nothing depends on it. */
const bodySchema = z.object({
  message: z.string(),
  tryAgain: z.boolean(),
  isRecoveryModeDisabled: z.boolean(),
  shouldClientReset: z.boolean(),
  logURL: z.string(),
  action: z.string(),
  backoffIntervalSec: z.number().nonnegative().optional(),
});

/** Throws `ProtocolError` on a body that is not as it has to be. */
export function readServerError(message: ErrorMessage): ServerError {
  const { errorCode: protocolCode } = message;
  // The codes that a server must never send: SDKs end the process on them.
  if (ERROR_CODES.has(protocolCode) && !isSendable(protocolCode))
    throw new ProtocolError(103, `error ${protocolCode} is none that a client can take`);
  if (message.type === 'error') return { protocolCode, message: message.message, tryAgain: message.tryAgain };
  const body = bodySchema.safeParse(parseJson(message.json));
  if (!body.success) throw new ProtocolError(103, 'json_error: the body lacks what it must have');
  const { message: text, tryAgain, action, backoffIntervalSec: backoffSeconds } = body.data;
  return { protocolCode, message: text, tryAgain, action, backoffSeconds };
}

export function reactionTo({ protocolCode, tryAgain, action }: ServerError): Reaction {
  if (protocolCode < FIRST_SESSION_CODE) return tryAgain ? 'reconnect' : 'fail';
  if (protocolCode === COMPENSATING_WRITE || protocolCode === SCHEMA_VERSION_CHANGED) return 'report';
  switch (action) {
    case 'ClientReset':
      return 'recover';
    case 'ClientResetNoRecovery':
      return 'discard';
    case 'RefreshUser':
      return 'refreshUser';
    case 'RefreshLocation':
      return 'relocate';
    case 'Transient':
    case 'Warning':
    case undefined:
      return tryAgain ? 'suspend' : 'fail';
    default: // ProtocolViolation, ApplicationBug, LogOutUser, … and what we do not know
      return 'fail';
  }
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new ProtocolError(103, 'json_error: the body is no JSON', cause);
  }
}
