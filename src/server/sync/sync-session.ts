/**
 * One session: one client file of one realm on one connection. Its states (spec/wire-protocol.md §5.4):
 *
 * | state        | entered by                                       | accepts                          | leaves to           |
 * |--------------|--------------------------------------------------|----------------------------------|---------------------|
 * | binding      | BIND; path, right and ident are being looked for | IDENT unless one was asked for   | unidentified        |
 * | unidentified | the realm is open, IDENT was sent if asked for   | IDENT, UNBIND                    | bound, ended        |
 * | bound        | IDENT was found good                             | UPLOAD, MARK, QUERY, JSON_ERROR, UNBIND | ended        |
 * | failed       | a session error was sent, from any state above   | anything, ignored, until UNBIND  | ended, no UNBOUND   |
 * | ended        | UNBIND, or the connection is gone                | nothing                          |                     |
 *
 * Messages are handled one after another in the order of arrival. Those that arrive meanwhile wait in the inbox,
 * whose bytes count in the connection's backlog. Anything out of order ends the connection (109). What the messages
 * mean for a realm is up to the mode of sync (mode-session.ts).
 */
import type { Logger } from '../../log.ts';
import type { ServerMessage, SyncMode } from '../../protocol/messages.ts';
import type { Negotiated } from '../../protocol/negotiation.ts';
import type { Upload } from '../../store/server/contract.ts';
import type { User } from '../accounts/accounts.ts';
import type { ServerLimits } from '../limits.ts';
import type { ServerBacklog } from './backlog.ts';
import type { BoundFiles, FileHolder } from './bound-files.ts';
import type { ModeSession, SessionPort } from './mode-session.ts';
import {
  type BindMessage,
  decodeUpload,
  type IdentMessage,
  type SessionMessage,
  type UploadMessage,
} from './session-messages.ts';
import { asConnectionError, asSessionError, ConnectionError, SessionError } from './sync-error.ts';

/** Characters of a client's own error report that are repeated to it. */
const MAX_QUOTED = 500;

/** Opens the realm that BIND names, in one mode of sync. Throws {@link SessionError} or `RealmPathError`. */
export type ModeOpener = (bind: BindMessage, port: SessionPort) => Promise<ModeSession>;

/** What all sessions of the server share. */
export type SyncContext = {
  readonly modes: Readonly<Record<SyncMode, ModeOpener>>;
  readonly boundFiles: BoundFiles;
  readonly backlog: ServerBacklog;
  readonly limits: ServerLimits;
  readonly logger: Logger;
};

/** What a session needs of its connection. */
export type SessionConnection = {
  readonly user: User;
  readonly protocol: Negotiated;
  send(message: ServerMessage): void;
  sendError(session: number, error: SessionError): void;
  log(session: number, text: string): void;
  /** Resolves when the socket has room; undefined when it has. */
  writable(): Promise<void> | undefined;
  /** Takes handled messages out of the backlog. */
  consumed(bytes: number): void;
  /** Sends a connection error and closes. */
  fail(error: ConnectionError): void;
  /** Drops the connection at once. */
  terminate(reason: string): void;
  /** The session's ident is free again. */
  ended(session: number): void;
};

/** A message to a session, and how many bytes it holds. `upload` is being decoded since the message arrived. */
type Received = {
  readonly message: SessionMessage;
  readonly bytes: number;
  readonly upload?: Promise<Upload>;
};

type Unidentified = { readonly kind: 'unidentified'; readonly mode: ModeSession };
type Bound = {
  readonly kind: 'bound';
  readonly mode: ModeSession;
  readonly fileIdent: number;
  readonly holder: FileHolder;
};
type State =
  | { readonly kind: 'binding'; readonly asksIdent: boolean }
  | Unidentified
  | Bound
  | { readonly kind: 'failed' }
  | { readonly kind: 'ended' };

export class SyncSession {
  readonly ident: number;
  readonly #connection: SessionConnection;
  readonly #context: SyncContext;
  readonly #open: ModeOpener;
  readonly #inbox: Received[] = [];
  #state: State;
  /** Rights changed while the realm was being opened by them. */
  #isToBeReviewed = false;
  #work: Promise<void> | undefined;

  /** A session begins with its BIND. */
  constructor(
    bind: BindMessage,
    bytes: number,
    connection: SessionConnection,
    context: SyncContext,
    open: ModeOpener,
  ) {
    this.ident = bind.session;
    this.#connection = connection;
    this.#context = context;
    this.#open = open;
    this.#state = { kind: 'binding', asksIdent: bind.needFileIdent };
    this.#enqueue({ message: bind, bytes });
  }

