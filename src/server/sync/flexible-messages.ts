/** The DOWNLOADs of flexible sync (spec/wire-protocol.md §4, §4.1, §6.5). */
import { compressBody, plainBody } from '../../protocol/compression.ts';
import { formatDownloadBody, formatDownloadHead } from '../../protocol/entry-bodies.ts';
import type { Body, Download } from '../../protocol/messages.ts';
import { type SharedContent, splicedBody } from '../../protocol/spliced-body.ts';
import type {
  DownloadCursor,
  DownloadEntry,
  SaltedVersion,
  UploadCursor,
} from '../../store/server/contract.ts';

/** Bodies up to this size are sent as they are, in the same step: bursts of small changes to many clients. */
const PLAIN_BYTES = 1024;
/** What the server makes up itself comes from file 1 and is older than anything that a client wrote. */
const SERVER_FILE_IDENT = 1;
const OLDEST_TIMESTAMP = 1;

export type BatchState = 0 | 1 | 2;

/** What the head of a DOWNLOAD says beside its batch. */
export type Progress = {
  readonly cursor: DownloadCursor;
  readonly latest: SaltedVersion;
  readonly upload: UploadCursor;
};

export function flexibleDownload(
  session: number,
  { cursor, latest, upload }: Progress,
  batch: NonNullable<Download['batch']>,
): Omit<Download, 'body'> {
  // What a client has seen of its own changes is integrated, even before that was told to the session (§6.2).
  const clientVersion = Math.max(upload.clientVersion, cursor.clientVersion);
  return {
    type: 'download',
    session,
    downloadServerVersion: cursor.serverVersion,
    downloadClientVersion: cursor.clientVersion,
    latestServerVersion: latest.version,
    latestServerVersionSalt: latest.salt,
    uploadClientVersion: clientVersion,
    uploadServerVersion: upload.serverVersion,
    downloadableBytes: 0,
    batch,
  };
}

/** Deflated when it is large; what is small is there at once. */
export function entriesBody(entries: readonly DownloadEntry[]): Body | Promise<Body> {
  const bytes = formatDownloadBody(entries);
  return bytes.byteLength <= PLAIN_BYTES ? plainBody(bytes) : compressBody(bytes);
}

/** A changeset of a bootstrap, as an entry of the history at the version that the client is brought to. */
export function bootstrapBody(cursor: DownloadCursor, content: SharedContent): Body {
  const head = {
    serverVersion: cursor.serverVersion,
    clientVersion: cursor.clientVersion,
    timestamp: OLDEST_TIMESTAMP,
    originFileIdent: SERVER_FILE_IDENT,
    originalSize: content.size,
  };
  return splicedBody(formatDownloadHead(head, content.size), content);
}

/** Entries in runs of about `bytes`, in order. */
export function entryRuns(entries: readonly DownloadEntry[], bytes: number): readonly DownloadEntry[][] {
  const runs: DownloadEntry[][] = [];
  let run: DownloadEntry[] = [];
  let size = 0;
  for (const entry of entries) {
    if (size >= bytes) {
      runs.push(run);
      run = [];
      size = 0;
    }
    run.push(entry);
    size += entry.changeset.byteLength;
  }
  if (run.length > 0) runs.push(run);
  return runs;
}
