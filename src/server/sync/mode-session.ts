/**
 * What differs between the two modes of sync. A session (sync-session.ts) reads messages, keeps their order and reports
 * faults; what they mean for a realm is up to the mode: partition-session.ts, flexible-session.ts.
 */
import type { ServerMessage } from '../../protocol/messages.ts';
import type { DownloadCursor, ServerRealm, Upload, UploadCursor } from '../../store/server/contract.ts';
import type { User } from '../accounts/accounts.ts';
import type { ServerLimits } from '../limits.ts';

/** The way back from a mode to its client. */
export type SessionPort = {
  /** Ident of the session, for messages. */
  readonly session: number;
  readonly user: User;
  /** Negotiated version of the protocol. */
  readonly version: number;
  readonly limits: ServerLimits;
  send(message: ServerMessage): void;
  /** Resolves when the socket has room; undefined when it has. */
  writable(): Promise<void> | undefined;
  /** Ends the session, as far as it is not over, with what went wrong outside of any message. */
  failed(error: unknown): void;
};

/** A client file that IDENT named and that was found good. */
export type IdentifiedFile = {
  readonly fileIdent: number;
  readonly download: DownloadCursor;
  /** What was integrated before this session. */
  readonly uploadCursor: UploadCursor;
  readonly lockedServerVersion: number;
  /** Flexible sync: the active subscription set. */
  readonly query?: { readonly version: number; readonly text: string };
};

/**
 * One session in one mode, from the realm's opening on. `bind` is called once; everything but `review` and `stop` comes
 * after it. What is thrown ends the session.
 */
export interface ModeSession {
  readonly realm: ServerRealm;
  bind(file: IdentifiedFile): Promise<void> | void;
  /** Judges the next UPLOAD of the stream and leaves out what is integrated already. */
  accept(upload: Upload): Upload;
  /** Integrates accepted uploads, in order. */
  integrate(uploads: readonly Upload[]): Promise<void>;
  mark(request: number): void;
  query(version: number, text: string): void;
  /** The rights of the user may have changed. */
  review(): Promise<void> | void;
  /** Nobody is there any more; may be called at any time. */
  stop(): void;
}