  /** Takes the next message; throws {@link ConnectionError} when it breaks the order. */
  receive(message: SessionMessage, bytes: number): void {
    const state = this.#state;
    if (state.kind === 'failed' || state.kind === 'ended') {
      this.#connection.consumed(bytes);
      if (message.type === 'unbind') this.end();
      return;
    }
    if (message.type === 'ident' && state.kind === 'binding' && state.asksIdent) {
      this.#connection.consumed(bytes);
      throw outOfOrder(message, 'before it was given one');
    }
    this.#enqueue({ message, bytes, ...(message.type === 'upload' && { upload: this.#decode(message) }) });
  }

  /** Forgets the client: what waits is dropped, what is being integrated ends by itself. */
  end(): void {
    const state = this.#state;
    if (state.kind === 'ended') return;
    this.#state = { kind: 'ended' };
    this.#release(state);
    this.#dropInbox();
    this.#connection.ended(this.ident);
  }

  /** The rights of the user, to one path or to all, may have changed: judges anew what was decided by them. */
  review(path?: string): void {
    const state = this.#state;
    if (state.kind === 'binding') this.#isToBeReviewed = true;
    const isBound = state.kind === 'unidentified' || state.kind === 'bound';
    if (isBound && (path === undefined || state.mode.realm.path === path)) {
      this.#review(state).catch((error: unknown) => this.#fault(error));
    }
  }

  /** Resolves when no message is being handled. */
  async settled(): Promise<void> {
    await this.#work;
  }

