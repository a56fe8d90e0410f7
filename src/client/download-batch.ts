import type { Download } from '../protocol/messages.ts';
import type { DownloadBatch, DownloadEntry } from '../store/server/contract.ts';

/** A DOWNLOAD as replicas take it. */
export function downloadBatch(message: Download, entries: readonly DownloadEntry[]): DownloadBatch {
  return {
    entries,
    cursor: { serverVersion: message.downloadServerVersion, clientVersion: message.downloadClientVersion },
    latest: { version: message.latestServerVersion, salt: message.latestServerVersionSalt },
    uploadCursor: { clientVersion: message.uploadClientVersion, serverVersion: message.uploadServerVersion },
    downloadableBytes: message.downloadableBytes,
  };
}
