/** Partition-based sync: the client holds a whole realm (spec/wire-protocol.md §5.6, §5.7). */
import type { ServerRealm, Upload } from '../../store/server/contract.ts';
import type { User } from '../accounts/accounts.ts';
import type { RealmAccess } from '../permissions.ts';
import { DownloadPump } from './download-pump.ts';
import type { IdentifiedFile, ModeSession, SessionPort } from './mode-session.ts';
import { changesNothing } from './reader-upload.ts';
import { downloadMessage } from './session-messages.ts';
import { ConnectionError, SessionError } from './sync-error.ts';
import { UploadApplier } from './upload-applier.ts';

export type PartitionSessionOptions = {
  readonly realm: ServerRealm;
  readonly access: RealmAccess;
  /** Asks again what the user may do. */
  readonly accessNow: (user: User) => Promise<RealmAccess>;
  readonly port: SessionPort;
};

/** Throws {@link SessionError} 206 when the realm may not even be read. */
export function requireReadable(access: RealmAccess, path: string): void {
  if (access === 'none') throw new SessionError(206, `no right to open ${path}`);
}

export class PartitionSession implements ModeSession {
  readonly realm: ServerRealm;
  readonly #accessNow: PartitionSessionOptions['accessNow'];
  readonly #port: SessionPort;
  #access: RealmAccess;
  #bound: { readonly pump: DownloadPump; readonly applier: UploadApplier } | undefined;

  constructor({ realm, access, accessNow, port }: PartitionSessionOptions) {
    this.realm = realm;
    this.#access = access;
    this.#accessNow = accessNow;
    this.#port = port;
  }

  bind({ fileIdent, download, uploadCursor, lockedServerVersion }: IdentifiedFile): void {
    const { realm } = this;
    const pump = this.#pump(fileIdent, download);
    const applier = new UploadApplier({
      integrate: (upload) => realm.integrate(fileIdent, upload),
      threshold: uploadCursor,
      lockedServerVersion,
      sliceSize: this.#port.limits.integratedTogether,
      downloadedVersion: () => pump.serverVersion,
    });
    this.#bound = { pump, applier };
    pump.wake();
  }

  accept(upload: Upload): Upload {
    const accepted = this.#live.applier.accept(upload);
    if (this.#access !== 'write') this.#refuseChanges(accepted);
    return accepted;
  }

  integrate(uploads: readonly Upload[]): Promise<void> {
    return this.#live.applier.integrate(uploads);
  }

  mark(request: number): void {
    this.#live.pump.requestMark(request);
  }

  query(): void {
    throw new ConnectionError(109, 'QUERY came on a partition-based connection');
  }

  async review(): Promise<void> {
    const access = await this.#accessNow(this.#port.user);
    requireReadable(access, this.realm.path);
    this.#access = access;
  }

  stop(): void {
    this.#bound?.pump.stop();
  }

  get #live(): { readonly pump: DownloadPump; readonly applier: UploadApplier } {
    if (this.#bound === undefined) throw new Error('a session is used before it is bound');
    return this.#bound;
  }

  #refuseChanges({ entries }: Upload): void {
    if (changesNothing(entries, this.realm.schema)) return;
    throw new SessionError(206, `no right to write to ${this.realm.path}`);
  }

  #pump(fileIdent: number, cursor: IdentifiedFile['download']): DownloadPump {
    const port = this.#port;
    const sink = {
      download: async (
        batch: Parameters<typeof downloadMessage>[1],
        isStopped: () => boolean,
      ): Promise<void> => {
        const message = await downloadMessage(port.session, batch);
        if (!isStopped()) port.send(message);
      },
      mark: (request: number) => port.send({ type: 'mark', session: port.session, request }),
      writable: () => port.writable(),
      failed: (error: unknown) => port.failed(error),
    };
    return new DownloadPump(this.realm, fileIdent, cursor, sink, port.limits.download);
  }
}
