import type { ClientFile } from './client-file-table.ts';
import type { DownloadBatch, DownloadCursor, DownloadEntry } from './contract.ts';
import type { HistoryHead, HistoryTable } from './history-table.ts';
import { SERVER_FILE_IDENT } from './integrate.ts';

/**
 * What a client has not seen after `cursor` (spec/server-history.md §4): always main forms, without its own and
 * without empty changesets, ending after the entry that makes the sum of sizes exceed `softLimit`.
 */
export function scanDownload(
  history: HistoryTable,
  realm: number,
  head: HistoryHead,
  file: ClientFile,
  cursor: DownloadCursor,
  softLimit: number,
): DownloadBatch {
  const entries: DownloadEntry[] = [];
  let { clientVersion } = cursor;
  let reached = Math.max(cursor.serverVersion, head.version);
  let reachedSize = head.cumulativeSize;
  let size = 0;
  for (const entry of history.scan(realm, file.ident, cursor.serverVersion)) {
    const { version, origin, changeset } = entry;
    if (changeset === undefined) {
      clientVersion = entry.clientVersion;
      continue;
    }
    if (changeset.length === 0) continue;
    entries.push({
      serverVersion: version,
      clientVersion,
      timestamp: entry.timestamp,
      originFileIdent: origin === 0 ? SERVER_FILE_IDENT : origin,
      originalSize: changeset.length,
      changeset,
    });
    size += changeset.length;
    if (size > softLimit) {
      reached = version;
      reachedSize = entry.cumulativeSize;
      break;
    }
  }
  return {
    entries,
    cursor: { serverVersion: reached, clientVersion },
    latest: { version: head.version, salt: head.salt },
    uploadCursor: { clientVersion: file.clientVersion, serverVersion: file.reciprocalBase },
    downloadableBytes: head.cumulativeSize - reachedSize,
  };
}
