/** What of a replica's history goes into the next UPLOAD (spec/server-history.md §8.4). */
import type { UploadCursor, UploadEntry } from '../server/contract.ts';
import type { LocalChangeset } from './local-changesets.ts';

/** An UPLOAD gets no larger than this, unless one changeset alone is. */
const HARD_LIMIT = 16 * 1024 * 1024;

export type UploadScan = { entries: UploadEntry[]; progress: UploadCursor };

/**
 * `locals` are the changesets after `from`, in the form they were made: their base is the server version integrated
 * then, and it is the server that merges them from there. The scan ends at `head`, the newest local version or the one
 * that is asked for, with what was integrated then; it becomes the progress when nothing is left to upload.
 */
export function scanForUpload(
  locals: Iterable<LocalChangeset>,
  from: UploadCursor,
  head: UploadCursor,
  softLimit: number,
): UploadScan {
  const entries: UploadEntry[] = [];
  let progress = from;
  let size = 0;
  for (const { version, remoteVersion, timestamp, changeset } of locals) {
    if (version > head.clientVersion) break;
    if (entries.length > 0 && (size >= softLimit || size + changeset.length > HARD_LIMIT)) {
      return { entries, progress };
    }
    progress = { clientVersion: version, serverVersion: Math.max(progress.serverVersion, remoteVersion) };
    entries.push({
      clientVersion: version,
      serverVersion: progress.serverVersion,
      timestamp,
      originFileIdent: 0,
      changeset,
    });
    size += changeset.length;
  }
  return {
    entries,
    progress: {
      clientVersion: Math.max(progress.clientVersion, head.clientVersion),
      serverVersion: Math.max(progress.serverVersion, head.serverVersion),
    },
  };
}
