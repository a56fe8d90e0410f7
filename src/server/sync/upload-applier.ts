/** Checks and integrates what one bound session uploads (wire-protocol.md §5.7, server-history.md §3). */

import { checkUpload } from '../../store/server/check-upload.ts';
import type { ServerRealm, Upload, UploadCursor } from '../../store/server/contract.ts';
import { HistoryError } from '../../store/server/history-error.ts';
import { changesNothing } from './reader-upload.ts';
import { SessionError } from './sync-error.ts';

export type UploadApplierOptions = {
  readonly realm: ServerRealm;
  readonly fileIdent: number;
  readonly mayWrite: boolean;
  /** Upload cursor at IDENT: what was integrated before this session. */
  readonly threshold: UploadCursor;
  readonly lockedServerVersion: number;
  /** Server version that this session was sent up to. */
  readonly downloadedVersion: () => number;
};

const NO_PROGRESS: UploadCursor = { clientVersion: 0, serverVersion: 0 };

export class UploadApplier {
  readonly #options: UploadApplierOptions;
  #progress: UploadCursor = NO_PROGRESS;
  #lockedServerVersion: number;

  constructor(options: UploadApplierOptions) {
    this.#options = options;
    this.#lockedServerVersion = options.lockedServerVersion;
  }

  /** Judges the next UPLOAD of the stream and leaves out what is integrated already. Throws {@link SessionError}. */
  accept(upload: Upload): Upload {
    const { threshold, realm, mayWrite } = this.#options;
    const fault = checkUpload(
      {
        threshold,
        progress: this.#progress,
        downloadServerVersion: this.#options.downloadedVersion(),
        lockedServerVersion: this.#lockedServerVersion,
      },
      upload,
    );
    if (fault) throw new SessionError(fault.code, fault.message);
    this.#progress = upload.progress;
    this.#lockedServerVersion = upload.lockedServerVersion;
    const entries = upload.entries.filter(({ clientVersion }) => clientVersion > threshold.clientVersion);
    if (!mayWrite && !changesNothing(entries, realm.schema)) {
      throw new SessionError(206, `no right to write to ${realm.path}`);
    }
    return { ...upload, entries };
  }

  /**
   * Integrates accepted uploads as one, so that a stream of them waits for one commit instead of many. When one of
   * them is bad, those before it are integrated all the same.
   */
  async integrate(uploads: readonly Upload[]): Promise<void> {
    const last = uploads.at(-1);
    if (last === undefined) return;
    const { realm, fileIdent } = this.#options;
    try {
      await realm.integrate(fileIdent, { ...last, entries: uploads.flatMap(({ entries }) => entries) });
    } catch (error) {
      if (!(error instanceof HistoryError) || uploads.length === 1) throw error;
      for (const upload of uploads) await realm.integrate(fileIdent, upload);
    }
  }
}