  #enqueue(received: Received): void {
    this.#inbox.push(received);
    this.#work ??= this.#handleInbox();
  }

  #decode(message: UploadMessage): Promise<Upload> {
    const upload = decodeUpload(message);
    // Whoever takes the message from the inbox sees the failure; nobody does when the session ends before.
    upload.catch(() => {});
    return upload;
  }

  async #handleInbox(): Promise<void> {
    for (let received = this.#inbox.shift(); received; received = this.#inbox.shift()) {
      try {
        await this.#handle(received);
      } catch (error) {
        this.#fault(error);
      } finally {
        this.#connection.consumed(received.bytes);
      }
    }
    // In the same step in which the inbox was found empty: what arrives from here on starts anew.
    this.#work = undefined;
  }

  async #handle({ message, bytes, upload }: Received): Promise<void> {
    switch (message.type) {
      case 'bind':
        return this.#bind(message);
      case 'ident':
        return this.#identify(message);
      case 'upload':
        return upload && this.#upload(message, upload, bytes);
      case 'mark':
        return this.#bound(message).mode.mark(message.request);
      case 'query':
        return this.#bound(message).mode.query(message.version, message.text);
      case 'json_error':
        this.#bound(message);
        throw new SessionError(
          217,
          `the client could not go on: ${message.errorCode} ${message.json.slice(0, MAX_QUOTED)}`,
        );
      case 'unbind':
        if (this.#isLive()) this.#connection.send({ type: 'unbound', session: this.ident });
        return this.end();
    }
  }

  async #bind(message: BindMessage): Promise<void> {
    const mode = await this.#open(message, this.#port());
    const owner = this.#connection.user.id;
    const file = message.needFileIdent ? await mode.realm.allocateClientFile(owner) : undefined;
    if (this.#isToBeReviewed) await mode.review();
    if (this.#state.kind !== 'binding') return;
    if (file)
      this.#connection.send({
        type: 'ident',
        session: this.ident,
        fileIdent: file.fileIdent,
        fileIdentSalt: file.salt,
      });
    this.#state = { kind: 'unidentified', mode };
  }

  async #identify(message: IdentMessage): Promise<void> {
    const state = this.#state;
    if (state.kind !== 'unidentified') throw outOfOrder(message, `in the state ${state.kind}`);
    const { mode } = state;
    const { fileIdent } = message;
    // A client that closes a realm and opens it again does not wait for UNBOUND.
    await this.#context.boundFiles.departed(mode.realm.path, fileIdent, this.#connection);
    if (this.#state !== state) return;
    const download = {
      serverVersion: message.downloadServerVersion,
      clientVersion: message.downloadClientVersion,
    };
    const verdict = await mode.realm.checkIdent({
      fileIdent,
      fileIdentSalt: message.fileIdentSalt,
      download,
      latest: { version: message.latestServerVersion, salt: message.latestServerVersionSalt },
    });
    if (this.#state !== state) return;
    if (verdict.kind === 'rejected') throw new SessionError(verdict.code, verdict.message);
    this.#requireOwner(verdict.owner, fileIdent);
    const holder = this.#claim(mode, fileIdent);
    this.#state = { kind: 'bound', mode, fileIdent, holder };
    await mode.bind({
      fileIdent,
      download,
      uploadCursor: verdict.uploadCursor,
      lockedServerVersion: verdict.lockedServerVersion,
      ...(message.query !== undefined && { query: message.query }),
    });
    this.#connection.log(this.ident, `session ${this.ident}: client file ${fileIdent} of ${mode.realm.path}`);
  }

  /** A client file is its user's; whoever logs in on the same device brings files of their own (223). */
  #requireOwner(owner: string | undefined, fileIdent: number): void {
    const { user } = this.#connection;
    if (owner === undefined || owner === user.id || user.isAdmin) return;
    throw new SessionError(223, `client file ${fileIdent} belongs to another user`);
  }

  #claim({ realm }: ModeSession, fileIdent: number): FileHolder {
    const holder: FileHolder = {
      connection: this.#connection,
      supersede: () => this.#connection.terminate('its client file is bound elsewhere'),
      departure: () => (this.#isUnbound() ? this.settled() : undefined),
    };
    if (this.#context.boundFiles.claim(realm.path, fileIdent, holder)) return holder;
    throw new ConnectionError(108, `client file ${fileIdent} is bound in another session of this connection`);
  }

  #port(): SessionPort {
    const connection = this.#connection;
    return {
      session: this.ident,
      user: connection.user,
      version: connection.protocol.version,
      limits: this.#context.limits,
      send: (message) => {
        if (this.#isLive()) connection.send(message);
      },
      writable: () => connection.writable(),
      failed: (error) => this.#fault(error),
    };
  }

  async #review({ mode }: Unidentified | Bound): Promise<void> {
    await mode.review();
  }

  /** Integrates an upload together with those that wait right behind it. */
  async #upload(message: UploadMessage, first: Promise<Upload>, bytes: number): Promise<void> {
    const { mode } = this.#bound(message);
    const uploads = [mode.accept(await first)];
    let size = bytes;
    let fault: unknown;
    while (fault === undefined && size < this.#context.limits.integratedTogether) {
      const next = this.#inbox[0];
      if (next?.upload === undefined) break;
      this.#inbox.shift();
      size += next.bytes;
      try {
        uploads.push(mode.accept(await next.upload));
      } catch (error) {
        fault = error;
      }
    }
    try {
      if (this.#isLive()) await mode.integrate(uploads);
    } finally {
      this.#connection.consumed(size - bytes);
    }
    if (fault !== undefined) throw fault;
  }

  #bound(message: SessionMessage): Bound {
    if (this.#state.kind !== 'bound') throw outOfOrder(message, `in the state ${this.#state.kind}`);
    return this.#state;
  }

  #isLive(): boolean {
    return this.#state.kind !== 'failed' && this.#state.kind !== 'ended';
  }

  /** Tells the client what happened, once; after that it may only unbind. */
  #fault(error: unknown): void {
    if (!this.#isLive()) return;
    const connectionError = asConnectionError(error);
    if (connectionError) {
      this.#connection.fail(connectionError);
      return;
    }
    const sessionError = asSessionError(error);
    const { logger } = this.#context;
    const fields = { user: this.#connection.user.id, session: this.ident, code: sessionError.protocolCode };
    if (sessionError.protocolCode === 201) logger.error('a sync session failed', { ...fields, error });
    else logger.info(`a sync session was refused: ${sessionError.message}`, fields);

    const state = this.#state;
    this.#state = { kind: 'failed' };
    this.#release(state);
    this.#connection.sendError(this.ident, sessionError);
    const wasUnbound = this.#isUnbound();
    this.#dropInbox();
    if (wasUnbound) this.end();
  }

  #release(state: State): void {
    if (state.kind !== 'bound' && state.kind !== 'unidentified') return;
    state.mode.stop();
    if (state.kind === 'unidentified') return;
    this.#context.boundFiles.release(state.mode.realm.path, state.fileIdent, state.holder);
  }

  /** UNBIND has arrived, and waits for its turn. */
  #isUnbound(): boolean {
    return this.#inbox.some(({ message }) => message.type === 'unbind');
  }

  #dropInbox(): void {
    for (const { bytes } of this.#inbox.splice(0)) this.#connection.consumed(bytes);
  }
}

function outOfOrder(message: SessionMessage, where: string): ConnectionError {
  return new ConnectionError(109, `${message.type.toUpperCase()} came ${where}`);
}
