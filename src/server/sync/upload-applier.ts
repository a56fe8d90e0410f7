/** Checks and integrates what one bound session uploads (spec/wire-protocol.md §5.7, spec/server-history.md §3). */

import { checkUpload } from '../../store/server/check-upload.ts';
import type { Upload, UploadCursor, UploadEntry } from '../../store/server/contract.ts';
import { HistoryError } from '../../store/server/history-error.ts';
import { SessionError } from './sync-error.ts';

export type UploadApplierOptions = {
  /** Integrates a part of the stream, completely or not at all. */
  readonly integrate: (upload: Upload) => Promise<unknown>;
  /** Upload cursor at IDENT: what was integrated before this session. */
  readonly threshold: UploadCursor;
  readonly lockedServerVersion: number;
  /** Bytes of changesets integrated in one step. */
  readonly sliceSize: number;
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
    const { threshold } = this.#options;
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
    return { ...upload, entries };
  }

  /**
   * Integrates accepted uploads as one stream, cut anew: a run of small ones shares a commit, a huge one takes
   * several. When a changeset is bad, those before it are integrated all the same.
   */
  async integrate(uploads: readonly Upload[]): Promise<void> {
    const last = uploads.at(-1);
    if (last === undefined) return;
    for (const slice of slices(uploads, last, this.#options.sliceSize)) {
      try {
        await this.#options.integrate(slice);
      } catch (error) {
        const isRefused = error instanceof HistoryError || error instanceof SessionError;
        if (!isRefused || slice.entries.length <= 1) throw error;
        await this.#integrateOneByOne(slice);
      }
    }
  }

  async #integrateOneByOne(slice: Upload): Promise<void> {
    const { integrate } = this.#options;
    for (const entry of slice.entries) {
      await integrate({ ...slice, entries: [entry], progress: cursorOf(entry) });
    }
    await integrate({ ...slice, entries: [] });
  }
}

/** The entries of all uploads in portions of about `size` bytes; the last one carries the progress of the whole. */
function slices(uploads: readonly Upload[], last: Upload, size: number): Upload[] {
  const result: Upload[] = [];
  let entries: UploadEntry[] = [];
  let bytes = 0;
  for (const upload of uploads) {
    for (const entry of upload.entries) {
      if (bytes >= size) {
        const progress = cursorOf(entries.at(-1) ?? entry);
        result.push({ entries, progress, lockedServerVersion: last.lockedServerVersion });
        entries = [];
        bytes = 0;
      }
      entries.push(entry);
      bytes += entry.changeset.byteLength;
    }
  }
  result.push({ entries, progress: last.progress, lockedServerVersion: last.lockedServerVersion });
  return result;
}

function cursorOf({ clientVersion, serverVersion }: UploadEntry): UploadCursor {
  return { clientVersion, serverVersion };
}
